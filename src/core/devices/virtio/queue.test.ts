import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RAM_BASE, TestMemory } from '../memory.test-support.ts';
import { VirtQueue } from './queue.ts';

const DESCRIPTORS = RAM_BASE + 0x1000;
const AVAILABLE = RAM_BASE + 0x3000;
const USED = RAM_BASE + 0x4000;
const TABLE = RAM_BASE + 0x8000;
const SIZE = 8;
const NEXT = 1;
const WRITE = 2;
const INDIRECT = 4;

interface Rig {
  readonly memory: TestMemory;
  readonly queue: VirtQueue;
  readonly seen: { broken: number; used: number };
}

function rig(features = { indirect: true, eventIndex: false }): Rig {
  const memory = new TestMemory(256 * 1024);
  const seen = { broken: 0, used: 0 };
  const queue = new VirtQueue({
    memory,
    features,
    broken: () => {
      seen.broken += 1;
    },
    used: () => {
      seen.used += 1;
    },
  });
  queue.setSize(SIZE);
  queue.setAddress('descriptors', false, DESCRIPTORS);
  queue.setAddress('driver', false, AVAILABLE);
  queue.setAddress('device', false, USED);
  assert.equal(queue.start(), true);
  return { memory, queue, seen };
}

/** One descriptor: address, length, flags, next. */
type Entry = readonly [number, number, number, number];

function table(r: Rig, at: number, entries: readonly Entry[]): void {
  for (const [index, [address, length, flags, next]] of entries.entries()) {
    r.memory.write64(at + 16 * index, BigInt(address));
    r.memory.write32(at + 16 * index + 8, length);
    r.memory.write16(at + 16 * index + 12, flags);
    r.memory.write16(at + 16 * index + 14, next);
  }
}

function available(r: Rig, index: number, ...heads: number[]): void {
  for (const [at, head] of heads.entries()) {
    r.memory.write16(AVAILABLE + 4 + 2 * ((index - heads.length + at) & (SIZE - 1)), head);
  }
  r.memory.write16(AVAILABLE + 2, index & 0xffff);
}

test('a chain is read in order, direct descriptors first and then the indirect table that ends it', () => {
  const r = rig();
  table(r, DESCRIPTORS, [
    [0x100, 10, NEXT, 3],
    [0, 0, 0, 0],
    [0, 0, 0, 0],
    [TABLE, 48, INDIRECT | WRITE, 7],
  ]);
  table(r, TABLE, [
    [0x200, 20, NEXT, 2],
    [0x300, 30, WRITE, 0],
    [0x400, 40, NEXT | WRITE, 1],
  ]);
  available(r, 1, 0);
  assert.equal(r.queue.available(), 1);
  assert.deepEqual(r.queue.pop(), {
    head: 0,
    readable: [
      { address: 0x100, length: 10 },
      { address: 0x200, length: 20 },
    ],
    writable: [
      { address: 0x400, length: 40 },
      { address: 0x300, length: 30 },
    ],
    readableBytes: 30,
    writableBytes: 70,
  });
  assert.equal(r.queue.available(), 0);
});

test('every way to break a chain is reported, and no chain comes of it', () => {
  const good: Entry = [0x100, 4, 0, 0];
  const huge = 0xffff_ffff;
  const cases: Record<string, { direct: readonly Entry[]; indirect?: readonly Entry[] }> = {
    'a loop of one': { direct: [[0, 4, NEXT, 0]] },
    'a loop of two': {
      direct: [
        [0, 4, NEXT, 1],
        [0, 4, NEXT, 0],
      ],
    },
    'a next beyond the queue': { direct: [[0, 4, NEXT, SIZE]] },
    'readable after writable': { direct: [[0, 4, NEXT | WRITE, 1], good] },
    'more than 4 GiB': {
      direct: [
        [0, huge, NEXT, 1],
        [0, huge, 0, 0],
      ],
    },
    'a table and a next': { direct: [[TABLE, 16, INDIRECT | NEXT, 1], good], indirect: [good] },
    'a table of no entries': { direct: [[TABLE, 0, INDIRECT, 0]] },
    'a table of half an entry': { direct: [[TABLE, 24, INDIRECT, 0]], indirect: [good] },
    'a table of too many entries': { direct: [[TABLE, 257 * 16, INDIRECT, 0]], indirect: [good] },
    'a table outside RAM': { direct: [[0x1000, 16, INDIRECT, 0]] },
    'a table far outside RAM': { direct: [[2 ** 60, 16, INDIRECT, 0]] },
    'a table in a table': { direct: [[TABLE, 16, INDIRECT, 0]], indirect: [[TABLE, 16, INDIRECT, 0]] },
    'a loop in a table': {
      direct: [[TABLE, 32, INDIRECT, 0]],
      indirect: [
        [0, 4, NEXT, 1],
        [0, 4, NEXT, 0],
      ],
    },
    'a next beyond the table': { direct: [[TABLE, 16, INDIRECT, 0]], indirect: [[0, 4, NEXT, 1], good] },
  };
  for (const [name, { direct, indirect }] of Object.entries(cases)) {
    const r = rig();
    table(r, DESCRIPTORS, direct);
    table(r, TABLE, indirect ?? []);
    available(r, 1, 0);
    assert.equal(r.queue.available(), 1, name);
    assert.equal(r.queue.pop(), undefined, name);
    assert.equal(r.seen.broken, 1, name);
  }
});

