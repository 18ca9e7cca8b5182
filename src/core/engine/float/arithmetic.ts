/**
 * Sum, product, quotient, root and fused multiply-add as functions of the float unit: exact in result and flags for all
 * operands and rounding modes. Each first tries the host's arithmetic where that is plainly exact or its error can be told
 * (a program of exact arithmetic never sets NX, so it always comes here), and then computes with integers and rounds once.
 *
 * Sources: IEEE 754-2008, 5.4.1 and chapter 6; Knuth, The Art of Computer Programming 2, 4.2.2, theorem B (the error of
 * a sum); Boldo, Graillat and Muller, "On the robustness of the 2Sum and Fast2Sum algorithms", 2017 (its range).
 */
import { Flag, type Format, Rounding } from '../../softfloat/format.ts';
import { type I32, type I64, i32, i64 } from '../../wasm/expression.ts';
import type { Callee, FunctionBuilder } from '../../wasm/function.ts';
import type { ModuleBuilder } from '../../wasm/module.ts';
import { type Host, hosts, promote } from './host.ts';
import {
  isNaNMagnitude,
  isSignalling,
  magnitudeOf,
  raise,
  shiftJamming,
  signOf,
  type Unpacked,
  unpack,
} from './number.ts';

const c32 = i32.const;
const c64 = i64.const;

// ---- what is not finite ------------------------------------------------------------------------------------------------

export const any = (conditions: readonly I32[]): I32 => conditions.reduce((a, b) => i32.or(a, b));

export function returnInvalid(f: FunctionBuilder, format: Format): void {
  raise(f, c32(Flag.NV));
  f.return(c64(format.canonicalNaN));
}

/** Returns the NaN if one of the magnitudes is one. */
export function returnNaN(f: FunctionBuilder, format: Format, magnitudes: readonly I64[]): void {
  f.if(any(magnitudes.map((magnitude) => isNaNMagnitude(format, magnitude))), () => {
    f.if(any(magnitudes.map((magnitude) => isSignalling(format, magnitude))), () => raise(f, c32(Flag.NV)));
    f.return(c64(format.canonicalNaN));
  });
}

/** A sum of opposite numbers is +0, and -0 when rounding down (IEEE 754-2008, 6.3). */
export const exactZero = (format: Format, rm: I32): I64 =>
  i64.select(c64(format.signBit), c64(0), i32.eq(rm, c32(Rounding.RDN)));

export const isInfinite = (format: Format, magnitude: I64): I32 => i64.eq(magnitude, c64(format.infinity));
export const isSpecial = (format: Format, magnitude: I64): I32 => i64.ge_u(magnitude, c64(format.infinity));

// ---- what the host can be trusted with -----------------------------------------------------------------------------------

/** min_normal < magnitude < infinity: a result of the host that owes nothing but NX. */
export function isStrictlyNormal(format: Format, magnitude: I64): I32 {
  const least = format.implicitBit + 1n;
  return i64.lt_u(i64.sub(magnitude, c64(least)), c64(format.infinity - least));
}

/** Significant bits of a finite number, at most. */
function widthOf(format: Format, bits: I64): I64 {
  return i64.sub(c64(format.precision), i64.ctz(i64.or(bits, c64(format.implicitBit))));
}

/** Whether the product of two finite numbers has no more bits than the precision; seldom no where yes would be right. */
function fits(format: Format, a: I64, b: I64): I32 {
  return i64.le_u(i64.add(widthOf(format, a), widthOf(format, b)), c64(format.precision));
}

/** Whether the host's product is exact: of doubles by the widths of the factors, or because one is zero. */
export function isExactProduct(format: Format, product: I64, a: I64, b: I64): I32 {
  const normal = i32.and(isStrictlyNormal(format, magnitudeOf(format, product)), fits(format, a, b));
  const oneIsZero = i32.or(i64.eqz(magnitudeOf(format, a)), i64.eqz(magnitudeOf(format, b)));
  return i32.or(normal, i32.and(i64.eqz(magnitudeOf(format, product)), oneIsZero));
}

