import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Extent } from './disk.ts';
import { OverlapOrder } from './overlap-order.ts';

const read = (start: number, end: number): Extent => ({ start, end, writes: false });
const write = (start: number, end: number): Extent => ({ start, end, writes: true });

/** Submits every extent, ends them one at a time in the order in which they may run, and returns that order. */
async function orderOf(extents: (Extent | undefined)[], endFirst: (running: number[]) => number): Promise<number[][]> {
  const order = new OverlapOrder();
  const running = new Map<number, () => void>();
  const steps: number[][] = [];
  const all = extents.map((extent, index) =>
    order.run(extent, () => new Promise<void>((resolve) => running.set(index, resolve))),
  );
  while (running.size > 0) {
    const now = [...running.keys()];
    steps.push(now);
    const chosen = endFirst(now);
    running.get(chosen)!();
    running.delete(chosen);
    await all[chosen];
    await new Promise((resolve) => setImmediate(resolve));
  }
  await Promise.all(all);
  return steps;
}

test('a write waits for an earlier write and an earlier read of the same place', async () => {
  const steps = await orderOf([write(0, 8), write(4, 12), read(8, 16), write(8, 9)], (running) => running.at(-1)!);
  assert.deepEqual(steps, [[0], [1], [2], [3]]);
});

test('reads run together, and neighbours do not disturb each other', async () => {
  const steps = await orderOf([read(0, 8), read(4, 12), write(12, 16), write(16, 20)], (running) => running[0]!);
  assert.deepEqual(steps[0], [0, 1, 2, 3]);
});

test('a flush waits for nobody', async () => {
  const steps = await orderOf([write(0, 8), undefined, write(0, 8)], (running) => running.at(-1)!);
  assert.deepEqual(steps, [[0, 1], [0], [2]]);
});

test('the order is kept through a chain of waiting requests', async () => {
  const steps = await orderOf([write(0, 4), write(2, 8), write(6, 12), read(0, 1)], (running) => running[0]!);
  assert.deepEqual(
    steps,
    [[0], [1, 3], [3, 2], [2]].map((step) => step),
  );
});

test('idle resolves when all that was submitted has ended', async () => {
  const order = new OverlapOrder();
  let ended = 0;
  for (let index = 0; index < 5; index++) {
    void order.run(write(0, 1), async () => {
      await new Promise((resolve) => setImmediate(resolve));
      ended++;
    });
  }
  await order.idle();
  assert.equal(ended, 5);
});
