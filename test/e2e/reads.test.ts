/**
 * `reads: backup` with real processes and a Debian guest that reads its disk with a cold cache: the log holds none of what it reads,
 * the machines stay equal, and after two failovers and a state transfer between them the guest still reads the same.
 */
import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { before, type TestContext, test } from 'node:test';
import { buildImage } from '../../src/host/image/build-image.ts';
import type { BuiltImage } from '../../src/host/image/manifest.ts';
import { startChild } from '../../src/host/processes.ts';
import { makeReadingGuest, TURN_MIB } from './support/reading-guest.ts';
import { ReplicaChild } from './support/replica-child.ts';

const TURN = /^turn (\d+): (.*)$/;

let image: BuiltImage;
before(async () => {
  image = await buildImage();
});

/** The words that start replicas of one machine on hosts a, b and c, as far as files go. */
class Hosts {
  readonly #directory: string;
  readonly #disk: readonly string[];
  readonly replicas: ReplicaChild[] = [];

  private constructor(directory: string, disk: readonly string[]) {
    this.#directory = directory;
    this.#disk = disk;
  }

  static async create(t: TestContext, kind: 'shared' | 'mirrored'): Promise<Hosts> {
    const directory = await mkdtemp(join(tmpdir(), 'us-reads-'));
    for (const name of ['arbiter', 'a', 'b', 'c']) await mkdir(join(directory, name));
    const first = join(directory, 'a', 'disk.img');
    const guest = await makeReadingGuest(image, first);
    const size = `${(await stat(first)).size / 2 ** 20}M`;
    const where = kind === 'shared' ? { path: 'disk.img' } : { mirrored: { path: 'disk.img', size } };
    const machine = {
      name: 'reader',
      ...guest,
      disk: { ...where, reads: 'backup' },
      timeouts: { hashInterval: '250ms' },
    };
    for (const name of ['a', 'b', 'c']) await writeFile(join(directory, name, 'machine.yaml'), JSON.stringify(machine));
    const server = `unix:${join(directory, 'disk')}`;
    const hosts = new Hosts(directory, kind === 'shared' ? ['--disk', server] : []);
    const words = ['disk', first, '--name', 'reader', '--arbiter', join(directory, 'arbiter'), '--listen', server];
    const child = kind === 'shared' ? await startChild(words) : undefined;
    t.after(async () => {
      for (const replica of hosts.replicas) replica.close();
      await child?.stop();
      await rm(directory, { recursive: true, force: true });
    });
    return hosts;
  }

  primary(host: string): Promise<ReplicaChild> {
    return this.#start('primary', host, ['--create']);
  }

  backup(host: string, of: string): Promise<ReplicaChild> {
    return this.#start('backup', host, ['--primary', this.#socket(of)]);
  }

  async #start(verb: string, host: string, more: readonly string[]): Promise<ReplicaChild> {
    const arbiter = ['--arbiter', join(this.#directory, 'arbiter'), '--unsafe-arbiter'];
    const words = [verb, join(this.#directory, host, 'machine.yaml'), ...arbiter, '--listen', this.#socket(host)];
    const replica = await ReplicaChild.start(this.#directory, [...words, ...this.#disk, ...more]);
    this.replicas.push(replica);
    return replica;
  }

  #socket(host: string): string {
    return `unix:${join(this.#directory, host, 'log')}`;
  }
}

function turnsOf({ console }: ReplicaChild): { readonly turn: number; readonly sum: string }[] {
  return console.flatMap((line) => {
    const found = TURN.exec(line);
    return found === null ? [] : [{ turn: Number(found[1]), sum: found[2]! }];
  });
}

for (const kind of ['shared', 'mirrored'] as const) {
  test(`a guest reads its ${kind} disk, and both hosts read it, through two failovers`, {
    timeout: 200_000,
  }, async (t) => {
    const hosts = await Hosts.create(t, kind);
    const a = await hosts.primary('a');
    const b = await hosts.backup('b', 'a');
    await b.until(() => b.phase === 'paired');
    const startBytes = a.logBytes;
    const startTurns = turnsOf(a).length;
    await a.until(() => turnsOf(a).length >= startTurns + 2);
    const logMib = (a.logBytes - startBytes) / 2 ** 20;
    t.diagnostic(`${logMib.toFixed(2)} MiB of log for ${2 * TURN_MIB} MiB read`);
    assert.ok(logMib < TURN_MIB, `${logMib} MiB of log`);
    assert.equal(b.phase, 'paired', b.said.join('\n'));

    await a.kill();
    await b.until(() => b.phase === 'alone' && turnsOf(b).length >= 1);
    const c = await hosts.backup('c', 'b');
    await c.until(() => c.phase === 'paired');
    const turns = turnsOf(b).length;
    await b.until(() => turnsOf(b).length > turns);
    assert.equal(c.phase, 'paired', c.said.join('\n'));

    await b.kill();
    await c.until(() => c.phase === 'alone' && turnsOf(c).length >= 1);
    const all = [a, b, c].flatMap(turnsOf);
    const seen = all.map(({ turn }) => turn);
    assert.deepEqual(
      seen,
      seen.toSorted((one, other) => one - other),
    );
    assert.match(all[0]!.sum, /^[0-9a-f]{16}$/);
    assert.deepEqual(new Set(all.map(({ sum }) => sum)), new Set([all[0]!.sum]), 'the files never change');
  });
}
