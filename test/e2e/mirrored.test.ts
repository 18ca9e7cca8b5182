/**
 * A mirrored disk on two hosts and more, with real processes: the guest writes, flushes and prints; primaries are killed; hosts come back
 * with what they had, and new ones with nothing. Every number that was printed is on every image that may go on, and in the end
 * the images are equal.
 */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdir, mkdtemp, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import net from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { type TestContext, test } from 'node:test';
import { type Child, startChild } from '../../src/host/processes.ts';
import type { StatusLine } from '../../src/host/replica/status.ts';
import { DISK_BYTES, diskWriter, numberAt } from './support/disk-writer.ts';

/** A replica process on a host of its own, as far as files go. */
class Replica {
  readonly said: string[] = [];
  phase = '';
  /** Numbers that its guest printed, in order. */
  readonly printed: number[] = [];
  #console = '';
  #child!: Child;
  readonly #server: net.Server;
  readonly #sockets = new Set<net.Socket>();
  #looks: (() => void)[] = [];

  private constructor(server: net.Server) {
    this.#server = server;
  }

  static async start(directory: string, words: readonly string[]): Promise<Replica> {
    const server = net.createServer();
    const replica = new Replica(server);
    server.on('connection', (socket) => {
      replica.#sockets.add(socket);
      socket.on('error', () => {});
      createInterface({ input: socket }).on('line', (line) => replica.#status(JSON.parse(line) as StatusLine));
    });
    const status = join(directory, `status-${Math.random().toString(36).slice(2)}`);
    server.listen(status);
    await once(server, 'listening');
    const onError = (line: string): void => {
      replica.said.push(line);
      replica.#tell();
    };
    try {
      replica.#child = await startChild([...words, '--status', `unix:${status}`], { onError });
    } catch (error) {
      server.close();
      throw error;
    }
    return replica;
  }

  get pid(): number {
    return this.#child.pid;
  }

  #status(line: StatusLine): void {
    if (line.type === 'phase' || line.type === 'status') this.phase = line.phase;
    if (line.type === 'console') {
      const lines = (this.#console + line.data).split('\n');
      this.#console = lines.pop()!;
      this.printed.push(...lines.map((text) => Number.parseInt(text, 16)));
    }
    this.#tell();
  }

  #tell(): void {
    for (const look of this.#looks) look();
  }

  /** The test's own time limit ends a wait in vain. */
  async until(condition: () => boolean): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      const look = (): void => {
        if (condition()) resolve();
      };
      this.#looks.push(look);
      void this.#child.ended.then(({ code, signal }) => {
        if (!condition()) reject(new Error(`ended (${signal ?? code}):\n${this.said.join('\n')}`));
      });
      look();
    });
  }

  async kill(): Promise<void> {
    this.#child.process.kill('SIGKILL');
    await this.#child.ended;
    this.close();
  }

  async ended(): Promise<number | null> {
    return (await this.#child.ended).code;
  }

  close(): void {
    this.#child.process.kill('SIGKILL');
    for (const socket of this.#sockets) socket.destroy();
    this.#server.close();
  }
}

class Hosts {
  readonly directory: string;
  readonly replicas: Replica[] = [];

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

  async primary(host: string, ...more: readonly string[]): Promise<Replica> {
    await rm(join(this.directory, host, 'log'), { force: true });
    return this.#add(await Replica.start(this.directory, ['primary', ...this.#words(host), ...more]));
  }

  async backup(host: string, of: string): Promise<Replica> {
    await rm(join(this.directory, host, 'log'), { force: true });
    const words = ['backup', ...this.#words(host), '--primary', this.#socket(of)];
    return this.#add(await Replica.start(this.directory, words));
  }

  #add(replica: Replica): Replica {
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
  await a.until(() => a.printed.length > 20);
  const b = await hosts.backup('b', 'a');
  await b.until(() => b.phase === 'paired');
  const paired = a.printed.length;
  await a.until(() => a.printed.length > paired + 200);

  await a.kill();
  assertPrintedIsThere(await hosts.bytes('b'), a.printed);
  await b.until(() => b.phase === 'alone' && b.printed.length > 100);
  const again = await hosts.backup('a', 'b');
  await again.until(() => again.phase === 'paired');
  assert.ok(
    b.said.some((line) => /image lacks \d+ of 64 regions$/.test(line)),
    b.said.join('\n'),
  );
  const before = b.printed.length;
  await b.until(() => b.printed.length > before + 200);

  await b.kill();
  assertPrintedIsThere(await hosts.bytes('a'), [...a.printed, ...b.printed]);
  await again.until(() => again.phase === 'alone');
  const c = await hosts.backup('c', 'a');
  await c.until(() => c.phase === 'paired');
  assert.deepEqual(await Promise.all([again.ended(), c.ended()]), [0, 0]);

  const printed = [...a.printed, ...b.printed, ...again.printed];
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
  await b.until(() => b.phase === 'alone' && b.printed.length > 100);
  await b.kill();
  await assert.rejects(hosts.primary('a'), /is stale: it was last in generation 0/);
  const started = await hosts.primary('b');
  await started.until(() => started.printed.length > 20);
  const returned = await hosts.backup('a', 'b');
  await returned.until(() => returned.phase === 'paired');
  assert.ok(
    started.said.some((line) => /image lacks \d+ of 64 regions$/.test(line)),
    started.said.join('\n'),
  );
});
