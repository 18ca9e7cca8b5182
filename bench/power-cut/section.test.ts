import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { PowerCutLine } from '../../test/e2e/power-cut-campaign.ts';
import { summaryOf } from './section.ts';

test('a round counts by its last run, and every failure is told', () => {
  const good = (seed: number): PowerCutLine => ({
    atMs: 0,
    disk: 'mirrored',
    seed,
    problems: [],
    variant: 'redundant',
    acknowledgedWrites: 500,
    lostWrites: 0,
    generations: [0, 1],
  });
  const bad = (seed: number, why: string): PowerCutLine => ({
    atMs: 0,
    disk: 'mirrored',
    seed,
    problems: [why, 'more'],
  });
  assert.deepEqual(summaryOf('mirrored', [good(1), bad(2, 'lost: a'), bad(3, 'no end'), good(2)]), {
    row: ['mirrored', '2 of 3', '1000', '0'],
    told: [
      'mirrored, not as it must be:\n\n- seed 3: no end',
      'mirrored, failed, and run again since:\n\n- seed 2: lost: a',
    ],
  });
});
