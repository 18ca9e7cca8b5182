import assert from 'node:assert/strict';
import { test } from 'node:test';
import { lastTwoThirds, slopePerHour } from './trend.ts';

const line = (count: number, value: (seconds: number) => number) =>
  Array.from({ length: count }, (_, at) => ({ seconds: at * 5, value: value(at * 5) }));

test('a straight line has its own slope', () => {
  const slope = slopePerHour(line(10, (seconds) => 100 + seconds / 60));
  assert.ok(slope !== undefined && Math.abs(slope - 60) < 1e-9);
});

test('flat is flat, and one point has no slope', () => {
  assert.equal(slopePerHour(line(10, () => 7)), 0);
  assert.equal(slopePerHour(line(1, () => 7)), undefined);
});

test('growth while warming up does not count', () => {
  const points = line(31, (seconds) => (seconds < 50 ? seconds : 50));
  assert.equal(slopePerHour(lastTwoThirds(points)), 0);
});
