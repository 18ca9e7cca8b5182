/**
 * A floating-point number taken apart. A finite, non-zero operand is (-1)^negative * significand * 2^exponent with a
 * significand of exactly `precision` bits, subnormals too: the arithmetic never needs to know that they exist.
 *
 * Source: IEEE 754-2008, 3.4 (encodings) and 6.2.1 (quiet and signalling NaNs).
 */
import type { Format } from './format.ts';

export const Kind = { zero: 0, finite: 1, infinite: 2, quietNaN: 3, signallingNaN: 4 } as const;

export type Kind = (typeof Kind)[keyof typeof Kind];

export interface Operand {
  kind: Kind;
  negative: boolean;
  /** Of the significand's last bit; meaningless unless finite and non-zero. */
  exponent: number;
  /** An integer; meaningless unless finite and non-zero. */
  significand: bigint;
}

export function blankOperand(): Operand {
  return { kind: Kind.zero, negative: false, exponent: 0, significand: 0n };
}

const doubleView = new DataView(new ArrayBuffer(8));

/** The number of bits of a positive integer below 2^1000. */
export function bitLength(value: bigint): number {
  const approximation = Number(value);
  doubleView.setFloat64(0, approximation);
  const length = (doubleView.getUint16(0) >> 4) - 1022;
  // The conversion rounds: a long run of ones becomes the next power of two, one bit too long.
  if (length > 53 && value >> BigInt(length - 1) === 0n) return length - 1;
  return length;
}

/** Takes the low `format.width` bits of `bits` apart into `operand`. */
export function unpack(format: Format, bits: bigint, operand: Operand): void {
  const signAndField = Number(bits >> format.fractionShift);
  const field = signAndField & format.maxField;
  const fraction = BigInt.asUintN(format.fractionBits, bits);
  operand.negative = ((signAndField >> format.exponentBits) & 1) === 1;
  if (field === 0) {
    unpackSubnormal(format, fraction, operand);
  } else if (field === format.maxField) {
    const quiet = fraction >= format.implicitBit >> 1n;
    operand.kind = fraction === 0n ? Kind.infinite : quiet ? Kind.quietNaN : Kind.signallingNaN;
  } else {
    operand.kind = Kind.finite;
    operand.exponent = format.minQuantum + field - 1;
    operand.significand = fraction + format.implicitBit;
  }
}

function unpackSubnormal(format: Format, fraction: bigint, operand: Operand): void {
  if (fraction === 0n) {
    operand.kind = Kind.zero;
    return;
  }
  const shift = format.precision - bitLength(fraction);
  operand.kind = Kind.finite;
  operand.exponent = format.minQuantum - shift;
  operand.significand = fraction << BigInt(shift);
}