test('an indirect table needs the feature', () => {
  const r = rig({ indirect: false, eventIndex: false });
  table(r, DESCRIPTORS, [[TABLE, 16, INDIRECT, 0]]);
  table(r, TABLE, [[0, 4, 0, 0]]);
  available(r, 1, 0);
  assert.equal(r.queue.pop(), undefined);
  assert.equal(r.seen.broken, 1);
});

test('a chain may have as many descriptors as the queue', () => {
  const r = rig();
  const entries = Array.from({ length: SIZE }, (_, at): Entry => [at, 1, at === SIZE - 1 ? 0 : NEXT, at + 1]);
  table(r, DESCRIPTORS, entries);
  available(r, 1, 0);
  assert.equal(r.queue.pop()?.readableBytes, SIZE);
});

test('a head beyond the queue and an index more than a queue ahead are broken rings', () => {
  const r = rig();
  available(r, 1, SIZE);
  assert.equal(r.queue.pop(), undefined);
  assert.equal(r.seen.broken, 1);
  available(r, SIZE + 1);
  assert.equal(r.queue.available(), 0);
  assert.equal(r.seen.broken, 2);
});

test('rings outside RAM are broken, wherever the device touches them', () => {
  const r = rig({ indirect: true, eventIndex: true });
  r.queue.stop();
  for (const area of ['descriptors', 'driver', 'device'] as const) r.queue.setAddress(area, true, 0x10_0000);
  r.queue.start();
  assert.equal(r.queue.available(), 0);
  assert.equal(r.queue.pop(), undefined);
  r.queue.push(0, 0);
  r.queue.wantNotification();
  assert.equal(r.seen.broken, 4);
});

test('indices run freely over 16 bits', () => {
  const r = rig();
  table(r, DESCRIPTORS, [[0x100, 4, 0, 0]]);
  for (let index = 1; index <= 0x1_0003; index++) {
    available(r, index, 0);
    assert.equal(r.queue.available(), 1);
    assert.equal(r.queue.pop()?.head, 0);
    r.queue.push(0, index);
  }
  assert.equal(r.memory.read16(USED + 2), 3);
  assert.equal(r.memory.read32(USED + 4 + 8 * 2 + 4), 0x1_0003);
});

test('without the event index the driver is told, unless its flag says not to', () => {
  const r = rig();
  r.queue.signal();
  assert.equal(r.seen.used, 0, 'nothing was used');
  r.queue.push(0, 0);
  r.queue.push(1, 0);
  r.queue.signal();
  r.queue.signal();
  assert.equal(r.seen.used, 1, 'once for the whole batch');
  r.memory.write16(AVAILABLE, 1);
  r.queue.push(2, 0);
  r.queue.signal();
  assert.equal(r.seen.used, 1);
});

test('with the event index the driver is told when the used index passes its mark', () => {
  const r = rig({ indirect: true, eventIndex: true });
  r.memory.write16(AVAILABLE, 1); // The flag means nothing now.
  const usedEvent = AVAILABLE + 4 + 2 * SIZE;
  r.memory.write16(usedEvent, 2);
  const told = [0, 1, 2, 3].map((head) => {
    r.queue.push(head, 0);
    r.queue.signal();
    return r.seen.used;
  });
  assert.deepEqual(told, [0, 0, 1, 1]);
  r.memory.write16(usedEvent, 5);
  for (const head of [4, 5, 6]) r.queue.push(head, 0);
  r.queue.signal();
  assert.equal(r.seen.used, 2, 'also in the middle of a batch');
});

test('the wish for a notification is the number of chains taken so far', () => {
  const r = rig({ indirect: true, eventIndex: true });
  table(r, DESCRIPTORS, [[0x100, 4, 0, 0]]);
  available(r, 2, 0, 0);
  r.queue.pop();
  r.queue.wantNotification();
  const availableEvent = USED + 4 + 8 * SIZE;
  assert.equal(r.memory.read16(availableEvent), 1);
  r.queue.pop();
  r.queue.unpop();
  r.queue.wantNotification();
  assert.equal(r.memory.read16(availableEvent), 1);
});

test('a saved queue goes on in a copy', () => {
  const r = rig();
  table(r, DESCRIPTORS, [[0x100, 4, 0, 0]]);
  available(r, 2, 0, 0);
  r.queue.pop();
  r.queue.push(0, 1);
  const state = structuredClone(r.queue.save());
  const copy = rig();
  copy.queue.restore(state);
  assert.deepEqual(copy.queue.save(), state);
  copy.memory.bytes.set(r.memory.bytes);
  assert.equal(copy.queue.available(), 1);
  copy.queue.pop();
  copy.queue.push(0, 1);
  copy.queue.signal();
  assert.equal(copy.memory.read16(USED + 2), 2);
  assert.equal(copy.seen.used, 1);
});
