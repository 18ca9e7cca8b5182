/** Rule 27 of PROTOCOL.md on the simulated cluster: a machine that starts again by itself when both its replicas are gone. */
import assert from 'node:assert/strict';
import { availableParallelism } from 'node:os';
import { test } from 'node:test';
import { check } from './checkers.ts';
import { Cluster, type ClusterOptions } from './cluster.ts';
import { evidenceOf } from './evidence.ts';
import { LEASE, leaseFaults } from './leases.ts';
import { runSeeds } from './pool.ts';
import type { SimProcess } from './process.ts';
import { endings, type Outcome } from './scenario.ts';

const SEEDS = [1, 2, 3];
const LEASE_OVER_MS = 2 * (LEASE.ttlMs + LEASE.marginMs);
/** The arbiter says so, or the disk. */
const ENDED: readonly string[] = ['lost-claim', 'fenced'];

function running(seed: number, more: Partial<ClusterOptions> = {}): Cluster {
  const cluster = new Cluster({ seed, leases: {}, ...more });
  cluster.start();
  cluster.schedule.runUntil(500);
  assert.equal(cluster.primary.phase, 'paired');
  return cluster;
}

function goesOn(cluster: Cluster, forMs = 800): void {
  const answers = (): number => cluster.clients.reduce((sum, client) => sum + client.answers, 0);
  const before = answers();
  cluster.schedule.runUntil(cluster.schedule.nowMs + forMs);
  assert.ok(answers() > before + 10, cluster.journal.story.join('\n'));
  // Whoever is stopped or cut off stands where it stood.
  const safety = check(evidenceOf(cluster)).filter(({ checker }) => checker !== 'redundant again');
  assert.deepEqual(safety, [], cluster.journal.story.join('\n'));
}

function saidSince({ journal }: Cluster, mark: number, { name }: SimProcess): number {
  return journal.released.slice(mark).filter(({ who }) => who === name).length;
}

for (const seed of SEEDS) {
  test(`both replicas die: a host that stands by starts the machine, once, with all that clients were promised (seed ${seed})`, () => {
    const cluster = running(seed);
    for (const process of cluster.processes) cluster.kill(process, true);
    cluster.schedule.runUntil(500 + LEASE_OVER_MS);
    const owners = cluster.processes.filter(({ phase }) => phase === 'alone');
    assert.equal(owners.length, 1, cluster.journal.story.join('\n'));
    goesOn(cluster);
  });

  test(`an owner without a backup that is stopped for longer than its lease says nothing more when it goes on (seed ${seed})`, () => {
    const cluster = running(seed);
    cluster.kill(cluster.backup, false);
    cluster.schedule.runUntil(600);
    const { primary, journal } = cluster;
    assert.equal(primary.phase, 'alone');
    primary.pause();
    goesOn(cluster);
    const mark = journal.released.length;
    primary.continue();
    goesOn(cluster);
    assert.equal(saidSince(cluster, mark, primary), 0);
    assert.ok(primary.haltCode !== undefined && ENDED.includes(primary.haltCode), primary.haltCode);
  });

  test(`a pair whose owner does not reach the arbiter says nothing once its lease is over, and halts when it is restarted elsewhere (seed ${seed})`, () => {
    const cluster = running(seed);
    const { primary, journal } = cluster;
    cluster.faultsOf(primary).unreachable = true;
    cluster.schedule.runUntil(500 + LEASE.ttlMs);
    const mark = journal.released.length;
    goesOn(cluster);
    assert.equal(saidSince(cluster, mark, primary), 0);
    cluster.healArbiter(primary);
    goesOn(cluster);
    assert.ok(primary.haltCode !== undefined && ENDED.includes(primary.haltCode), primary.haltCode);
  });

  test(`while nobody reaches the arbiter nothing leaves, and afterwards the same pair goes on (seed ${seed})`, () => {
    const cluster = running(seed);
    const { arbiter, journal, primary } = cluster;
    arbiter.down = true;
    cluster.schedule.runUntil(500 + LEASE.ttlMs);
    const mark = journal.released.length;
    cluster.schedule.runUntil(2000);
    assert.equal(saidSince(cluster, mark, primary), 0);
    arbiter.down = false;
    goesOn(cluster);
    assert.deepEqual([primary.phase, primary.generation], ['paired', 0]);
  });

  test(`with an image on each host the machine starts from one that may boot (seed ${seed})`, () => {
    const cluster = running(seed, { mirrored: true });
    for (const process of cluster.processes) cluster.kill(process, true);
    cluster.schedule.runUntil(500 + LEASE_OVER_MS);
    goesOn(cluster);
  });
}

test('with leases three hundred seeds keep every promise', async () => {
  const outcomes: Outcome[] = [];
  const jobs = Math.min(4, availableParallelism());
  await runSeeds({ from: 1, seeds: 300, variants: ['leases'], jobs, ends: () => false }, (outcome) => {
    outcomes.push(outcome);
  });
  const failed = outcomes.filter(({ violations }) => violations.length > 0);
  const advice = failed.map(({ seed }) => `npm run sim -- --leases --seed ${seed} --story`);
  assert.deepEqual(
    failed.flatMap(({ violations }) => violations),
    [],
    advice.join('\n'),
  );
  const struck = new Set(outcomes.flatMap((outcome) => [...outcome.faults.keys()]));
  for (const kind of Object.keys(leaseFaults)) assert.ok(struck.has(kind), kind);
  assert.ok(
    outcomes.some(({ ending }) => ending === endings[0]) && outcomes.some(({ ending }) => ending === 'started again'),
  );
});
