/**
 * A hostile guest: thousands of random descriptor tables, rings, register writes and answers, from a seed. Whatever it
 * does, a device must not throw, must not work or remember without bound, and must stay a function of its inputs: a
 * copy that is saved and restored all along ends in the same state as one that never was.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { crc32c } from '../../base/crc32c.ts';
import type { Output } from '../../machine/doors.ts';
import type { Device } from '../device.ts';
import { RAM_BASE } from '../memory.test-support.ts';
import { BLOCK_MAX_IN_FLIGHT, BLOCK_MAX_IN_FLIGHT_BYTES, BLOCK_MAX_REQUEST_BYTES, VirtioBlock } from './block.ts';
import { VirtioConsole } from './console.ts';
import { Driver, Seeded, TestWorld } from './driver.test-support.ts';
import { ENTROPY_MAX_IN_FLIGHT, VirtioEntropy } from './entropy.ts';
import { VirtioNet } from './net.ts';

const ROUNDS = 1500;
const QUEUE_SIZE = 8;
const TABLE = RAM_BASE + 0x30_0000;
const DATA = RAM_BASE + 0x20_0000;
const RAM_END = RAM_BASE + 4 * 1024 * 1024;
const TABLE_ENTRIES = 256;
/** For each chain: two descriptors' worth of walking and copying for each of its entries, and the rings. */
const MAX_TOUCHES = QUEUE_SIZE * ((QUEUE_SIZE + TABLE_ENTRIES) * 4 + 16);

/** What the fuzz needs of a device beside its registers. */
interface Target<D extends Device> {
  readonly queueCount: number;
  make(world: TestWorld): D;
  /** Something comes from the world; `outputs` are those that the device has put out since it was made. */
  poke(device: D, seeded: Seeded, outputs: readonly Output[]): void;
  /** The device remembers no more than it may. */
  bounded(device: D): void;
}

const answerBytes = (length: number): Uint8Array => new Uint8Array(length).fill(0x5a);

const block: Target<VirtioBlock> = {
  queueCount: 1,
  make: (world) => new VirtioBlock({ device: 0, capacityBytes: 2 ** 30 }, world.dependencies),
  poke: (device, seeded, outputs) => {
    const output = outputs.length > 0 ? seeded.pick(outputs) : undefined;
    if (output?.kind !== 'block') return;
    const length = output.request.type === 'read' ? output.request.length : 0;
    device.complete(output.request.id, seeded.next(4) > 0, answerBytes(length + (seeded.next(10) === 0 ? 1 : 0)));
  },
  bounded: (device) => {
    const requests = device.inFlight();
    assert.ok(requests.length <= BLOCK_MAX_IN_FLIGHT);
    const bytes = requests.reduce((sum, request) => {
      if (request.type === 'write') return sum + request.data.length;
      return sum + (request.type === 'read' ? request.length : 0);
    }, 0);
    assert.ok(bytes <= BLOCK_MAX_IN_FLIGHT_BYTES + BLOCK_MAX_REQUEST_BYTES);
  },
};

const entropy: Target<VirtioEntropy> = {
  queueCount: 1,
  make: (world) => new VirtioEntropy({ device: 0 }, world.dependencies),
  poke: (device, seeded, outputs) => {
    const output = outputs.length > 0 ? seeded.pick(outputs) : undefined;
    if (output?.kind === 'entropy') device.complete(output.id, answerBytes(output.length));
  },
  bounded: (device) => assert.ok(device.inFlight().length <= ENTROPY_MAX_IN_FLIGHT),
};

const net: Target<VirtioNet> = {
  queueCount: 2,
  make: (world) => new VirtioNet({ device: 0, mac: new Uint8Array(6) }, world.dependencies),
  poke: (device, seeded) => device.receive(answerBytes(seeded.pick([0, 14, 60, 1514, 9000, 65_550, 70_000]))),
  bounded: () => {},
};

const terminal: Target<VirtioConsole> = {
  queueCount: 2,
  make: (world) => new VirtioConsole({ device: 0 }, world.dependencies),
  poke: (device, seeded) => device.input(answerBytes(seeded.pick([1, 100, 70_000]))),
  bounded: () => {},
};

function anAddress(seeded: Seeded, driver: Driver): number {
  const queue = driver.queues[0];
  return seeded.pick([
    DATA + seeded.next(0x1000),
    DATA + seeded.next(0x1000),
    TABLE + 16 * seeded.next(TABLE_ENTRIES),
    queue?.descriptors ?? DATA,
    (queue?.available ?? DATA) + seeded.next(8),
    (queue?.used ?? DATA) + seeded.next(8),
    RAM_END - seeded.next(64),
    seeded.next(0x1000),
    2 ** 63,
    2 ** 64 - 2048,
  ]);
}

function aLength(seeded: Seeded): number {
  return seeded.pick([0, 1, 12, 16, 20, 32, 512, 513, 4096, 16 * seeded.next(300), 0x10_0000, 0xffff_ffff]);
}

