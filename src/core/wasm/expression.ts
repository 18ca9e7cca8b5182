/**
 * WebAssembly expressions as immutable trees, simplified as they are built (simplify.ts). The names are those of the text
 * format: `i64.add(a, b)` builds what `(i64.add a b)` says.
 *
 * A tree is evaluated where it is used, each time it is used: bind it with `FunctionBuilder.let` when it is used twice,
 * or when a store or an assignment between here and there could change what it reads.
 */
import { type LoadName, loads, type OpName, type Type } from './ops.ts';
import { constantOf, makeConst, makeOp, makeSelect } from './simplify.ts';

export type { Type } from './ops.ts';
export { constantOf };

export type Expr<T extends Type = Type> =
  | { readonly kind: 'const'; readonly type: T; readonly value: number | bigint }
  | { readonly kind: 'local'; readonly type: T; readonly index: number }
  | { readonly kind: 'global'; readonly type: T; readonly index: number }
  | { readonly kind: 'op'; readonly type: T; readonly op: OpName; readonly args: readonly Expr[] }
  | { readonly kind: 'load'; readonly type: T; readonly op: LoadName; readonly address: I32; readonly offset: number }
  | { readonly kind: 'atomic-load'; readonly type: T; readonly address: I32; readonly offset: number }
  | { readonly kind: 'select'; readonly type: T; readonly args: readonly [Expr<T>, Expr<T>, I32] };

export type I32 = Expr<'i32'>;
export type I64 = Expr<'i64'>;
export type F32 = Expr<'f32'>;
export type F64 = Expr<'f64'>;

type Un<A extends Type, R extends Type> = (a: Expr<A>) => Expr<R>;
type Bin<A extends Type, R extends Type> = (a: Expr<A>, b: Expr<A>) => Expr<R>;
/** One function for each operator of a type, e.g. `i64ops.add`. Types are given by hand below, where they are exported. */
function op1<A extends Type, R extends Type>(name: OpName): Un<A, R> {
  return (a) => makeOp<R>(name, [a]);
}
function op2<A extends Type, R extends Type>(name: OpName): Bin<A, R> {
  return (a, b) => makeOp<R>(name, [a, b]);
}
function op3<A extends Type, R extends Type>(name: OpName): (a: Expr<A>, b: Expr<A>, c: Expr<A>) => Expr<R> {
  return (a, b, c) => makeOp<R>(name, [a, b, c]);
}
function load<T extends Type>(name: LoadName) {
  return (address: I32, offset = 0): Expr<T> => ({
    kind: 'load',
    type: loads[name][2] as T,
    op: name,
    address,
    offset,
  });
}

function integer<T extends 'i32' | 'i64'>(type: T) {
  const n = (name: string): OpName => `${type}.${name}` as OpName;
  const l = (name: string): LoadName => `${type}.${name}` as LoadName;
  return {
    const: (value: number | bigint): Expr<T> => makeConst(type, value),
    eqz: op1<T, 'i32'>(n('eqz')),
    eq: op2<T, 'i32'>(n('eq')),
    ne: op2<T, 'i32'>(n('ne')),
    lt_s: op2<T, 'i32'>(n('lt_s')),
    lt_u: op2<T, 'i32'>(n('lt_u')),
    gt_s: op2<T, 'i32'>(n('gt_s')),
    gt_u: op2<T, 'i32'>(n('gt_u')),
    le_s: op2<T, 'i32'>(n('le_s')),
    le_u: op2<T, 'i32'>(n('le_u')),
    ge_s: op2<T, 'i32'>(n('ge_s')),
    ge_u: op2<T, 'i32'>(n('ge_u')),
    clz: op1<T, T>(n('clz')),
    ctz: op1<T, T>(n('ctz')),
    popcnt: op1<T, T>(n('popcnt')),
    add: op2<T, T>(n('add')),
    sub: op2<T, T>(n('sub')),
    mul: op2<T, T>(n('mul')),
    div_s: op2<T, T>(n('div_s')),
    div_u: op2<T, T>(n('div_u')),
    rem_s: op2<T, T>(n('rem_s')),
    rem_u: op2<T, T>(n('rem_u')),
    and: op2<T, T>(n('and')),
    or: op2<T, T>(n('or')),
    xor: op2<T, T>(n('xor')),
    shl: op2<T, T>(n('shl')),
    shr_s: op2<T, T>(n('shr_s')),
    shr_u: op2<T, T>(n('shr_u')),
    rotl: op2<T, T>(n('rotl')),
    rotr: op2<T, T>(n('rotr')),
    extend8_s: op1<T, T>(n('extend8_s')),
    extend16_s: op1<T, T>(n('extend16_s')),
    load: load<T>(l('load')),
    load8_s: load<T>(l('load8_s')),
    load8_u: load<T>(l('load8_u')),
    load16_s: load<T>(l('load16_s')),
    load16_u: load<T>(l('load16_u')),
    select: makeSelect<T>,
  };
}

