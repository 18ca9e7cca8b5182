import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { BlockRequest } from '../../machine/doors.ts';
import { RAM_BASE } from '../memory.test-support.ts';
import { BLOCK_MAX_IN_FLIGHT_BYTES, VirtioBlock } from './block.ts';
import { Driver, type Buffer as GuestBuffer, TestWorld } from './driver.test-support.ts';

const CAPACITY = 64 * 1024 * 1024;
const HEADER = RAM_BASE + 0x20_0000;
const STATUS = RAM_BASE + 0x20_1000;
const DATA = RAM_BASE + 0x21_0000;
const TABLE = RAM_BASE + 0x22_0000;
const OK = 0;
const IOERR = 1;
const UNSUPPORTED = 2;

interface Rig {
  readonly world: TestWorld;
  block: VirtioBlock;
  readonly driver: Driver;
}

function rig(options: { readOnly?: boolean; serial?: string } = {}, features?: readonly number[]): Rig {
  const world = new TestWorld();
  const block = new VirtioBlock({ device: 3, capacityBytes: CAPACITY, ...options }, world.dependencies);
  const driver = new Driver(world, block);
  driver.start(1, features);
  return { world, block, driver };
}

/** Fills in a request header and returns the buffers of the request; slot keeps requests apart. */
function request(rig: Rig, type: number, sector: number, data: readonly GuestBuffer[], slot = 0): GuestBuffer[] {
  const { memory } = rig.world;
  const header = HEADER + 16 * slot;
  memory.write32(header, type);
  memory.write32(header + 4, 0);
  memory.write64(header + 8, BigInt(sector));
  memory.write(STATUS + slot, Uint8Array.of(0xff));
  return [
    { address: header, length: 16, writable: false },
    ...data,
    { address: STATUS + slot, length: 1, writable: true },
  ];
}

function status(rig: Rig, slot = 0): number {
  return rig.world.memory.read(STATUS + slot, 1)![0];
}

function submitted(rig: Rig): BlockRequest[] {
  return rig.world.take('block').map((output) => output.request);
}

function submit(rig: Rig, type: number, sector: number, data: readonly GuestBuffer[], slot = 0): BlockRequest[] {
  const queue = rig.driver.queues[0];
  queue.add(request(rig, type, sector, data, slot));
  queue.notify();
  return submitted(rig);
}

const pattern = (length: number, seed = 1): Uint8Array =>
  Uint8Array.from({ length }, (_, at) => (at * 7 + seed) & 0xff);

test('a write copies its data out at the notification and answers at the completion', () => {
  const r = rig();
  r.world.memory.write(DATA, pattern(1024));
  const [write] = submit(r, 1, 8, [{ address: DATA, length: 1024, writable: false }]);
  r.world.memory.write(DATA, new Uint8Array(1024));
  assert.deepEqual(write, { type: 'write', id: 0, offset: 4096, data: pattern(1024) });
  assert.equal(status(r), 0xff);
  assert.equal(r.world.line, false);
  assert.equal(r.block.complete(0, true), true);
  assert.equal(status(r), OK);
  assert.deepEqual(r.driver.queues[0].collect(), [{ head: 0, written: 1 }]);
  assert.equal(r.world.line, true);
  assert.equal(r.driver.acknowledge(), 1);
  assert.equal(r.world.line, false);
});

test('the data of a read enters guest memory at the completion, scattered over its buffers', () => {
  const r = rig();
  const buffers = [
    { address: DATA, length: 300, writable: true },
    { address: DATA + 0x1000, length: 1024 - 300, writable: true },
  ];
  assert.deepEqual(submit(r, 0, 2, buffers), [{ type: 'read', id: 0, offset: 1024, length: 1024 }]);
  assert.equal(r.block.complete(0, true, pattern(1024)), true);
  assert.deepEqual(r.world.memory.read(DATA, 300), pattern(1024).slice(0, 300));
  assert.deepEqual(r.world.memory.read(DATA + 0x1000, 724), pattern(1024).slice(300));
  assert.deepEqual(r.driver.queues[0].collect(), [{ head: 0, written: 1025 }]);
});

