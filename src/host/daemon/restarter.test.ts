import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { OperatingError } from '../../core/base/error.ts';
import type { Loss } from '../../core/replication/loss-watch.ts';
import { openArbiter } from '../arbiter/open.ts';
import type { Description } from '../description/description.ts';
import { openStore } from '../store/open.ts';
import { Cluster } from './cluster.ts';
import { openLog } from './log.ts';
import type { MachineRecord } from './messages.ts';
import { Restarter } from './restarter.ts';

const OWNER = '1'.repeat(32);

const record = (name: string, more: object = {}): MachineRecord => ({
  name,
  description: { onTotalLoss: 'restart' },
  baseDirectory: '/',
  engine: 'interpreter',
  hosts: ['a', 'b'],
  wanted: 'running',
  ...more,
});

/** Hosts' common directory with these machines, none of which anybody renews; resolves when host `b` has started `count` of them. */
async function started(
  t: TestContext,
  count: number,
  machines: readonly MachineRecord[],
  restart: (machine: string, loss: Loss) => void = () => {},
): Promise<readonly [string, Loss][]> {
  const directory = await mkdtemp(join(tmpdir(), 'us-restarter-'));
  const [arbiter, cluster] = [
    await openArbiter(directory, { allowLocal: true }),
    new Cluster(await openStore(directory)),
  ];
  for (const machine of machines) {
    await cluster.add(machine);
    assert.equal(await arbiter.create(machine.name, OWNER), 'won');
  }
  const found: [string, Loss][] = [];
  let restarter: Restarter | undefined;
  t.after(async () => {
    restarter?.close();
    await cluster.close();
    await arbiter.close();
    await rm(directory, { recursive: true, force: true });
  });
  return new Promise((resolve) => {
    restarter = new Restarter('b', {
      cluster,
      arbiter,
      log: openLog('json', 'b'),
      describe: async () => ({ onTotalLoss: 'restart', timeouts: { leaseMs: 1000 } }) as Description,
      runsHere: (machine) => machine === 'here',
      restart: async (machine, loss) => {
        found.push([machine, loss]);
        if (found.length === count) resolve(found);
        restart(machine, loss);
      },
    });
    restarter.start();
  });
}

test('a host starts what nobody renews: what is wanted, may run there, and does not', {
  timeout: 30_000,
}, async (t) => {
  const found = await started(t, 1, [
    record('here'),
    record('elsewhere', { hosts: ['a'] }),
    record('stopped', { wanted: 'stopped' }),
    record('by-hand', { description: {} }),
    record('last'),
  ]);
  assert.deepEqual(found, [['last', { generation: 0, note: undefined }]]);
});

test('one that cannot start here keeps no other from it', { timeout: 30_000 }, async (t) => {
  const found = await started(t, 2, [record('broken'), record('last')], (machine) => {
    if (machine === 'broken') throw new OperatingError('disk-stale', 'not the newest', 'Start it elsewhere.');
  });
  assert.deepEqual(found.map(([machine]) => machine).sort(), ['broken', 'last']);
});
