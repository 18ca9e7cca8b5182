import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RAM_BASE } from '../memory.test-support.ts';
import { Driver, TestWorld } from './driver.test-support.ts';
import { NET_MAX_WAITING_FRAMES, VirtioNet } from './net.ts';

const MAC = Uint8Array.of(0x52, 0x54, 0, 0x12, 0x34, 0x56);
const BUFFER = RAM_BASE + 0x20_0000;
const BUFFER_BYTES = 1600;

function rig(): { world: TestWorld; driver: Driver; net: VirtioNet } {
  const world = new TestWorld();
  const net = new VirtioNet({ device: 1, mac: MAC, mtu: 1400 }, world.dependencies);
  const driver = new Driver(world, net);
  driver.start(2);
  return { world, net, driver };
}

const frame = (length: number, seed: number): Uint8Array => Uint8Array.from({ length }, (_, at) => (at + seed) & 0xff);

function offer(driver: Driver, count: number, length = BUFFER_BYTES): void {
  for (let at = 0; at < count; at++) {
    driver.queues[0].add([{ address: BUFFER + at * BUFFER_BYTES, length, writable: true }]);
  }
}

function received(world: TestWorld, slot: number, length: number): Uint8Array | undefined {
  const bytes = world.memory.read(BUFFER + slot * BUFFER_BYTES, 12 + length);
  assert.deepEqual(bytes?.slice(0, 12), Uint8Array.of(0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0));
  return bytes?.slice(12);
}

test('the driver reads the MAC address, the link and the MTU', () => {
  const { net, driver } = rig();
  assert.deepEqual(driver.offered(), [3, 5, 16, 28, 29, 32]);
  assert.deepEqual(
    [0, 1, 2, 3, 4, 5].map((at) => net.read(0x100 + at, 1)),
    Array.from(MAC),
  );
  assert.equal(net.read(0x106, 2), 1);
  assert.equal(net.read(0x10a, 2), 1400);
});

test('a frame that the guest sends leaves as it is, without its header', () => {
  const { world, driver } = rig();
  const header = BUFFER - 0x100;
  world.memory.write(BUFFER, frame(300, 7));
  driver.queues[1].add([
    { address: header, length: 12, writable: false },
    { address: BUFFER, length: 100, writable: false },
    { address: BUFFER + 100, length: 200, writable: false },
  ]);
  driver.queues[1].notify();
  world.memory.write(BUFFER, new Uint8Array(300));
  assert.deepEqual(world.take('net-tx'), [{ kind: 'net-tx', device: 1, frame: frame(300, 7) }]);
  assert.deepEqual(driver.queues[1].collect(), [{ head: 0, written: 0 }]);
  assert.equal(driver.acknowledge(), 1);
});

test('frames that are too short or too long are not sent, but their buffers come back', () => {
  const { world, driver } = rig();
  for (const length of [5, 12 + 13, 12 + 65_551]) driver.queues[1].add([{ address: BUFFER, length, writable: false }]);
  driver.queues[1].notify();
  assert.deepEqual(world.take('net-tx'), []);
  assert.equal(driver.queues[1].collect().length, 3);
});

test('a frame from outside RAM makes the device ask for a reset', () => {
  const { world, driver } = rig();
  driver.queues[1].add([{ address: 0x1000, length: 100, writable: false }]);
  driver.queues[1].notify();
  assert.deepEqual(world.take('net-tx'), []);
  assert.equal(driver.status() & 64, 64);
});

test('a frame from the world fills one buffer behind a header', () => {
  const { world, net, driver } = rig();
  offer(driver, 2);
  net.receive(frame(60, 1));
  net.receive(frame(1514, 2));
  assert.deepEqual(
    driver.queues[0].collect().map(({ written }) => written),
    [72, 1526],
  );
  assert.deepEqual(received(world, 0, 60), frame(60, 1));
  assert.deepEqual(received(world, 1, 1514), frame(1514, 2));
  assert.equal(world.line, true);
});

test('frames wait for buffers in order, up to a bound, and the rest is dropped', () => {
  const { world, net, driver } = rig();
  for (let at = 0; at < NET_MAX_WAITING_FRAMES + 3; at++) net.receive(frame(60, at));
  assert.equal(net.dropped, 3);
  assert.equal(world.line, false);
  offer(driver, 10);
  driver.queues[0].notify();
  assert.equal(driver.queues[0].collect().length, 10);
  assert.deepEqual(received(world, 9, 60), frame(60, 9));
  assert.equal(driver.queues[0].availableEvent(), 10, 'the next buffer is to be announced');
});

test('a frame that is too long for its buffer is dropped and the buffer kept', () => {
  const { world, net, driver } = rig();
  offer(driver, 1, 200);
  net.receive(frame(1000, 1));
  assert.equal(net.dropped, 1);
  net.receive(frame(100, 2));
  assert.deepEqual(received(world, 0, 100), frame(100, 2));
});

test('frames without a driver, and frames of no Ethernet length, are dropped', () => {
  const { net, driver } = rig();
  offer(driver, 3);
  net.receive(new Uint8Array(13));
  net.receive(new Uint8Array(65_551));
  driver.setStatus(0);
  net.receive(frame(60, 0));
  assert.equal(net.dropped, 3);
});

test('a saved device goes on in a copy with the frames that wait', () => {
  const { world, net, driver } = rig();
  for (let at = 0; at < 5; at++) net.receive(frame(60, at));
  const state = structuredClone(net.save());
  const copy = new VirtioNet({ device: 1, mac: MAC, mtu: 1400 }, world.dependencies);
  copy.restore(state);
  assert.deepEqual(copy.save(), state);
  driver.device = copy;
  offer(driver, 6);
  driver.queues[0].notify();
  copy.receive(frame(70, 9));
  assert.equal(driver.queues[0].collect().length, 6);
  assert.deepEqual(received(world, 4, 60), frame(60, 4));
  assert.deepEqual(received(world, 5, 70), frame(70, 9));
});
