import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ALL_LINES, PEER_LINES, REFUSALS, Refusals } from './refusals.ts';

function clocked() {
  const clock = { nowMs: 0 };
  return { clock, refusals: new Refusals(() => clock.nowMs) };
}

test('a peer that is refused again and again is not heard for a while, and others are', () => {
  const { clock, refusals } = clocked();
  for (let count = 0; count < REFUSALS.burst; count++) {
    assert.equal(refusals.exhausted('mallory'), false);
    refusals.refused('mallory', 'not-allowed');
  }
  assert.equal(refusals.exhausted('mallory'), true);
  assert.equal(refusals.exhausted('alice'), false);
  clock.nowMs = 1000 / REFUSALS.perSecond;
  assert.equal(refusals.exhausted('mallory'), false);
  refusals.refused('mallory', 'not-allowed');
  assert.equal(refusals.exhausted('mallory'), true);
  assert.deepEqual([...refusals.counts], [['not-allowed', REFUSALS.burst + 1]]);
});

test('the log gets some lines of a peer, then one now and then, with how many were left out', () => {
  const { clock, refusals } = clocked();
  const lines: ({ leftOut: number } | undefined)[] = [];
  for (let count = 0; count < 100; count++) lines.push(refusals.line('mallory'));
  assert.equal(lines.filter((line) => line !== undefined).length, PEER_LINES.burst);
  clock.nowMs = 1000 / PEER_LINES.perSecond;
  assert.deepEqual(refusals.line('mallory'), { leftOut: 100 - PEER_LINES.burst });
});

test('however many peers there are, the lines and what is remembered of them have a bound', () => {
  const { refusals } = clocked();
  let lines = 0;
  for (let peer = 0; peer < 20_000; peer++) {
    if (refusals.line(`peer ${peer}`) !== undefined) lines++;
  }
  assert.equal(lines, ALL_LINES.burst);
  for (let count = 0; count < REFUSALS.burst; count++) refusals.refused('early', 'bad-request');
  assert.equal(refusals.exhausted('early'), true);
  for (let peer = 0; peer < 1000; peer++) refusals.refused(`peer ${peer}`, 'bad-request');
  assert.equal(refusals.exhausted('early'), false, 'it is forgotten');
});
