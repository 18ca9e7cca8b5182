/**
 * Conversions, comparisons and classes as functions of the float unit, exact in result and flags for all operands and modes.
 *
 * Sources: RISC-V unprivileged specification, chapters "F" and "D"; IEEE 754-2008, 5.3 to 5.11.
 */
import { F32, F64, Flag } from '../../softfloat/format.ts';
import { type I32, type I64, i32, i64 } from '../../wasm/expression.ts';
import type { Callee, FunctionBuilder } from '../../wasm/function.ts';
import type { ModuleBuilder } from '../../wasm/module.ts';
import { any, isStrictlyNormal } from './arithmetic.ts';
import { demote, type Host, hosts, promote } from './host.ts';
import {
  isNaNMagnitude,
  isSignalling,
  magnitudeOf,
  raise,
  roundingIncrement,
  shiftJamming,
  signOf,
  unpack,
} from './number.ts';

const c32 = i32.const;
const c64 = i64.const;
const TOP = 1n << 63n;

// ---- between the precisions ------------------------------------------------------------------------------------------------

/** Defines (double, rm) → single. */
export function emitToSingle(m: ModuleBuilder, round: Callee): Callee {
  const f = m.function('to_s', ['i64', 'i32'], ['i64']);
  const a = f.param<'i64'>(0);
  const rm = f.param<'i32'>(1);
  const single = f.let(demote(a));
  f.if(hosts.d.eq(promote(single), a), () => f.return(single));
  f.if(i32.and(i32.eqz(rm), isStrictlyNormal(F32, magnitudeOf(F32, single))), () => {
    raise(f, c32(Flag.NX));
    f.return(single);
  });
  returnCanonicalNaN(f, hosts.d, a, F32.canonicalNaN);
  // Zeros and infinities are exact: it is finite, and too small or too large.
  const { negative, exponent, significand } = unpack(f, F64, a);
  f.return(f.call<'i64'>(round, negative, exponent, significand, rm));
  return f;
}

/** Defines single → double. */
export function emitToDouble(m: ModuleBuilder): Callee {
  const f = m.function('to_d', ['i64'], ['i64']);
  const a = f.param<'i64'>(0);
  returnCanonicalNaN(f, hosts.s, a, F64.canonicalNaN);
  f.return(promote(a));
  return f;
}

function returnCanonicalNaN(f: FunctionBuilder, { format }: Host, a: I64, canonical: bigint): void {
  const magnitude = f.let(magnitudeOf(format, a));
  f.if(isNaNMagnitude(format, magnitude), () => {
    f.if(isSignalling(format, magnitude), () => raise(f, c32(Flag.NV)));
    f.return(c64(canonical));
  });
}

// ---- integers ----------------------------------------------------------------------------------------------------------

/**
 * Defines (double, rm, largest, largest magnitude of a negative number) → integer, saturated with NV beyond these bounds (both
 * unsigned); a NaN counts as positive. Singles are made doubles first, and of a NaN nothing is lost that matters here.
 */
export function emitToInteger(m: ModuleBuilder): Callee {
  const f = m.function('to_integer', ['i64', 'i32', 'i64', 'i64'], ['i64']);
  const a = f.param<'i64'>(0);
  const rm = f.param<'i32'>(1);
  const [largest, largestNegative] = [f.param<'i64'>(2), f.param<'i64'>(3)];
  const magnitude = f.let(magnitudeOf(F64, a));
  f.if(i64.eqz(magnitude), () => f.return(c64(0)));
  const saturate = (negative: I32): void => {
    raise(f, c32(Flag.NV));
    f.return(i64.select(i64.sub(c64(0), largestNegative), largest, negative));
  };
  const isNegative = i64.ne(signOf(F64, a), c64(0));
  // 2^64 and more.
  f.if(i64.ge_u(magnitude, c64(0x43f0_0000_0000_0000n)), () =>
    saturate(i32.and(isNegative, i64.le_u(magnitude, c64(F64.infinity)))),
  );
  const { negative, exponent, significand } = unpack(f, F64, a);
  const integer = f.local<'i64'>('i64');
  /** In units of 2^-64. */
  const fraction = f.local<'i64'>('i64');
  f.if(
    i64.lt_s(exponent, c64(0)),
    () => {
      f.set(integer, c64(0));
      f.set(fraction, shiftJamming(f, significand, f.let(i64.sub(c64(-1), exponent))));
    },
    () => {
      f.set(integer, i64.shr_u(significand, i64.sub(c64(63), exponent)));
      f.set(fraction, i64.shl(i64.shl(significand, exponent), c64(1)));
    },
  );
  const isInexact = f.let(i64.ne(fraction, c64(0)));
  const carry = f.let(i64.add(fraction, roundingIncrement(f, rm, negative, TOP, -1n)));
  const goesUp = f.let(i64.extend_i32_u(i64.lt_u(carry, fraction)));
  // A tie went up: back to even.
  const tie = i32.and(i64.eq(fraction, c64(TOP)), i32.eqz(rm));
  f.set(goesUp, i64.select(i64.and(integer, c64(1)), goesUp, tie));
  f.set(integer, i64.add(integer, goesUp));
  f.if(i64.gt_u(integer, i64.select(largestNegative, largest, i32.wrap_i64(negative))), () =>
    saturate(i32.wrap_i64(negative)),
  );
  f.if(isInexact, () => raise(f, c32(Flag.NX)));
  f.return(i64.select(i64.sub(c64(0), integer), integer, i32.wrap_i64(negative)));
  return f;
}

