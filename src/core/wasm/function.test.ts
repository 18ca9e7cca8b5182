/** Statements that are written shorter than they were given do what they were given for. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { f64, type I32, i32, i64 } from './expression.ts';
import type { FunctionBuilder, Statement } from './function.ts';
import { type StoreName, stores } from './ops.ts';
import { argumentsFor, builder, instantiate, numbers, type Pair, signature, trees } from './testing/trees.ts';

const address = i32.const(64);

test('what is stored is the same bytes, in whatever way it is stored', () => {
  const m = builder();
  const names = (Object.keys(stores) as StoreName[]).filter((name) => name.startsWith('i'));
  const pairs = trees(0xcab, 3000, 3);
  for (const [i, { raw, built }] of pairs.entries()) {
    const fitting = names.filter((name) => stores[name][2] === raw.type);
    const op = fitting[i % fitting.length];
    const was = m.function(`was${i}`, signature, []);
    was.body.push({ kind: 'store', op, address, offset: 0, value: raw });
    const is = m.function(`is${i}`, signature, []);
    is.store(op, address, built);
    m.export(was);
    m.export(is);
  }
  const { exports, memory } = instantiate(m);
  const next = numbers(9);
  for (const i of pairs.keys()) {
    for (let round = 0; round < 8; round++) {
      const args = argumentsFor(next);
      const [was, is] = ['was', 'is'].map((form) => {
        memory.fill(0xee, 64, 80);
        exports[form + i](...args);
        return Buffer.from(memory.subarray(64, 80)).toString('hex');
      });
      assert.equal(is, was, `store ${i} of ${args}`);
    }
  }
});

test('a register of bits that are a number is stored as one', () => {
  const f = builder().function('f', ['f64'], []);
  f.store('i64.store', address, i64.reinterpret_f64(f.param(0)));
  assert.deepEqual(f.body, [{ kind: 'store', op: 'f64.store', address, offset: 0, value: f.param(0) }]);
});

type Emit = (f: FunctionBuilder, condition: I32) => void;

/** Ways to leave by a condition: each returns 1 where it holds and 2 where it does not. */
const ways: { readonly [name: string]: Emit } = {
  'if with both arms': (f, condition) =>
    f.if(
      condition,
      () => f.return(i32.const(1)),
      () => f.return(i32.const(2)),
    ),
  'if with an empty first arm': (f, condition) => {
    f.if(
      condition,
      () => {},
      () => f.return(i32.const(2)),
    );
    f.return(i32.const(1));
  },
  'if with empty arms': (f, condition) => {
    f.if(condition, () => {});
    f.return(i32.add(i32.const(1), i32.eqz(condition)));
  },
  'if with a branch': (f, condition) => {
    f.block((out) => {
      f.if(condition, () => f.br(out));
      f.return(i32.const(2));
    });
    f.return(i32.const(1));
  },
  'if with two branches': (f, condition) => {
    f.block((out) => {
      f.block((other) => {
        f.if(
          condition,
          () => f.br(out),
          () => f.br(other),
        );
      });
      f.return(i32.const(2));
    });
    f.return(i32.const(1));
  },
  'a conditional branch': (f, condition) => {
    f.block((out) => {
      f.brIf(out, condition);
      f.return(i32.const(2));
    });
    f.return(i32.const(1));
  },
};

test('every way to ask for a condition goes where it says', () => {
  const m = builder();
  const conditions = trees(0xface, 600, 3).filter((pair): pair is Pair<'i32'> => pair.raw.type === 'i32');
  for (const [i, { raw, built }] of conditions.entries()) {
    const value = m.function(`value${i}`, signature, ['i32']);
    value.return(raw);
    m.export(value);
    for (const [name, emit] of Object.entries(ways)) {
      const f = m.function(name + i, signature, ['i32']);
      emit(f, built);
      m.export(f);
    }
  }
  const { exports } = instantiate(m);
  const next = numbers(11);
  for (const i of conditions.keys()) {
    for (let round = 0; round < 8; round++) {
      const args = argumentsFor(next);
      const expected = exports[`value${i}`](...args) === 0 ? 2 : 1;
      for (const name of Object.keys(ways)) assert.equal(exports[name + i](...args), expected, `${name} of ${args}`);
    }
  }
});

test('what does nothing leaves nothing', () => {
  const f = builder().function('f', ['i32', 'f64'], []);
  const flag = f.param<'i32'>(0);
  f.set(flag, flag);
  f.if(i32.ne(flag, i32.const(0)), () => {});
  f.if(f64.lt(f.param(1), f64.const(0)), () => f.set(flag, flag));
  assert.deepEqual(f.body, []);
});

test('a branch that depends on a flag asks for the flag alone, and remarks stay', () => {
  const f = builder().function('f', ['i32'], []);
  const flag = f.param<'i32'>(0);
  f.block((out) => {
    f.if(i32.ne(flag, i32.const(0)), () => {
      f.comment(() => 'out');
      f.br(out);
    });
    f.unreachable();
  });
  const [block] = f.body as readonly (Statement & { readonly kind: 'block' })[];
  assert.deepEqual(
    block.body.map(({ kind }) => kind),
    ['comment', 'br-if', 'unreachable'],
  );
  assert.deepEqual((block.body[1] as Statement & { readonly kind: 'br-if' }).condition, flag);
});

test('blocks that nobody leaves, and what nobody reaches, are not kept', () => {
  const f = builder().function('f', ['i32'], ['i32']);
  const flag = f.param<'i32'>(0);
  f.block((out) => {
    f.loop((_again) => {
      f.block((next) => {
        f.set(flag, i32.const(1));
        f.brIf(next, flag);
        f.br(next);
        f.set(flag, i32.const(2));
      });
      f.if(
        flag,
        () => f.return(i32.const(3)),
        () => f.return(i32.const(4)),
      );
      f.br(out);
    });
  });
  f.set(flag, i32.const(5));
  assert.deepEqual(
    f.body.map(({ kind }) => kind),
    ['set-local', 'if'],
  );
});

test('what is reserved is filled in where it was reserved', () => {
  const m = builder();
  const f = m.function('f', ['i32'], ['i32']);
  const sum = f.permanent('i32');
  const fill = f.reserve();
  f.block((out) => {
    f.brIf(out, f.param(0));
    f.set(sum, i32.add(sum, i32.const(1)));
  });
  f.return(sum);
  fill(() => f.set(sum, i32.const(40)));
  m.export(f);
  const { exports } = instantiate(m);
  assert.deepEqual([exports.f(0), exports.f(1)], [41, 40]);
});

test('a loop that ends where its block ends needs no branch to there', () => {
  const m = builder();
  const f = m.function('f', ['i32'], ['i32']);
  const n = f.param<'i32'>(0);
  f.block((out) => {
    f.loop((again) => {
      f.set(n, i32.add(n, i32.const(-1)));
      f.brIf(again, i32.gt_s(n, i32.const(7)));
      f.br(out);
    });
  });
  f.return(n);
  m.export(f);
  assert.deepEqual(
    f.body.map(({ kind }) => kind),
    ['loop', 'return'],
  );
  assert.equal(instantiate(m).exports.f(20), 7);
});
