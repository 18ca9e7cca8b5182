/** Folding: an expression with constants means what the same expression means to WebAssembly when they come at run time. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { constantOf, type Expr, i32, i64 } from './expression.ts';
import { ModuleBuilder } from './module.ts';
import { type Op, type OpName, ops } from './ops.ts';

type Integer = 'i32' | 'i64';

const edges: { readonly i32: readonly number[]; readonly i64: readonly bigint[] } = {
  i32: [0, 1, -1, 2, 7, 31, 32, 33, 255, 0x7fff_ffff, -0x8000_0000, 0x1234_5678],
  i64: [0n, 1n, -1n, 2n, 31n, 32n, 63n, 64n, 65n, 2n ** 31n, -(2n ** 31n), 2n ** 32n, 2n ** 63n - 1n, -(2n ** 63n)],
};

const make = (type: Integer, value: number | bigint): Expr => (type === 'i32' ? i32.const(value) : i64.const(value));

/** The builder's function for an operator. */
function build(name: OpName, args: readonly Expr[]): Expr {
  const [type, short] = name.split('.');
  const family: { readonly [name: string]: unknown } = type === 'i32' ? i32 : i64;
  return (family[short] as (...args: readonly Expr[]) => Expr)(...args);
}

function instantiate(m: ModuleBuilder): { readonly [name: string]: (...args: (number | bigint)[]) => number | bigint } {
  const memory = new WebAssembly.Memory({ initial: 1, maximum: 1 });
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(m.encode()), { env: { memory } });
  return exports as { readonly [name: string]: (...args: (number | bigint)[]) => number | bigint };
}

const emptyModule = (): ModuleBuilder => new ModuleBuilder({ initialPages: 1, maximumPages: 1, shared: false });

const integerOps = (Object.entries(ops) as [OpName, Op][]).filter(([, { operands, fold }]) => {
  return fold !== undefined && operands.every((type) => type === 'i32' || type === 'i64');
});

test('each operator folds to what it computes, for all pairs of edge values', () => {
  const m = emptyModule();
  for (const [name, { operands, result }] of integerOps) {
    const f = m.function(name, operands, [result]);
    f.return(
      build(
        name,
        operands.map((_, i) => f.param(i)),
      ),
    );
    m.export(f);
  }
  const exports = instantiate(m);
  assert(integerOps.length > 40);
  for (const [name, { operands }] of integerOps) {
    const type = operands[0] as Integer;
    for (const a of edges[type]) {
      for (const b of operands.length === 1 ? [undefined] : edges[type]) {
        const values = b === undefined ? [a] : [a, b];
        const folded = constantOf(
          build(
            name,
            values.map((value) => make(type, value)),
          ),
        );
        assert.equal(folded, exports[name](...values), `${name}(${values})`);
      }
    }
  }
});

test('an operator with one constant keeps its meaning, also where it is simplified away', () => {
  const m = emptyModule();
  const binaries = integerOps.filter(([, { operands }]) => operands.length === 2);
  const cases: {
    readonly name: string;
    readonly op: OpName;
    readonly left: boolean;
    readonly constant: number | bigint;
  }[] = [];
  for (const [op, { operands, result }] of binaries) {
    const type = operands[0] as Integer;
    for (const constant of [0, 1, -1, 32, 64]) {
      for (const left of [false, true]) {
        const name = `${op} ${constant} ${left}`;
        const f = m.function(name, [type], [result]);
        const c = make(type, constant);
        f.return(build(op, left ? [c, f.param(0)] : [f.param(0), c]));
        m.export(f);
        cases.push({ name, op, left, constant: type === 'i32' ? constant : BigInt(constant) });
      }
    }
    const whole = m.function(op, [type, type], [result]);
    whole.return(build(op, [whole.param(0), whole.param(1)]));
    m.export(whole);
  }
  const exports = instantiate(m);
  for (const { name, op, left, constant } of cases) {
    for (const value of edges[ops[op].operands[0] as Integer]) {
      const expected = left ? exports[op](constant, value) : exports[op](value, constant);
      assert.equal(exports[name](value), expected, `${name} of ${value}`);
    }
  }
});

test('a select with a known condition is its branch', () => {
  const [yes, no] = [i64.const(1), i64.const(2)];
  assert.equal(i64.select(yes, no, i32.const(7)), yes);
  assert.equal(i64.select(yes, no, i32.eqz(i32.const(7))), no);
});
