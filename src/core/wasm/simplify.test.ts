/**
 * Simplification: random trees mean to WebAssembly what the same trees mean as they were written, and the rules that matter
 * do what they are there for.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Expr, f64, i32, i64 } from './expression.ts';
import type { Type } from './ops.ts';
import { makeOp, narrow, truth } from './simplify.ts';
import {
  apply,
  argumentsFor,
  builder,
  instantiate,
  integers,
  makeTree,
  numbers,
  operand,
  type Pair,
  signature,
  trees,
} from './testing/trees.ts';

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
  const { exports } = instantiate(m);
  const next = numbers(7);
  for (const [i, { raw, built }] of pairs.entries()) {
    for (let round = 0; round < 24; round++) {
      const args = argumentsFor(next);
      const [was, is] = [exports[`raw${i}`](...args), exports[`built${i}`](...args)];
      if (equal(BigInt(was), BigInt(is), i)) continue;
      const show = (e: Expr): string =>
        JSON.stringify(e, (_key, value) => (typeof value === 'bigint' ? `${value}` : value));
      assert.fail(`of ${args}: ${was} became ${is}\n${show(raw)}\n${show(built)}`);
    }
  }
}

test('random trees keep their values, and become smaller', () => {
  const pairs = trees(0x5eed, 10_000, 5);
  compare(pairs, (raw, built) => raw === built);
  const before = pairs.reduce((total, { raw }) => total + size(raw), 0);
  const after = pairs.reduce((total, { built }) => total + size(built), 0);
  assert.ok(after < before * 0.85, `${before} became ${after}`);
});

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
  const widths = [1, 5, 6, 8, 9, 16, 17, 31, 32, 33, 48];
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
