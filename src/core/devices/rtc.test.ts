import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Rtc } from './rtc.ts';

const TIME_LOW = 0;
const TIME_HIGH = 4;
const SECOND = 10_000_000n;

function clock() {
  const now = { ticks: 5n * SECOND };
  const make = (): Rtc => new Rtc({ time: () => now.ticks });
  return { now, make };
}

/** As Linux reads it: the low word first, which holds the high one still. */
const readAll = (rtc: Rtc): bigint => {
  const low = BigInt(rtc.read(TIME_LOW, 4));
  return (BigInt(rtc.read(TIME_HIGH, 4)) << 32n) | low;
};

test('it shows the wall clock that it was given, and goes on with guest time', () => {
  const { now, make } = clock();
  const rtc = make();
  rtc.set(1_790_000_000_000_000_000n);
  assert.equal(readAll(rtc), 1_790_000_000_000_000_000n);
  now.ticks += 3n * SECOND;
  assert.equal(readAll(rtc), 1_790_000_003_000_000_000n);
});

test('the guest sets it by the high and then the low word', () => {
  const { now, make } = clock();
  const rtc = make();
  rtc.write(TIME_HIGH, 4, 0x18d7_0000);
  rtc.write(TIME_LOW, 4, 0xffff_ffff);
  assert.equal(readAll(rtc), 0x18d7_0000_ffff_ffffn);
  now.ticks += 1n;
  assert.equal(readAll(rtc), 0x18d7_0001_0000_0063n, 'and the high word is of the low word that was read');
});

test('restored it shows the same', () => {
  const { make } = clock();
  const rtc = make();
  rtc.set(1_790_000_000_123_456_789n);
  rtc.write(TIME_HIGH, 4, 7);
  rtc.read(TIME_LOW, 4);
  const copy = make();
  copy.restore(rtc.save());
  assert.deepEqual(copy.save(), rtc.save());
  assert.equal(readAll(copy), readAll(rtc));
});
