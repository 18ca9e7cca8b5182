/**
 * A pair on two hosts, as far as files go: an image of the disk, its record and a description on each, and the arbiter's records on a
 * third, each behind a write-back cache of its own. The power of all three is cut at once. In some rounds the cut meets a pair that
 * has failed over, one whose old host has returned, or an image that is catching up.
 */
import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import net from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout } from 'node:timers/promises';
import { promisify } from 'node:util';
import { OperatingError } from '../../../src/core/base/error.ts';
import { openDirectoryArbiter } from '../../../src/host/arbiter/directory.ts';
import { bootDecision } from '../../../src/host/disk/boot-decision.ts';
import { MirrorRecordFile, recordPathOf } from '../../../src/host/disk/mirror-record-file.ts';
import type { BuiltImage } from '../../../src/host/image/manifest.ts';
import { type Child, startChild } from '../../../src/host/processes.ts';
import type { StatusLine } from '../../../src/host/replica/status.ts';
import { fileSystemProblems } from './file-system-check.ts';
import { differences, untilIdle } from './mirror-images.ts';
import { VolatileStorage } from './power-cut.ts';
import { MACHINE, type PowerCutMachine, type PowerCutPair } from './power-cut-machine.ts';
import { PowerCutStory } from './power-cut-story.ts';
import type { Random } from './random.ts';

const run = promisify(execFile);
const READY = 'understudy: ready';
const STORAGE_BYTES = { host: 2 ** 31, arbiter: 2 ** 28 } as const;
const REGION_BYTES = 256 * 1024;
const PAIRED_MS = 60_000;
/** Longer than an image takes to catch up here, by the regions that it lacks and by all of them. */
const CATCH_UP_MS = { marked: 400, all: 4000 } as const;

const NAMES = ['a', 'b'] as const;
type Name = (typeof NAMES)[number];
const otherOf = (name: Name): Name => (name === 'a' ? 'b' : 'a');

type Storages = Readonly<Record<Name | 'arbiter', VolatileStorage>>;

export class MirroredPowerCut implements PowerCutMachine {
  readonly redisPort: number;
  readonly #storages: Storages;
  /** The host that is started first. After a cut, it may turn out that its image is not the newest. */
  readonly #first: Name;
  #starts = 0;

  private constructor(storages: Storages, redisPort: number, first: Name) {
    this.#storages = storages;
    this.redisPort = redisPort;
    this.#first = first;
  }

  /** A new one, flushed, with an image on the first host only. */
  static async create(image: BuiltImage, redisPort: number, random: Random): Promise<MirroredPowerCut> {
    const storages = {
      a: await VolatileStorage.create(STORAGE_BYTES.host),
      b: await VolatileStorage.create(STORAGE_BYTES.host),
      arbiter: await VolatileStorage.create(STORAGE_BYTES.arbiter),
    };
    const machine = new MirroredPowerCut(storages, redisPort, NAMES[random(2)]!);
    await run('cp', ['--sparse=always', image.disk, machine.imageOf('a')]);
    await mkdir(machine.arbiterDirectory);
    const { kernel, initramfs, manifest } = image;
    const network = { uplink: 'passt', forwards: [`127.0.0.1:${redisPort}:6379`] };
    const plain = { name: MACHINE, memory: '512M', kernel, initramfs, commandLine: manifest.commandLine };
    const disk = { mirrored: { path: 'disk.img', size: `${(await stat(image.disk)).size / 2 ** 20}M` } };
    for (const name of NAMES) {
      await writeFile(machine.descriptionOf(name), JSON.stringify({ ...plain, disk, network })); // YAML holds JSON
    }
    await writeFile(machine.bareDescriptionFile, JSON.stringify({ ...plain, network: null }));
    for (const { mountPoint } of Object.values(storages)) await run('sync', ['-f', mountPoint]);
    return machine;
  }