test('a request may come through an indirect table, and its framing means nothing', () => {
  const r = rig();
  const queue = r.driver.queues[0];
  const buffers = request(r, 0, 0, [{ address: DATA, length: 512, writable: true }]);
  // The header in two pieces, data and status in one.
  const reframed = [
    { address: HEADER, length: 5, writable: false },
    { address: HEADER + 5, length: 0, writable: false },
    { address: HEADER + 5, length: 11, writable: false },
    { address: DATA, length: 513, writable: true },
  ];
  queue.addIndirect(reframed, TABLE);
  queue.addIndirect(buffers, TABLE + 0x1000);
  queue.notify();
  assert.equal(submitted(r).length, 2);
  assert.equal(r.block.complete(1, true, pattern(512, 2)), true);
  assert.equal(status(r), OK);
  assert.equal(r.block.complete(0, true, pattern(512, 3)), true);
  assert.deepEqual(r.world.memory.read(DATA, 513), Uint8Array.of(...pattern(512, 3), OK));
  assert.deepEqual(
    queue.collect().map(({ head }) => head),
    [1, 0],
  );
});

test('flush, discard and write zeroes leave as requests', () => {
  const r = rig();
  const { memory } = r.world;
  memory.write64(DATA, 16n);
  memory.write32(DATA + 8, 32);
  memory.write32(DATA + 12, 0);
  const range = [{ address: DATA, length: 16, writable: false }];
  assert.deepEqual(submit(r, 4, 0, []), [{ type: 'flush', id: 0 }]);
  assert.deepEqual(submit(r, 11, 0, range), [{ type: 'discard', id: 1, offset: 8192, length: 16384 }]);
  memory.write32(DATA + 12, 1);
  assert.deepEqual(submit(r, 13, 0, range), [{ type: 'write-zeroes', id: 2, offset: 8192, length: 16384 }]);
  // The unmap flag is unknown to a discard.
  assert.deepEqual(submit(r, 11, 0, range, 1), []);
  assert.equal(status(r, 1), UNSUPPORTED);
});

test('the serial number is answered at once, and an unknown type is unsupported', () => {
  const r = rig({ serial: 'understudy-disk-0' });
  assert.deepEqual(submit(r, 8, 0, [{ address: DATA, length: 20, writable: true }]), []);
  assert.equal(status(r), OK);
  assert.equal(new TextDecoder().decode(r.world.memory.read(DATA, 20)).replaceAll('\0', ''), 'understudy-disk-0');
  assert.deepEqual(submit(r, 99, 0, [], 1), []);
  assert.equal(status(r, 1), UNSUPPORTED);
});

test('requests beyond the end, of partial sectors or too long fail with an I/O error', () => {
  const r = rig();
  const readable = [{ address: DATA, length: 512, writable: false }];
  const long = [{ address: DATA, length: 2 * 1024 * 1024, writable: true }];
  const cases: [number, number, GuestBuffer[]][] = [
    [1, CAPACITY / 512, readable],
    [1, 2 ** 55, readable],
    [0, CAPACITY / 512 - 1, [{ address: DATA, length: 1024, writable: true }]],
    [1, 0, [{ address: DATA, length: 100, writable: false }]],
    [0, 0, long],
    [1, 0, [{ address: 0x1000, length: 512, writable: false }]],
  ];
  for (const [slot, [type, sector, data]] of cases.entries()) {
    assert.deepEqual(submit(r, type, sector, data, slot), []);
    assert.equal(status(r, slot), IOERR);
  }
  assert.equal(r.driver.status() & 64, 0);
});

test('a read-only disk offers no writing and refuses writes', () => {
  const r = rig({ readOnly: true });
  assert.ok(r.driver.offered().includes(5));
  assert.ok(!r.driver.offered().includes(13));
  assert.deepEqual(submit(r, 1, 0, [{ address: DATA, length: 512, writable: false }]), []);
  assert.equal(status(r), IOERR);
});

test('a failed request is an I/O error, also for a read', () => {
  const r = rig();
  submit(r, 0, 0, [{ address: DATA, length: 512, writable: true }]);
  assert.equal(r.block.complete(0, false), true);
  assert.equal(status(r), IOERR);
});

