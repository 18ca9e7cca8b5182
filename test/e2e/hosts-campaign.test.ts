/** Three rounds of the campaign on hosts (hosts-campaign.ts), one after the other on the same machine. */
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { test } from 'node:test';
import { buildImage } from '../../src/host/image/build-image.ts';
import { faultOf } from './hosts-campaign.ts';
import { HostsCluster } from './support/hosts-cluster.ts';
import { HOST_FAULT_KINDS, type HostFault } from './support/hosts-faults.ts';
import { runHostsRound } from './support/hosts-round.ts';
import { whyNoVxlan } from './support/vxlan-lab.ts';

const ROUNDS: readonly HostFault[] = ['cut-uplink', 'kill-primary', 'transfer-receiver'];

test('a machine on three hosts goes on through a cut, a death and a lost copy, and becomes redundant each time', {
  skip: whyNoVxlan(),
  timeout: 400_000,
}, async (t) => {
  const cluster = await HostsCluster.start(await buildImage());
  t.after(() => cluster.stop());
  for (const [seed, fault] of ROUNDS.entries()) {
    const round = await runHostsRound(cluster, { fault, seed, connections: 2 });
    t.diagnostic(JSON.stringify(round));
    assert.deepEqual(round.problems, [], cluster.watch.story(Date.now() - 120_000));
  }
  await cluster.stop();
  assert.ok(!existsSync(cluster.directory), 'nothing is left');
});

test('the rounds of a seed are always the same, and have every kind of fault equally often', () => {
  const kinds = HOST_FAULT_KINDS.length;
  const drawn = Array.from({ length: 3 * kinds }, (_, round) => faultOf(7, round));
  assert.deepEqual(
    drawn,
    Array.from({ length: 3 * kinds }, (_, round) => faultOf(7, round)),
  );
  for (const kind of HOST_FAULT_KINDS) assert.equal(drawn.filter((fault) => fault === kind).length, 3, kind);
});
