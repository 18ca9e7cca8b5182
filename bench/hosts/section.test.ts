import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { RoundLine } from '../../test/e2e/support/hosts-journal.ts';
import { failures, percentile, showEnds, showHosts } from './section.ts';

test('percentiles are of the nearest rank', () => {
  assert.equal(percentile([], 50), undefined);
  assert.equal(percentile([7], 99), 7);
  assert.equal(percentile([3, 1, 2, 4], 50), 2);
  assert.equal(percentile([1, 2, 3, 4], 99), 4);
});

const base = { campaign: 1, atMs: 0, fault: 'kill-primary', seed: 1 } as const;
const whole: RoundLine = {
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
const noEnd: RoundLine = { ...base, round: 1, problems: ['no end', 'and more'] };

test('a round without an end counts, and brings no figures', () => {
  const text = showHosts([whole, noEnd], 'shared');
  assert.match(text, /\| kill-primary \| 1 of 2 \| 120 \/ 120 \| 30 \/ 30 \| 2.5 \/ 2.5 \| 3.9 \/ 3.9 \| 70 \| 0 \|/);
});

test('a round that was run again counts once, by its last run, and what was wrong before is told', () => {
  const lines = [whole, noEnd, { ...whole, round: 1 }];
  assert.match(showHosts(lines, 'shared'), /\| kill-primary \| 2 of 2 \|/);
  assert.deepEqual(failures(lines), [
    '1 of the rounds had failed before and were run again; then it was:\n\n- round 1, kill-primary: no end',
  ]);
  assert.deepEqual(failures([whole, noEnd]), ['Not as it must be:\n\n- round 1, kill-primary: no end']);
});

test('a mirrored disk shows what its images had to copy', () => {
  const copied = { ...whole, imageCopy: { lacked: 12, regions: 4096, tookMs: 600 } };
  assert.match(showHosts([copied], 'mirrored'), /\| 70 \| 0 \| 12 \/ 12 \| 0.6 \/ 0.6 \|/);
});

test('an end that was not well is told', () => {
  const end = (afterRound: number, ...problems: string[]) => {
    return { campaign: 1, afterRound, atMs: 0, end: { disk: 'mirrored', problems, paired: true } as const };
  };
  const text = showEnds([end(3), end(9, 'the images differ')]).join('\n');
  assert.match(text, /stopped 2 times, and 1 times all was well .* 1 times a pair's images were compared, and equal/);
  assert.match(text, /- after round 9: the images differ/);
});
