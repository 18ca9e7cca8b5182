/** The builtin firmware's answers (RISC-V SBI 2.0), call by call. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { PowerAction } from './doors.ts';
import { hart, interrupt } from './hart.ts';
import { memoryMap, RAM_BASE } from './memory-map.ts';
import { GuestRam } from './ram.ts';
import { answerSbi } from './sbi.ts';
import { HartViews } from './views.ts';

const BASE = 0x10n;
const TIME = 0x54494d45n;
const IPI = 0x735049n;
const RFENCE = 0x52464e43n;
const HSM = 0x48534dn;
const SRST = 0x53525354n;
const DBCN = 0x4442434en;

const NOT_SUPPORTED = -2n;
const INVALID_PARAMETER = -3n;
const INVALID_ADDRESS = -5n;
const ALL = (1n << 64n) - 1n;

function firmware() {
  const map = memoryMap(64 * 1024);
  const memory = new ArrayBuffer(map.totalBytes);
  const views = new HartViews(memory);
  const ram = new GuestRam(memory, map, () => {});
  const events: string[] = [];
  const machine = {
    hart: views,
    ram,
    timersChanged: () => events.push('timers'),
    powerRequest: (action: PowerAction) => events.push(action),
    consoleWrite: (data: Uint8Array) => events.push(`"${String.fromCharCode(...data)}"`),
  };
  /** a0 (signed) and a1 after the call. */
  const call = (id: bigint, fn: bigint, ...args: bigint[]): [error: bigint, value: bigint] => {
    for (let i = 0; i < 6; i++) views.setX(10 + i, args[i] ?? 0n);
    views.setX(16, fn);
    views.setX(17, id);
    const saved = Array.from({ length: 32 }, (_, i) => views.x(i));
    answerSbi(machine);
    for (let i = 0; i < 32; i++) if (i !== 10 && i !== 11) assert.equal(views.x(i), saved[i], `x${i} is kept`);
    return [BigInt.asIntN(64, views.x(10)), views.x(11)];
  };
  return { call, views, ram, events };
}

test('base: version 2.0, and which extensions there are', () => {
  const { call } = firmware();
  assert.deepEqual(call(BASE, 0n), [0n, 0x0200_0000n]);
  for (const id of [BASE, TIME, IPI, RFENCE, HSM, SRST, DBCN]) assert.deepEqual(call(BASE, 3n, id), [0n, 1n]);
  for (const id of [0n, 1n, 8n, 0x504d55n, 0x53555350n]) assert.deepEqual(call(BASE, 3n, id), [0n, 0n]);
  for (const fn of [4n, 5n, 6n]) assert.deepEqual(call(BASE, fn), [0n, 0n]);
  assert.equal(call(BASE, 7n)[0], NOT_SUPPORTED);
});

test('an extension or a function that does not exist is not supported', () => {
  const { call, events } = firmware();
  for (const [id, fn] of [
    [0n, 0n],
    [0x99n, 0n],
    [TIME, 1n],
    [IPI, 1n],
    [RFENCE, 3n],
    [HSM, 9n],
    [SRST, 1n],
    [DBCN, 3n],
    [TIME | (1n << 32n), 0n],
  ]) {
    assert.equal(call(id, fn)[0], NOT_SUPPORTED, `${id} ${fn}`);
  }
  assert.deepEqual(events, []);
});

test('time: sets stimecmp', () => {
  const { call, views, events } = firmware();
  assert.deepEqual(call(TIME, 0n, 123456n), [0n, 0n]);
  assert.equal(views.get64(hart.stimecmp), 123456n);
  assert.deepEqual(events, ['timers']);
});

test('IPI: to this hart raises SSIP, to nobody does nothing, to others is an error', () => {
  const { call, views } = firmware();
  const pending = (): bigint => (views.get64(hart.mipSoftware) >> BigInt(interrupt.SSI)) & 1n;
  assert.equal(call(IPI, 0n, 0n, 0n)[0], 0n);
  assert.equal(call(IPI, 0n, 2n, 0n)[0], INVALID_PARAMETER);
  assert.equal(call(IPI, 0n, 1n, 1n)[0], INVALID_PARAMETER);
  assert.equal(pending(), 0n);
  assert.equal(call(IPI, 0n, 1n, 0n)[0], 0n);
  assert.equal(pending(), 1n);
  views.set64(hart.mipSoftware, 0n);
  assert.equal(call(IPI, 0n, 0n, ALL)[0], 0n);
  assert.equal(pending(), 1n);
});

test('remote fences need no work, but a hart that exists', () => {
  const { call } = firmware();
  for (const fn of [0n, 1n, 2n]) {
    assert.deepEqual(call(RFENCE, fn, 1n, 0n, 0n, ALL), [0n, 0n]);
    assert.equal(call(RFENCE, fn, 1n, 64n)[0], INVALID_PARAMETER);
  }
});

test('harts: number 0 runs, there is no other', () => {
  const { call } = firmware();
  assert.deepEqual(call(HSM, 2n, 0n), [0n, 0n]);
  assert.equal(call(HSM, 2n, 1n)[0], INVALID_PARAMETER);
  assert.equal(call(HSM, 0n, 0n)[0], -6n);
  assert.equal(call(HSM, 0n, 1n)[0], INVALID_PARAMETER);
});

test('reset: shutdown powers off, reboots reset', () => {
  const { call, events } = firmware();
  call(SRST, 0n, 0n);
  call(SRST, 0n, 1n);
  call(SRST, 0n, 2n);
  assert.deepEqual(events, ['off', 'reset', 'reset']);
  assert.equal(call(SRST, 0n, 3n)[0], INVALID_PARAMETER);
});

test('debug console: bytes from memory or one by one, as many as there are, never from outside RAM', () => {
  const { call, ram, events } = firmware();
  ram.write(
    RAM_BASE + 10,
    Uint8Array.from('hello', (c) => c.charCodeAt(0)),
  );
  assert.deepEqual(call(DBCN, 0n, 5n, BigInt(RAM_BASE + 10), 0n), [0n, 5n]);
  assert.deepEqual(call(DBCN, 2n, 0x121n), [0n, 0n]);
  assert.deepEqual(events, ['"hello"', '"!"']);
  const [error, written] = call(DBCN, 0n, 5000n, BigInt(RAM_BASE), 0n);
  assert.equal(error, 0n);
  assert(written > 0n && written < 5000n, 'a part of much');
  assert.deepEqual(call(DBCN, 1n, 5n, BigInt(RAM_BASE), 0n), [0n, 0n]);
  for (const address of [0n, BigInt(RAM_BASE) - 1n, BigInt(RAM_BASE) + 64n * 1024n - 2n, ALL]) {
    assert.equal(call(DBCN, 0n, 5n, address, 0n)[0], INVALID_ADDRESS);
  }
  assert.equal(call(DBCN, 0n, 5n, BigInt(RAM_BASE), 1n)[0], INVALID_ADDRESS);
});