/** Defines (magnitude, negative, rm) → number; `round` is that of the precision. */
export function emitFromInteger(m: ModuleBuilder, name: string, round: Callee): Callee {
  const f = m.function(name, ['i64', 'i64', 'i32'], ['i64']);
  const magnitude = f.param<'i64'>(0);
  f.if(i64.eqz(magnitude), () => f.return(c64(0)));
  const places = f.let(i64.clz(magnitude));
  const exponent = i64.sub(c64(63), places);
  f.return(f.call<'i64'>(round, f.param(1), exponent, i64.shl(magnitude, places), f.param(2)));
  return f;
}

// ---- comparisons and classes -------------------------------------------------------------------------------------------------

/** Defines (a, b) → 0 or 1. Quiet NaNs are invalid except for equality. */
export function emitCompare(m: ModuleBuilder, name: string, host: Host, what: 'eq' | 'lt' | 'le'): Callee {
  const { format } = host;
  const f = m.function(name, ['i64', 'i64'], ['i64']);
  const [a, b] = [f.param<'i64'>(0), f.param<'i64'>(1)];
  const magnitudes = [a, b].map((bits) => f.let(magnitudeOf(format, bits)));
  const bad = what === 'eq' ? isSignalling : isNaNMagnitude;
  f.if(any(magnitudes.map((magnitude) => bad(format, magnitude))), () => raise(f, c32(Flag.NV)));
  f.return(i64.extend_i32_u(host[what](a, b)));
  return f;
}

/** Defines (a, b) → the lesser or the greater: -0 below +0, a number before a NaN. */
export function emitPick(m: ModuleBuilder, name: string, host: Host, what: 'min' | 'max'): Callee {
  const { format } = host;
  const f = m.function(name, ['i64', 'i64'], ['i64']);
  const [a, b] = [f.param<'i64'>(0), f.param<'i64'>(1)];
  const [x, y] = [a, b].map((bits) => f.let(magnitudeOf(format, bits)));
  f.if(i32.or(isSignalling(format, x), isSignalling(format, y)), () => raise(f, c32(Flag.NV)));
  f.if(isNaNMagnitude(format, x), () => f.return(i64.select(c64(format.canonicalNaN), b, isNaNMagnitude(format, y))));
  f.if(isNaNMagnitude(format, y), () => f.return(a));
  f.return(host[what](a, b));
  return f;
}

/** Defines a → the mask of `fclass`: one bit of ten. */
export function emitClassify(m: ModuleBuilder, name: string, { format }: Host): Callee {
  const f = m.function(name, ['i64'], ['i64']);
  const a = f.param<'i64'>(0);
  const magnitude = f.let(magnitudeOf(format, a));
  f.if(isNaNMagnitude(format, magnitude), () => {
    f.return(i64.select(c64(1 << 8), c64(1 << 9), isSignalling(format, magnitude)));
  });
  const atLeast = (bound: bigint): I64 => i64.extend_i32_u(i64.ge_u(magnitude, c64(bound)));
  /** 0 for a zero, then subnormal, normal, infinite. */
  const kind = f.let(i64.add(i64.add(atLeast(1n), atLeast(format.implicitBit)), atLeast(format.infinity)));
  const isNegative = i64.ne(signOf(format, a), c64(0));
  f.return(i64.select(i64.shr_u(c64(1 << 3), kind), i64.shl(c64(1 << 4), kind), isNegative));
  return f;
}
