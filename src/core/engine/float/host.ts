/**
 * The host's own arithmetic on patterns: round to nearest, ties to even, no flags (WebAssembly core 2.0, 4.3.3). Operands and
 * results are bits in an i64, those of a single zero-extended; the compiler of WebAssembly folds the casts between.
 */
import { F32, F64, type Format } from '../../softfloat/format.ts';
import {
  type F32 as F32Expression,
  type F64 as F64Expression,
  f32,
  f32x4,
  f64,
  f64x2,
  type I32,
  type I64,
  i32,
  i64,
} from '../../wasm/expression.ts';

/** One precision. NaNs that it makes are not canonical, except by luck. */
export interface Host {
  readonly format: Format;
  readonly add: (a: I64, b: I64) => I64;
  readonly sub: (a: I64, b: I64) => I64;
  readonly mul: (a: I64, b: I64) => I64;
  readonly div: (a: I64, b: I64) => I64;
  readonly sqrt: (a: I64) => I64;
  /** -0 is below +0; a NaN if one of them is. */
  readonly min: (a: I64, b: I64) => I64;
  readonly max: (a: I64, b: I64) => I64;
  /** a * b + c, rounded once where `hostFuses()`, else twice. */
  readonly multiplyAdd: (a: I64, b: I64, c: I64) => I64;
  readonly eq: (a: I64, b: I64) => I32;
  readonly lt: (a: I64, b: I64) => I32;
  readonly le: (a: I64, b: I64) => I32;
  readonly gt: (a: I64, b: I64) => I32;
  readonly ge: (a: I64, b: I64) => I32;
  /** Of a 64-bit integer. */
  readonly fromSigned: (value: I64) => I64;
  readonly fromUnsigned: (value: I64) => I64;
  /** The same number as a double. */
  readonly toDouble: (a: I64) => F64Expression;
}

const double = (bits: I64): F64Expression => f64.reinterpret_i64(bits);
const single = (bits: I64): F32Expression => f32.reinterpret_i32(i32.wrap_i64(bits));
const doubleBits = (value: F64Expression): I64 => i64.reinterpret_f64(value);
const singleBits = (value: F32Expression): I64 => i64.extend_i32_u(i32.reinterpret_f32(value));

function multiplyAddDouble(a: I64, b: I64, c: I64): I64 {
  const [x, y, z] = [a, b, c].map((bits) => f64x2.splat(double(bits)));
  return doubleBits(f64x2.extractLane0(f64x2.relaxed_madd(x, y, z)));
}

function multiplyAddSingle(a: I64, b: I64, c: I64): I64 {
  const [x, y, z] = [a, b, c].map((bits) => f32x4.splat(single(bits)));
  return singleBits(f32x4.extractLane0(f32x4.relaxed_madd(x, y, z)));
}

const hostDouble: Host = {
  format: F64,
  add: (a, b) => doubleBits(f64.add(double(a), double(b))),
  sub: (a, b) => doubleBits(f64.sub(double(a), double(b))),
  mul: (a, b) => doubleBits(f64.mul(double(a), double(b))),
  div: (a, b) => doubleBits(f64.div(double(a), double(b))),
  sqrt: (a) => doubleBits(f64.sqrt(double(a))),
  min: (a, b) => doubleBits(f64.min(double(a), double(b))),
  max: (a, b) => doubleBits(f64.max(double(a), double(b))),
  multiplyAdd: multiplyAddDouble,
  eq: (a, b) => f64.eq(double(a), double(b)),
  lt: (a, b) => f64.lt(double(a), double(b)),
  le: (a, b) => f64.le(double(a), double(b)),
  gt: (a, b) => f64.gt(double(a), double(b)),
  ge: (a, b) => f64.ge(double(a), double(b)),
  fromSigned: (value) => doubleBits(f64.convert_i64_s(value)),
  fromUnsigned: (value) => doubleBits(f64.convert_i64_u(value)),
  toDouble: double,
};

const hostSingle: Host = {
  format: F32,
  add: (a, b) => singleBits(f32.add(single(a), single(b))),
  sub: (a, b) => singleBits(f32.sub(single(a), single(b))),
  mul: (a, b) => singleBits(f32.mul(single(a), single(b))),
  div: (a, b) => singleBits(f32.div(single(a), single(b))),
  sqrt: (a) => singleBits(f32.sqrt(single(a))),
  min: (a, b) => singleBits(f32.min(single(a), single(b))),
  max: (a, b) => singleBits(f32.max(single(a), single(b))),
  multiplyAdd: multiplyAddSingle,
  eq: (a, b) => f32.eq(single(a), single(b)),
  lt: (a, b) => f32.lt(single(a), single(b)),
  le: (a, b) => f32.le(single(a), single(b)),
  gt: (a, b) => f32.gt(single(a), single(b)),
  ge: (a, b) => f32.ge(single(a), single(b)),
  fromSigned: (value) => singleBits(f32.convert_i64_s(value)),
  fromUnsigned: (value) => singleBits(f32.convert_i64_u(value)),
  toDouble: (a) => f64.promote_f32(single(a)),
};

/** By the letter of the precision. */
export const hosts = { d: hostDouble, s: hostSingle } as const;

/** A double as a single. */
export const demote = (a: I64): I64 => singleBits(f32.demote_f64(double(a)));
/** A single as a double. */
export const promote = (a: I64): I64 => doubleBits(f64.promote_f32(single(a)));
