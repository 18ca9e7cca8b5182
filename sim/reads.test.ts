/** Backups that read by themselves on the simulated cluster, on purpose and without chance (PROTOCOL.md, 23). */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { check } from './checkers.ts';
import { Cluster } from './cluster.ts';
import { evidenceOf } from './evidence.ts';

const KINDS = [{ mirrored: false }, { mirrored: true }] as const;

function paired(seed: number, mirrored: boolean): Cluster {
  const cluster = new Cluster({ seed, mirrored, reads: 'backup' });
  cluster.start();
  cluster.schedule.runUntil(400);
  assert.deepEqual(
    cluster.processes.map(({ phase }) => phase),
    ['paired', 'paired'],
  );
  return cluster;
}

/** Everything but who is whose backup in the end. */
function assertKept(cluster: Cluster): void {
  const violations = check(evidenceOf(cluster)).filter(({ checker }) => checker !== 'redundant again');
  assert.deepEqual(violations, [], cluster.journal.story.join('\n'));
}

for (const { mirrored } of KINDS) {
  const disk = mirrored ? 'its image' : 'the shared disk';

  test(`a backup that finds nothing, or other bytes, on ${disk} goes on with what its owner gives it`, () => {
    for (const spoils of ['nothing comes', 'other bytes'] as const) {
      const cluster = paired(11, mirrored);
      cluster.reads!.trouble(cluster.backup, { spoils });
      const answered = cluster.clients.map(({ answers }) => answers);
      cluster.schedule.runUntil(2400);
      assert.equal(cluster.backup.phase, 'paired');
      assert.ok(
        cluster.clients.every(({ answers }, client) => answers > answered[client]! + 3),
        'the guest goes on',
      );
      assertKept(cluster);
    }
  });

  test(`a backup whose reads of ${disk} take their time slows its owner, and lets it go again`, () => {
    const cluster = paired(12, mirrored);
    cluster.reads!.trouble(cluster.backup, { slowMs: 160 });
    const slowest = { speed: 1, lagMs: 0 };
    for (let atMs = 400; atMs < 2000; atMs += 20) {
      cluster.schedule.runUntil(atMs);
      const { speed, lagMs } = cluster.primary.status();
      slowest.speed = Math.min(slowest.speed, speed);
      slowest.lagMs = Math.max(slowest.lagMs, lagMs);
    }
    assert.ok(slowest.speed < 0.9 && slowest.lagMs > 100, `speed ${slowest.speed}, ${slowest.lagMs} ms behind`);
    cluster.reads!.trouble(cluster.backup, undefined);
    cluster.schedule.runUntil(8000);
    assert.equal(cluster.primary.status().speed, 1);
    assert.equal(cluster.backup.phase, 'paired');
    assertKept(cluster);
  });

  test(`an owner dies at any moment while its backup cannot read ${disk}: it takes over as soon as it can`, () => {
    for (let atMs = 400; atMs < 440; atMs += 2) {
      const cluster = paired(atMs, mirrored);
      cluster.reads!.trouble(cluster.backup, { spoils: 'nothing comes' });
      cluster.schedule.runUntil(atMs);
      cluster.kill(cluster.primary, true);
      cluster.schedule.runUntil(atMs + 600);
      cluster.reads!.trouble(cluster.backup, undefined);
      cluster.schedule.runUntil(atMs + 1200);
      assert.equal(cluster.backup.phase, 'alone', cluster.journal.story.join('\n'));
      assertKept(cluster);
    }
  });
}
