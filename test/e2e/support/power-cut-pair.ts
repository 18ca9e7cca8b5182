/**
 * A pair on this host with everything that it keeps (the disk's image, the disk server's state, the arbiter's records) on storage that
 * forgets what was not flushed. All of its processes can be killed at once.
 */
import { execFile } from 'node:child_process';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { loadDescription } from '../../../src/host/description/load.ts';
import type { BuiltImage } from '../../../src/host/image/manifest.ts';
import { Pair, type PairMember } from '../../../src/host/pair/pair.ts';
import { fileSystemProblems } from './file-system-check.ts';
import { VolatileStorage } from './power-cut.ts';
import { MACHINE, type PowerCutMachine, type PowerCutPair } from './power-cut-machine.ts';
import { PowerCutStory } from './power-cut-story.ts';
import type { Random } from './random.ts';

const run = promisify(execFile);
const READY = 'understudy: ready';
const MEMBERS: readonly PairMember[] = ['primary', 'backup', 'disk', 'hub'];
const STORAGE_BYTES = 2 ** 31;

export class SharedPowerCut implements PowerCutMachine {
  readonly redisPort: number;
  readonly #storage: VolatileStorage;

  private constructor(storage: VolatileStorage, redisPort: number) {
    this.#storage = storage;
    this.redisPort = redisPort;
  }

  /** A new one, flushed: as if it had been there for a long time. */
  static async create(image: BuiltImage, redisPort: number): Promise<SharedPowerCut> {
    const machine = new SharedPowerCut(await VolatileStorage.create(STORAGE_BYTES), redisPort);
    await run('cp', ['--sparse=always', image.disk, machine.#disk]);
    await mkdir(machine.#stateDirectory);
    const { kernel, initramfs, manifest } = image;
    const network = { uplink: 'passt', forwards: [`127.0.0.1:${redisPort}:6379`] };
    const shared = { name: MACHINE, memory: '512M', kernel, initramfs, commandLine: manifest.commandLine };
    const description = { ...shared, disk: machine.#disk, network };
    await writeFile(machine.#descriptionFile, JSON.stringify(description)); // YAML holds JSON
    await writeFile(machine.bareDescriptionFile, JSON.stringify({ ...shared, network: null }));
    await run('sync', ['-f', machine.#directory]);
    return machine;
  }

  get #directory(): string {
    return this.#storage.mountPoint;
  }

  get #disk(): string {
    return join(this.#directory, 'disk.img');
  }

  get #stateDirectory(): string {
    return join(this.#directory, 'state');
  }

  get arbiterDirectory(): string {
    return join(this.#stateDirectory, 'arbiter');
  }

  get #descriptionFile(): string {
    return join(this.#directory, 'machine.yaml');
  }

  get bareDescriptionFile(): string {
    return join(this.#directory, 'bare.yaml');
  }

  start(limitMs: number): Promise<PowerCutPair> {
    return SharedPair.start(this.#descriptionFile, this.#stateDirectory, limitMs);
  }

  cutPower(): Promise<void> {
    return this.#storage.cutPower();
  }

  powerOn(): Promise<void> {
    return this.#storage.powerOn();
  }

  diskProblems(): Promise<string[]> {
    return fileSystemProblems(this.#disk);
  }

  remove(): Promise<void> {
    return this.#storage.remove();
  }
}

class SharedPair implements PowerCutPair {
  readonly #story = new PowerCutStory();
  #pair!: Pair;

  static async start(descriptionFile: string, stateDirectory: string, limitMs: number): Promise<SharedPair> {
    const pair = new SharedPair();
    const story = pair.#story;
    pair.#pair = await Pair.start({
      descriptionFile,
      description: await loadDescription(descriptionFile),
      stateDirectory,
      onStatus: (member, line) => story.status(member, line),
      onNotice: (member, line) => story.note(`${member}: ${line}`),
      onReplicaEnd: (member, { code, signal }) => story.ended(member, signal ?? code),
    });
    try {
      await story.until(() => story.console.includes(READY), limitMs, 'the guest has not come up');
    } catch (error) {
      await pair.killAll();
      throw error;
    }
    return pair;
  }

  get console(): string {
    return this.#story.console;
  }

  get generation(): number {
    return this.#story.generation;
  }

  /** In some rounds the cut meets a later generation. */
  async prepare(random: Random): Promise<string> {
    if (random(3) !== 0) return 'redundant';
    this.#pair.signal('primary', 'SIGKILL');
    await this.#story.until(() => this.#story.phaseOf('backup') === 'alone', 30_000, 'nobody goes on');
    return 'failed over';
  }

  async beforeCut(): Promise<string> {
    return '';
  }

  async endProblems(): Promise<string[]> {
    await this.killAll();
    return [];
  }

  async killAll(): Promise<void> {
    for (const member of MEMBERS) this.#pair.signal(member, 'SIGKILL');
    await this.#pair.stop();
  }
}
