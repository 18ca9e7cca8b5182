/**
 * Mirrored disks on the simulated cluster (PROTOCOL.md, 24 to 26): the power of everything fails at any moment of a transfer, and
 * whichever image may boot has all that was promised.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { check } from './checkers.ts';
import { Cluster } from './cluster.ts';
import { evidenceOf } from './evidence.ts';

/** The first host runs the machine, alone at first; a backup's transfer begins at about 60 ms. */
function mirrored(seed: number): Cluster {
  const cluster = new Cluster({ seed, mirrored: true });
  cluster.start();
  return cluster;
}

/** Everything but who is whose backup in the end. */
function assertKept(cluster: Cluster, what: string): void {
  const violations = check(evidenceOf(cluster)).filter(({ checker }) => checker !== 'redundant again');
  assert.deepEqual(violations, [], `${what}\n${cluster.journal.story.join('\n')}`);
}

test('the machine runs alone until the image of its backup has caught up, and then both have what was promised', () => {
  const cluster = mirrored(1);
  cluster.schedule.runUntil(800);
  assert.deepEqual(
    cluster.processes.map(({ phase }) => phase),
    ['paired', 'paired'],
  );
  assert.equal(cluster.disks.length, 2, 'both images may boot');
  assertKept(cluster, 'a pair');
});

test('the power fails everywhere at any moment of a transfer: an image boots, and has all that was promised', () => {
  for (let atMs = 10; atMs < 130; atMs += 2) {
    const cluster = mirrored(atMs);
    cluster.schedule.runUntil(atMs);
    cluster.losePower(50);
    cluster.schedule.runUntil(atMs + 1500);
    assertKept(cluster, `power fails at ${atMs} ms`);
  }
});

test('a new backup takes the place of a lost one; the power fails everywhere at any moment of its transfer', () => {
  for (let afterMs = 1; afterMs < 60; afterMs += 1.7) {
    const cluster = mirrored(Math.ceil(afterMs * 10));
    cluster.schedule.runUntil(500);
    cluster.kill(cluster.primary, true);
    cluster.schedule.runUntil(900);
    assert.equal(cluster.backup.phase, 'alone', cluster.journal.story.join('\n'));
    cluster.startProcess('carol', 'backup');
    cluster.schedule.runUntil(900 + afterMs);
    cluster.losePower(50);
    cluster.schedule.runUntil(2500);
    assertKept(cluster, `power fails ${afterMs} ms after the new backup came`);
  }
});

test('a host that returns with an old image never boots from it while another has the newest', () => {
  const cluster = mirrored(5);
  cluster.schedule.runUntil(500);
  cluster.kill(cluster.primary, true);
  cluster.schedule.runUntil(1000);
  const [old, newest] = ['alice', 'bob'].map((host) => cluster.images.get(host)!);
  assert.deepEqual(cluster.disks, [newest]);
  assert.equal(old!.state, 'complete', 'as far as it knows itself');
  cluster.startProcess('alice-2', 'backup');
  cluster.schedule.runUntil(1500);
  assert.equal(cluster.disks.length, 2, 'it has caught up');
  assertKept(cluster, 'a pair again');
});
