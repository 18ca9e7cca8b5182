import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Intervals } from './intervals.ts';

function arrivals(...timesMs: number[]): Intervals {
  const intervals = new Intervals();
  for (let i = 1; i < timesMs.length; i++) intervals.add(timesMs[i - 1]!, timesMs[i]!);
  return intervals;
}

test('the usual wait is the median of those before', () => {
  const intervals = arrivals(0, 100, 210, 300, 900);
  assert.equal(intervals.usualMs(500), 100);
  assert.equal(new Intervals().usualMs(500), undefined);
});

test('a gap around an instant is the wait that it interrupted', () => {
  assert.equal(arrivals(0, 100, 200, 450, 550).aroundMs(230), 250);
});

test('a gap counts too where one more line was on its way at that instant', () => {
  assert.equal(arrivals(0, 100, 200, 500, 600).aroundMs(199), 300);
});

test('a gap longer than a second is found, and a later one is not taken for it', () => {
  assert.equal(arrivals(0, 100, 2600, 2700).aroundMs(150), 2500);
  assert.equal(arrivals(0, 100, 250, 350, 1600, 5000).aroundMs(120), 150);
});

test('without an end there is no gap yet', () => {
  assert.equal(arrivals(0, 100).aroundMs(120), undefined);
});