/** Whether the product of two singles, which is always a double, is this single. */
function isProductOfSingles(product: I64, a: I64, b: I64): I32 {
  const { eq, mul } = hosts.d;
  return eq(promote(product), mul(promote(a), promote(b)));
}

/**
 * Returns a + b, and raises NX if need be: to nearest-even, for operands below a quarter of the largest number. A sum that
 * does not overflow is off by a number of the format, which six operations give, and a tiny sum is exact.
 */
function returnHostSum(f: FunctionBuilder, host: Host, a: I64, b: I64): void {
  const sum = f.let(host.add(a, b));
  const b1 = f.let(host.sub(sum, a));
  const a1 = f.let(host.sub(sum, b1));
  const error = f.let(host.add(host.sub(a, a1), host.sub(b, b1)));
  f.if(i64.ne(magnitudeOf(host.format, error), c64(0)), () => raise(f, c32(Flag.NX)));
  f.return(sum);
}

/** The bound of `returnHostSum`, as a pattern. */
const sumBound = (format: Format): bigint => format.infinity - 2n * format.implicitBit;

// ---- functions -------------------------------------------------------------------------------------------------------

/** Returns the number, whose significand is not zero but may lack its top bit. */
export function returnRounded(f: FunctionBuilder, round: Callee, n: Unpacked, rm: I32): void {
  const places = f.let(i64.clz(n.significand));
  const exponent = i64.sub(n.exponent, places);
  f.return(f.call<'i64'>(round, n.negative, exponent, i64.shl(n.significand, places), rm));
}

export function emitAdd(m: ModuleBuilder, name: string, host: Host, round: Callee): Callee {
  const { format } = host;
  const f = m.function(name, ['i64', 'i64', 'i32'], ['i64']);
  const [a, b] = [f.param<'i64'>(0), f.param<'i64'>(1)];
  const rm = f.param<'i32'>(2);
  const magnitudeA = f.let(magnitudeOf(format, a));
  const magnitudeB = f.let(magnitudeOf(format, b));
  const below = (magnitude: I64): I32 => i64.lt_u(magnitude, c64(sumBound(format)));
  f.if(i32.and(i32.eqz(rm), i32.and(below(magnitudeA), below(magnitudeB))), () => returnHostSum(f, host, a, b));
  const differ = f.let(i64.ne(signOf(format, i64.xor(a, b)), c64(0)));
  f.if(i32.or(isSpecial(format, magnitudeA), isSpecial(format, magnitudeB)), () => {
    returnNaN(f, format, [magnitudeA, magnitudeB]);
    f.if(i32.and(differ, i64.eq(magnitudeA, magnitudeB)), () => returnInvalid(f, format));
    f.return(i64.select(a, b, isInfinite(format, magnitudeA)));
  });
  // The larger magnitude first.
  f.if(i64.lt_u(magnitudeA, magnitudeB), () => {
    const swapped = f.let(a);
    f.set(a, b);
    f.set(b, swapped);
    f.set(magnitudeB, magnitudeA);
  });
  f.if(i64.eqz(magnitudeB), () => {
    const bothZero = i64.eqz(magnitudeOf(format, a));
    f.return(i64.select(exactZero(format, rm), a, i32.and(bothZero, differ)));
  });
  const x = unpack(f, format, a);
  const y = unpack(f, format, b);
  // A place for the carry; no significand has bits as low as those that are shifted out.
  const large = i64.shr_u(x.significand, c64(1));
  const small = f.let(i64.shr_u(y.significand, c64(1)));
  const aligned = shiftJamming(f, small, f.let(i64.sub(x.exponent, y.exponent)));
  const sum = f.let(i64.select(i64.sub(large, aligned), i64.add(large, aligned), differ));
  f.if(i64.eqz(sum), () => f.return(exactZero(format, rm)));
  returnRounded(f, round, { ...x, exponent: i64.add(x.exponent, c64(1)), significand: sum }, rm);
  return f;
}

