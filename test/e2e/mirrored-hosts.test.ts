/** A machine with a mirrored disk under host daemons: protected, handed over, redundant again by itself, stopped and started. */
import assert from 'node:assert/strict';
import { mkdir, mkdtemp, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { HostClient } from '../../src/host/daemon/api-client.ts';
import type { HostReport } from '../../src/host/daemon/messages.ts';
import { type Child, startChild } from '../../src/host/processes.ts';
import { DISK_BYTES, diskWriter } from './support/disk-writer.ts';

const HOSTS = ['a', 'b'] as const;
type Name = (typeof HOSTS)[number];

class Hosts {
  readonly directory: string;
  readonly #daemons = new Map<Name, Child>();
  readonly #replicas = new Set<number>();

  constructor(directory: string) {
    this.directory = directory;
  }

  async start(): Promise<void> {
    await mkdir(join(this.directory, 'arbiter'));
    for (const name of HOSTS) {
      await mkdir(join(this.directory, `${name}-disks`));
      const config = {
        name,
        listen: '127.0.0.1:0',
        state: name,
        disks: `${name}-disks`,
        memory: '1G',
        arbiter: 'arbiter',
        unsafeArbiter: true,
      };
      const file = join(this.directory, `${name}.yaml`);
      await writeFile(file, JSON.stringify(config));
      this.#daemons.set(name, await startChild(['host', file]));
    }
    await writeFile(this.image('a'), '');
    await truncate(this.image('a'), DISK_BYTES);
  }

  image(name: Name): string {
    return join(this.directory, `${name}-disks`, 'disk.img');
  }

  address(name: Name): string {
    return /listens on (\S+)/.exec(this.#daemons.get(name)!.greeting)![1]!;
  }

  async understudy(...words: readonly string[]): Promise<void> {
    const said: string[] = [];
    const child = await startChild([...words, '--host', this.address('a')], { onError: (line) => said.push(line) });
    assert.deepEqual(await child.ended, { code: 0, signal: null }, said.join('\n'));
  }

  /** Looks until the hosts are `roles`, paired; the test's own time limit ends a wait in vain. */
  async untilPaired(roles: Record<Name, 'primary' | 'backup'>): Promise<void> {
    for (;;) {
      const reports = await Promise.all(HOSTS.map((name) => this.#report(name)));
      const stands = HOSTS.every((name, i) => {
        const status = reports[i]!.replicas[0]?.status;
        return status?.phase === 'paired' && status.role === roles[name];
      });
      if (stands) return;
    }
  }

  async #report(name: Name): Promise<HostReport> {
    const report = await new HostClient(this.address(name)).report();
    for (const { pid } of report.replicas) if (pid > 0) this.#replicas.add(pid);
    return report;
  }

  async close(): Promise<void> {
    for (const name of this.#daemons.keys()) await this.#report(name).catch(() => {});
    for (const daemon of this.#daemons.values()) await daemon.stop();
    for (const pid of this.#replicas) {
      try {
        process.kill(pid, 'SIGKILL');
      } catch {
        // has ended
      }
    }
    await rm(this.directory, { recursive: true, force: true });
  }
}

async function newHosts(t: TestContext): Promise<Hosts> {
  const hosts = new Hosts(await mkdtemp(join(tmpdir(), 'us-mh-')));
  t.after(() => hosts.close());
  await hosts.start();
  return hosts;
}

test('hosts with images of their own: protect, failover, redundant again, stop, start', {
  timeout: 100_000,
}, async (t) => {
  const hosts = await newHosts(t);
  await writeFile(join(hosts.directory, 'guest.elf'), diskWriter(1_000_000, 400_000));
  const machine = join(hosts.directory, 'twin.yaml');
  const disk = { mirrored: { path: 'disk.img', size: `${DISK_BYTES / 2 ** 20}M` } };
  await writeFile(machine, JSON.stringify({ name: 'twin', memory: '32M', kernel: 'guest.elf', network: null, disk }));
  await hosts.understudy('protect', machine, '--hosts', 'a,b');
  await hosts.untilPaired({ a: 'primary', b: 'backup' });
  await hosts.understudy('failover', 'twin');
  await hosts.untilPaired({ a: 'backup', b: 'primary' });
  await hosts.understudy('stop', 'twin');
  const written = (await readFile(hosts.image('b'))).readUInt32LE(0);
  assert.ok(written > 0);
  await hosts.understudy('start', 'twin');
  await hosts.untilPaired({ a: 'primary', b: 'backup' });
});
