/**
 * Where the disk of the machine in HostsCluster lies: in one image behind a disk server (here), or in an image on each host
 * (hosts-mirrors.ts). Both bring what the installation needs for it, and both can say what is wrong with the disk.
 */
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import type { ArbiterWord } from '../../../src/host/disk/boot-decision.ts';
import { fileSystemProblems } from './file-system-check.ts';
import type { HostLabel } from './hosts-lab.ts';
import type { Host } from './namespaces.ts';
import type { Redundancy } from './replica-watch.ts';
import { UnderstudyProcess } from './understudy-process.ts';

export const DISK_KINDS = ['shared', 'mirrored'] as const;
export type DiskKind = (typeof DISK_KINDS)[number];

export interface HostsDisk {
  readonly kind: DiskKind;
  /** Makes the files, and starts what serves them; before the daemons. */
  start(): Promise<void>;
  /** The disk in the machine's description. */
  readonly description: unknown;
  /** Keys for a host's configuration. */
  hostConfig(label: HostLabel): object;
  /** What `understudy protect` must be told of it. */
  readonly protectOptions: readonly string[];
  /** Of a machine that is redundant. */
  pairProblems(pair: Redundancy, word: ArbiterWord): Promise<string[]>;
  /**
   * Of a machine whose only complete replica, on `owner`, has died while `receiver` was given a copy. Whether that one's disk is as
   * good depends on how far the copy was.
   */
  lossProblems(owner: HostLabel, receiver: HostLabel, word: ArbiterWord): Promise<string[]>;
  /** Resolves when the guest, left alone, writes no more; false if it does not cease. */
  untilQuiet(): Promise<boolean>;
  /** When no replica runs any more. `pair`: it was redundant and quiet when it was stopped. */
  stoppedProblems(pair: Redundancy | undefined, word: ArbiterWord): Promise<string[]>;
  /** What its processes have said, for people. */
  readonly lines: readonly string[];
  /** Too large to be kept after a failure, below the installation's directory. */
  readonly large: readonly string[];
}

export type SharedDiskOptions = {
  readonly directory: string;
  /** The image that is copied. */
  readonly from: string;
  readonly store: Host;
  readonly address: string;
  readonly machine: string;
  /** Arbiter and keys of the disk server, as its command takes them. */
  readonly words: readonly string[];
};

export class SharedDisk implements HostsDisk {
  readonly kind = 'shared';
  readonly large = ['disk.img'];
  readonly #options: SharedDiskOptions;
  #server: UnderstudyProcess | undefined;

  constructor(options: SharedDiskOptions) {
    this.#options = options;
  }

  get #image(): string {
    return join(this.#options.directory, 'disk.img');
  }

  get description(): string {
    return this.#options.from; // whoever is told of a disk server looks at its name only
  }

  async start(): Promise<void> {
    const { from, store, address, machine, words } = this.#options;
    execFileSync('cp', ['--sparse=always', from, this.#image]);
    execFileSync('sync', ['-f', this.#image]);
    const serve = ['disk', this.#image, '--listen', address, '--name', machine, ...words];
    this.#server = new UnderstudyProcess(store, serve);
    await this.#server.untilSays(/^the disk server listens/);
  }

  hostConfig(): object {
    return {};
  }

  get protectOptions(): readonly string[] {
    return ['--disk', this.#options.address];
  }

  async pairProblems(): Promise<string[]> {
    return [];
  }

  async lossProblems(): Promise<string[]> {
    return [];
  }

  async untilQuiet(): Promise<boolean> {
    return true;
  }

  async stoppedProblems(): Promise<string[]> {
    return fileSystemProblems(this.#image);
  }

  get lines(): readonly string[] {
    return this.#server?.lines ?? [];
  }
}
