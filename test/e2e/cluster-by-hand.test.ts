/**
 * Two hosts by hand, as docs say: each replica in a network namespace of its own, with a cable between the two and one from each
 * to the outside, where hub, disk server and clients are. Each host has its own keys. The cable between the replicas is pulled.
 */
import assert from 'node:assert/strict';
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import net from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { test } from 'node:test';
import { buildImage } from '../../src/host/image/build-image.ts';
import type { StatusLine } from '../../src/host/replica/status.ts';
import { describeCertificates, initAuthority, makeHostKeys } from '../../src/host/tls/keys.ts';
import { RedisLoad } from './support/redis-load.ts';
import { StreamClient } from './support/stream-client.ts';
import { freePort } from './support/watched-pair.ts';

const UNDERSTUDY = join(import.meta.dirname, '../../understudy');

function ip(...words: string[]): void {
  execFileSync('ip', words, { stdio: ['ignore', 'ignore', 'pipe'] });
}

/** Why namespaces cannot be had here; false if they can. */
function whyNot(): string | false {
  const name = `understudy-try-${process.pid}`;
  try {
    ip('netns', 'add', name);
    ip('netns', 'delete', name);
    return false;
  } catch (error) {
    return `needs root and network namespaces: ${error instanceof Error ? error.message.trim() : error}`;
  }
}

/** Two hosts, a and b, as namespaces; addresses from the range for tests between devices (RFC 2544). */
class Hosts {
  readonly a = `understudy-a-${process.pid}`;
  readonly b = `understudy-b-${process.pid}`;
  readonly #outside = { a: `usa${process.pid}`, b: `usb${process.pid}` };

  make(): void {
    for (const host of [this.a, this.b]) {
      ip('netns', 'add', host);
      ip('-n', host, 'link', 'set', 'lo', 'up');
    }
    ip('-n', this.a, 'link', 'add', 'peer', 'type', 'veth', 'peer', 'name', 'peer', 'netns', this.b);
    this.#address(this.a, 'peer', '198.18.0.1/30');
    this.#address(this.b, 'peer', '198.18.0.2/30');
    for (const [host, outside, third] of [
      [this.a, this.#outside.a, 1],
      [this.b, this.#outside.b, 2],
    ] as const) {
      ip('link', 'add', outside, 'type', 'veth', 'peer', 'name', 'out', 'netns', host);
      ip('address', 'add', `198.18.${third}.1/30`, 'dev', outside);
      ip('link', 'set', outside, 'up');
      this.#address(host, 'out', `198.18.${third}.2/30`);
    }
  }

  #address(host: string, device: string, address: string): void {
    ip('-n', host, 'address', 'add', address, 'dev', device);
    ip('-n', host, 'link', 'set', device, 'up');
  }

  /** The outside's address, as `host` reaches it. */
  outsideOf(host: string): string {
    return host === this.a ? '198.18.1.1' : '198.18.2.1';
  }

  pullCable(): void {
    ip('-n', this.a, 'link', 'set', 'peer', 'down');
  }

  remove(): void {
    for (const host of [this.a, this.b]) {
      try {
        ip('netns', 'delete', host);
      } catch {
        // was not made
      }
    }
  }
}

/** A process of the cluster: what it says on standard error, and how it ends. */
class Started {
  readonly lines: string[] = [];
  end: number | string | undefined;
  readonly #child: ChildProcess;
  readonly #ended: Promise<unknown>;
  #waiting: (() => void)[] = [];

  constructor(host: string | undefined, words: readonly string[]) {
    const [program, ...rest] = [...(host === undefined ? [] : ['ip', 'netns', 'exec', host]), UNDERSTUDY, ...words];
    this.#child = spawn(program, rest, { stdio: ['pipe', 'pipe', 'pipe'] });
    this.#ended = once(this.#child, 'close').then(([code, signal]) => {
      this.end = signal ?? code;
      this.#tell();
    });
    for (const stream of [this.#child.stdout!, this.#child.stderr!]) {
      createInterface({ input: stream }).on('line', (line) => {
        this.lines.push(line);
        this.#tell();
      });
    }
  }

