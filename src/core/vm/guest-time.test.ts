/** Guest time: linear in position, never backwards, and timers that fire at exactly the position where they are due. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { HART_BYTES, hart, interrupt } from '../machine/hart.ts';
import { HartViews } from '../machine/views.ts';
import { GuestTime } from './guest-time.ts';

const STCE = 1n << 63n;
const NEVER = (1n << 64n) - 1n;

function prepared() {
  const views = new HartViews(new ArrayBuffer(HART_BYTES));
  views.set64(hart.mtimecmp, NEVER);
  views.set64(hart.stimecmp, NEVER);
  const time = new GuestTime(views);
  const pending = (bit: number): boolean => ((views.get64(hart.mipHardware) >> BigInt(bit)) & 1n) === 1n;
  return { views, time, pending };
}

test('between two settings time is linear in position', () => {
  const { time } = prepared();
  time.set(1_000n, 50n, 2 ** 31);
  assert.equal(time.at(1_000n), 50n);
  assert.equal(time.at(1_001n), 50n);
  assert.equal(time.at(1_002n), 51n);
  assert.equal(time.at(1_000n + 2n ** 40n), 50n + 2n ** 39n);
});

test('time never runs backwards, whatever it is set to', () => {
  const { time } = prepared();
  time.set(0n, 1_000n, 2 ** 31);
  time.set(100n, 5n, 2 ** 30);
  assert.equal(time.at(100n), 1_050n);
  assert.equal(time.at(104n), 1_051n);
});

test('a timer fires at the first position at which time has come', () => {
  for (const slope of [1, 3, 2 ** 20 + 7, 2 ** 31, 2 ** 32 - 1]) {
    const { views, time, pending } = prepared();
    views.set64(hart.mtimecmp, 1_003n);
    time.set(10n, 1_000n, slope);
    const { deadline } = time;
    assert(deadline !== undefined);
    assert.equal(pending(interrupt.MTI), false);
    assert.equal(time.at(deadline), 1_003n, `slope ${slope}`);
    assert(time.at(deadline - 1n) < 1_003n);
    time.update(deadline - 1n);
    assert.equal(pending(interrupt.MTI), false);
    time.update(deadline);
    assert.equal(pending(interrupt.MTI), true);
    assert.equal(time.deadline, undefined);
    assert.equal(time.nextTimer(deadline), undefined);
  }
});

test('of two timers the earlier sets the deadline, and stimecmp counts only with Sstc', () => {
  const { views, time, pending } = prepared();
  views.set64(hart.mtimecmp, 500n);
  views.set64(hart.stimecmp, 300n);
  time.set(0n, 0n, 2 ** 31);
  assert.equal(time.nextTimer(0n), 500n);
  views.set64(hart.menvcfg, STCE);
  time.update(0n);
  assert.equal(time.nextTimer(0n), 300n);
  assert.equal(time.deadline, 600n);
  time.update(600n);
  assert.equal(pending(interrupt.STI), true);
  assert.equal(pending(interrupt.MTI), false);
  assert.equal(time.deadline, 1_000n);
  views.set64(hart.menvcfg, 0n);
  time.update(600n);
  assert.equal(pending(interrupt.STI), false);
});

test('with a slope of 0 nothing comes due by itself', () => {
  const { views, time } = prepared();
  views.set64(hart.mtimecmp, 5n);
  time.set(0n, 0n, 0);
  assert.equal(time.deadline, undefined);
  assert.equal(time.nextTimer(1_000_000n), 5n, 'but the host can bring it about');
});
