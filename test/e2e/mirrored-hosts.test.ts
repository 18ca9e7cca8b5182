/** A machine with a mirrored disk under host daemons: protected, handed over, redundant again by itself, stopped and started. */
import assert from 'node:assert/strict';
import { mkdir, mkdtemp, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { startChild } from '../../src/host/processes.ts';
import { assemble } from '../conformance/testing/assembler.ts';
import { makeElf } from '../conformance/testing/elf.ts';
import { DISK_BYTES, diskWriter } from './support/disk-writer.ts';
import { LocalHosts } from './support/local-hosts.ts';

const HOSTS = ['a', 'b'] as const;
type Name = (typeof HOSTS)[number];

/** Each host with a directory for its images; there is one on the first host. */
class MirroredHosts extends LocalHosts {
  async startAll(): Promise<void> {
    for (const name of HOSTS) {
      await mkdir(join(this.directory, `${name}-disks`));
      await this.start(name, { disks: `${name}-disks` });
    }
    await writeFile(this.image('a'), '');
    await truncate(this.image('a'), DISK_BYTES);
  }

  image(name: Name): string {
    return join(this.directory, `${name}-disks`, 'disk.img');
  }

  async understudy(...words: readonly string[]): Promise<void> {
    await this.understudyAt('a', ...words);
  }

  /** By the API of this host. Throws OperatingError with what it says, if it fails before it says anything else. */
  async understudyAt(contact: Name, ...words: readonly string[]): Promise<void> {
    const said: string[] = [];
    const child = await startChild([...words, '--host', this.address(contact)], { onError: (line) => said.push(line) });
    assert.deepEqual(await child.ended, { code: 0, signal: null }, said.join('\n'));
  }

  /** A machine, protected by both hosts. */
  async protect(guest: Uint8Array): Promise<void> {
    await writeFile(join(this.directory, 'guest.elf'), guest);
    const machine = join(this.directory, 'twin.yaml');
    const disk = { mirrored: { path: 'disk.img', size: `${DISK_BYTES / 2 ** 20}M` } };
    await writeFile(machine, JSON.stringify({ name: 'twin', memory: '32M', kernel: 'guest.elf', network: null, disk }));
    await this.understudy('protect', machine, '--hosts', 'a,b');
    await this.untilPaired({ a: 'primary', b: 'backup' });
  }

  /** Looks until the hosts are `roles`, paired; the test's own time limit ends a wait in vain. */
  async untilPaired(roles: Record<Name, 'primary' | 'backup'>): Promise<void> {
    for (;;) {
      const reports = await Promise.all(HOSTS.map((name) => this.report(name)));
      const stands = HOSTS.every((name, i) => {
        const status = reports[i]!.replicas[0]?.status;
        return status?.phase === 'paired' && status.role === roles[name];
      });
      if (stands) return;
    }
  }
}

async function newHosts(t: TestContext): Promise<MirroredHosts> {
  const hosts = new MirroredHosts(await mkdtemp(join(tmpdir(), 'us-mh-')));
  t.after(async () => {
    await hosts.close();
    await rm(hosts.directory, { recursive: true, force: true });
  });
  await hosts.startAll();
  return hosts;
}

test('hosts with images of their own: protect, failover, redundant again, stop, start', {
  timeout: 100_000,
}, async (t) => {
  const hosts = await newHosts(t);
  await hosts.protect(diskWriter(1_000_000, 400_000));
  await hosts.understudy('failover', 'twin');
  await hosts.untilPaired({ a: 'backup', b: 'primary' });
  await hosts.understudy('stop', 'twin');
  const written = (await readFile(hosts.image('b'))).readUInt32LE(0);
  assert.ok(written > 0);
  await hosts.understudy('start', 'twin');
  await hosts.untilPaired({ a: 'primary', b: 'backup' });
});

test("an image that is not the newest is started on a person's word alone, and only on the host that the word names", {
  timeout: 100_000,
}, async (t) => {
  const hosts = await newHosts(t);
  await hosts.protect(makeElf(assemble('_start:\n wfi\n j _start\n')));
  const { pid } = await hosts.replica('b');
  await hosts.killDaemon('b');
  process.kill(pid, 'SIGKILL');
  await hosts.until('a', ({ replicas }) => replicas[0]?.status?.phase === 'alone');
  await hosts.understudy('stop', 'twin');
  await hosts.killDaemon('a');
  await hosts.start('b', { disks: 'b-disks' });
  const start = (...words: readonly string[]) =>
    hosts.understudyAt('b', 'start', 'twin', '--after-loss', '--alone', ...words);
  await assert.rejects(start(), { message: /is stale: it was last in generation 0/ });
  await assert.rejects(start('--accept-data-loss', 'c'), { message: /c is no host of twin/ });
  await start('--accept-data-loss', 'b');
  assert.equal((await hosts.replica('b')).status?.role, 'primary');
  await hosts.understudyAt('b', 'stop', 'twin');
});
