/**
 * Every size that a guest names, at its most: what the device then does, makes and remembers stays small. The other
 * limits of docs/security.md have their tests beside the devices.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CONSOLE_CHUNK_BYTES } from '../console-output.ts';
import { RAM_BASE } from '../memory.test-support.ts';
import { VirtioBlock } from './block.ts';
import { CONSOLE_MAX_BUFFER_BYTES, VirtioConsole } from './console.ts';
import { type Buffer, Driver, FEATURE_INDIRECT, FEATURE_VERSION_1, TestWorld } from './driver.test-support.ts';
import { VirtioEntropy } from './entropy.ts';
import { NET_MAX_FRAME_BYTES, VirtioNet } from './net.ts';
import { QUEUE_MAX_SIZE } from './queue.ts';

const DATA = RAM_BASE + 0x20_0000;
const TABLE = RAM_BASE + 0x38_0000;
const NEEDS_RESET = 64;
const HUGE = 0xffff_ffff;

const readable = (length: number, address = DATA): Buffer => ({ address, length, writable: false });
const writable = (length: number, address = DATA): Buffer => ({ address, length, writable: true });

test('a ring full of the largest console buffers, all newlines, makes as many outputs as its bytes need', () => {
  const world = new TestWorld();
  const driver = new Driver(world, new VirtioConsole({ device: 4 }, world.dependencies));
  driver.start(2, undefined, QUEUE_MAX_SIZE);
  world.memory.write(DATA, new Uint8Array(CONSOLE_MAX_BUFFER_BYTES).fill(0x0a));
  for (let count = 0; count < QUEUE_MAX_SIZE; count++) driver.queues[1].add([readable(CONSOLE_MAX_BUFFER_BYTES)]);
  driver.queues[1].notify();
  const outputs = world.take('console-out');
  assert.equal(outputs.length, (QUEUE_MAX_SIZE * CONSOLE_MAX_BUFFER_BYTES) / CONSOLE_CHUNK_BYTES);
  assert.ok(outputs.every(({ data }) => data.length === CONSOLE_CHUNK_BYTES));
});

test('a ring full of tables of 256 buffers, all the same frame, makes one output for each chain', () => {
  const world = new TestWorld();
  const device = new VirtioNet({ device: 1, mac: new Uint8Array(6), mtu: 1400 }, world.dependencies);
  const driver = new Driver(world, device).start(2, [FEATURE_INDIRECT, FEATURE_VERSION_1], QUEUE_MAX_SIZE);
  const pieces = Array.from({ length: QUEUE_MAX_SIZE }, () => readable(256));
  for (let count = 0; count < QUEUE_MAX_SIZE; count++) driver.queues[1].addIndirect(pieces, TABLE);
  driver.queues[1].notify();
  const frames = world.take('net-tx');
  assert.equal(frames.length, QUEUE_MAX_SIZE);
  assert.ok(frames.every(({ frame }) => frame.length === 256 * QUEUE_MAX_SIZE - 12));
  assert.ok(frames[0]!.frame.length <= NET_MAX_FRAME_BYTES);
});

test('a length of 4 GiB is refused by every device before anything is made of it', () => {
  const made = {
    net: (world: TestWorld) => new VirtioNet({ device: 1, mac: new Uint8Array(6), mtu: 1400 }, world.dependencies),
    block: (world: TestWorld) => new VirtioBlock({ device: 0, capacityBytes: 2 ** 33 }, world.dependencies),
    console: (world: TestWorld) => new VirtioConsole({ device: 4 }, world.dependencies),
  };
  const queues = { net: 2, block: 1, console: 2 };
  for (const name of ['net', 'block', 'console'] as const) {
    const world = new TestWorld();
    const driver = new Driver(world, made[name](world)).start(queues[name]);
    const last = driver.queues.at(-1)!;
    // For the block device a write: 16 bytes of header, and a place for the status.
    world.memory.write(DATA, Uint8Array.of(1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0));
    last.add([readable(16), readable(HUGE - 63), writable(1, DATA + 0x1000)]);
    last.notify();
    assert.deepEqual(world.outputs, [], name);
    const answered = last.collect().length === 1 || (driver.status() & NEEDS_RESET) !== 0;
    assert.ok(answered, name);
  }
});

test('4 GiB of random bytes are answered with a kilobyte', () => {
  const world = new TestWorld();
  const driver = new Driver(world, new VirtioEntropy({ device: 2 }, world.dependencies)).start(1);
  driver.queues[0].add([writable(HUGE)]);
  driver.queues[0].notify();
  assert.deepEqual(world.take('entropy'), [{ kind: 'entropy', device: 2, id: 0, length: 1024 }]);
});

test('a sector number near 2^64 is beyond the disk and does not come round to its start', () => {
  const world = new TestWorld();
  const device = new VirtioBlock({ device: 0, capacityBytes: 2 ** 30 }, world.dependencies);
  const driver = new Driver(world, device).start(1);
  const [queue] = driver.queues;
  for (const sector of [2n ** 64n - 1n, 2n ** 55n, 2n ** 53n, 2n ** 32n]) {
    for (const type of [0, 1, 11, 13]) {
      world.memory.write32(DATA, type);
      world.memory.write64(DATA + 8, sector);
      // A range of discard or write zeroes: a sector, a count, no flags.
      world.memory.write64(DATA + 0x100, sector);
      world.memory.write64(DATA + 0x108, 1n);
      world.memory.write(DATA + 0x1000, Uint8Array.of(0xff));
      const body = type === 0 ? writable(512, DATA + 0x200) : readable(type === 1 ? 512 : 16, DATA + 0x100);
      queue!.add([readable(16), body, writable(1, DATA + 0x1000)]);
      queue!.notify();
      assert.deepEqual(world.outputs, [], `type ${type}, sector ${sector}`);
      assert.equal(queue!.collect().length, 1);
      assert.equal(world.memory.read(DATA + 0x1000, 1)?.[0], 1);
    }
  }
});

test('a ring whose used area overlaps its own buffers and descriptors ends, and the device stays sound', () => {
  const world = new TestWorld();
  const device = new VirtioNet({ device: 1, mac: new Uint8Array(6), mtu: 1400 }, world.dependencies);
  const driver = new Driver(world, device).start(2);
  const [receive] = driver.queues;
  // The frame is written over the descriptors, the available ring and the used ring of the queue that it comes by.
  for (let count = 0; count < 8; count++) receive!.add([writable(0x4000, receive!.descriptors)]);
  receive!.notify();
  for (let count = 0; count < 8; count++) device.receive(new Uint8Array(NET_MAX_FRAME_BYTES - 100).fill(0xff));
  for (let count = 0; count < 8; count++) device.receive(new Uint8Array(0x3800).fill(0xff));
  assert.equal(driver.status() & NEEDS_RESET, NEEDS_RESET);
  driver.start(2);
  assert.equal(driver.status() & NEEDS_RESET, 0);
});
