/**
 * A mirrored disk on two hosts and more, with real processes: the guest writes, flushes and prints; primaries are killed; hosts come back
 * with what they had, and new ones with nothing. Every number that was printed is on every image that may go on, and in the end
 * the images are equal.
 */
import assert from 'node:assert/strict';
import { mkdir, mkdtemp, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { DISK_BYTES, diskWriter, numberAt } from './support/disk-writer.ts';
import { ReplicaChild } from './support/replica-child.ts';

/** Numbers that its guest printed, in order. */
function printedBy({ console }: ReplicaChild): number[] {
  return console.map((line) => Number.parseInt(line, 16));
}

class Hosts {
  readonly directory: string;
  readonly replicas: ReplicaChild[] = [];

  private constructor(directory: string) {
    this.directory = directory;
  }

  static async create(t: TestContext, guest: Uint8Array): Promise<Hosts> {
    const hosts = new Hosts(await mkdtemp(join(tmpdir(), 'us-mirror-')));
    t.after(async () => {
      for (const replica of hosts.replicas) replica.close();
      await rm(hosts.directory, { recursive: true, force: true });
    });
    await mkdir(join(hosts.directory, 'arbiter'));
    for (const name of ['a', 'b', 'c']) {
      await mkdir(join(hosts.directory, name));
      await writeFile(join(hosts.directory, name, 'guest.elf'), guest);
      const disk = { mirrored: { path: 'disk.img', size: `${DISK_BYTES / 2 ** 20}M` } };
      const machine = { name: 'twin', memory: '32M', kernel: 'guest.elf', network: null, disk };
      await writeFile(join(hosts.directory, name, 'machine.yaml'), JSON.stringify(machine));
    }
    await writeFile(hosts.image('a'), '');
    await truncate(hosts.image('a'), DISK_BYTES);
    return hosts;
  }

  image(host: string): string {
    return join(this.directory, host, 'disk.img');
  }

  async bytes(host: string): Promise<Buffer> {
    return readFile(this.image(host));
  }

  #words(host: string): string[] {
    const machine = join(this.directory, host, 'machine.yaml');
    return [machine, '--arbiter', join(this.directory, 'arbiter'), '--unsafe-arbiter', '--listen', this.#socket(host)];
  }

  #socket(host: string): string {
    return `unix:${join(this.directory, host, 'log')}`;
  }

  async primary(host: string, ...more: readonly string[]): Promise<ReplicaChild> {
    await rm(join(this.directory, host, 'log'), { force: true });
    return this.#add(await ReplicaChild.start(this.directory, ['primary', ...this.#words(host), ...more]));
  }

  async backup(host: string, of: string): Promise<ReplicaChild> {
    await rm(join(this.directory, host, 'log'), { force: true });
    const words = ['backup', ...this.#words(host), '--primary', this.#socket(of)];
    return this.#add(await ReplicaChild.start(this.directory, words));
  }

  #add(replica: ReplicaChild): ReplicaChild {
    this.replicas.push(replica);
    return replica;
  }
}

/** The newest number printed for each region is there, or a later one of the same region. */
function assertPrintedIsThere(image: Buffer, printed: readonly number[]): void {
  const newest = new Map(printed.map((number) => [number % 64, number]));
  for (const number of newest.values()) {
    const there = numberAt(image, number);
    assert.ok(there >= number && there % 64 === number % 64, `${number} was printed, ${there} is there`);
  }
}

function assertInOrder(printed: readonly number[]): void {
  // What was printed around a failover may be printed again (PROTOCOL.md, 15); nothing is left out.
  for (const [i, number] of printed.entries()) {
    if (i > 0) assert.ok(number <= printed[i - 1]! + 1, `${number} follows ${printed[i - 1]}`);
  }
}

test('no flushed write is lost by a mirrored pair that loses its primary twice, and the images end equal', {
  timeout: 140_000,
}, async (t) => {
  const LAST = 6000;
  const hosts = await Hosts.create(t, diskWriter(LAST, 150_000));
  const a = await hosts.primary('a', '--create');
  await a.until(() => a.console.length > 20);
  const b = await hosts.backup('b', 'a');
  await b.until(() => b.phase === 'paired');
  const paired = a.console.length;
  await a.until(() => a.console.length > paired + 200);

  await a.kill();
  assertPrintedIsThere(await hosts.bytes('b'), printedBy(a));
  await b.until(() => b.phase === 'alone' && b.console.length > 100);
  const again = await hosts.backup('a', 'b');
  await again.until(() => again.phase === 'paired');
  assert.ok(
    b.said.some((line) => /image lacks \d+ of 64 regions$/.test(line)),
    b.said.join('\n'),
  );
  const before = b.console.length;
  await b.until(() => b.console.length > before + 200);

  await b.kill();
  assertPrintedIsThere(await hosts.bytes('a'), [...printedBy(a), ...printedBy(b)]);
  await again.until(() => again.phase === 'alone');
  const c = await hosts.backup('c', 'a');
  await c.until(() => c.phase === 'paired');
  assert.deepEqual(await Promise.all([again.ended(), c.ended()]), [0, 0]);

  const printed = [...printedBy(a), ...printedBy(b), ...printedBy(again)];
  assertInOrder(printed);
  assert.equal(printed.at(-1), LAST);
  const [image, other] = [await hosts.bytes('a'), await hosts.bytes('c')];
  assertPrintedIsThere(image, printed);
  assert.ok(image.equals(other), 'the images are equal');
});

test('after the loss of both hosts the newest image starts, the other one is refused, and catches up', {
  timeout: 100_000,
}, async (t) => {
  const hosts = await Hosts.create(t, diskWriter(1_000_000, 150_000));
  const a = await hosts.primary('a', '--create');
  const b = await hosts.backup('b', 'a');
  await b.until(() => b.phase === 'paired');
  await a.kill();
  await b.until(() => b.phase === 'alone' && b.console.length > 100);
  await b.kill();
  await assert.rejects(hosts.primary('a'), /is stale: it was last in generation 0/);
  const started = await hosts.primary('b');
  await started.until(() => started.console.length > 20);
  const returned = await hosts.backup('a', 'b');
  await returned.until(() => returned.phase === 'paired');
  assert.ok(
    started.said.some((line) => /image lacks \d+ of 64 regions$/.test(line)),
    started.said.join('\n'),
  );
});
