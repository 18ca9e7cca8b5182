import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RAM_BASE } from '../memory.test-support.ts';
import { VirtioConsole } from './console.ts';
import { Driver, FEATURE_VERSION_1, TestWorld } from './driver.test-support.ts';

/** The console stands for every device: two queues, no answers of its own. */
function rig(): { world: TestWorld; driver: Driver; device: VirtioConsole } {
  const world = new TestWorld();
  const device = new VirtioConsole({ device: 0, size: { columns: 80, rows: 25 } }, world.dependencies);
  return { world, device, driver: new Driver(world, device) };
}

const NEEDS_RESET = 64;
const FEATURES_OK = 8;
const DRIVER_OK = 4;

test('the identification registers say: virtio, version 2, a console', () => {
  const { device } = rig();
  assert.deepEqual(
    [0, 4, 8].map((offset) => device.read(offset, 4)),
    [0x7472_6976, 2, 3],
  );
  assert.equal(device.read(0xb0, 4), 0xffff_ffff, 'no shared memory');
  assert.equal(device.read(0, 2), 0, 'registers are read as words only');
});

test('features beyond the offer, or without VERSION_1, are not accepted', () => {
  const { driver } = rig();
  assert.deepEqual(driver.offered(), [0, 28, 29, 32]);
  for (const features of [[0], [FEATURE_VERSION_1, 5], [FEATURE_VERSION_1, 33]]) {
    driver.setStatus(0);
    driver.setStatus(3);
    driver.accept(features);
    driver.setStatus(3 | FEATURES_OK);
    assert.equal(driver.status(), 3);
    driver.setStatus(3 | FEATURES_OK | DRIVER_OK);
    assert.equal(driver.status(), 3, 'nor is the driver ready without features');
  }
  driver.accept([FEATURE_VERSION_1]);
  driver.accept([FEATURE_VERSION_1]);
  driver.setStatus(3 | FEATURES_OK);
  assert.equal(driver.status(), 3 | FEATURES_OK);
});

test('the configuration space is read in any width and ends in zeroes', () => {
  const { device } = rig();
  assert.equal(device.read(0x100, 2), 80);
  assert.equal(device.read(0x102, 1), 25);
  assert.equal(device.read(0x100, 4), 80 | (25 << 16));
  assert.equal(device.read(0x10c, 4), 0);
  device.write(0x100, 4, 7);
  assert.equal(device.read(0x100, 2), 80);
});

test('a queue has a maximum size if it exists, and tells whether it is ready', () => {
  const { device, driver } = rig();
  driver.start(2);
  for (const [queue, size, ready] of [
    [0, 256, 1],
    [1, 256, 1],
    [2, 0, 0],
    [0xffff_ffff, 0, 0],
  ]) {
    device.write(0x30, 4, queue);
    assert.deepEqual([device.read(0x34, 4), device.read(0x44, 4)], [size, ready]);
  }
  device.write(0x30, 4, 1);
  device.write(0x44, 4, 0);
  assert.equal(device.read(0x44, 4), 0);
});

test('a queue of a wrong size or with misaligned areas cannot be started', () => {
  for (const [size, offset] of [
    [0, 0],
    [48, 0],
    [512, 0],
    [64, 8],
    [64, 1],
  ]) {
    const { device, driver } = rig();
    device.write(0x30, 4, 0);
    device.write(0x38, 4, size);
    for (const register of [0x80, 0x90, 0xa0]) device.write(register, 4, RAM_BASE + offset);
    device.write(0x44, 4, 1);
    assert.equal(device.read(0x44, 4), 0);
    assert.equal(driver.status(), NEEDS_RESET);
  }
});

test('a broken ring asks for a reset with a configuration interrupt, and everything stands still until then', () => {
  const { world, device, driver } = rig();
  driver.start(2);
  const generation = device.read(0xfc, 4);
  driver.queues[1].makeAvailable(999);
  driver.queues[1].notify();
  assert.equal(driver.status() & NEEDS_RESET, NEEDS_RESET);
  assert.equal(driver.acknowledge(), 2);
  assert.notEqual(device.read(0xfc, 4), generation);
  device.input(Uint8Array.of(1));
  assert.equal(world.line, false);
  driver.setStatus(driver.status() & ~NEEDS_RESET);
  assert.equal(driver.status() & NEEDS_RESET, NEEDS_RESET);
  driver.start(2);
  assert.equal(driver.status(), 1 | 2 | FEATURES_OK | DRIVER_OK);
});

test('a reset stops the queues, drops the interrupt and forgets the features', () => {
  const { world, device, driver } = rig();
  driver.start(2);
  driver.queues[0].add([{ address: RAM_BASE, length: 8, writable: true }]);
  device.input(Uint8Array.of(1, 2));
  assert.equal(world.line, true);
  driver.setStatus(0);
  assert.equal(world.line, false);
  assert.equal(device.read(0x60, 4), 0);
  device.write(0x30, 4, 0);
  assert.equal(device.read(0x44, 4), 0);
  driver.setStatus(FEATURES_OK);
  assert.equal(driver.status(), 0);
});

test('buffers made available before the driver was ready are used once it is', () => {
  const { world, device, driver } = rig();
  driver.start(2);
  driver.setStatus(0);
  driver.setStatus(3);
  driver.accept([FEATURE_VERSION_1]);
  driver.setStatus(3 | FEATURES_OK);
  driver.setUpQueue(1, 64);
  world.memory.write(RAM_BASE, new TextEncoder().encode('hi\n'));
  driver.queues[1].add([{ address: RAM_BASE, length: 3, writable: false }]);
  driver.queues[1].notify();
  assert.equal(world.take('console-out').length, 0);
  driver.setStatus(3 | FEATURES_OK | DRIVER_OK);
  assert.equal(world.take('console-out').length, 1);
  device.flushOutput();
  assert.equal(world.take('console-out').length, 0);
});

test('addresses and features cannot be changed once they are in use', () => {
  const { world, device, driver } = rig();
  driver.start(2);
  device.write(0x30, 4, 1);
  device.write(0x90, 4, 0);
  device.write(0x38, 4, 3);
  driver.accept([]);
  world.memory.write(RAM_BASE, new TextEncoder().encode('ok\n'));
  driver.queues[1].add([{ address: RAM_BASE, length: 3, writable: false }]);
  driver.queues[1].notify();
  assert.equal(world.take('console-out').length, 1);
});