/** The upper and the lower half of a 128-bit product, as locals. */
export function multiplyWide(f: FunctionBuilder, a: I64, b: I64): { readonly high: I64; readonly low: I64 } {
  const low32 = (value: I64): I64 => i64.and(value, c64(0xffff_ffffn));
  const high32 = (value: I64): I64 => i64.shr_u(value, c64(32));
  const [a0, a1, b0, b1] = [low32(a), high32(a), low32(b), high32(b)].map((half) => f.let(half));
  const cross = f.let(i64.mul(a1, b0));
  const lowest = i64.mul(a0, b0);
  // At most (2^32 - 1)^2 + 2 * (2^32 - 1): no carry is lost.
  const middle = f.let(i64.add(i64.mul(a0, b1), i64.add(low32(cross), high32(lowest))));
  const high = f.let(i64.add(i64.mul(a1, b1), i64.add(high32(cross), high32(middle))));
  return { high, low: f.let(i64.mul(a, b)) };
}

export function emitMul(m: ModuleBuilder, name: string, host: Host, round: Callee): Callee {
  const { format } = host;
  const f = m.function(name, ['i64', 'i64', 'i32'], ['i64']);
  const [a, b] = [f.param<'i64'>(0), f.param<'i64'>(1)];
  const rm = f.param<'i32'>(2);
  const product = f.let(host.mul(a, b));
  const exact = host === hosts.s ? isProductOfSingles(product, a, b) : isExactProduct(format, product, a, b);
  f.if(exact, () => f.return(product));
  const magnitudeA = f.let(magnitudeOf(format, a));
  const magnitudeB = f.let(magnitudeOf(format, b));
  const sign = f.let(signOf(format, i64.xor(a, b)));
  const oneIsZero = f.let(i32.or(i64.eqz(magnitudeA), i64.eqz(magnitudeB)));
  f.if(i32.or(isSpecial(format, magnitudeA), isSpecial(format, magnitudeB)), () => {
    returnNaN(f, format, [magnitudeA, magnitudeB]);
    f.if(oneIsZero, () => returnInvalid(f, format));
    f.return(i64.or(sign, c64(format.infinity)));
  });
  f.if(oneIsZero, () => f.return(sign));
  const x = unpack(f, format, a);
  const y = unpack(f, format, b);
  const { high, low } = multiplyWide(f, x.significand, y.significand);
  const significand = f.let(i64.or(high, i64.extend_i32_u(i64.ne(low, c64(0)))));
  const exponent = i64.add(i64.add(x.exponent, y.exponent), c64(1));
  returnRounded(f, round, { negative: i64.xor(x.negative, y.negative), exponent, significand }, rm);
  return f;
}

// ---- quotient and root ---------------------------------------------------------------------------------------------------
//
// The host's quotient of the significands, rounded to nearest, is off by at most half a unit. The remainder is then so small
// that it may be computed modulo 2^64, and its sign says on which side of the host's the exact quotient is. Roots likewise.

const MANTISSA = 53n;
const ONE = 0x3ffn << 52n;
const LOW_52 = (1n << 52n) - 1n;
/** From an integer of 53 bits, the top one set, to the double in [1, 2), and back. */
const scaled = (integer: I64): I64 => i64.or(i64.and(integer, c64(LOW_52)), c64(ONE));
const integerOf = (double: I64): I64 => i64.or(i64.and(double, c64(LOW_52)), c64(1n << 52n));
const topped = (integer: I64): I64 => i64.shl(integer, c64(64n - MANTISSA));
const untopped = (significand: I64): I64 => i64.shr_u(significand, c64(64n - MANTISSA));

/** A significand one sticky unit above or below, by the sign of what remains. */
function leaning(f: FunctionBuilder, integer: I64, remainder: I64): I64 {
  const positive = i64.extend_i32_u(i64.gt_s(remainder, c64(0)));
  return f.let(i64.add(topped(integer), i64.add(i64.shr_s(remainder, c64(63)), positive)));
}

