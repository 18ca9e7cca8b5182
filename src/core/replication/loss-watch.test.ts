import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LossWatch, type Sight } from './loss-watch.ts';

const OPTIONS = { ttlMs: 1000, marginMs: 200 };

const sight = (note: string | undefined, generation = 3, owner = 'them'): Sight => ({ generation, owner, note });

/** Looks every 100 ms, each taking 10 ms; returns the time of the look that shows the loss. */
function lookUntil(watch: LossWatch, endMs: number, what: (nowMs: number) => Sight | undefined, fromMs = 0) {
  for (let nowMs = fromMs; nowMs <= endMs; nowMs += 100) {
    const loss = watch.looked(what(nowMs), nowMs, nowMs + 10);
    if (loss !== undefined) return { nowMs, loss };
  }
  return undefined;
}

test('a machine whose owner does not renew is lost after the time to live and the margin', () => {
  const found = lookUntil(new LossWatch(OPTIONS), 3000, () => sight('them 1'));
  assert.deepEqual(found, { nowMs: 1300, loss: { generation: 3, note: 'them 1' } });
});

test('every change begins the wait anew: a renewal, an owner, a generation', () => {
  const renewed = lookUntil(new LossWatch(OPTIONS), 1400, (nowMs) => sight(nowMs < 800 ? 'them 1' : 'them 2'));
  const another = lookUntil(new LossWatch(OPTIONS), 1400, (nowMs) => sight('n', 3, nowMs < 800 ? 'them' : 'us'));
  const later = lookUntil(new LossWatch(OPTIONS), 1400, (nowMs) => sight('n', nowMs < 800 ? 3 : 4));
  assert.deepEqual([renewed, another, later], [undefined, undefined, undefined]);
});

test('a renewal that is gone from the store is no news', () => {
  const found = lookUntil(new LossWatch(OPTIONS), 3000, (nowMs) => sight(nowMs < 800 ? 'them 1' : undefined));
  assert.deepEqual(found, { nowMs: 1300, loss: { generation: 3, note: undefined } });
});

test('what was not seen does not count: a look without an answer, and a time without a look', () => {
  const away = lookUntil(new LossWatch(OPTIONS), 3000, (nowMs) => (nowMs === 800 ? undefined : sight('them 1')));
  assert.equal(away?.nowMs, 2200);
  const watch = new LossWatch(OPTIONS);
  lookUntil(watch, 800, () => sight('them 1'));
  assert.equal(lookUntil(watch, 8000, () => sight('them 1'), 5000)?.nowMs, 6300);
});

test('a look that took long counts from its asking, and a change from its answer', () => {
  const watch = new LossWatch(OPTIONS);
  watch.looked(sight('them 1'), 0, 300);
  for (let nowMs = 400; nowMs < 1400; nowMs += 100) watch.looked(sight('them 1'), nowMs, nowMs);
  assert.equal(watch.looked(sight('them 1'), 1499, 1700), undefined);
  assert.notEqual(watch.looked(sight('them 1'), 1700, 1710), undefined);
});

test('after a loss another one needs another wait', () => {
  const watch = new LossWatch(OPTIONS);
  const first = lookUntil(watch, 3000, () => sight('them 1'))!;
  assert.equal(lookUntil(watch, 5000, () => sight('them 1'), first.nowMs + 100)?.nowMs, first.nowMs + 1400);
});
