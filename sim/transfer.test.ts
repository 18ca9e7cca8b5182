/**
 * Rule 21 of PROTOCOL.md on the simulated cluster: an owner that runs alone makes a backup of its running machine, and whatever
 * goes wrong meanwhile costs nothing before `final`, and one claim after it.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ReplicaPhase } from '../src/core/replication/replica.ts';
import { check } from './checkers.ts';
import { Cluster } from './cluster.ts';
import { evidenceOf } from './evidence.ts';
import type { SimProcess } from './process.ts';

const SEEDS = [1, 2, 3];

/** The primary is dead, the backup runs alone, at 700 ms; clients are at work. */
function survivor(seed: number): { cluster: Cluster; owner: SimProcess } {
  const cluster = new Cluster({ seed });
  cluster.start();
  cluster.schedule.runUntil(500);
  cluster.kill(cluster.primary, false);
  cluster.schedule.runUntil(700);
  assert.equal(cluster.backup.phase, 'alone');
  return { cluster, owner: cluster.backup };
}

/** Runs until `process` is in this phase. */
function until(cluster: Cluster, process: SimProcess, phase: ReplicaPhase, withinMs = 500): void {
  const endMs = cluster.schedule.nowMs + withinMs;
  while (process.phase !== phase && cluster.schedule.nowMs < endMs) {
    cluster.schedule.runUntil(cluster.schedule.nowMs + 0.25);
  }
  assert.equal(process.phase, phase, cluster.journal.story.join('\n'));
}

function answers(cluster: Cluster): number {
  return cluster.clients.reduce((sum, client) => sum + client.answers, 0);
}

function goesOn(cluster: Cluster, forMs = 1000): void {
  const before = answers(cluster);
  cluster.schedule.runUntil(cluster.schedule.nowMs + forMs);
  assert.ok(answers(cluster) > before + 8, cluster.journal.story.join('\n'));
  const violations = check(evidenceOf(cluster));
  assert.deepEqual(violations, [], cluster.journal.story.join('\n'));
}

for (const seed of SEEDS) {
  test(`a survivor gets a new backup while its guest runs, and that one takes over in its turn, and again (seed ${seed})`, () => {
    const { cluster, owner } = survivor(seed);
    let last = owner;
    for (const [name, generation] of [
      ['carol', 1],
      ['dave', 2],
      ['erin', 3],
    ] as const) {
      const next = cluster.startProcess(name, 'backup');
      until(cluster, next, 'paired');
      until(cluster, last, 'paired');
      assert.deepEqual([last.generation, next.generation], [generation, generation]);
      goesOn(cluster, 400);
      cluster.kill(last, false);
      until(cluster, next, 'alone');
      goesOn(cluster, 400);
      last = next;
    }
  });

  test(`the primary that died comes back as a stranger, and is the backup (3; seed ${seed})`, () => {
    const { cluster, owner } = survivor(seed);
    const again = cluster.startProcess("alice'", 'backup');
    until(cluster, again, 'paired');
    cluster.kill(owner, true);
    until(cluster, again, 'alone', 1000);
    goesOn(cluster);
  });

  test(`a primary that lost its backup takes another in its next generation (seed ${seed})`, () => {
    const cluster = new Cluster({ seed });
    cluster.start();
    cluster.schedule.runUntil(500);
    cluster.kill(cluster.backup, false);
    until(cluster, cluster.primary, 'alone');
    const next = cluster.startProcess('carol', 'backup');
    until(cluster, next, 'paired');
    assert.equal(next.generation, 1);
    goesOn(cluster);
  });

  test(`until the new backup acknowledges, nothing leaves after final; if it dies then, the claim lets it go (seed ${seed})`, () => {
    const { cluster, owner } = survivor(seed);
    const next = cluster.startProcess('carol', 'backup');
    until(cluster, owner, 'cutting-over');
    const mark = cluster.journal.released.length;
    for (const way of cluster.ways) way.stall(true);
    cluster.schedule.runUntil(cluster.schedule.nowMs + 100);
    assert.equal(owner.phase, 'cutting-over');
    assert.equal(cluster.journal.released.length, mark, 'an output left');
    cluster.kill(next, true);
    until(cluster, owner, 'alone', 1000);
    assert.equal(owner.generation, 2);
    for (const way of cluster.ways) way.stall(false);
    goesOn(cluster);
  });

  test(`before final a backup that loses the owner claims nothing, and the machine is lost with its owner (seed ${seed})`, () => {
    const { cluster, owner } = survivor(seed);
    const next = cluster.startProcess('carol', 'backup');
    until(cluster, next, 'receiving');
    cluster.kill(owner, false);
    cluster.schedule.runUntil(cluster.schedule.nowMs + 800);
    assert.equal(cluster.arbiter.newest.generation, 1);
    assert.equal(next.phase, 'connecting');
  });

  test(`without the arbiter the guest runs on as it was, and with it again it gets its backup (4; seed ${seed})`, () => {
    const { cluster, owner } = survivor(seed);
    cluster.faultsOf(owner).unreachable = true;
    const next = cluster.startProcess('carol', 'backup');
    const before = answers(cluster);
    cluster.schedule.runUntil(cluster.schedule.nowMs + 1000);
    assert.ok(answers(cluster) > before + 15);
    assert.deepEqual([owner.phase, next.phase], ['copying', 'receiving']);
    cluster.faultsOf(owner).unreachable = false;
    until(cluster, owner, 'paired');
    goesOn(cluster);
  });

  test(`a transfer that ends after the record was written costs a generation, and no pause (seed ${seed})`, () => {
    const { cluster, owner } = survivor(seed);
    const next = cluster.startProcess('carol', 'backup');
    cluster.faultsOf(next).unreachable = true;
    cluster.schedule.runUntil(cluster.schedule.nowMs + 200);
    assert.deepEqual([owner.phase, owner.generation], ['copying', 1]);
    cluster.kill(next, false);
    until(cluster, owner, 'admitting');
    until(cluster, owner, 'alone');
    const another = cluster.startProcess('dave', 'backup');
    until(cluster, another, 'paired');
    assert.equal(another.generation, 2);
    goesOn(cluster);
  });
}