function float<T extends 'f32' | 'f64'>(type: T) {
  const n = (name: string): OpName => `${type}.${name}` as OpName;
  return {
    load: load<T>(`${type}.load`),
    const: (value: number): Expr<T> => makeConst(type, value),
    eq: op2<T, 'i32'>(n('eq')),
    ne: op2<T, 'i32'>(n('ne')),
    lt: op2<T, 'i32'>(n('lt')),
    gt: op2<T, 'i32'>(n('gt')),
    le: op2<T, 'i32'>(n('le')),
    ge: op2<T, 'i32'>(n('ge')),
    abs: op1<T, T>(n('abs')),
    neg: op1<T, T>(n('neg')),
    sqrt: op1<T, T>(n('sqrt')),
    add: op2<T, T>(n('add')),
    sub: op2<T, T>(n('sub')),
    mul: op2<T, T>(n('mul')),
    div: op2<T, T>(n('div')),
    min: op2<T, T>(n('min')),
    max: op2<T, T>(n('max')),
    convert_i32_s: op1<'i32', T>(n('convert_i32_s')),
    convert_i32_u: op1<'i32', T>(n('convert_i32_u')),
    convert_i64_s: op1<'i64', T>(n('convert_i64_s')),
    convert_i64_u: op1<'i64', T>(n('convert_i64_u')),
    select: makeSelect<T>,
  };
}

export const i32 = {
  ...integer('i32'),
  wrap_i64: op1<'i64', 'i32'>('i32.wrap_i64'),
  reinterpret_f32: op1<'f32', 'i32'>('i32.reinterpret_f32'),
  /** i32.atomic.load (threads proposal): sees another thread's store. */
  atomicLoad: (address: I32, offset = 0): I32 => ({ kind: 'atomic-load', type: 'i32', address, offset }),
} as const;

export const i64 = {
  ...integer('i64'),
  extend_i32_s: op1<'i32', 'i64'>('i64.extend_i32_s'),
  extend_i32_u: op1<'i32', 'i64'>('i64.extend_i32_u'),
  /** Traps (in wasm) outside the range of i64: guard it. */
  trunc_f64_s: op1<'f64', 'i64'>('i64.trunc_f64_s'),
  /** Saturates outside the range of i64; of a NaN it makes 0. */
  trunc_sat_f64_s: op1<'f64', 'i64'>('i64.trunc_sat_f64_s'),
  trunc_sat_f64_u: op1<'f64', 'i64'>('i64.trunc_sat_f64_u'),
  extend32_s: op1<'i64', 'i64'>('i64.extend32_s'),
  reinterpret_f64: op1<'f64', 'i64'>('i64.reinterpret_f64'),
  load32_s: load<'i64'>('i64.load32_s'),
  load32_u: load<'i64'>('i64.load32_u'),
} as const;

export const f32 = {
  ...float('f32'),
  demote_f64: op1<'f64', 'f32'>('f32.demote_f64'),
  reinterpret_i32: op1<'i32', 'f32'>('f32.reinterpret_i32'),
} as const;

export const f64 = {
  ...float('f64'),
  promote_f32: op1<'f32', 'f64'>('f64.promote_f32'),
  reinterpret_i64: op1<'i64', 'f64'>('f64.reinterpret_i64'),
  ceil: op1<'f64', 'f64'>('f64.ceil'),
  floor: op1<'f64', 'f64'>('f64.floor'),
  trunc: op1<'f64', 'f64'>('f64.trunc'),
  nearest: op1<'f64', 'f64'>('f64.nearest'),
} as const;

/** Vectors serve one purpose: `relaxed_madd` is a * b + c, rounded once or twice as the host pleases. */
export const f32x4 = {
  splat: op1<'f32', 'v128'>('f32x4.splat'),
  extractLane0: op1<'v128', 'f32'>('f32x4.extract_lane 0'),
  relaxed_madd: op3<'v128', 'v128'>('f32x4.relaxed_madd'),
} as const;

export const f64x2 = {
  splat: op1<'f64', 'v128'>('f64x2.splat'),
  extractLane0: op1<'v128', 'f64'>('f64x2.extract_lane 0'),
  relaxed_madd: op3<'v128', 'v128'>('f64x2.relaxed_madd'),
} as const;