export function emitDiv(m: ModuleBuilder, name: string, host: Host, round: Callee): Callee {
  const { format } = host;
  const f = m.function(name, ['i64', 'i64', 'i32'], ['i64']);
  const [a, b] = [f.param<'i64'>(0), f.param<'i64'>(1)];
  const rm = f.param<'i32'>(2);
  const magnitudeA = f.let(magnitudeOf(format, a));
  const magnitudeB = f.let(magnitudeOf(format, b));
  returnExactQuotient(f, host, f.let(host.div(a, b)), a, b);
  const sign = f.let(signOf(format, i64.xor(a, b)));
  const isZero = (magnitude: I64): I32 => i64.eqz(magnitude);
  const special = [
    isSpecial(format, magnitudeA),
    isSpecial(format, magnitudeB),
    isZero(magnitudeA),
    isZero(magnitudeB),
  ];
  f.if(any(special), () => {
    returnNaN(f, format, [magnitudeA, magnitudeB]);
    // Both zero, or both infinite.
    f.if(i64.eq(magnitudeA, magnitudeB), () => returnInvalid(f, format));
    f.if(i32.or(isZero(magnitudeA), isInfinite(format, magnitudeB)), () => f.return(sign));
    f.if(i32.eqz(isInfinite(format, magnitudeA)), () => raise(f, c32(Flag.DZ)));
    f.return(i64.or(sign, c64(format.infinity)));
  });
  const x = unpack(f, format, a);
  const y = unpack(f, format, b);
  const dividend = f.let(untopped(x.significand));
  const divisor = f.let(untopped(y.significand));
  const quotient = f.let(hosts.d.div(scaled(dividend), scaled(divisor)));
  const belowOne = f.let(i64.extend_i32_u(i64.lt_u(quotient, c64(ONE))));
  const integer = f.let(integerOf(quotient));
  const shifted = i64.shl(dividend, i64.add(c64(MANTISSA - 1n), belowOne));
  const remainder = f.let(i64.sub(shifted, i64.mul(integer, divisor)));
  const exponent = i64.sub(i64.sub(x.exponent, y.exponent), belowOne);
  const negative = i64.xor(x.negative, y.negative);
  returnRounded(f, round, { negative, exponent, significand: leaning(f, integer, remainder) }, rm);
  return f;
}

function returnExactQuotient(f: FunctionBuilder, host: Host, quotient: I64, a: I64, b: I64): void {
  const { format } = host;
  if (host === hosts.s) {
    f.if(isProductOfSingles(a, quotient, b), () => f.return(quotient));
    return;
  }
  const normal = (bits: I64): I32 => isStrictlyNormal(format, magnitudeOf(format, bits));
  f.if(i32.and(i32.and(normal(quotient), normal(a)), fits(format, quotient, b)), () =>
    f.if(host.eq(host.mul(quotient, b), a), () => f.return(quotient)),
  );
}

export function emitSqrt(m: ModuleBuilder, name: string, host: Host, round: Callee): Callee {
  const { format } = host;
  const f = m.function(name, ['i64', 'i32'], ['i64']);
  const a = f.param<'i64'>(0);
  const rm = f.param<'i32'>(1);
  const magnitude = f.let(magnitudeOf(format, a));
  returnExactQuotient(f, host, f.let(host.sqrt(a)), a, f.let(host.sqrt(a)));
  f.if(i64.eqz(magnitude), () => f.return(a));
  returnNaN(f, format, [magnitude]);
  f.if(i64.ne(signOf(format, a), c64(0)), () => returnInvalid(f, format));
  f.if(isInfinite(format, magnitude), () => f.return(a));
  const x = unpack(f, format, a);
  const radicand = f.let(untopped(x.significand));
  const odd = f.let(i64.and(x.exponent, c64(1)));
  // The radicand in [1, 4): one more in the exponent doubles it.
  const root = f.let(hosts.d.sqrt(i64.add(scaled(radicand), i64.shl(odd, c64(52)))));
  const integer = f.let(integerOf(root));
  const shifted = i64.shl(radicand, i64.add(c64(MANTISSA - 1n), odd));
  const remainder = f.let(i64.sub(shifted, i64.mul(integer, integer)));
  const exponent = i64.shr_s(x.exponent, c64(1));
  returnRounded(f, round, { negative: c64(0), exponent, significand: leaning(f, integer, remainder) }, rm);
  return f;
}
