/**
 * The text form, by what an assembler that shares nothing with us makes of it: the bytes that our encoder gives for the same
 * module. That tests the encoder as much as the printer.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Expr, f32, f64, i32, i64 } from './expression.ts';
import type { Label } from './function.ts';
import { ModuleBuilder } from './module.ts';
import { type LoadName, loads, type Op, type OpName, ops, type StoreName, stores } from './ops.ts';
import { assemble, partsOf } from './testing/assembler.ts';
import { printModule } from './wat.ts';

const builder = (): ModuleBuilder => new ModuleBuilder({ initialPages: 2, maximumPages: 3, shared: true });

/** The text assembles to what we encode; and that is valid to whom it is made for. */
async function assertSame(m: ModuleBuilder): Promise<void> {
  const ours = m.encode();
  assert.ok(new WebAssembly.Module(ours));
  assert.deepEqual(partsOf(await assemble(printModule(m))), partsOf(ours));
}

test('each operator, load and store has the opcode that its name has', async () => {
  const m = builder();
  for (const [name, { operands, result }] of Object.entries(ops) as [OpName, Op][]) {
    const f = m.function(name, operands, [result]);
    f.return({ kind: 'op', type: result, op: name, args: operands.map((_type, i) => f.param(i)) });
  }
  for (const [i, name] of (Object.keys(loads) as LoadName[]).entries()) {
    const f = m.function(name, ['i32'], [loads[name][2]]);
    f.return({ kind: 'load', type: loads[name][2], op: name, address: f.param<'i32'>(0), offset: i * 100 });
  }
  for (const [i, name] of (Object.keys(stores) as StoreName[]).entries()) {
    const f = m.function(name, ['i32', stores[name][2]], []);
    f.store(name, f.param<'i32'>(0), f.param(1), i * 100);
  }
  await assertSame(m);
});

test('constants keep all their bits', async () => {
  const m = builder();
  const values: Expr[] = [];
  for (let bit = 0n; bit < 64n; bit++) {
    for (const value of [1n << bit, (1n << bit) - 1n, -(1n << bit), ~(1n << bit)]) {
      values.push(i64.const(value), i32.const(Number(BigInt.asIntN(32, value))));
    }
  }
  for (const value of [0, -0, 1.5, Math.PI, 1e21, 1e-21, 5e-324, -Number.MAX_VALUE, Infinity, -Infinity, NaN]) {
    values.push(f64.const(value), f32.const(value));
  }
  for (const [i, value] of values.entries()) m.function(`f${i}`, [], [value.type]).return(value);
  await assertSame(m);
});

const expected = `(module
  (type $i32_i64_to_i64 (func (param i32 i64) (result i64)))
  (import "env" "memory" (memory 2 3 shared))
  (import "env" "table" (table 0 funcref))
  (import "env" "note" (func $note (param i32 i64)))
  (import "env" "ask" (func $ask (result i64)))
  (global $count (mut i64) (i64.const -1099511627776))
  (global $global1 (mut i32) (i32.const 7))
  (export "every kind" (func $every_kind))
  (func $every_kind (param $n i32) (param $param1 i64) (result i64)
    (local $sum i64) (local $local3 i64) (local $local4 i64)
    ;; the reserved place is filled in at the end
    (local.set $sum (i64.const 0x10000))
    (block $done (loop $again
      (br_if $done (i32.eqz (local.get $n)))
      (if (i32.and (local.get $n) (i32.const 1))
        (then
          (local.set $sum (i64.add (local.get $sum) (i64.load offset=16 (i32.const 8 (;hart.pc;))))))
        (else
          (i64.store32 offset=4 (local.get $n) (local.get $sum))
          (local.set $local3 (call $ask))
          (call $note (i32.load8_u offset=3 (local.get $n)) (local.get $local3))
          (drop (call $ask))))
      (if (i32.lt_s (local.get $n) (global.get $global1))
        (then
          (unreachable)))
      (global.set $count
        (select (local.get $sum) (global.get $count) (i32.atomic.load offset=64 (local.get $n))))
      (global.set $global1 (i32.add (global.get $global1) (i32.const -1)))
      (br $again)
    )
    ) ;; $done
    (block $case (block $case_2 (block $block
      (br_table $case $case_2 $block $case (local.get $n))
    ) ;; $block
      (memory.fill (i32.const 0) (i32.const 1) (local.get $n))
    ) ;; $case_2
      (local.set $local4 (call_indirect (type $i32_i64_to_i64) (local.get $n) (local.get $sum) (i32.const 3)))
      (local.set $sum (local.get $local4))
      (if (i32.eqz (local.get $n))
        (then
          (return_call_indirect (type $i32_i64_to_i64) (local.get $n) (local.get $sum) (i32.const 4))))
    ) ;; $case
    (return (i64.add (local.get $param1) (local.get $sum)))
  )
)
`;

