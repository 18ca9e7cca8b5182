import assert from 'node:assert/strict';
import { availableParallelism } from 'node:os';
import { test } from 'node:test';
import { bugs } from './bugs.ts';
import { faults } from './faults.ts';
import { runSeeds, type SeedsRequest } from './pool.ts';
import { endings, type Outcome, runSeed } from './scenario.ts';

/** What CI can afford. */
const jobs = Math.min(4, availableParallelism());

async function outcomesOf(request: Omit<SeedsRequest, 'jobs'>): Promise<Outcome[]> {
  const outcomes: Outcome[] = [];
  await runSeeds({ ...request, jobs }, (outcome) => outcomes.push(outcome));
  return outcomes;
}

test('a thousand seeds keep every promise, with every fault and every ending among them', async () => {
  const outcomes = await outcomesOf({ from: 1, seeds: 1000 });
  const failed = outcomes.filter(({ violations }) => violations.length > 0);
  const advice = failed.map(({ seed }) => `npm run sim -- --seed ${seed} --story`);
  assert.deepEqual(
    failed.flatMap(({ violations }) => violations),
    [],
    advice.join('\n'),
  );
  assert.equal(outcomes.length, 1000);
  const struck = new Set(outcomes.flatMap((outcome) => [...outcome.faults.keys()]));
  assert.deepEqual([...struck].sort(), Object.keys(faults).sort());
  assert.deepEqual(new Set(outcomes.map(({ ending }) => ending)), new Set(endings));
});

test('with an image on each host three hundred seeds keep every promise', async () => {
  const outcomes = await outcomesOf({ from: 1, seeds: 300, mirrored: true });
  const failed = outcomes.filter(({ violations }) => violations.length > 0);
  const advice = failed.map(({ seed }) => `npm run sim -- --mirrored --seed ${seed} --story`);
  assert.deepEqual(
    failed.flatMap(({ violations }) => violations),
    [],
    advice.join('\n'),
  );
  assert.deepEqual(new Set(outcomes.map(({ ending }) => ending)), new Set(endings));
});

test('a seed gives the same run every time, and the story changes nothing', () => {
  const told = runSeed(7, { story: true });
  assert.deepEqual(runSeed(7, { story: true }), told);
  assert.deepEqual(runSeed(7), { ...told, story: [] });
  assert.notDeepEqual(runSeed(8, { story: true }).story, told.story);
});

/** The checker that is meant to see the bug; others may, too. */
const seenBy = {
  'early-release': 'released outputs lie on the surviving history',
  'unknown-is-won': 'one owner',
  'old-write-admitted': 'no late write',
  'resume-after-claim': 'redundant again',
  'claim-before-final': 'redundant again',
  'flush-left-out': 'no acknowledged flush is lost',
  'flush-on-one-host': 'no acknowledged flush is lost',
} as const;

for (const [bug, checker] of Object.entries(seenBy)) {
  test(`the planted bug '${bug}' is found within a thousand seeds`, async () => {
    const ends = ({ violations }: Outcome): boolean => violations.some((violation) => violation.checker === checker);
    const outcomes = await outcomesOf({ from: 1, seeds: 1000, bug, ends });
    assert.ok(outcomes.some(ends), `no seed shows it to the checker '${checker}'`);
  });
}

test('every planted bug is among those that are found', () => {
  assert.deepEqual(Object.keys(seenBy).sort(), Object.keys(bugs).sort());
});
