/**
 * Fused multiply-add as functions of the float unit, for all operands and rounding modes, on hosts that can fuse and on those
 * that cannot. Doubles: with the 106 bits of the product in two words. Singles: their product is a double, and the sum of
 * two doubles, rounded to odd, may be rounded once more to a single as if it were exact.
 *
 * Sources: IEEE 754-2008, 5.4.1; Boldo and Melquiond, "Emulation of FMA and correctly rounded sums: proved algorithms
 * using rounding to odd", 2008.
 */
import { F32, F64, type Format } from '../../softfloat/format.ts';
import { type I32, type I64, i32, i64 } from '../../wasm/expression.ts';
import type { Callee, FunctionBuilder } from '../../wasm/function.ts';
import type { ModuleBuilder } from '../../wasm/module.ts';
import {
  any,
  exactZero,
  isExactProduct,
  isInfinite,
  isSpecial,
  multiplyWide,
  returnInvalid,
  returnNaN,
  returnRounded,
} from './arithmetic.ts';
import { hosts, promote } from './host.ts';
import { magnitudeOf, shiftJamming, signOf, unpack } from './number.ts';

const c64 = i64.const;

/** Returns what comes of operands of which one is infinite or a NaN. */
function returnSpecial(f: FunctionBuilder, format: Format, a: I64, b: I64, c: I64): void {
  const [x, y, z] = [a, b, c].map((bits) => f.let(magnitudeOf(format, bits)));
  f.if(any([x, y, z].map((magnitude) => isSpecial(format, magnitude))), () => {
    const zeroProduct = i32.or(i64.eqz(x), i64.eqz(y));
    const infiniteProduct = f.let(i32.or(isInfinite(format, x), isInfinite(format, y)));
    // Infinity * 0 is invalid whatever is added to it, a quiet NaN too.
    f.if(i32.and(infiniteProduct, zeroProduct), () => returnInvalid(f, format));
    returnNaN(f, format, [x, y, z]);
    f.if(infiniteProduct, () => {
      const sign = f.let(signOf(format, i64.xor(a, b)));
      const opposite = i64.ne(sign, signOf(format, c));
      f.if(i32.and(isInfinite(format, z), opposite), () => returnInvalid(f, format));
      f.return(i64.or(sign, c64(format.infinity)));
    });
    f.return(c);
  });
}

/** An unsigned number of 128 bits, in locals. */
interface Wide {
  readonly high: I64;
  readonly low: I64;
}

/** Shifts to the right, in place; whatever is lost leaves a sticky bit. */
function shiftWideJamming(f: FunctionBuilder, { high, low }: Wide, places: I64): void {
  f.if(
    i64.lt_u(places, c64(64)),
    () => {
      const up = f.let(i64.sub(c64(63), places));
      const lost = i64.extend_i32_u(i64.ne(i64.shl(i64.shl(low, c64(1)), up), c64(0)));
      const kept = i64.or(i64.shr_u(low, places), i64.shl(i64.shl(high, c64(1)), up));
      f.set(low, i64.or(kept, lost));
      f.set(high, i64.shr_u(high, places));
    },
    () => {
      const jammed = shiftJamming(f, high, f.let(i64.sub(places, c64(64))));
      f.set(low, i64.or(jammed, i64.extend_i32_u(i64.ne(low, c64(0)))));
      f.set(high, c64(0));
    },
  );
}

/** Whether x - y, which is left in x, was below zero: then it is y - x that is left. Both are below 2^127. */
function subtractWide(f: FunctionBuilder, x: Wide, y: Wide): I32 {
  const borrow = f.let(i64.extend_i32_u(i64.lt_u(x.low, y.low)));
  f.set(x.low, i64.sub(x.low, y.low));
  f.set(x.high, i64.sub(i64.sub(x.high, y.high), borrow));
  const negative = f.let(i64.lt_s(x.high, c64(0)));
  f.if(negative, () => {
    f.set(x.low, i64.sub(c64(0), x.low));
    f.set(x.high, i64.sub(c64(-1), i64.sub(x.high, i64.extend_i32_u(i64.eqz(x.low)))));
  });
  return negative;
}

function addWide(f: FunctionBuilder, x: Wide, y: Wide): void {
  f.set(x.low, i64.add(x.low, y.low));
  const carry = i64.extend_i32_u(i64.lt_u(x.low, y.low));
  f.set(x.high, i64.add(i64.add(x.high, y.high), carry));
}

/** Shifts the top bit into place, and gives how far. The number is not zero. */
function normalizeWide(f: FunctionBuilder, { high, low }: Wide): I64 {
  const places = c0(f);
  f.if(i64.eqz(high), () => {
    f.set(high, low);
    f.set(low, c64(0));
    f.set(places, c64(64));
  });
  const up = f.let(i64.clz(high));
  const crossing = i64.shr_u(i64.shr_u(low, c64(1)), i64.sub(c64(63), up));
  f.set(high, i64.or(i64.shl(high, up), crossing));
  f.set(low, i64.shl(low, up));
  return i64.add(places, up);
}

