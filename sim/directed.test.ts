/** The failures that people ask about first, each by itself, on the simulated cluster. Numbers are rules of PROTOCOL.md. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { check } from './checkers.ts';
import { Cluster } from './cluster.ts';
import { evidenceOf } from './evidence.ts';
import { encodeFrame, NET, OP_OFF } from './machine.ts';

const SEEDS = [1, 2, 3, 4, 5];

/** A pair with clients at work, at 500 ms. */
function running(seed: number, resumeMs = 0): Cluster {
  const cluster = new Cluster({ seed, resumeMs });
  cluster.start();
  cluster.schedule.runUntil(500);
  assert.equal(cluster.primary.phase, 'paired');
  assert.equal(cluster.backup.phase, 'paired');
  return cluster;
}

function answers(cluster: Cluster): number {
  return cluster.clients.reduce((sum, client) => sum + client.answers, 0);
}

/** Clients get answers for a while, and every check holds. */
function goesOn(cluster: Cluster, forMs = 1500): void {
  const before = answers(cluster);
  cluster.schedule.runUntil(cluster.schedule.nowMs + forMs);
  assert.ok(answers(cluster) > before + 20, cluster.journal.story.join('\n'));
  assert.deepEqual(cluster.journal.violations, []);
}

for (const seed of SEEDS) {
  test(`SIGKILL of the primary: the backup goes on within a moment, and no client notices more (seed ${seed})`, () => {
    const cluster = running(seed);
    cluster.kill(cluster.primary, false);
    cluster.schedule.runUntil(600);
    assert.equal(cluster.backup.phase, 'alone');
    goesOn(cluster);
    assert.deepEqual(check(evidenceOf(cluster)), []);
  });

  test(`SIGKILL of the backup: the primary goes on in the next generation (seed ${seed})`, () => {
    const cluster = running(seed);
    cluster.kill(cluster.backup, false);
    goesOn(cluster);
    assert.deepEqual([cluster.primary.phase, cluster.primary.generation], ['alone', 1]);
  });

  test(`the hosts do not reach each other: exactly one goes on (8; seed ${seed})`, () => {
    const cluster = running(seed);
    for (const way of cluster.ways) way.stall(true);
    goesOn(cluster);
    const phases = [cluster.primary.phase, cluster.backup.phase].sort();
    assert.deepEqual(phases, ['alone', 'halted']);
  });

  test(`a primary that is stopped through the whole failover and then continued says nothing more (14; seed ${seed})`, () => {
    const cluster = running(seed);
    cluster.primary.pause();
    goesOn(cluster);
    assert.equal(cluster.backup.phase, 'alone');
    const mark = cluster.journal.released.length;
    cluster.primary.continue();
    goesOn(cluster);
    assert.equal(cluster.primary.haltCode, 'lost-claim');
    assert.ok(cluster.journal.released.slice(mark).every(({ who }) => who === 'bob'));
  });

  test(`without the arbiter nobody goes on, and with it again exactly one does (4, 7; seed ${seed})`, () => {
    const cluster = running(seed);
    cluster.faultsOf(cluster.backup).unreachable = true;
    cluster.kill(cluster.primary, true);
    cluster.schedule.runUntil(2000);
    assert.equal(cluster.backup.phase, 'leaving');
    cluster.faultsOf(cluster.backup).unreachable = false;
    goesOn(cluster);
    assert.equal(cluster.backup.phase, 'alone');
  });

  test(`a primary that loses its uplink hands over (20; seed ${seed})`, () => {
    const cluster = running(seed);
    cluster.primary.uplink = false;
    cluster.primary.event({ type: 'uplink', up: false });
    goesOn(cluster);
    assert.equal(cluster.backup.phase, 'alone');
    assert.equal(cluster.primary.haltCode, 'handed-over');
  });

  test(`a dead CPU thread is replaced although its main thread lives (11; seed ${seed})`, () => {
    const cluster = running(seed);
    cluster.primary.killCpuThread();
    goesOn(cluster);
    assert.equal(cluster.backup.phase, 'alone');
    assert.equal(cluster.primary.phase, 'leaving', 'it does not claim what it could not run');
  });

  test(`a CPU thread that hangs through the whole failover and then goes on says nothing more (11, 14; seed ${seed})`, () => {
    const cluster = running(seed);
    cluster.primary.hangCpuThread();
    goesOn(cluster);
    assert.equal(cluster.backup.phase, 'alone');
    cluster.primary.freeCpuThread();
    goesOn(cluster);
    assert.equal(cluster.primary.haltCode, 'lost-claim');
    assert.deepEqual(check(evidenceOf(cluster)), []);
  });

  test(`a claim whose answers are lost has landed: the winner asks until it hears so (4; seed ${seed})`, () => {
    const cluster = running(seed);
    cluster.faultsOf(cluster.backup).loseReply = 1;
    cluster.kill(cluster.primary, false);
    cluster.schedule.runUntil(1500);
    assert.equal(cluster.backup.phase, 'leaving');
    assert.equal(cluster.arbiter.newest.incarnation, cluster.backup.incarnation);
    cluster.healArbiter(cluster.backup);
    goesOn(cluster);
    assert.equal(cluster.backup.phase, 'alone');
  });

  test(`an arbiter that shows no record is no arbiter: nobody claims from it (4; seed ${seed})`, () => {
    const cluster = running(seed);
    cluster.faultsOf(cluster.backup).empty = true;
    cluster.kill(cluster.primary, false);
    cluster.schedule.runUntil(1500);
    assert.equal(cluster.backup.phase, 'leaving');
    cluster.healArbiter(cluster.backup);
    goesOn(cluster);
    assert.equal(cluster.backup.phase, 'alone');
  });

  test(`power fails everywhere: the machine that a person starts again has all that was acknowledged (seed ${seed})`, () => {
    const cluster = running(seed);
    cluster.disk.usualSlowMs = 5;
    cluster.schedule.runUntil(800);
    cluster.losePower(100);
    goesOn(cluster, 2000);
    assert.deepEqual(
      cluster.processes.slice(2).map(({ phase, generation }) => [phase, generation]),
      [
        ['paired', 1],
        ['paired', 1],
      ],
    );
    assert.deepEqual(check(evidenceOf(cluster)), []);
  });

  test(`a clock that leaps is not taken for silence of the peer (12; seed ${seed})`, () => {
    const cluster = running(seed);
    cluster.backup.jumpClock(5000);
    cluster.primary.jumpClock(70);
    goesOn(cluster);
    assert.deepEqual([cluster.primary.phase, cluster.backup.phase], ['paired', 'paired']);
  });

  test(`a channel that breaks for a moment is resumed in the same generation (6; seed ${seed})`, () => {
    const cluster = running(seed, 100);
    cluster.cutLink();
    goesOn(cluster);
    assert.deepEqual([cluster.primary.phase, cluster.backup.phase], ['paired', 'paired']);
    assert.deepEqual([cluster.primary.generation, cluster.backup.generation], [0, 0]);
  });

  test(`a backup whose machine differs is found by the next hash, and left behind (28; seed ${seed})`, () => {
    const cluster = running(seed);
    cluster.backup.machine.corrupt();
    goesOn(cluster, 2000);
    assert.equal(cluster.backup.haltCode, 'diverged');
    assert.equal(cluster.primary.phase, 'alone');
  });

  test(`a guest that powers off ends both replicas (seed ${seed})`, () => {
    const cluster = running(seed);
    const frame = encodeFrame({ operation: OP_OFF, client: 9, key: 0, request: 1, value: 0 });
    cluster.primary.event({ type: 'input', input: { kind: 'net-rx', device: NET, frame } });
    cluster.schedule.runUntil(1500);
    assert.deepEqual([cluster.primary.haltCode, cluster.backup.haltCode], ['guest-stopped', 'guest-stopped']);
    assert.deepEqual(cluster.journal.violations, []);
  });

  test(`a process that is started again is a stranger to its predecessor (3; seed ${seed})`, () => {
    const cluster = running(seed);
    cluster.kill(cluster.primary, false);
    const again = cluster.startProcess("alice'", 'primary');
    goesOn(cluster);
    assert.equal(again.haltCode, 'already-created');
    assert.equal(cluster.backup.phase, 'alone');
  });
}
