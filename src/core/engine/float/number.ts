/**
 * Numbers taken apart and rounded, as generated code: softfloat/operand.ts and softfloat/round.ts once more, with 64-bit
 * integers in place of those of any length. A finite number other than zero is (-1)^negative * significand * 2^(exponent - 63)
 * with the top bit of the significand set, in either precision, subnormals too.
 *
 * The last bit of a significand may be *sticky*: a 1 that stands for "and something more, less than one unit".
 *
 * Sources: IEEE 754-2008, 4.3 (rounding), 7.4 to 7.6 (overflow, underflow, inexact); RISC-V unprivileged specification, "F":
 * tininess is detected after rounding.
 */
import { hart } from '../../machine/hart.ts';
import { Flag, type Format, Rounding } from '../../softfloat/format.ts';
import { type I32, type I64, i32, i64 } from '../../wasm/expression.ts';
import type { Callee, FunctionBuilder } from '../../wasm/function.ts';
import type { ModuleBuilder } from '../../wasm/module.ts';

const c32 = i32.const;
const c64 = i64.const;

/** All three are locals; `negative` is 0 or 1. */
export interface Unpacked {
  readonly negative: I64;
  readonly exponent: I64;
  readonly significand: I64;
}

/** fflags is the low part of fcsr, which fits a byte. */
export function raise(f: FunctionBuilder, flags: I32): void {
  const { offset } = hart.fcsr;
  f.store('i32.store8', c32(0), i32.or(i32.load8_u(c32(0), offset), flags), offset);
}

export const magnitudeOf = (format: Format, bits: I64): I64 => i64.and(bits, c64(format.signBit - 1n));
export const signOf = (format: Format, bits: I64): I64 => i64.and(bits, c64(format.signBit));
export const isNaNMagnitude = (format: Format, magnitude: I64): I32 => i64.gt_u(magnitude, c64(format.infinity));
export const isSignalling = (format: Format, magnitude: I64): I32 =>
  i64.lt_u(i64.sub(magnitude, c64(format.infinity + 1n)), c64(format.canonicalNaN - format.infinity - 1n));

/** Places below the precision of a significand. */
const spareBits = (format: Format): bigint => BigInt(64 - format.precision);
/** The exponent of the least normal number. */
const leastExponent = (format: Format): bigint => BigInt(format.minQuantum + format.fractionBits);

/** Of a pattern that is finite and not zero. */
export function unpack(f: FunctionBuilder, format: Format, bits: I64): Unpacked {
  const negative = f.let(i64.shr_u(signOf(format, bits), c64(format.width - 1)));
  const field = i64.and(i64.shr_u(bits, c64(format.fractionShift)), c64(format.maxField));
  const exponent = f.let(i64.add(field, c64(leastExponent(format) - 1n)));
  const fraction = i64.shl(i64.and(bits, c64(format.implicitBit - 1n)), c64(spareBits(format)));
  const significand = f.let(i64.or(fraction, c64(1n << 63n)));
  f.if(i64.lt_s(exponent, c64(leastExponent(format))), () => {
    f.set(significand, fraction);
    const places = f.let(i64.clz(significand));
    f.set(significand, i64.shl(significand, places));
    f.set(exponent, i64.sub(c64(leastExponent(format)), places));
  });
  return { negative, exponent, significand };
}

/** A right shift by 0 or more places, of which whatever is lost leaves a sticky bit. */
export function shiftJamming(f: FunctionBuilder, value: I64, places: I64): I64 {
  const result = f.local<'i64'>('i64');
  f.if(
    i64.lt_u(places, c64(64)),
    () => {
      const kept = i64.shr_u(value, places);
      f.set(result, i64.or(kept, i64.extend_i32_u(i64.ne(i64.shl(kept, places), value))));
    },
    () => f.set(result, i64.extend_i32_u(i64.ne(value, c64(0)))),
  );
  return result;
}

/** What is added below the last place kept before the rest is cut off: `half` and `most` are those of the places lost. */
export function roundingIncrement(f: FunctionBuilder, rm: I32, negative: I64, half: bigint, most: bigint): I64 {
  const increment = f.local<'i64'>('i64');
  f.set(increment, c64(half));
  f.if(rm, () => {
    const away = i64.eq(negative, i64.extend_i32_u(i32.eq(rm, c32(Rounding.RDN))));
    const directed = i64.select(c64(most), c64(0), i32.and(away, i32.ne(rm, c32(Rounding.RTZ))));
    f.if(i32.ne(rm, c32(Rounding.RMM)), () => f.set(increment, directed));
  });
  return increment;
}

/** Defines (negative, exponent, significand, rounding mode) → pattern, which raises OF, UF and NX. */
export function emitRound(m: ModuleBuilder, name: string, format: Format): Callee {
  const f = m.function(name, ['i64', 'i64', 'i64', 'i32'], ['i64']);
  const negative = f.param<'i64'>(0);
  const significand = f.param<'i64'>(2);
  const rm = f.param<'i32'>(3);
  const spare = spareBits(format);
  const half = 1n << (spare - 1n);
  const most = (1n << spare) - 1n;
  const increment = roundingIncrement(f, rm, negative, half, most);
  /** The exponent's distance from the least one. */
  const binade = f.let(i64.sub(f.param<'i64'>(1), c64(leastExponent(format))));
  const tiny = f.local<'i32'>('i32');
  f.set(tiny, c32(0));
  f.if(i64.lt_s(binade, c64(0)), () => {
    // Only from the binade just below does rounding lead out of the tiny numbers, if exponents had no lower bound.
    const leaves = i64.lt_u(i64.add(significand, increment), significand);
    f.set(tiny, i32.or(i64.ne(binade, c64(-1)), i32.eqz(leaves)));
    f.set(significand, shiftJamming(f, significand, f.let(i64.sub(c64(0), binade))));
    f.set(binade, c64(0));
  });
  const lost = f.let(i64.and(significand, c64(most)));
  const sum = f.let(i64.add(significand, increment));
  const carry = i64.extend_i32_u(i64.lt_u(sum, significand));
  const kept = f.let(i64.or(i64.shr_u(sum, c64(spare)), i64.shl(carry, c64(format.precision))));
  f.if(i32.and(i64.eq(lost, c64(half)), i32.eqz(rm)), () => f.set(kept, i64.and(kept, c64(-2))));
  // The implicit bit adds the 1 that the exponent field of a normal number has over that of a subnormal one.
  const bits = f.let(i64.add(i64.shl(binade, c64(format.fractionShift)), kept));
  f.if(
    i64.ge_u(bits, c64(format.infinity)),
    () => {
      raise(f, c32(Flag.OF | Flag.NX));
      const towardsZero = i32.eq(i32.wrap_i64(negative), i32.eq(rm, c32(Rounding.RUP)));
      const directed = i32.or(i32.eq(rm, c32(Rounding.RDN)), i32.eq(rm, c32(Rounding.RUP)));
      const finite = i32.or(i32.eq(rm, c32(Rounding.RTZ)), i32.and(directed, towardsZero));
      f.set(bits, i64.sub(c64(format.infinity), i64.extend_i32_u(finite)));
    },
    () => f.if(i64.ne(lost, c64(0)), () => raise(f, i32.or(c32(Flag.NX), i32.mul(tiny, c32(Flag.UF))))),
  );
  f.return(i64.or(bits, i64.shl(negative, c64(format.width - 1))));
  return f;
}