  #tell(): void {
    for (const look of [...this.#waiting]) look();
  }

  says(text: RegExp): boolean {
    return this.lines.some((line) => text.test(line));
  }

  async until(condition: () => boolean): Promise<void> {
    await new Promise<void>((resolve) => {
      const look = (): void => {
        if (condition()) resolve();
      };
      this.#waiting.push(look);
      look();
    });
  }

  /** Waits for a line. Fails if the process ends without it. */
  async untilSays(text: RegExp): Promise<void> {
    await this.until(() => this.says(text) || this.end !== undefined);
    assert.ok(this.says(text), `ended without ${text}:\n${this.lines.join('\n')}`);
  }

  async stop(): Promise<void> {
    this.#child.kill('SIGTERM');
    await this.#ended;
  }
}

/** The console as the primary reports it to `path`; resolves when the guest is ready. */
async function guestReady(path: string): Promise<{ ready: Promise<void>; close: () => void }> {
  const { promise: ready, resolve } = Promise.withResolvers<void>();
  let console = '';
  const server = net.createServer((socket) => {
    socket.on('error', () => {});
    createInterface({ input: socket }).on('line', (text) => {
      const line = JSON.parse(text) as StatusLine;
      if (line.type === 'console') console += line.data;
      if (console.includes('understudy: ready')) resolve();
    });
  });
  server.listen(path);
  await once(server, 'listening');
  server.unref();
  return { ready, close: () => server.close() };
}

test('replicas on two hosts, the cable between them pulled: exactly one goes on', {
  skip: whyNot(),
}, async (context) => {
  const image = await buildImage();
  const directory = await mkdtemp(join(tmpdir(), 'understudy-hosts-'));
  const hosts = new Hosts();
  const started: Started[] = [];
  context.after(async () => {
    for (const process of started.reverse()) await process.stop();
    hosts.remove();
    await rm(directory, { recursive: true, force: true });
  });
  const start = (host: string | undefined, ...words: string[]): Started => {
    const process = new Started(host, words);
    started.push(process);
    return process;
  };
  hosts.make();

  const [redisPort, streamPort, hubPort, diskPort] = [
    await freePort(),
    await freePort(),
    await freePort(),
    await freePort(),
  ];
  const forwards = [`127.0.0.1:${redisPort}:6379`, `127.0.0.1:${streamPort}:7000`];
  const description = join(directory, 'machine.yaml');
  const disk = join(directory, 'disk.img');
  execFileSync('cp', ['--sparse=always', image.disk, disk]);
  const { kernel, initramfs } = image;
  const { commandLine } = image.manifest;
  const machine = { name: 'hosts', kernel, initramfs, commandLine, disk, network: { uplink: 'passt', forwards } };
  await writeFile(description, JSON.stringify(machine));
  const arbiter = join(directory, 'arbiter');
  await mkdir(arbiter);

  const keys = join(directory, 'keys');
  await initAuthority(keys);
  const keysOf = async (name: string, ...addresses: string[]): Promise<string[]> => {
    const { certificate, key, authority } = await makeHostKeys(name, keys, { addresses });
    return ['--tls-certificate', certificate, '--tls-key', key, '--tls-authority', authority];
  };
  const fingerprintOf = async (name: string): Promise<string | undefined> =>
    (await describeCertificates(join(keys, name, 'certificate.pem')))[0]?.fingerprint;
  const outsideKeys = await keysOf('host-c', hosts.outsideOf(hosts.a), hosts.outsideOf(hosts.b));
  const hub = start(undefined, 'hub', description, '--listen', `0.0.0.0:${hubPort}`);
  const diskServer = start(
    undefined,
    'disk',
    disk,
    '--listen',
    `0.0.0.0:${diskPort}`,
    '--name',
    'hosts',
    '--arbiter',
    arbiter,
    ...outsideKeys,
  );
  await Promise.all([hub.untilSays(/^the hub listens/), diskServer.untilSays(/^the disk server listens/)]);
  const common = (host: string): string[] => {
    const outside = hosts.outsideOf(host);
    const services = ['--hub', `${outside}:${hubPort}`, '--disk', `${outside}:${diskPort}`];
    return [description, '--arbiter', arbiter, '--unsafe-arbiter', ...services];
  };
  const status = join(directory, 'status');
  const guest = await guestReady(status);
  context.after(guest.close);
  const listen = ['--listen', '0.0.0.0:7000', '--status', `unix:${status}`, '--create'];
  const keysOfA = await keysOf('host-a', '198.18.0.1');
  const keysOfB = await keysOf('host-b', '198.18.0.2');
  const primary = start(hosts.a, 'primary', ...common(hosts.a), ...listen, ...keysOfA);
  const backup = start(hosts.b, 'backup', ...common(hosts.b), '--primary', '198.18.0.1:7000', ...keysOfB);
  await Promise.all([primary.untilSays(/: paired/), backup.untilSays(/: paired/), guest.ready]);
  await diskServer.untilSays(/^admitted generation 0, incarnation \w+ on host-a$/);
  const record: unknown = JSON.parse(await readFile(join(arbiter, 'hosts', 'pair-0'), 'utf8'));
  const { primaryFingerprint, backupFingerprint } = record as Record<string, unknown>;
  assert.deepEqual(
    [primaryFingerprint, backupFingerprint],
    [await fingerprintOf('host-a'), await fingerprintOf('host-b')],
  );

  const stream = await StreamClient.open(streamPort);
  context.after(() => stream.close());
  const load = await RedisLoad.start(redisPort, 4, 1);
  context.after(() => load.close());
  await load.hasAnswered(400);
  hosts.pullCable();
  await Promise.race([primary, backup].map((replica) => replica.until(() => replica.end !== undefined)));
  const [loser, winner] = primary.end === undefined ? [backup, primary] : [primary, backup];
  assert.equal(loser.end, 0, loser.lines.join('\n'));
  assert.ok(loser.says(/lost-claim/), loser.lines.join('\n'));
  await winner.untilSays(/^generation 1: alone/);
  await Promise.all([load.hasAnswered(load.answers + 400), stream.hasSeen(stream.lines + 15)]);
  const report = await load.finish();
  assert.deepEqual(report.lost, []);
  assert.deepEqual(report.torn, []);
  assert.deepEqual(report.wrongAnswers, []);
  assert.deepEqual(report.brokenConnections, []);
  assert.deepEqual(stream.problems, []);
  assert.equal(winner.end, undefined);
  assert.equal(loser.says(/^generation 1: alone/), false);
});
