import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { JournalLine } from '../../test/e2e/hosts-campaign.ts';
import { percentile, showHosts } from './section.ts';

test('percentiles are of the nearest rank', () => {
  assert.equal(percentile([], 50), undefined);
  assert.equal(percentile([7], 99), 7);
  assert.equal(percentile([3, 1, 2, 4], 50), 2);
  assert.equal(percentile([1, 2, 3, 4], 99), 4);
});

test('a round without an end counts, and brings no figures', () => {
  const base = { campaign: 1, atMs: 0, fault: 'kill-primary', seed: 1 } as const;
  const whole: JournalLine = {
    ...base,
    round: 0,
    variant: 'the replica',
    problems: [],
    from: 'a+b in 0',
    to: 'b+a in 1',
    acknowledgedWrites: 70,
    lostWrites: 0,
    requestsPerSecondBefore: 100,
    gapMs: 120,
    usualMs: 4,
    transferGapMs: 30,
    transferMs: 2500,
    redundantAfterMs: 4000,
    redundantAfterMendMs: 3900,
  };
  const lines: JournalLine[] = [whole, { ...base, round: 1, problems: ['no end'] }];
  const text = showHosts(lines);
  assert.match(text, /\| kill-primary \| 1 of 2 \| 120 \/ 120 \| 30 \/ 30 \| 2.5 \/ 2.5 \| 3.9 \/ 3.9 \| 70 \| 0 \|/);
});
