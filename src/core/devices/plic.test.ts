import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Plic } from './plic.ts';

const THRESHOLD = (context: number): number => 0x20_0000 + 0x1000 * context;
const CLAIM = (context: number): number => THRESHOLD(context) + 4;
const ENABLE = (context: number, word = 0): number => 0x2000 + 0x80 * context + 4 * word;

function rig(): { plic: Plic; external: boolean[]; changes: number[] } {
  const external = [false, false];
  const changes: number[] = [];
  const plic = new Plic(
    { sources: 63, contexts: 2 },
    {
      external: (context, asserted) => {
        external[context] = asserted;
        changes.push(context);
      },
    },
  );
  return { plic, external, changes };
}

/** Priority 1 for some sources, enabled for a context. */
function enable(plic: Plic, context: number, ...sources: number[]): void {
  for (const source of sources) {
    plic.write(4 * source, 4, 1);
    const register = ENABLE(context, source >>> 5);
    plic.write(register, 4, (plic.read(register, 4) | (1 << (source & 31))) >>> 0);
  }
}

test('a line that rises interrupts the contexts that enable its source, until it is claimed', () => {
  const { plic, external } = rig();
  enable(plic, 1, 10);
  plic.line(10)(true);
  assert.deepEqual(external, [false, true]);
  assert.equal(plic.read(0x1000, 4), 1 << 10);
  assert.equal(plic.read(CLAIM(1), 4), 10);
  assert.deepEqual(external, [false, false]);
  assert.equal(plic.read(0x1000, 4), 0);
  assert.equal(plic.read(CLAIM(1), 4), 0);
});

test('a line that is still high at the completion interrupts again, a low one does not', () => {
  const { plic, external } = rig();
  enable(plic, 1, 33);
  const line = plic.line(33);
  line(true);
  assert.equal(plic.read(CLAIM(1), 4), 33);
  line(false);
  line(true);
  assert.equal(external[1], false);
  plic.write(CLAIM(1), 4, 33);
  assert.equal(external[1], true);
  assert.equal(plic.read(CLAIM(1), 4), 33);
  line(false);
  plic.write(CLAIM(1), 4, 33);
  assert.equal(external[1], false);
});

test('a request stays pending when its line falls before the claim', () => {
  const { plic } = rig();
  enable(plic, 0, 3);
  plic.line(3)(true);
  plic.line(3)(false);
  assert.equal(plic.read(CLAIM(0), 4), 3);
});

test('the highest priority is claimed first, the lowest number among equals', () => {
  const { plic } = rig();
  enable(plic, 1, 5, 7, 40);
  plic.write(4 * 40, 4, 6);
  for (const source of [7, 5, 40]) plic.line(source)(true);
  assert.deepEqual(
    [1, 2, 3, 4].map(() => plic.read(CLAIM(1), 4)),
    [40, 5, 7, 0],
  );
});

test('the threshold masks the interrupt but not the claim', () => {
  const { plic, external } = rig();
  enable(plic, 1, 2);
  plic.write(THRESHOLD(1), 4, 1);
  plic.line(2)(true);
  assert.equal(external[1], false);
  plic.write(THRESHOLD(1), 4, 0);
  assert.equal(external[1], true);
  plic.write(THRESHOLD(1), 4, 7);
  assert.equal(external[1], false);
  assert.equal(plic.read(CLAIM(1), 4), 2);
});

test('priority 0 never interrupts and a completion by a context that has not enabled the source is ignored', () => {
  const { plic, external } = rig();
  enable(plic, 1, 4);
  plic.write(4 * 4, 4, 0);
  plic.line(4)(true);
  assert.equal(external[1], false);
  plic.write(4 * 4, 4, 1);
  assert.equal(plic.read(CLAIM(1), 4), 4);
  plic.write(CLAIM(0), 4, 4);
  plic.write(CLAIM(1), 4, 63);
  plic.write(CLAIM(1), 4, 0xffff_ffff);
  assert.equal(external[1], false);
  plic.write(CLAIM(1), 4, 4);
  assert.equal(external[1], true);
});

test('registers that do not exist read 0 and hold nothing', () => {
  const { plic } = rig();
  for (const offset of [0, 4 * 64, 0x1008, ENABLE(2), ENABLE(0, 2), THRESHOLD(2), CLAIM(0) + 4, 0x5f_fffc]) {
    plic.write(offset, 4, 0xffff_ffff);
    assert.equal(plic.read(offset, 4), 0, offset.toString(16));
  }
  plic.write(ENABLE(0), 4, 0xffff_ffff);
  assert.equal(plic.read(ENABLE(0), 4), 0xffff_fffe);
  plic.write(4, 4, 0xffff_ffff);
  assert.equal(plic.read(4, 4), 7);
  assert.equal(plic.read(4, 1), 0);
});

test('a saved controller goes on in a copy, with a source in service and its line high', () => {
  const { plic } = rig();
  enable(plic, 1, 10, 11);
  plic.line(10)(true);
  plic.read(CLAIM(1), 4);
  plic.line(11)(true);
  const state = structuredClone(plic.save());
  const copy = rig();
  copy.plic.restore(state);
  assert.deepEqual(copy.plic.save(), state);
  assert.deepEqual(copy.external, [false, true]);
  assert.equal(copy.plic.read(CLAIM(1), 4), 11);
  copy.plic.write(CLAIM(1), 4, 10);
  assert.equal(copy.plic.read(CLAIM(1), 4), 10);
});

test('contexts are told of changes only', () => {
  const { plic, changes } = rig();
  enable(plic, 1, 1, 2);
  plic.line(1)(true);
  plic.line(1)(true);
  plic.line(2)(true);
  assert.deepEqual(changes, [1]);
});