test('a completion that fits no request is refused and changes nothing', () => {
  const r = rig();
  submit(r, 0, 0, [{ address: DATA, length: 512, writable: true }]);
  const before = r.block.save();
  assert.equal(r.block.complete(7, true), false);
  assert.equal(r.block.complete(0, true, pattern(100)), false);
  assert.equal(r.block.complete(0, true), false);
  assert.deepEqual(r.block.save(), before);
  assert.equal(r.block.complete(0, true, pattern(512)), true);
  assert.equal(r.block.complete(0, true, pattern(512)), false);
});

test('a read whose target is outside RAM ends in an I/O error at its completion', () => {
  const r = rig();
  submit(r, 0, 0, [{ address: 0x7fff_ff00, length: 512, writable: true }]);
  assert.equal(r.block.complete(0, true, pattern(512)), true);
  assert.equal(status(r), IOERR);
  assert.equal(r.driver.status() & 64, 0);
});

test('a request without a place for its status makes the device ask for a reset', () => {
  const r = rig();
  const queue = r.driver.queues[0];
  queue.add([{ address: HEADER, length: 16, writable: false }]);
  queue.notify();
  assert.equal(r.driver.status() & 64, 64);
  assert.equal(r.driver.acknowledge(), 2);
  r.driver.start(1);
  assert.equal(submit(r, 4, 0, []).length, 1);
});

test('a reset makes orphans of the requests in flight, and their completions touch nothing', () => {
  const r = rig();
  submit(r, 0, 0, [{ address: DATA, length: 512, writable: true }]);
  r.driver.start(1);
  assert.equal(r.block.inFlight().length, 1);
  assert.equal(r.block.complete(0, true, pattern(512)), true);
  assert.deepEqual(r.world.memory.read(DATA, 512), new Uint8Array(512));
  assert.equal(status(r), 0xff);
  assert.deepEqual(r.driver.queues[0].collect(), []);
  assert.equal(r.block.inFlight().length, 0);
});

test('requests in flight are bounded in bytes, and completions take up those that wait', () => {
  const r = rig();
  const mebibyte = [{ address: DATA, length: 1024 * 1024, writable: true }];
  const limit = BLOCK_MAX_IN_FLIGHT_BYTES / (1024 * 1024);
  for (let slot = 0; slot < 20; slot++) r.driver.queues[0].add(request(r, 0, 0, mebibyte, slot));
  r.driver.queues[0].notify();
  assert.equal(submitted(r).length, limit);
  r.driver.queues[0].notify();
  assert.equal(submitted(r).length, 0);
  assert.equal(r.block.complete(3, false), true);
  assert.deepEqual(
    submitted(r).map(({ id }) => id),
    [limit],
  );
  for (const { id } of r.block.inFlight()) assert.equal(r.block.complete(id, false), true);
  assert.equal(submitted(r).length, 20 - limit - 1);
});

test('a saved device goes on in a copy: the same requests in flight, the same answers', () => {
  const r = rig();
  r.world.memory.write(DATA, pattern(512));
  submit(r, 1, 1, [{ address: DATA, length: 512, writable: false }], 0);
  submit(r, 0, 9, [{ address: DATA + 512, length: 512, writable: true }], 1);
  submit(r, 4, 0, [], 2);
  r.block.complete(0, true);
  const state = structuredClone(r.block.save());
  const copy = new VirtioBlock({ device: 3, capacityBytes: CAPACITY }, r.world.dependencies);
  copy.restore(state);
  assert.deepEqual(copy.save(), state);
  assert.deepEqual(copy.inFlight(), r.block.inFlight());
  r.driver.device = copy;
  r.block = copy;
  assert.equal(copy.complete(1, true, pattern(512, 9)), true);
  assert.equal(copy.complete(2, true), true);
  assert.deepEqual(r.world.memory.read(DATA + 512, 512), pattern(512, 9));
  assert.deepEqual(
    r.driver.queues[0].collect().map(({ head }) => head),
    [0, 3, 6],
  );
  assert.equal(submit(r, 4, 0, [], 3)[0].id, 3);
});