/** A whole transfer takes some 20 ms here: every millisecond of it is hit. */
const MOMENTS_MS = Array.from({ length: 28 }, (_, index) => index + 0.3);

const blows: Record<string, (cluster: Cluster, owner: SimProcess, next: SimProcess) => void> = {
  'the new backup is killed': (cluster, _, next) => cluster.kill(next, false),
  'the host of the new backup is lost': (cluster, _, next) => cluster.kill(next, true),
  'the newest channel breaks': (cluster) => cluster.cutNewestLink(),
  'all channels break': (cluster) => cluster.cutLink(),
  'the hosts do not reach each other for a while': (cluster) => {
    for (const way of cluster.ways) way.stall(true);
    cluster.schedule.after(400, () => {
      for (const way of cluster.ways) way.stall(false);
    });
  },
  'the owner is stopped for a while': (cluster, owner) => {
    owner.pause();
    cluster.schedule.after(400, () => owner.continue());
  },
  'the new backup is stopped for a while': (cluster, _, next) => {
    next.pause();
    cluster.schedule.after(400, () => next.continue());
  },
};

for (const [what, strike] of Object.entries(blows)) {
  test(`${what} at any moment of a transfer: one goes on, and is redundant again with another`, () => {
    for (const [index, atMs] of MOMENTS_MS.entries()) {
      const { cluster, owner } = survivor(index + 1);
      const next = cluster.startProcess('carol', 'backup');
      cluster.schedule.runUntil(cluster.schedule.nowMs + atMs);
      strike(cluster, owner, next);
      cluster.schedule.runUntil(cluster.schedule.nowMs + 1000);
      cluster.startProcess('dave', 'backup');
      goesOn(cluster, 500);
      const paired = cluster.processes.filter(({ alive, phase }) => alive && phase === 'paired');
      assert.equal(paired.length, 2, `${atMs} ms\n${cluster.journal.story.join('\n')}`);
    }
  });
}

test('the owner is killed at any moment of a transfer: the new backup goes on if it was final, and claims nothing otherwise', () => {
  let wentOn = 0;
  for (const [index, atMs] of MOMENTS_MS.entries()) {
    const { cluster, owner } = survivor(index + 1);
    const next = cluster.startProcess('carol', 'backup');
    cluster.schedule.runUntil(cluster.schedule.nowMs + atMs);
    cluster.kill(owner, index % 2 === 0);
    const complete = owner.phase === 'paired' || next.phase === 'paired';
    // Longer than a backup bears the silence of an owner that copies.
    cluster.schedule.runUntil(cluster.schedule.nowMs + 2500);
    if (complete) {
      assert.equal(next.phase, 'alone', `${atMs} ms\n${cluster.journal.story.join('\n')}`);
      wentOn++;
    } else {
      // `final` may have been on its way.
      assert.ok(['connecting', 'halted', 'alone'].includes(next.phase), next.phase);
    }
    assert.deepEqual(
      check(evidenceOf(cluster)).filter(({ checker }) => checker !== 'redundant again'),
      [],
    );
  }
  assert.ok(wentOn > 3 && wentOn < MOMENTS_MS.length - 3, `${wentOn} went on`);
});
