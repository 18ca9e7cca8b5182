/**
 * The two IEEE 754 binary formats of RV64 F and D, and the codes that go with them. Everything in this folder is
 * written once over a `Format`; what is derived from its two numbers is computed here, so that the arithmetic
 * reads like the standard.
 *
 * Sources: RISC-V unprivileged specification, chapters "F" and "D"; IEEE 754-2008, 3.4.
 */

/** Rounding modes by their `frm` encoding. */
export const Rounding = {
  /** To nearest, ties to even. */
  RNE: 0,
  /** Towards zero. */
  RTZ: 1,
  /** Down, towards -infinity. */
  RDN: 2,
  /** Up, towards +infinity. */
  RUP: 3,
  /** To nearest, ties to the larger magnitude. */
  RMM: 4,
} as const;

export type RoundingMode = (typeof Rounding)[keyof typeof Rounding];

/** Accrued exceptions by their bit in `fflags`. */
export const Flag = {
  /** Inexact. */
  NX: 1,
  /** Underflow: tiny after rounding, and inexact. */
  UF: 2,
  /** Overflow. */
  OF: 4,
  /** Division of a finite number by zero. */
  DZ: 8,
  /** Invalid operation. */
  NV: 16,
} as const;

/** Where an operation reports its exceptions: bits are only ever added. */
export interface Status {
  flags: number;
}

/**
 * A finite number is `significand * 2^exponent`. Its *quantum* is the exponent of its last place when it is written
 * with all the places that the format has; `minQuantum` is that of the subnormals and of the first normal binade.
 */
export interface Format {
  readonly exponentBits: number;
  readonly fractionBits: number;
  /** Bits of a pattern. */
  readonly width: number;
  /** Significant bits of a normal number, the implicit one included. */
  readonly precision: number;
  /** The exponent field of infinities and NaNs: all ones. */
  readonly maxField: number;
  readonly minQuantum: number;
  /** `fractionBits`, as a shift count for patterns. */
  readonly fractionShift: bigint;
  /** The implicit leading bit of a normal significand. */
  readonly implicitBit: bigint;
  /** The sign bit alone: the pattern of -0. */
  readonly signBit: bigint;
  /** The pattern of +infinity; no finite magnitude reaches it. */
  readonly infinity: bigint;
  /** The one NaN that RISC-V delivers; among NaN magnitudes, those below it are signalling. */
  readonly canonicalNaN: bigint;
}

function describe(exponentBits: number, fractionBits: number): Format {
  const maxField = 2 ** exponentBits - 1;
  const bias = 2 ** (exponentBits - 1) - 1;
  const fractionShift = BigInt(fractionBits);
  const infinity = BigInt(maxField) << fractionShift;
  return {
    exponentBits,
    fractionBits,
    width: 1 + exponentBits + fractionBits,
    precision: fractionBits + 1,
    maxField,
    minQuantum: 1 - bias - fractionBits,
    fractionShift,
    implicitBit: 1n << fractionShift,
    signBit: 1n << BigInt(exponentBits + fractionBits),
    infinity,
    canonicalNaN: infinity | (1n << (fractionShift - 1n)),
  };
}

/** binary32: the operands of `.s` instructions. */
export const F32 = describe(8, 23);

/** binary64: the operands of `.d` instructions. */
export const F64 = describe(11, 52);
