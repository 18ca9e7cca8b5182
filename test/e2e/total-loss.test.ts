/**
 * Machines that start again by themselves when both replicas are gone (`onTotalLoss: restart`, PROTOCOL.md, 27), with daemons and
 * replicas as real processes. The guest prints a number only when it is on the disk, durably, and counts on from what it finds
 * there: so what a machine prints after it was started again tells what it has kept.
 */
import assert from 'node:assert/strict';
import { copyFile, mkdir, mkdtemp, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import type { HostReport } from '../../src/host/daemon/messages.ts';
import { type Child, startChild } from '../../src/host/processes.ts';
import { openStore } from '../../src/host/store/open.ts';
import { readRenewal } from '../../src/host/store/renewals.ts';
import { DISK_BYTES, diskWriter } from './support/disk-writer.ts';
import { LocalHosts } from './support/local-hosts.ts';

const LIMIT = { timeout: 120_000 };
const NAME = 'again';

/** Daemons on loopback, a disk server or an image on each host, and a machine that counts. */
class CountingHosts extends LocalHosts {
  #disk: Child | undefined;
  readonly #mirrored: boolean;

  constructor(directory: string, mirrored: boolean) {
    super(directory);
    this.#mirrored = mirrored;
  }

  async protect(...names: readonly string[]): Promise<void> {
    const config = (name: string): object => (this.#mirrored ? { disks: `${name}-disks` } : {});
    for (const name of names) {
      if (this.#mirrored) await mkdir(join(this.directory, `${name}-disks`));
      await this.start(name, config(name));
    }
    await writeFile(join(this.directory, 'guest.elf'), diskWriter(0x7fff_ffff, 100_000, { goesOn: true }));
    const image = join(this.directory, 'disk.img');
    await writeFile(image, '');
    await truncate(image, DISK_BYTES);
    const size = `${DISK_BYTES / 2 ** 20}M`;
    const machine = {
      ...{ name: NAME, memory: '32M', kernel: 'guest.elf', network: null, onTotalLoss: 'restart' },
      disk: this.#mirrored ? { mirrored: { path: 'disk.img', size } } : 'disk.img',
      timeouts: { lease: '2s' },
    };
    await writeFile(join(this.directory, 'machine.yaml'), JSON.stringify(machine));
    const words = ['protect', join(this.directory, 'machine.yaml'), '--hosts', names.join(',')];
    if (this.#mirrored) await copyFile(image, join(this.directory, `${names[0]!}-disks`, 'disk.img'));
    else words.push('--disk', await this.#serveDisk(image));
    await this.understudy(names[0]!, ...words);
  }

  async #serveDisk(image: string): Promise<string> {
    const socket = `unix:${join(this.directory, 'disk')}`;
    const arbiter = join(this.directory, 'arbiter');
    this.#disk = await startChild(['disk', image, '--listen', socket, '--name', NAME, '--arbiter', arbiter]);
    return socket;
  }

  async understudy(contact: string, ...words: readonly string[]): Promise<void> {
    const said: string[] = [];
    const child = await startChild([...words, '--host', this.address(contact)], { onError: (line) => said.push(line) });
    assert.deepEqual(await child.ended, { code: 0, signal: null }, said.join('\n'));
  }

  /** What the guest has printed on this host, number by number. */
  async numbers(name: string): Promise<number[]> {
    const path = join(this.directory, name, 'replicas', NAME, 'console.log');
    const text = await readFile(path, 'latin1').catch(() => '');
    return (text.match(/^[0-9a-f]{8}$/gm) ?? []).map((line) => Number.parseInt(line, 16));
  }

  /** Looks until this host's guest has printed so many; the test's own time limit ends a wait in vain. */
  async untilPrinted(name: string, count: number): Promise<number[]> {
    for (;;) {
      const numbers = await this.numbers(name);
      if (numbers.length >= count) return numbers;
      await this.report(name).catch(() => {});
    }
  }

  override async close(): Promise<void> {
    await super.close();
    await this.#disk?.stop();
  }
}

async function newHosts(t: TestContext, { mirrored = false } = {}): Promise<CountingHosts> {
  const hosts = new CountingHosts(await mkdtemp(join(tmpdir(), 'us-loss-')), mirrored);
  t.after(async () => {
    await hosts.close();
    await rm(hosts.directory, { recursive: true, force: true });
  });
  return hosts;
}

function owns({ replicas }: HostReport): boolean {
  const status = replicas[0]?.status;
  return status?.role === 'primary' && status.generation > 0;
}

test(
  'both replicas and their daemons are killed at once: the third host brings the machine up, with all that was durable',
  LIMIT,
  async (t) => {
    const hosts = await newHosts(t);
    await hosts.protect('a', 'b', 'c');
    await hosts.untilPrinted('a', 20);
    const pids = [(await hosts.replica('a')).pid, (await hosts.replica('b')).pid];
    for (const pid of pids) process.kill(pid, 'SIGKILL');
    await Promise.all([hosts.killDaemon('a'), hosts.killDaemon('b')]);
    const promised = (await hosts.numbers('a')).at(-1)!;
    await hosts.until('c', owns);
    const [first] = await hosts.untilPrinted('c', 20);
    assert.ok(first! > promised, `it goes on with ${first}, and had promised ${promised}`);
    await hosts.start('a');
    await hosts.until('c', (report) => report.replicas[0]?.status?.phase === 'paired');
    await hosts.understudy('c', 'stop', NAME);
  },
);

test('an owner that is stopped for longer than its lease says nothing more when it is continued', LIMIT, async (t) => {
  const hosts = await newHosts(t);
  await hosts.protect('a', 'b');
  await hosts.untilPrinted('a', 20);
  const owner = await hosts.replica('a');
  const backup = await hosts.replica('b');
  process.kill(owner.pid, 'SIGSTOP');
  process.kill(backup.pid, 'SIGKILL');
  await hosts.untilPrinted('b', 20);
  const printed = await hosts.numbers('a');
  const [first] = await hosts.numbers('b');
  assert.ok(first! > printed.at(-1)!);
  process.kill(owner.pid, 'SIGCONT');
  const { ended } = await hosts.until('a', (report) => report.ended.length > 0);
  assert.ok(['lost-claim', 'fenced'].includes(ended[0]!.code), JSON.stringify(ended));
  assert.deepEqual(await hosts.numbers('a'), printed);
  await hosts.until('b', owns);
  await hosts.understudy('b', 'stop', NAME);
});

test('a machine that a person has stopped stays down', LIMIT, async (t) => {
  const hosts = await newHosts(t);
  await hosts.protect('a', 'b');
  await hosts.untilPrinted('a', 5);
  await hosts.understudy('b', 'stop', NAME);
  // Its note goes after four times to live: a lost machine would long have been started.
  const store = await openStore(join(hosts.directory, 'arbiter'));
  while ((await readRenewal(store, NAME)) !== undefined);
  await store.close();
  for (const name of ['a', 'b']) assert.deepEqual((await hosts.report(name)).replicas, []);
  await hosts.understudy('a', 'start', NAME);
  await hosts.understudy('a', 'stop', NAME);
});

test(
  'with mirrored disks a host with a whole image starts the machine again, and one without does not',
  LIMIT,
  async (t) => {
    const hosts = await newHosts(t, { mirrored: true });
    await hosts.protect('a', 'b', 'c');
    await hosts.untilPrinted('a', 20);
    const pids = [(await hosts.replica('a')).pid, (await hosts.replica('b')).pid];
    for (const pid of pids) process.kill(pid, 'SIGKILL');
    await hosts.killDaemon('a');
    const promised = (await hosts.numbers('a')).at(-1)!;
    await hosts.until('b', owns);
    const [first] = await hosts.untilPrinted('b', 20);
    assert.ok(first! > promised, `it goes on with ${first}, and had promised ${promised}`);
    await hosts.until('b', (report) => report.replicas[0]?.status?.phase === 'paired');
    await hosts.understudy('b', 'stop', NAME);
  },
);
