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
import type { StatusLine } from '../../../src/host/replica/status.ts';

const run = promisify(execFile);
const READY = 'understudy: ready';
export const MACHINE = 'power-cut';
const MEMBERS: readonly PairMember[] = ['primary', 'backup', 'disk', 'hub'];

/** What outlives a power cut, in the directory of the storage. */
export class PowerCutMachine {
  readonly directory: string;
  readonly redisPort: number;

  private constructor(directory: string, redisPort: number) {
    this.directory = directory;
    this.redisPort = redisPort;
  }

  get disk(): string {
    return join(this.directory, 'disk.img');
  }

  get stateDirectory(): string {
    return join(this.directory, 'state');
  }

  get arbiterDirectory(): string {
    return join(this.stateDirectory, 'arbiter');
  }

  /** A new one, flushed: as if it had been there for a long time. */
  static async create(directory: string, image: BuiltImage, redisPort: number): Promise<PowerCutMachine> {
    const machine = new PowerCutMachine(directory, redisPort);
    await run('cp', ['--sparse=always', image.disk, machine.disk]);
    await mkdir(machine.stateDirectory);
    const { kernel, initramfs, manifest } = image;
    const network = { uplink: 'passt', forwards: [`127.0.0.1:${redisPort}:6379`] };
    const shared = { name: MACHINE, memory: '512M', kernel, initramfs, commandLine: manifest.commandLine };
    const description = { ...shared, disk: machine.disk, network };
    await writeFile(machine.descriptionFile, JSON.stringify(description)); // YAML holds JSON
    // The same machine for somebody who has neither its disk nor its network.
    await writeFile(machine.bareDescriptionFile, JSON.stringify({ ...shared, network: null }));
    await run('sync', ['-f', directory]);
    return machine;
  }

  get descriptionFile(): string {
    return join(this.directory, 'machine.yaml');
  }

  get bareDescriptionFile(): string {
    return join(this.directory, 'bare.yaml');
  }
}

export class PowerCutPair {
  console = '';
  /** The highest generation that a replica has been in. */
  generation = 0;
  readonly #lines: string[] = [];
  readonly #alone = new Set<string>();
  #pair!: Pair;
  #looks: (() => void)[] = [];
  #ended = 0;

  /** Starts it, and waits until the guest's services answer, at most for `limitMs`. */
  static async start(machine: PowerCutMachine, limitMs: number): Promise<PowerCutPair> {
    const pair = new PowerCutPair();
    const { descriptionFile, stateDirectory } = machine;
    pair.#pair = await Pair.start({
      descriptionFile,
      description: await loadDescription(descriptionFile),
      stateDirectory,
      onStatus: (member, line) => pair.#status(member, line),
      onNotice: (member, line) => pair.#note(`${member}: ${line}`),
      onReplicaEnd: (member, { code, signal }) => {
        pair.#ended++;
        pair.#note(`${member}: process ended (${signal ?? code})`);
      },
    });
    try {
      await pair.#until(() => pair.console.includes(READY), limitMs, 'the guest has not come up');
    } catch (error) {
      await pair.killAll();
      throw error;
    }
    return pair;
  }

  #status(member: string, line: StatusLine): void {
    if (line.type === 'console') this.console += line.data;
    else if (line.type !== 'halt') {
      this.generation = Math.max(this.generation, line.generation);
      if (line.phase === 'alone') this.#alone.add(member);
    }
    this.#tell();
  }

  #note(line: string): void {
    this.#lines.push(line);
    this.#tell();
  }

  #tell(): void {
    for (const look of [...this.#looks]) look();
  }

  async #until(condition: () => boolean, limitMs: number, complaint: string): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      const end = (settle: () => void): void => {
        clearTimeout(timer);
        this.#looks = this.#looks.filter((other) => other !== look);
        settle();
      };
      const fail = (): void => end(() => reject(new Error(`${complaint}:\n${this.story}`)));
      const timer = setTimeout(fail, limitMs);
      const look = (): void => {
        if (condition()) end(resolve);
        else if (this.#ended === 2) fail();
      };
      this.#looks.push(look);
      look();
    });
  }

  get story(): string {
    return [...this.console.split('\n').slice(-20), ...this.#lines.slice(-40)].join('\n');
  }

  /** Kills the primary, and waits until the backup goes on: the cut then meets a later generation. */
  async failOver(): Promise<void> {
    this.#pair.signal('primary', 'SIGKILL');
    await this.#until(() => this.#alone.has('backup'), 30_000, 'nobody goes on');
  }

  /** SIGKILL to every process, without a word before. */
  async killAll(): Promise<void> {
    for (const member of MEMBERS) this.#pair.signal(member, 'SIGKILL');
    await this.#pair.stop();
  }
}
