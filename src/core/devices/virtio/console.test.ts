import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RAM_BASE } from '../memory.test-support.ts';
import { CONSOLE_INPUT_BYTES, VirtioConsole } from './console.ts';
import { Driver, TestWorld } from './driver.test-support.ts';

const BUFFER = RAM_BASE + 0x20_0000;

function rig(): { world: TestWorld; driver: Driver; console: VirtioConsole } {
  const world = new TestWorld();
  const console = new VirtioConsole({ device: 4 }, world.dependencies);
  const driver = new Driver(world, console);
  driver.start(2);
  return { world, console, driver };
}

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const text = (data: Uint8Array): string => new TextDecoder().decode(data);

function write(r: { world: TestWorld; driver: Driver }, line: string): void {
  r.world.memory.write(BUFFER, bytes(line));
  r.driver.queues[1].add([{ address: BUFFER, length: line.length, writable: false }]);
  r.driver.queues[1].notify();
}

test('what the guest writes leaves in chunks, at a newline or when it is flushed', () => {
  const r = rig();
  write(r, 'first\nsec');
  write(r, 'ond');
  r.console.flushOutput();
  assert.deepEqual(
    r.world.take('console-out').map((output) => [output.device, text(output.data)]),
    [
      [4, 'first\n'],
      [4, 'second'],
    ],
  );
  assert.equal(r.driver.queues[1].collect().length, 2);
});

test('input waits for buffers, and fills as many as it needs', () => {
  const r = rig();
  r.console.input(bytes('hello'));
  for (const at of [0, 1, 2]) {
    r.driver.queues[0].add([{ address: BUFFER + 0x100 * at, length: 3, writable: true }]);
  }
  r.driver.queues[0].notify();
  assert.deepEqual(r.driver.queues[0].collect(), [
    { head: 0, written: 3 },
    { head: 1, written: 2 },
  ]);
  r.console.input(bytes('!'));
  assert.equal(text(r.world.memory.read(BUFFER + 0x200, 1)!), '!');
});

test('input beyond the bound is dropped, and what waits survives a reset', () => {
  const r = rig();
  r.console.input(new Uint8Array(CONSOLE_INPUT_BYTES - 1).fill(0x61));
  r.console.input(bytes('bc'));
  r.driver.start(2);
  r.driver.queues[0].add([{ address: BUFFER, length: 0x2_0000, writable: true }]);
  r.driver.queues[0].notify();
  assert.deepEqual(r.driver.queues[0].collect(), [{ head: 0, written: CONSOLE_INPUT_BYTES }]);
  assert.equal(text(r.world.memory.read(BUFFER + CONSOLE_INPUT_BYTES - 2, 3)!), 'ab\0');
});

test('a buffer outside RAM or without end makes the device ask for a reset', () => {
  for (const [address, length] of [
    [0x1000, 4],
    [BUFFER, 0x1_0001],
  ]) {
    const r = rig();
    r.driver.queues[1].add([{ address, length, writable: false }]);
    r.driver.queues[1].notify();
    assert.equal(r.driver.status() & 64, 64);
  }
});

test('a saved console goes on in a copy, in the middle of input and output', () => {
  const r = rig();
  write(r, 'half a ');
  r.console.input(bytes('typed'));
  const state = structuredClone(r.console.save());
  const copy = new VirtioConsole({ device: 4 }, r.world.dependencies);
  copy.restore(state);
  assert.deepEqual(copy.save(), state);
  r.driver.device = copy;
  write(r, 'line\n');
  assert.equal(text(r.world.take('console-out')[0].data), 'half a line\n');
  r.driver.queues[0].add([{ address: BUFFER, length: 16, writable: true }]);
  r.driver.queues[0].notify();
  assert.equal(text(r.world.memory.read(BUFFER, 5)!), 'typed');
});
