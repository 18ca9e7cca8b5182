import assert from 'node:assert/strict';
import { availableParallelism } from 'node:os';
import { test } from 'node:test';
import { bugs } from './bugs.ts';
import { faults } from './faults.ts';
import { firstToSee, runSeeds, type SeedsRequest } from './pool.ts';
import { readFaults } from './reads.ts';
import { endings, type Outcome, runSeed } from './scenario.ts';

/** A planted bug must show by then. */
const WITHIN = 300;
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
  assert.deepEqual([...struck].sort(), [...Object.keys(faults), ...Object.keys(readFaults)].sort());
  assert.deepEqual(new Set(outcomes.map(({ ending }) => ending)), new Set(endings));
});

test('with an image on each host three hundred seeds keep every promise', async () => {
  const outcomes = await outcomesOf({ from: 1, seeds: 300, variants: ['mirrored'] });
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

/** Wherever one begins. */
const BEGINNINGS = [1, 10_001, 20_001];

for (const bug of Object.keys(bugs)) {
  test(`the planted bug '${bug}' is found within ${WITHIN} seeds, wherever they begin`, async () => {
    for (const from of BEGINNINGS) {
      const found = await firstToSee(bug, { from, seeds: WITHIN, jobs });
      assert.ok(found !== undefined, `no seed from ${from} on shows it to the checker '${bugs[bug]!.seenBy}'`);
    }
  });
}
