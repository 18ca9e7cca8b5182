import assert from 'node:assert/strict';
import { test } from 'node:test';
import { asCost, estimateCost } from './statistics.ts';

test('the interval is that of Student’s t over the logarithms', () => {
  // Mean 0.02, standard deviation 0.01, n 3: half a width of 4.303 * 0.01 / sqrt(3).
  const found = estimateCost([0.01, 0.02, 0.03]);
  assert.ok(found !== undefined);
  const half = (4.303 * 0.01) / Math.sqrt(3);
  assert.ok(Math.abs(Math.log(found.meanRatio) - 0.02) < 1e-12);
  assert.ok(Math.abs(Math.log(found.low) - (0.02 - half)) < 1e-12);
  assert.ok(Math.abs(Math.log(found.high) - (0.02 + half)) < 1e-12);
  assert.equal(found.pairs, 3);
});

test('one wild pair moves the mean but not the median', () => {
  const found = estimateCost([0, 0, 0, 0, Math.log(2)]);
  assert.ok(found !== undefined);
  assert.equal(found.medianRatio, 1);
  assert.ok(found.meanRatio > 1.1);
});

test('one pair gives no interval, and none gives nothing', () => {
  const one = estimateCost([0.5]);
  assert.ok(one !== undefined);
  assert.equal(one.low, 0);
  assert.equal(one.high, Number.POSITIVE_INFINITY);
  assert.equal(estimateCost([]), undefined);
});

test('more pairs than the table has rows still have a finite interval', () => {
  const found = estimateCost(Array.from({ length: 50 }, (_, at) => (at % 2) / 100));
  assert.ok(found !== undefined);
  assert.ok(found.low > 1 && found.high < 1.01 && found.low < found.high);
});

test('a cost is signed', () => {
  assert.equal(asCost(1.018), '+1.8 %');
  assert.equal(asCost(0.99), '−1.0 %');
});