  get arbiterDirectory(): string {
    return join(this.#storages.arbiter.mountPoint, 'arbiter');
  }

  get bareDescriptionFile(): string {
    return join(this.#storages.arbiter.mountPoint, 'bare.yaml');
  }

  descriptionOf(name: Name): string {
    return join(this.#storages[name].mountPoint, 'machine.yaml');
  }

  imageOf(name: Name): string {
    return join(this.#storages[name].mountPoint, 'disk.img');
  }

  async start(limitMs: number): Promise<PowerCutPair> {
    const isNew = this.#starts++ === 0;
    const pair = new MirroredPair(this);
    try {
      await pair.start(isNew ? 'a' : this.#first, isNew, limitMs);
    } catch (error) {
      await pair.killAll();
      throw error;
    }
    return pair;
  }

  async cutPower(): Promise<void> {
    for (const storage of Object.values(this.#storages)) await storage.cutPower();
  }

  async powerOn(): Promise<void> {
    for (const storage of Object.values(this.#storages)) await storage.powerOn();
  }

  async remove(): Promise<void> {
    for (const storage of Object.values(this.#storages)) await storage.remove();
  }

  /** Those whose image may boot, by the arbiter's word and their own records. */
  async newest(): Promise<Name[]> {
    const arbiter = await openDirectoryArbiter({ directory: this.arbiterDirectory });
    const owner = await arbiter.owner(MACHINE);
    const pair = owner === undefined ? undefined : await arbiter.readPair(MACHINE, owner.generation);
    await arbiter.close();
    const found: Name[] = [];
    for (const name of NAMES) {
      const path = this.imageOf(name);
      const record = await MirrorRecordFile.read(recordPathOf(path)).catch(() => undefined);
      if (record === undefined) continue;
      const { verdict } = bootDecision(record, { owner, pair }, { vm: MACHINE, path, acceptDataLoss: false });
      if (verdict === 'boots') found.push(name);
    }
    return found;
  }

  async diskProblems(): Promise<string[]> {
    const newest = await this.newest();
    if (newest.length === 0) return ['no image may boot'];
    const found = await Promise.all(newest.map((name) => fileSystemProblems(this.imageOf(name))));
    return found.flatMap((problems, i) => problems.map((what) => `the image of ${newest[i]}: ${what}`));
  }
}

class MirroredPair implements PowerCutPair {
  readonly #machine: MirroredPowerCut;
  readonly #story = new PowerCutStory();
  readonly #children = new Map<Name | 'hub', Child>();
  readonly #servers: net.Server[] = [];
  #sockets = '';
  #primary: Name = 'a';

  constructor(machine: MirroredPowerCut) {
    this.#machine = machine;
  }

  async start(first: Name, isNew: boolean, limitMs: number): Promise<void> {
    this.#sockets = await mkdtemp(join(tmpdir(), 'understudy-'));
    const words = ['hub', this.#machine.descriptionOf('a'), '--listen', this.#socket('hub')];
    this.#children.set('hub', await startChild(words, { onError: (line) => this.#story.note(`hub: ${line}`) }));
    this.#primary = isNew ? await this.#startPrimary(first, '--create') : await this.#startNewest(first);
    await this.#startBackup(otherOf(this.#primary));
    const story = this.#story;
    await story.until(() => story.console.includes(READY), limitMs, 'the guest has not come up');
    await this.#untilPaired();
  }

  /** As a person would: the one, and if its image is not the newest, the other. */
  async #startNewest(first: Name): Promise<Name> {
    try {
      return await this.#startPrimary(first);
    } catch (error) {
      if (!(error instanceof OperatingError) || !/is stale|is incomplete/.test(error.message)) throw error;
      this.#story.note(error.message);
      return this.#startPrimary(otherOf(first));
    }
  }

  #startPrimary(name: Name, ...more: readonly string[]): Promise<Name> {
    return this.#startReplica(name, ['primary', ...more]);
  }

  #startBackup(name: Name): Promise<Name> {
    return this.#startReplica(name, ['backup', '--primary', this.#socket(otherOf(name))]);
  }

  async #startReplica(name: Name, [verb = '', ...more]: readonly string[]): Promise<Name> {
    await rm(join(this.#sockets, name), { force: true });
    const story = this.#story;
    story.began(name);
    const status = await this.#listenForStatus(name);
    const child = await startChild(
      [
        ...[verb, this.#machine.descriptionOf(name), '--listen', this.#socket(name), '--hub', this.#socket('hub')],
        ...['--arbiter', this.#machine.arbiterDirectory, '--unsafe-arbiter', '--status', `unix:${status}`],
        ...['--diagnoses', join(this.#sockets, 'diagnoses'), ...more],
      ],
      { onError: (line) => story.note(`${name}: ${line}`) },
    );
    this.#children.set(name, child);
    void child.ended.then(({ code, signal }) => {
      if (this.#children.get(name) === child) story.ended(name, signal ?? code);
    });
    return name;
  }

  async #listenForStatus(name: Name): Promise<string> {
    const path = join(this.#sockets, `status-${name}-${this.#servers.length}`);
    const server = net.createServer((connection) => {
      connection.on('error', () => {});
      createInterface({ input: connection }).on('line', (line) => {
        this.#story.status(name, JSON.parse(line) as StatusLine);
      });
    });
    this.#servers.push(server);
    server.listen(path);
    await once(server, 'listening');
    server.unref();
    return path;
  }

  #socket(of: Name | 'hub'): string {
    return `unix:${join(this.#sockets, of)}`;
  }

  get console(): string {
    return this.#story.console;
  }

  get generation(): number {
    return this.#story.generation;
  }

  #untilPaired(): Promise<void> {
    const paired = (): boolean => NAMES.every((name) => this.#story.phaseOf(name) === 'paired');
    return this.#story.until(paired, PAIRED_MS, 'the pair does not become complete');
  }

  /** Kills one, and waits until the other goes on alone. */
  async #lose(name: Name): Promise<void> {
    await this.#kill(name);
    this.#primary = otherOf(name);
    const alone = (): boolean => this.#story.phaseOf(this.#primary) === 'alone';
    await this.#story.until(alone, 30_000, 'nobody goes on');
  }

  async prepare(random: Random): Promise<string> {
    const choice = random(4);
    if (choice > 1) return 'redundant';
    const dead = this.#primary;
    await this.#lose(dead);
    if (choice === 0) return 'failed over';
    await this.#startBackup(dead);
    await this.#untilPaired();
    return 'failed over, and redundant again';
  }

  async beforeCut(random: Random): Promise<string> {
    if (random(3) !== 0) return '';
    const name = otherOf(this.#primary);
    const all = random(2) === 0;
    const inMs = random(CATCH_UP_MS[all ? 'all' : 'marked']);
    if (this.#story.phaseOf(name) !== undefined) await this.#lose(name);
    if (all) {
      const image = this.#machine.imageOf(name);
      for (const path of [image, recordPathOf(image)]) await rm(path, { force: true });
    }
    const seen = this.#story.lines.length;
    await this.#startBackup(name);
    const begun = (): boolean => this.#story.lines.slice(seen).some((line) => line.includes('image lacks'));
    await this.#story.until(begun, 30_000, 'the image does not catch up');
    await setTimeout(inMs);
    return `${inMs} ms into a catch-up of ${all ? 'everything' : 'what was marked'}`;
  }

  /** The host that started second has caught up by what was marked before the cut, and by what was written since: was that all? */
  async endProblems(): Promise<string[]> {
    const images = [this.#machine.imageOf('a'), this.#machine.imageOf('b')] as const;
    const idle = await untilIdle(images);
    const paired = NAMES.every((name) => this.#story.phaseOf(name) === 'paired');
    await this.#children.get(this.#primary)!.stop();
    await this.killAll();
    if (!paired) return [`the pair is not complete:\n${this.#story.text}`];
    if (!idle) return ['the guest has nothing to do, and does not cease to write'];
    return [...(await fileSystemProblems(images[0])), ...(await differences(...images, REGION_BYTES))];
  }

  async #kill(name: Name | 'hub'): Promise<void> {
    const child = this.#children.get(name);
    child?.process.kill('SIGKILL');
    await child?.ended;
  }

  async killAll(): Promise<void> {
    for (const child of this.#children.values()) child.process.kill('SIGKILL');
    for (const name of [...NAMES, 'hub'] as const) await this.#kill(name);
    for (const server of this.#servers) server.close();
    await rm(this.#sockets, { recursive: true, force: true });
  }
}