/** A local that is 0. */
function c0(f: FunctionBuilder): I64 {
  const local = f.local<'i64'>('i64');
  f.set(local, c64(0));
  return local;
}

/** Defines (a, b, c, rm) → a * b + c. */
export function emitFmaDouble(m: ModuleBuilder, round: Callee, add: Callee): Callee {
  const format = F64;
  const f = m.function('fma_d', ['i64', 'i64', 'i64', 'i32'], ['i64']);
  const [a, b, c] = [f.param<'i64'>(0), f.param<'i64'>(1), f.param<'i64'>(2)];
  const rm = f.param<'i32'>(3);
  const product = f.let(hosts.d.mul(a, b));
  f.if(isExactProduct(format, product, a, b), () => f.return(f.call<'i64'>(add, product, c, rm)));
  returnSpecial(f, format, a, b, c);
  // A product of zero is exact: here it has bits. Both terms leave room for a carry; no significand has bits as low as that.
  const x = unpack(f, format, a);
  const y = unpack(f, format, b);
  const wide = multiplyWide(f, x.significand, y.significand);
  const exponent = f.let(i64.add(i64.add(x.exponent, y.exponent), c64(2)));
  const negative = f.let(i64.xor(x.negative, y.negative));
  f.set(wide.low, i64.or(i64.shr_u(wide.low, c64(1)), i64.shl(wide.high, c64(63))));
  f.set(wide.high, i64.shr_u(wide.high, c64(1)));
  f.if(i64.ne(magnitudeOf(format, c), c64(0)), () => {
    const z = unpack(f, format, c);
    const addend = { high: f.let(i64.shr_u(z.significand, c64(1))), low: c0(f) };
    const distance = f.let(i64.sub(exponent, i64.add(z.exponent, c64(1))));
    f.if(
      i64.ge_s(distance, c64(0)),
      () => shiftWideJamming(f, addend, distance),
      () => {
        shiftWideJamming(f, wide, f.let(i64.sub(c64(0), distance)));
        f.set(exponent, i64.sub(exponent, distance));
      },
    );
    f.if(
      i64.eq(negative, z.negative),
      () => addWide(f, wide, addend),
      () => {
        const swapped = subtractWide(f, wide, addend);
        f.set(negative, i64.xor(negative, i64.extend_i32_u(swapped)));
        f.if(i64.eqz(i64.or(wide.high, wide.low)), () => f.return(exactZero(format, rm)));
      },
    );
  });
  f.set(exponent, i64.sub(exponent, normalizeWide(f, wide)));
  const significand = f.let(i64.or(wide.high, i64.extend_i32_u(i64.ne(wide.low, c64(0)))));
  returnRounded(f, round, { negative, exponent, significand }, rm);
  return f;
}

/** Defines (a, b, c, rm) → a * b + c; `toSingle` rounds a double. */
export function emitFmaSingle(m: ModuleBuilder, toSingle: Callee): Callee {
  const f = m.function('fma_s', ['i64', 'i64', 'i64', 'i32'], ['i64']);
  const [a, b, c] = [f.param<'i64'>(0), f.param<'i64'>(1), f.param<'i64'>(2)];
  const rm = f.param<'i32'>(3);
  returnSpecial(f, F32, a, b, c);
  const { add, sub, mul } = hosts.d;
  const product = f.let(mul(promote(a), promote(b)));
  const addend = f.let(promote(c));
  const sum = f.let(add(product, addend));
  f.if(i64.eqz(magnitudeOf(F64, sum)), () => {
    const differ = i64.ne(signOf(F64, i64.xor(product, addend)), c64(0));
    f.return(i64.select(exactZero(F32, rm), i64.shr_u(sum, c64(32)), differ));
  });
  const addend1 = f.let(sub(sum, product));
  const product1 = f.let(sub(sum, addend1));
  const error = f.let(add(sub(product, product1), sub(addend, addend1)));
  // To odd: of the two neighbours of the exact sum, the one whose last bit is set.
  const isInexact = i64.ne(magnitudeOf(F64, error), c64(0));
  f.if(i32.and(isInexact, i64.eqz(i64.and(sum, c64(1)))), () => {
    const inwards = i64.lt_s(i64.xor(sum, error), c64(0));
    f.set(sum, i64.select(i64.sub(sum, c64(1)), i64.add(sum, c64(1)), inwards));
  });
  f.return(f.call<'i64'>(toSingle, sum, rm));
  return f;
}