function anEntry(seeded: Seeded, driver: Driver, at: number, entries: number): void {
  const flags = seeded.next(8) === 0 ? seeded.next(0x1_0000) : seeded.pick([0, 0, 1, 1, 2, 3, 4, 5]);
  const address = (flags & 4) !== 0 && seeded.next(3) > 0 ? TABLE + 16 * seeded.next(8) : anAddress(seeded, driver);
  driver.queues[0].writeDescriptor(at, 0, aLength(seeded), flags, seeded.next(entries + 1));
  driver.world.memory.write64(at, BigInt(address));
}

/** A request that a driver could have sent, so that the fuzz reaches what lies behind the parsing. */
function aGoodChain(seeded: Seeded, driver: Driver, head: number): void {
  const { world, queues } = driver;
  const queue = seeded.pick(queues);
  const header = DATA + 0x2000 + 16 * head;
  world.memory.write32(header, seeded.pick([0, 1, 4, 8, 11, 13]));
  world.memory.write64(header + 8, BigInt(seeded.next(4096)));
  const at = queue.descriptors + 16 * head;
  const table = TABLE + 0x2000 + 64 * head;
  queue.writeDescriptor(table, header, 16, 1, 1);
  const length = seeded.pick([0, 64, 512, 512, 1536, 4096, 0x1_0000, 0x10_0000]);
  queue.writeDescriptor(table + 16, DATA, length, seeded.pick([1, 3]), 2);
  queue.writeDescriptor(table + 32, DATA + 0x3000, 1, 2, 0);
  queue.writeDescriptor(at, table, 48, 4, 0);
  queue.makeAvailable(head);
}

/** One thing that a hostile guest does. */
function attack(seeded: Seeded, driver: Driver): void {
  const { memory } = driver.world;
  const queue = seeded.pick(driver.queues);
  switch (seeded.next(10)) {
    case 0:
      for (let at = 0; at < TABLE_ENTRIES; at++) anEntry(seeded, driver, TABLE + 16 * at, TABLE_ENTRIES);
      return;
    case 1:
    case 2:
      for (let at = 0; at < QUEUE_SIZE; at++) anEntry(seeded, driver, queue.descriptors + 16 * at, QUEUE_SIZE);
      return;
    case 3:
      queue.makeAvailable(seeded.next(QUEUE_SIZE + 1));
      return;
    case 4:
      memory.write16(queue.available + 2, seeded.next(0x1_0000));
      return;
    case 5:
      driver.device.write(4 * seeded.next(0x44), seeded.pick([1, 2, 4, 4, 4]), seeded.pick([0, 1, 2, 15, 0xffff_ffff]));
      return;
    default:
      for (let count = seeded.next(QUEUE_SIZE); count > 0; count--) aGoodChain(seeded, driver, seeded.next(QUEUE_SIZE));
      queue.notify();
  }
}

/** Runs the attack; with `copies` the device is now and then replaced by a restored copy of itself. */
function run<D extends Device>(target: Target<D>, seed: number, copies: boolean): unknown {
  const world = new TestWorld();
  const seeded = new Seeded(seed);
  let device = target.make(world);
  const driver = new Driver(world, device);
  driver.start(target.queueCount, undefined, QUEUE_SIZE);
  for (let round = 0; round < ROUNDS; round++) {
    world.memory.touches = 0;
    if ((driver.status() & 64) !== 0 || seeded.next(40) === 0) {
      driver.start(target.queueCount, undefined, QUEUE_SIZE);
    }
    world.memory.touches = 0;
    attack(seeded, driver);
    if (seeded.next(3) === 0) target.poke(device, seeded, world.outputs);
    assert.ok(world.memory.touches <= 2 * MAX_TOUCHES, `${world.memory.touches} touches in round ${round}`);
    target.bounded(device);
    if (copies && round % 16 === 0) {
      const state = structuredClone(device.save());
      device = target.make(world);
      device.restore(state);
      driver.device = device;
      assert.deepEqual(device.save(), state);
    }
  }
  const outputs = world.outputs.length;
  assert.ok(outputs > 20, `only ${outputs} outputs: the attack does not reach the device`);
  return { state: device.save(), memory: crc32c(world.memory.bytes), line: world.line, rises: world.rises, outputs };
}

for (const [name, attackDevice] of [
  ['block device', (seed: number, copies: boolean) => run(block, seed, copies)],
  ['entropy device', (seed: number, copies: boolean) => run(entropy, seed, copies)],
  ['network device', (seed: number, copies: boolean) => run(net, seed, copies)],
  ['console', (seed: number, copies: boolean) => run(terminal, seed, copies)],
] as const) {
  test(`a hostile driver neither breaks the ${name} nor makes it differ from its restored copies`, () => {
    for (const seed of [1, 20_260, 777_777]) assert.deepEqual(attackDevice(seed, true), attackDevice(seed, false));
  });
}
