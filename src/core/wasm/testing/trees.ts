/**
 * Expression trees by chance, each as it was written and as our builders made it, and what it takes to run both. For tests
 * that hold the two against each other.
 */
import { type Expr, i32, i64 } from '../expression.ts';
import { ModuleBuilder } from '../module.ts';
import { type LoadName, loads, type Op, type OpName, ops, type Type } from '../ops.ts';
import { makeOp, makeSelect } from '../simplify.ts';

/** A repeatable sequence of numbers below a bound (xorshift32). */
export function numbers(seed: number): (bound: number) => number {
  let state = seed;
  return (bound) => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) % bound;
  };
}

const constants: readonly bigint[] = [
  ...[0n, 0n, 1n, -1n, 2n, 3n, 5n, 7n, 8n, 12n, 16n, 24n, 31n, 32n, 33n, 48n, 56n, 63n, 64n, 127n, 128n, 255n, 256n],
  ...[0xff00n, 0xffffn, -256n, -4096n, 0x7fff_ffffn, 0x8000_0000n, 0xffff_ffffn, -0x8000_0000n, 0x1_0000_0000n],
  ...[2n ** 63n - 1n, -(2n ** 63n), -(2n ** 32n)],
];
const inputs: readonly bigint[] = [
  ...[0n, 1n, -1n, 2n, 31n, 64n, 200n, 0x8000n, 0x7fff_ffffn, 0x8000_0000n, 0xffff_ffffn, -0x8000_0000n],
  ...[0x1_0000_0000n, 0x0123_4567_89ab_cdefn, -0x0123_4567_89ab_cdefn, 2n ** 63n - 1n, -(2n ** 63n)],
];

/** Division traps, which may vanish; fused operations and rounding have no rules. */
const usable = (Object.entries(ops) as [OpName, Op][]).filter(([name, { operands, result }]) => {
  if (/div|rem_/.test(name)) return false;
  const isInteger = (type: Type): boolean => type === 'i32' || type === 'i64';
  if (name.includes('reinterpret')) return true;
  return isInteger(result) && (operands.every(isInteger) || /f64[.](eq|ne|lt|ge)/.test(name));
});

/** A tree as it was written, and as it was built. */
export interface Pair<T extends Type = Type> {
  readonly raw: Expr<T>;
  readonly built: Expr<T>;
}

/** The operators of one tree: a few of each type, so that they meet each other. */
type Palette = readonly (readonly [OpName, Op])[];

function makePalette(next: (bound: number) => number): Palette {
  const results: readonly Type[] = ['i32', 'i64', 'f32', 'f64'];
  return results.flatMap((type) => {
    const candidates = usable.filter(([, { result }]) => result === type);
    return [0, 1, 2].map(() => candidates[next(candidates.length)]);
  });
}

export function makeTree(type: Type, depth: number, next: (bound: number) => number, palette: Palette): Pair {
  const both = (e: Expr): Pair => ({ raw: e, built: e });
  const candidates = palette.filter(([, { result }]) => result === type);
  const kind = depth < 0 ? 0 : depth === 0 ? next(4) % 3 : 3 + next(12);
  if (kind === 0 && type === 'i64') return both(i64.const(constants[next(constants.length)]));
  if (kind === 0 && type === 'i32')
    return both(i32.const(Number(BigInt.asIntN(32, constants[next(constants.length)]))));
  if (kind === 1 && type !== 'v128') {
    const names = (Object.keys(loads) as LoadName[]).filter((name) => loads[name][2] === type);
    return both({ kind: 'load', type, op: names[next(names.length)], address: i32.const(next(40)), offset: next(8) });
  }
  if (depth === 0) {
    // Parameters: two of each integer type.
    const locals: readonly Type[] = ['i64', 'i64', 'i32', 'i32'];
    const of = locals.flatMap((each, index) => (each === type ? [index] : []));
    if (of.length > 0) return both({ kind: 'local', type, index: of[next(of.length)] });
    return both({ kind: 'load', type, op: `${type}.load` as LoadName, address: i32.const(next(40)), offset: 0 });
  }
  if (kind === 3 && (type === 'i32' || type === 'i64')) {
    const [a, b] = [0, 1].map(() => makeTree(type, depth - 1, next, palette));
    const condition = makeTree('i32', depth - 1, next, palette) as Pair<'i32'>;
    return {
      raw: { kind: 'select', type, args: [a.raw, b.raw, condition.raw] } as Expr,
      built: makeSelect(a.built, b.built, condition.built),
    };
  }
  const [name, { operands }] = candidates[next(candidates.length)];
  // Often with a constant, which most rules are about.
  const withConstant = operands.length === 2 && next(2) === 0;
  const args = operands.map((operand, i) => {
    const simple = withConstant ? i === 1 : next(3) === 0;
    return makeTree(operand, simple ? 0 : depth - 1, next, palette);
  });
  return apply(name, args);
}

/** Operators of integers only. */
export const integers = usable.filter(([name]) => !/f32|f64/.test(name));

/** A value of the type: a local as it is, or as a conversion of one of the other type. */
export function operand(type: Type, next: (bound: number) => number): Pair {
  const local: Expr = { kind: 'local', type, index: (type === 'i64' ? 0 : 2) + next(2) };
  if (next(2) === 0) return { raw: local, built: local };
  const from: Expr =
    type === 'i64' ? { kind: 'local', type: 'i32', index: 2 } : { kind: 'local', type: 'i64', index: 0 };
  const names: readonly OpName[] = type === 'i64' ? ['i64.extend_i32_s', 'i64.extend_i32_u'] : ['i32.wrap_i64'];
  return apply(names[next(names.length)], [{ raw: from, built: from }]);
}

export function apply(op: OpName, args: readonly Pair[]): Pair {
  const type = ops[op].result;
  const raw: Expr = { kind: 'op', type, op, args: args.map(({ raw }) => raw) };
  return {
    raw,
    built: makeOp(
      op,
      args.map(({ built }) => built),
    ),
  };
}

/** Trees of 64 and 32 bits in turn. */
export function trees(seed: number, count: number, depth: number): Pair[] {
  const next = numbers(seed);
  return Array.from({ length: count }, (_, i) =>
    makeTree(i % 2 === 0 ? 'i64' : 'i32', 1 + next(depth), next, makePalette(next)),
  );
}

export type Function = (...args: (number | bigint)[]) => number | bigint;

/** With bytes in the first 64 that all differ. */
export function instantiate(m: ModuleBuilder): {
  readonly exports: { readonly [name: string]: Function };
  readonly memory: Uint8Array;
} {
  const memory = new WebAssembly.Memory({ initial: 1, maximum: 1 });
  const bytes = new Uint8Array(memory.buffer);
  bytes.set(Array.from({ length: 64 }, (_, i) => (i * 151 + 77) & 0xff));
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(m.encode()), { env: { memory } });
  return { exports: exports as { readonly [name: string]: Function }, memory: bytes };
}

export const builder = (): ModuleBuilder => new ModuleBuilder({ initialPages: 1, maximumPages: 1, shared: false });

/** The parameters that trees refer to. */
export const signature: readonly Type[] = ['i64', 'i64', 'i32', 'i32'];

/** Values for the parameters, often ones at an edge. */
export function argumentsFor(next: (bound: number) => number): (number | bigint)[] {
  const [a, b, c, d] = [0, 0, 0, 0].map(() => inputs[next(inputs.length)]);
  return [a, b, Number(BigInt.asIntN(32, c)), Number(BigInt.asIntN(32, d))];
}
