/** Three rounds of the campaign on hosts (hosts-campaign.ts), one after the other on the same machine. */
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { test } from 'node:test';
import { buildImage } from '../../src/host/image/build-image.ts';
import { faultOf } from './hosts-campaign.ts';
import { HostsCluster } from './support/hosts-cluster.ts';
import { DISK_KINDS, type DiskKind } from './support/hosts-disk.ts';
import { faultKindsOf, type HostFault } from './support/hosts-faults.ts';
import { runHostsRound } from './support/hosts-round.ts';
import { whyNoVxlan } from './support/vxlan-lab.ts';

const ROUNDS: Readonly<Record<DiskKind, readonly HostFault[]>> = {
  shared: ['cut-uplink', 'kill-primary', 'transfer-receiver'],
  mirrored: ['kill-primary', 'lost-image', 'transfer-source'],
};

const WHAT: Readonly<Record<DiskKind, string>> = {
  shared: 'a machine on three hosts goes on through a cut, a death and a lost copy, and becomes redundant each time',
  mirrored:
    'with an image on each host it goes on through a death and a lost image, starts after a loss, and the images end equal',
};

for (const disk of DISK_KINDS) {
  test(WHAT[disk], { skip: whyNoVxlan(), timeout: 400_000 }, async (t) => {
    const cluster = await HostsCluster.start(await buildImage(), disk);
    t.after(() => cluster.stop());
    for (const [seed, fault] of ROUNDS[disk].entries()) {
      const round = await runHostsRound(cluster, { fault, seed, connections: 2 });
      t.diagnostic(JSON.stringify(round));
      assert.deepEqual(round.problems, [], cluster.watch.story(Date.now() - 120_000));
    }
    const end = await cluster.endMachine();
    assert.deepEqual(end, { disk, problems: [], paired: true }, cluster.watch.story(Date.now() - 60_000));
    await cluster.stop();
    assert.ok(!existsSync(cluster.directory), 'nothing is left');
  });
}

test('the rounds of a seed are always the same, and have every kind of fault equally often', () => {
  for (const disk of DISK_KINDS) {
    const kinds = faultKindsOf(disk);
    const draw = () => Array.from({ length: 3 * kinds.length }, (_, round) => faultOf(7, round, disk));
    const drawn = draw();
    assert.deepEqual(drawn, draw());
    for (const kind of kinds) assert.equal(drawn.filter((fault) => fault === kind).length, 3, kind);
  }
});
