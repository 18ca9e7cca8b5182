/**
 * Simplification: random trees mean to WebAssembly what the same trees mean as they were written, and the rules that matter
 * do what they are there for.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Expr, f64, i32, i64 } from './expression.ts';
import { ModuleBuilder } from './module.ts';
import { type LoadName, loads, type Op, type OpName, ops, type Type } from './ops.ts';
import { makeOp, makeSelect, narrow, truth } from './simplify.ts';

/** A repeatable sequence of numbers below a bound (xorshift32). */
function numbers(seed: number): (bound: number) => number {
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
interface Pair<T extends Type = Type> {
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

function makeTree(type: Type, depth: number, next: (bound: number) => number, palette: Palette): Pair {
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

type Function = (...args: (number | bigint)[]) => number | bigint;

function instantiate(m: ModuleBuilder): { readonly [name: string]: Function } {
  const memory = new WebAssembly.Memory({ initial: 1, maximum: 1 });
  new Uint8Array(memory.buffer, 0, 64).set(Array.from({ length: 64 }, (_, i) => (i * 151 + 77) & 0xff));
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(m.encode()), { env: { memory } });
  return exports as { readonly [name: string]: Function };
}

const builder = (): ModuleBuilder => new ModuleBuilder({ initialPages: 1, maximumPages: 1, shared: false });

const signature: readonly Type[] = ['i64', 'i64', 'i32', 'i32'];

/** The number of operators and leaves. */
function size(e: Expr): number {
  const sum = (all: readonly Expr[]): number => all.reduce((total, each) => total + size(each), 1);
  if (e.kind === 'op' || e.kind === 'select') return sum(e.args);
  return e.kind === 'load' || e.kind === 'atomic-load' ? sum([e.address]) : 1;
}

/** Runs pairs of equal type and names the first one that differs. */
function compare(pairs: readonly Pair[], equal: (raw: bigint, built: bigint, i: number) => boolean): void {
  const m = builder();
  for (const [i, pair] of pairs.entries()) {
    for (const form of ['raw', 'built'] as const) {
      const f = m.function(`${form}${i}`, signature, [pair[form].type]);
      f.return(pair[form]);
      m.export(f);
    }
  }
  const exports = instantiate(m);
  const next = numbers(7);
  for (const [i, { raw, built }] of pairs.entries()) {
    for (let round = 0; round < 24; round++) {
      const [a, b, c, d] = [0, 0, 0, 0].map(() => inputs[next(inputs.length)]);
      const args = [a, b, Number(BigInt.asIntN(32, c)), Number(BigInt.asIntN(32, d))];
      const [was, is] = [exports[`raw${i}`](...args), exports[`built${i}`](...args)];
      if (equal(BigInt(was), BigInt(is), i)) continue;
      const show = (e: Expr): string =>
        JSON.stringify(e, (_key, value) => (typeof value === 'bigint' ? `${value}` : value));
      assert.fail(`of ${args}: ${was} became ${is}\n${show(raw)}\n${show(built)}`);
    }
  }
}

function trees(seed: number, count: number, depth: number): Pair[] {
  const next = numbers(seed);
  return Array.from({ length: count }, (_, i) =>
    makeTree(i % 2 === 0 ? 'i64' : 'i32', 1 + next(depth), next, makePalette(next)),
  );
}

test('random trees keep their values, and become smaller', () => {
  const pairs = trees(0x5eed, 10_000, 5);
  compare(pairs, (raw, built) => raw === built);
  const before = pairs.reduce((total, { raw }) => total + size(raw), 0);
  const after = pairs.reduce((total, { built }) => total + size(built), 0);
  assert.ok(after < before * 0.85, `${before} became ${after}`);
});

const integers = usable.filter(([name]) => !/f32|f64/.test(name));

/** A value of the type: a local as it is, or as a conversion of one of the other type. */
function operand(type: Type, next: (bound: number) => number): Pair {
  const local: Expr = { kind: 'local', type, index: (type === 'i64' ? 0 : 2) + next(2) };
  if (next(2) === 0) return { raw: local, built: local };
  const from: Expr =
    type === 'i64' ? { kind: 'local', type: 'i32', index: 2 } : { kind: 'local', type: 'i64', index: 0 };
  const names: readonly OpName[] = type === 'i64' ? ['i64.extend_i32_s', 'i64.extend_i32_u'] : ['i32.wrap_i64'];
  return apply(names[next(names.length)], [{ raw: from, built: from }]);
}

function apply(op: OpName, args: readonly Pair[]): Pair {
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

test('every pair of operators keeps its value, with constants and without', () => {
  const next = numbers(0xace);
  const second = (type: Type, isConstant: boolean): Pair =>
    isConstant ? makeTree(type, -1, next, []) : operand(type, next);
  const pairs: Pair[] = [];
  for (const [outer, { operands }] of integers) {
    for (const [inner, { operands: innerOperands, result }] of integers) {
      if (result !== operands[0]) continue;
      for (let i = 0; i < (operands.length === 1 ? 80 : 8); i++) {
        const args = [
          operand(innerOperands[0], next),
          ...innerOperands.slice(1).map((type) => second(type, i % 4 < 3)),
        ];
        const a = apply(inner, args);
        pairs.push(apply(outer, [a, ...operands.slice(1).map((type) => second(type, i % 4 > 0))]));
      }
    }
  }
  compare(pairs, (raw, built) => raw === built);
});

test('what is narrowed keeps its low bits', () => {
  const widths = [1, 5, 6, 8, 16, 31, 32, 48];
  const pairs = trees(0xbead, 5_000, 4).map(({ raw, built }, i) => {
    return { raw, built: narrow(built, Math.min(widths[i % widths.length], built.type === 'i32' ? 32 : 64)) };
  });
  compare(pairs, (raw, built, i) => {
    const bits = Math.min(widths[i % widths.length], pairs[i].raw.type === 'i32' ? 32 : 64);
    return BigInt.asUintN(bits, raw) === BigInt.asUintN(bits, built);
  });
});

test('a condition is true where it was', () => {
  const pairs = trees(0xc0de, 2000, 4)
    .filter(({ raw }) => raw.type === 'i32')
    .map(({ raw, built }) => ({ raw, built: truth(makeOp<'i32'>('i32.ne', [built, i32.const(0)])) }));
  compare(pairs, (raw, built) => (raw === 0n) === (built === 0n));
});

test('what instructions are made of becomes short', () => {
  const x: Expr<'i64'> = { kind: 'local', type: 'i64', index: 0 };
  const y: Expr<'i64'> = { kind: 'local', type: 'i64', index: 1 };
  const w: Expr<'i32'> = { kind: 'local', type: 'i32', index: 2 };
  const [low, lower] = [i32.wrap_i64(x), i32.wrap_i64(y)];
  const byte = i64.load8_u(w, 4);
  const cases: readonly (readonly [what: string, made: Expr, short: Expr])[] = [
    ['a pc and an offset', i64.add(i64.add(x, i64.const(44)), i64.const(-4)), i64.add(x, i64.const(40))],
    ['a step back', i64.add(i64.sub(x, i64.const(8)), i64.const(8)), x],
    ['the word of a word', i64.extend_i32_s(i32.wrap_i64(x)), i64.extend32_s(x)],
    ['a word extended twice', i64.extend32_s(i64.extend_i32_s(low)), i64.extend32_s(x)],
    ['a low word', i64.and(x, i64.const(0xffff_ffff)), i64.extend_i32_u(low)],
    ['a loaded byte', i64.and(byte, i64.const(0xff)), byte],
    ['a loaded byte with a sign', i64.extend8_s(byte), i64.load8_s(w, 4)],
    ['a loaded word with a sign', i64.extend32_s(i64.load32_u(w)), i64.load32_s(w)],
    ['a shift by a masked amount', i64.shl(x, i64.and(y, i64.const(63))), i64.shl(x, y)],
    ['two shifts', i64.shr_u(i64.shr_u(x, i64.const(10)), i64.const(2)), i64.shr_u(x, i64.const(12))],
    ['a slot of a table', i32.shl(i32.shr_u(w, i32.const(4)), i32.const(4)), i32.and(w, i32.const(-16))],
    ['not equal', i32.eqz(i64.eq(x, y)), i64.ne(x, y)],
    ['not less', i32.eqz(i64.lt_u(x, y)), i64.ge_u(x, y)],
    ['sltu with 1', i64.lt_u(x, i64.const(1)), i64.eqz(x)],
    ['xori with 1', i64.xor(i64.extend_i32_u(i64.lt_s(x, y)), i64.const(1)), i64.extend_i32_u(i64.ge_s(x, y))],
    ['bnez of a comparison', i64.ne(i64.extend_i32_u(i64.lt_s(x, y)), i64.const(0)), i64.lt_s(x, y)],
    ['words compared', i64.lt_s(i64.extend_i32_s(low), i64.extend_i32_s(lower)), i32.lt_s(low, lower)],
    ['equal by their difference', i64.eqz(i64.xor(x, y)), i64.eq(x, y)],
    ['the same register', i64.sub(x, x), i64.const(0)],
    ['a product with a power of two', i64.mul(x, i64.const(8)), i64.shl(x, i64.const(3))],
    ['a choice between 1 and 0', i64.select(i64.const(1), i64.const(0), i64.eqz(x)), i64.extend_i32_u(i64.eqz(x))],
    ['a choice by a negation', i64.select(x, y, i32.eqz(w)), i64.select(y, x, w)],
    ['bits that change their type and back', i64.reinterpret_f64(f64.reinterpret_i64(x)), x],
    ['bits that are loaded', f64.reinterpret_i64(i64.load(w)), f64.load(w)],
    ['the truth of a flag', truth(i32.ne(i32.and(w, i32.const(8)), i32.const(0))), i32.and(w, i32.const(8))],
  ];
  for (const [what, made, short] of cases) assert.deepEqual(made, short, what);
});

test('what differs for a NaN is not turned round', () => {
  const [a, b] = [0, 1].map((index): Expr<'f64'> => ({ kind: 'local', type: 'f64', index }));
  const notLess = i32.eqz(f64.lt(a, b));
  assert.equal(notLess.kind === 'op' && notLess.op, 'i32.eqz');
});
