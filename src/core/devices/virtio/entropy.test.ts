import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RAM_BASE } from '../memory.test-support.ts';
import { Driver, TestWorld } from './driver.test-support.ts';
import { ENTROPY_MAX_IN_FLIGHT, VirtioEntropy } from './entropy.ts';

const BUFFER = RAM_BASE + 0x20_0000;

function rig(): { world: TestWorld; driver: Driver; entropy: VirtioEntropy } {
  const world = new TestWorld();
  const entropy = new VirtioEntropy({ device: 2 }, world.dependencies);
  const driver = new Driver(world, entropy);
  driver.start(1, undefined, 256);
  return { world, entropy, driver };
}

function ask(driver: Driver, length: number, slot = 0): void {
  driver.queues[0].add([{ address: BUFFER + 0x1000 * slot, length, writable: true }]);
  driver.queues[0].notify();
}

test('a buffer leaves as a request and its answer fills it', () => {
  const { world, driver, entropy } = rig();
  ask(driver, 32);
  assert.deepEqual(world.take('entropy'), [{ kind: 'entropy', device: 2, id: 0, length: 32 }]);
  assert.equal(entropy.complete(0, new Uint8Array(32).fill(0xab)), true);
  assert.deepEqual(world.memory.read(BUFFER, 33), Uint8Array.of(...new Uint8Array(32).fill(0xab), 0));
  assert.deepEqual(driver.queues[0].collect(), [{ head: 0, written: 32 }]);
  assert.equal(world.line, true);
});

test('a large buffer is filled in part', () => {
  const { world, driver } = rig();
  ask(driver, 100_000);
  assert.equal(world.take('entropy')[0].length, 1024);
});

test('an answer that fits no request is refused and changes nothing', () => {
  const { driver, entropy } = rig();
  ask(driver, 8);
  const before = entropy.save();
  assert.equal(entropy.complete(1, new Uint8Array(8)), false);
  assert.equal(entropy.complete(0, new Uint8Array(7)), false);
  assert.deepEqual(entropy.save(), before);
});

test('requests in flight are bounded, and answers take up those that wait', () => {
  const { world, driver, entropy } = rig();
  for (let at = 0; at < ENTROPY_MAX_IN_FLIGHT + 2; at++) ask(driver, 8);
  assert.equal(world.take('entropy').length, ENTROPY_MAX_IN_FLIGHT);
  assert.equal(entropy.complete(5, new Uint8Array(8)), true);
  assert.deepEqual(
    world.take('entropy').map(({ id }) => id),
    [ENTROPY_MAX_IN_FLIGHT],
  );
});

test('a buffer that cannot be written makes the device ask for a reset', () => {
  const { driver } = rig();
  driver.queues[0].add([{ address: BUFFER, length: 8, writable: false }]);
  driver.queues[0].notify();
  assert.equal(driver.status() & 64, 64);
  driver.start(1);
  const { entropy, driver: other } = rig();
  other.queues[0].add([{ address: 0x1000, length: 8, writable: true }]);
  other.queues[0].notify();
  assert.equal(entropy.complete(0, new Uint8Array(8)), true);
  assert.equal(other.status() & 64, 64);
});

test('after a reset the answers of old requests touch nothing', () => {
  const { world, driver, entropy } = rig();
  ask(driver, 8);
  driver.start(1);
  assert.equal(entropy.complete(0, new Uint8Array(8).fill(1)), true);
  assert.deepEqual(world.memory.read(BUFFER, 8), new Uint8Array(8));
  assert.deepEqual(driver.queues[0].collect(), []);
});

test('a saved device goes on in a copy with its requests', () => {
  const { world, driver, entropy } = rig();
  ask(driver, 8, 0);
  ask(driver, 16, 1);
  const state = structuredClone(entropy.save());
  const copy = new VirtioEntropy({ device: 2 }, world.dependencies);
  copy.restore(state);
  assert.deepEqual(copy.save(), state);
  assert.deepEqual(copy.inFlight(), world.take('entropy'));
  assert.equal(copy.complete(1, new Uint8Array(16).fill(2)), true);
  assert.deepEqual(world.memory.read(BUFFER + 0x1000, 16), new Uint8Array(16).fill(2));
  assert.deepEqual(driver.queues[0].collect(), [{ head: 1, written: 16 }]);
});
