/** The encoder, by what WebAssembly makes of its modules: constants, control flow, memory, globals, calls, names. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Expr, f64, i32, i64 } from './expression.ts';
import type { Label } from './function.ts';
import { ModuleBuilder } from './module.ts';
import { type LoadName, loads, type StoreName, stores } from './ops.ts';
import { assemble, partsOf } from './testing/assembler.ts';
import { printModule } from './wat.ts';

type Function = (...args: (number | bigint)[]) => number | bigint | undefined;

function builder(): ModuleBuilder {
  return new ModuleBuilder({ initialPages: 2, maximumPages: 2, shared: false });
}

function instantiate(m: ModuleBuilder, imports: { readonly [name: string]: Function } = {}) {
  const memory = new WebAssembly.Memory({ initial: 2, maximum: 2 });
  const module = new WebAssembly.Module(m.encode());
  const { exports } = new WebAssembly.Instance(module, { env: { memory, ...imports } });
  return { module, memory, exports: exports as { readonly [name: string]: Function } };
}

function customSection(binary: Uint8Array<ArrayBuffer>, name: string): ArrayBuffer {
  const { customSections } = WebAssembly.Module as unknown as {
    customSections(module: WebAssembly.Module, name: string): ArrayBuffer[];
  };
  return customSections(new WebAssembly.Module(binary), name)[0];
}

test('constants of every length come out as they went in', () => {
  const m = builder();
  const longs: bigint[] = [];
  for (let bit = 0n; bit < 64n; bit++) {
    for (const near of [-1n, 0n, 1n])
      longs.push(BigInt.asIntN(64, (1n << bit) + near), BigInt.asIntN(64, near - (1n << bit)));
  }
  for (const [i, value] of longs.entries()) {
    const f = m.function(`l${i}`, [], ['i64']);
    f.return(i64.const(value));
    const g = m.function(`w${i}`, [], ['i32']);
    g.return(i32.const(Number(BigInt.asIntN(32, value))));
    m.export(f);
    m.export(g);
  }
  const pi = m.function('pi', [], ['f64']);
  pi.return(f64.const(Math.PI));
  m.export(pi);
  const { exports } = instantiate(m);
  for (const [i, value] of longs.entries()) {
    assert.equal(exports[`l${i}`](), value);
    assert.equal(exports[`w${i}`](), Number(BigInt.asIntN(32, value)));
  }
  assert.equal(exports.pi(), Math.PI);
});

test('loops, ifs, blocks and branches of several depths go where they say', () => {
  const m = builder();
  // The sum of the odd numbers below n, up to a limit.
  const f = m.function('sum', ['i32', 'i32'], ['i32']);
  const at = f.local('i32');
  const sum = f.local('i32');
  f.set(at, i32.const(0));
  f.set(sum, i32.const(0));
  f.block((done) => {
    f.loop((again) => {
      f.brIf(done, i32.ge_u(at, f.param<'i32'>(0)));
      f.if(
        i32.and(at, i32.const(1)),
        () => {
          f.set(sum, i32.add(sum, at));
          f.if(i32.gt_u(sum, f.param<'i32'>(1)), () => {
            f.set(sum, i32.const(-1));
            f.br(done);
          });
        },
        () => f.set(sum, i32.add(sum, i32.const(0))),
      );
      f.set(at, i32.add(at, i32.const(1)));
      f.br(again);
    });
  });
  f.return(sum);
  m.export(f);
  const { exports } = instantiate(m);
  assert.equal(exports.sum(10, 1000), 25);
  assert.equal(exports.sum(10, 12), -1);
  assert.equal(exports.sum(0, 0), 0);
});

test('a branch table finds its label, and the default for all other indices', () => {
  const m = builder();
  const f = m.function('which', ['i32'], ['i32']);
  const labels: Label[] = [];
  f.block((otherwise) => {
    const nest = (i: number): void => {
      if (i < 0) {
        f.brTable(labels, otherwise, f.param<'i32'>(0));
        return;
      }
      f.block((label) => {
        labels[i] = label;
        nest(i - 1);
      });
      f.return(i32.const(100 + i));
    };
    nest(299);
  });
  f.return(i32.const(-1));
  m.export(f);
  const { exports } = instantiate(m);
  for (const i of [0, 1, 127, 128, 299]) assert.equal(exports.which(i), 100 + i);
  for (const i of [300, -1, 0x7fff_ffff]) assert.equal(exports.which(i), -1);
});

test('loads and stores of every width, with offsets, extend and truncate as they are called', () => {
  const m = builder();
  const integerLoads = (Object.keys(loads) as LoadName[]).filter((name) => name.startsWith('i'));
  const integerStores = (Object.keys(stores) as StoreName[]).filter((name) => name.startsWith('i'));
  for (const name of integerLoads) {
    const type = loads[name][2];
    const f = m.function(name, ['i32'], [type]);
    const [family, short] = name.split('.');
    const from = (family === 'i32' ? i32 : i64) as unknown as { [name: string]: (a: Expr, offset: number) => Expr };
    f.return(from[short](f.param(0), 70_000));
    m.export(f);
  }
  for (const name of integerStores) {
    const f = m.function(name, ['i32', stores[name][2]], []);
    f.store(name, f.param<'i32'>(0), f.param(1), 70_000);
    m.export(f);
  }
  const { exports, memory } = instantiate(m);
  const view = new DataView(memory.buffer);
  view.setBigUint64(70_003, 0x8182_8384_8586_8788n, true);
  for (const name of integerLoads) {
    const width = /(\d+)_[su]$/.exec(name)?.[1] ?? name.slice(1, 3);
    const raw = BigInt.asUintN(Number(width), 0x8182_8384_8586_8788n);
    const value = name.endsWith('_u') ? raw : BigInt.asIntN(Number(width), raw);
    assert.equal(BigInt(exports[name](3) ?? 0), value, name);
  }
  for (const name of integerStores) {
    view.setBigUint64(70_008, 0n);
    exports[name](8, name.startsWith('i64') ? -2n : -2);
    const width = Number(/store(\d+)$/.exec(name)?.[1] ?? name.slice(1, 3));
    assert.equal(view.getBigUint64(70_008, true), BigInt.asUintN(width, -2n), name);
  }
});

test('functions call each other before they are written, and imports by their numbers', () => {
  const m = builder();
  const twice = m.importFunction('twice', ['i64'], ['i64']);
  const seen = m.importFunction('seen', ['i32'], []);
  const odd = m.function('odd', ['i32'], ['i32']);
  const even = m.function('even', ['i32'], ['i32']);
  for (const [f, other, atZero] of [
    [odd, even, 0],
    [even, odd, 1],
  ] as const) {
    f.if(i32.eqz(f.param<'i32'>(0)), () => f.return(i32.const(atZero)));
    f.do(seen, f.param<'i32'>(0));
    f.return(f.call(other, i32.sub(f.param<'i32'>(0), i32.const(1))));
    m.export(f);
  }
  const four = m.function('four', ['i64'], ['i64']);
  four.return(four.call(twice, four.call(twice, four.param(0))));
  m.export(four);
  const order: (number | bigint)[] = [];
  const { exports } = instantiate(m, {
    twice: (value) => BigInt(value) * 2n,
    seen: (value) => {
      order.push(value);
      return undefined;
    },
  });
  assert.equal(exports.even(7), 0);
  assert.deepEqual(order, [7, 6, 5, 4, 3, 2, 1]);
  assert.equal(exports.four(-3n), -12n);
});

test('globals start as told and keep what is assigned; memory.fill fills', () => {
  const m = builder();
  const small = m.global('i32', -5);
  const large = m.global('i64', -(2n ** 62n));
  const next = m.function('next', [], ['i64']);
  next.set(small, i32.add(small, i32.const(1)));
  next.set(large, i64.add(large, i64.extend_i32_s(small)));
  next.return(large);
  const fill = m.function('fill', ['i32', 'i32', 'i32'], []);
  fill.memoryFill(fill.param(0), fill.param(1), fill.param(2));
  m.export(next);
  m.export(fill);
  const { exports, memory } = instantiate(m);
  assert.equal(exports.next(), -(2n ** 62n) - 4n);
  assert.equal(exports.next(), -(2n ** 62n) - 7n);
  exports.fill(10, 0xab, 3);
  assert.deepEqual([...new Uint8Array(memory.buffer, 9, 5)], [0, 0xab, 0xab, 0xab, 0]);
});

test('a value that is bound is computed once, where it is bound', () => {
  const m = builder();
  const f = m.function('f', ['i32'], ['i32']);
  const old = f.let(i32.load(f.param(0)));
  f.store('i32.store', f.param(0), i32.const(9));
  f.return(i32.add(old, old));
  m.export(f);
  const { exports, memory } = instantiate(m);
  new DataView(memory.buffer).setInt32(16, 21, true);
  assert.equal(exports.f(16), 42);
});

test('locals of a scope are used again by the next one, and not mixed up', () => {
  const m = builder();
  const f = m.function('f', [], ['i64']);
  const total = f.local('i64');
  f.set(total, i64.const(0));
  for (let i = 0; i < 50; i++) {
    f.scope(() => {
      const word = f.local('i32');
      f.set(word, i32.const(i));
      const long = f.let(i64.add(i64.extend_i32_s(word), i64.const(1)));
      f.set(total, i64.add(total, long));
    });
  }
  f.return(total);
  m.export(f);
  assert(f.locals.length <= 4, `${f.locals.length} locals`);
  assert.equal(instantiate(m).exports.f(), 1275n);
});

test('profiles see the names of functions', () => {
  const m = builder();
  m.export(m.function('walk', [], []));
  const section = customSection(m.encode(), 'name');
  assert.match(new TextDecoder('latin1').decode(section), /walk/);
});

test('hints about branches stand where the branches are', async () => {
  const m = builder();
  m.importFunction('seen', [], []);
  m.function('first', [], []);
  const f = m.function('hinted', ['i64', 'i32'], []);
  f.set(f.permanent('i64'), f.param(0));
  f.block((out) => {
    f.if(
      i64.eqz(f.param(0)),
      () => f.unreachable(),
      () => f.brIf(out, f.param(1), true),
      false,
    );
    f.if(f.param(1), () => f.memoryFill(i32.const(0), i32.const(0), i32.const(0)));
    // What is turned round for want of a first arm is hinted the other way.
    f.if(
      f.param(1),
      () => {},
      () => f.return(),
      true,
    );
  });
  const expected = await assemble(`(module
    (import "env" "memory" (memory 1 1))
    (import "env" "seen" (func))
    (func)
    (func (param i64 i32) (local i64)
      local.get 0 local.set 2
      block
        local.get 0 i64.eqz (@metadata.code.branch_hint "\\00") if
          unreachable
        else
          local.get 1 (@metadata.code.branch_hint "\\01") br_if 1
        end
        local.get 1 if i32.const 0 i32.const 0 i32.const 0 memory.fill end
        local.get 1 i32.eqz (@metadata.code.branch_hint "\\00") if return end
      end))`);
  const hints = (binary: Uint8Array<ArrayBuffer>): string =>
    Buffer.from(customSection(binary, 'metadata.code.branch_hint')).toString('hex');
  assert.notEqual(hints(expected), '');
  assert.equal(hints(m.encode()), hints(expected));
});

test('tail calls leave no frames behind', async () => {
  const m = builder();
  const [even, odd] = ['even', 'odd'].map((name) => m.function(name, ['i32'], ['i32']));
  for (const [f, other, atZero] of [
    [even, odd, 1],
    [odd, even, 0],
  ] as const) {
    f.if(i32.eqz(f.param(0)), () => f.return(i32.const(atZero)));
    f.tailCall(other, i32.sub(f.param<'i32'>(0), i32.const(1)));
    m.export(f);
  }
  // Deeper than any stack.
  assert.equal(instantiate(m).exports.even(3_000_001), 0);
  assert.deepEqual(partsOf(await assemble(printModule(m))), partsOf(m.encode()));
});