/** A module with every kind of statement and expression. */
function everything(): ModuleBuilder {
  const m = builder();
  const note = m.importFunction('note', ['i32', 'i64'], []);
  const ask = m.importFunction('ask', [], ['i64']);
  m.importFunction('unused', ['f32'], ['f32']);
  m.importTable();
  const handler = m.signature(['i32', 'i64'], ['i64']);
  m.signature(['f64'], ['f64']);
  const count = m.global('i64', -(2n ** 40n), 'count');
  const small = m.global('i32', 7);
  const f = m.function('every kind', ['i32', 'i64'], ['i64']);
  const n = f.param<'i32'>(0, 'n');
  const sum = f.permanent('i64', 'sum');
  f.comment(() => 'the reserved place is filled in at the end');
  const prologue = f.reserve();
  f.block((done) => {
    f.loop((again) => {
      f.brIf(done, i32.eqz(n));
      f.if(
        i32.and(n, i32.const(1)),
        () => f.set(sum, i64.add(sum, i64.load(i32.const(8), 16))),
        () => {
          f.store('i64.store32', n, sum, 4);
          f.do(note, i32.load8_u(n, 3), f.call<'i64'>(ask));
          f.do(ask);
        },
      );
      f.if(i32.lt_s(n, small), () => f.unreachable());
      f.set(count, i64.select(sum, count, i32.atomicLoad(n, 64)));
      f.set(small, i32.sub(small, i32.const(1)));
      f.br(again);
    }, 'again');
  }, 'done');
  const labels: Label[] = [];
  f.block((first) => {
    f.block((second) => {
      f.block((third) => {
        labels.push(first, second, third);
        f.brTable(labels, first, n);
      });
      f.memoryFill(i32.const(0), i32.const(1), n);
    }, 'case');
    f.set(sum, f.callIndirect(handler, i32.const(3), n, sum));
    f.if(i32.eqz(n), () => f.tailCallIndirect(handler, i32.const(4), n, sum));
  }, 'case');
  f.return(i64.add(f.param(1), sum));
  prologue(() => f.set(sum, i64.const(0x1_0000)));
  m.export(f);
  return m;
}

test('every statement says the same in both forms', async () => assertSame(everything()));

test('the text is laid out to be read', () => {
  const m = everything();
  const text = printModule(m, {
    usedOnly: true,
    nameAddress: (address) => (address === 24 ? 'hart.pc' : undefined),
  });
  assert.equal(text, expected);
});

test('what is left out leaves a valid module', async () => {
  const text = printModule(everything(), { usedOnly: true });
  assert.doesNotMatch(text, /unused/);
  assert.match(text, /"note"/);
  assert.ok(new WebAssembly.Module(await assemble(text)));
  const hidden = printModule(everything(), { usedOnly: true, show: () => false });
  assert.doesNotMatch(hidden, /"note"|local/);
  assert.ok(new WebAssembly.Module(await assemble(hidden)));
});

test('names that come twice, or that have spaces, become different ids', async () => {
  const m = builder();
  for (let i = 0; i < 3; i++) {
    const f = m.function('a b', ['i32'], []);
    f.nameLocal(f.param(0), 'x');
    f.set(f.permanent('i32', 'x'), f.param(0));
  }
  assert.match(printModule(m), /[(]func [$]a_b_3 [(]param [$]x i32[)]\n +[(]local [$]x_2 i32[)]/);
  await assertSame(m);
});
