/**
 * Failovers with real processes, a real Debian guest and real clients: one round of each kind. test/e2e/campaign.ts runs them by
 * the dozen.
 */
import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { buildImage } from '../../src/host/image/build-image.ts';
import type { BuiltImage } from '../../src/host/image/manifest.ts';
import { type Fault, type RoundResult, runRound } from './support/round.ts';

let image: BuiltImage;
before(async () => {
  image = await buildImage();
});

function round(fault: Fault, seed: number): Promise<RoundResult> {
  return runRound({ image, fault, seed, connections: 4, answersBefore: 400, answersAfter: 400, linesAfter: 15 });
}

function assertNothingLost(result: RoundResult): void {
  assert.deepEqual(result.problems, [], result.story);
  assert.ok(result.acknowledgedWrites > 300, 'the load wrote before and after the fault');
}

test('SIGKILL of the primary: the backup goes on, no acknowledged write is lost, no connection breaks', async () => {
  const result = await round('kill-primary', 1);
  assertNothingLost(result);
  assert.equal(result.wentOn, 'backup');
});

test('SIGKILL of the backup: the primary goes on, no acknowledged write is lost, no connection breaks', async () => {
  const result = await round('kill-backup', 2);
  assertNothingLost(result);
  assert.equal(result.wentOn, 'primary');
});

test('replicas that are cut from each other: exactly one goes on, and the other ends', async () => {
  assertNothingLost(await round('partition', 3));
});

test('a primary that is stopped through the failover and then continued ends, and sends nothing more', async () => {
  const result = await round('stop-primary', 4);
  assertNothingLost(result);
  assert.equal(result.wentOn, 'backup');
});
