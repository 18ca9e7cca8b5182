/**
 * A pair on one host: the hub, the disk server, the arbiter's directory and two replicas, each in a process of its own,
 * started in order and watched. Against the loss of a process this is the whole thing; against the loss of a host the
 * replicas must be on two.
 */
import { once } from 'node:events';
import { type FileHandle, mkdir, mkdtemp, open, rm } from 'node:fs/promises';
import net from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout } from 'node:timers/promises';
import { OperatingError } from '../../core/base/error.ts';
import { defaultEngine, type EngineKind } from '../../core/engine/engine.ts';
import { openDirectoryArbiter } from '../arbiter/directory.ts';
import type { Description } from '../description/description.ts';
import { lockExclusively } from '../disk/file-lock.ts';
import { errorCode } from '../net/address.ts';
import { type Child, startChild } from '../processes.ts';
import { checkLeaseKeeper } from '../replica/lease-keeper.ts';
import type { StatusLine } from '../replica/status.ts';

export type PairMember = 'primary' | 'backup' | 'hub' | 'disk';

export type PairService = 'log' | 'hub' | 'disk';

const RESTART_MS = 500;

export interface PairOptions {
  readonly descriptionFile: string;
  readonly description: Description;
  /** Holds what must outlive the processes: the arbiter's records and the disk's admitted generation. Made if missing. */
  readonly stateDirectory: string;
  /** How the replicas execute instructions; the interpreter, unless told. */
  readonly engines?: { readonly primary: EngineKind; readonly backup: EngineKind };
  /** What a replica reports. `member` is the role in which it was started. */
  readonly onStatus: (member: 'primary' | 'backup', line: StatusLine) => void;
  /** What a process says to people. */
  readonly onNotice: (member: PairMember, line: string) => void;
  /** A replica's process has ended. */
  readonly onReplicaEnd: (member: 'primary' | 'backup', how: { code: number | null; signal: string | null }) => void;
  /**
   * Puts something between a replica and what it connects to, such as a link that can be cut: gets the service's address,
   * and answers with the one that the replica is to use. Called before the replica starts.
   */
  readonly between?: (replica: 'primary' | 'backup', service: PairService, address: string) => Promise<string>;
}

export class Pair {
  readonly #options: PairOptions;
  readonly #children = new Map<PairMember, Child>();
  #sockets = '';
  #stopping = false;
  #restarting: Promise<void> = Promise.resolve();
  /** Open as long as the pair lives: its lock keeps a second pair out. */
  #state: FileHandle | undefined;

  private constructor(options: PairOptions) {
    this.#options = options;
  }

  /** Starts everything. Throws OperatingError, with nothing left running. */
  static async start(options: PairOptions): Promise<Pair> {
    const pair = new Pair(options);
    try {
      await pair.#start();
    } catch (error) {
      await pair.stop();
      throw error;
    }
    return pair;
  }

  async #start(): Promise<void> {
    const { description, descriptionFile, stateDirectory } = this.#options;
    const { name, disk, network } = description;
    checkLeaseKeeper({ description });
    const arbiterDirectory = join(stateDirectory, 'arbiter');
    await makeStateDirectory(arbiterDirectory);
    this.#state = await open(stateDirectory, 'r');
    lockExclusively(this.#state.fd, stateDirectory, 'state directory');
    const arbiter = await openDirectoryArbiter({ directory: arbiterDirectory });
    const isNew = (await arbiter.owner(name)) === undefined;
    await arbiter.close();
    this.#sockets = await mkdtemp(join(tmpdir(), 'understudy-'));
    const socket = (of: string): string => `unix:${join(this.#sockets, of)}`;
    const services: [PairService, string][] = [];
    if (network !== undefined) {
      await this.#service('hub', ['hub', descriptionFile, '--listen', socket('hub')]);
      services.push(['hub', socket('hub')]);
    }
    if (disk !== undefined) {
      const state = ['--arbiter', arbiterDirectory, '--state', join(stateDirectory, 'disk')];
      await this.#service('disk', ['disk', disk.path, '--listen', socket('disk'), '--name', name, ...state]);
      services.push(['disk', socket('disk')]);
    }
    const diagnoses = join(stateDirectory, 'diagnoses');
    const shared = ['--arbiter', arbiterDirectory, '--unsafe-arbiter', '--diagnoses', diagnoses];
    const primary = [...shared, ...(await this.#ways('primary', services)), '--listen', socket('log')];
    const log = await this.#way('backup', 'log', socket('log'));
    const backup = [...shared, ...(await this.#ways('backup', services)), '--primary', log];
    const started = await Promise.allSettled([
      this.#replica('primary', isNew ? [...primary, '--create'] : primary),
      this.#replica('backup', backup),
    ]);
    for (const outcome of started) if (outcome.status === 'rejected') throw outcome.reason;
  }

  async #ways(replica: 'primary' | 'backup', services: readonly [PairService, string][]): Promise<string[]> {
    const words: string[] = [];
    for (const [service, address] of services) words.push(`--${service}`, await this.#way(replica, service, address));
    return words;
  }

  async #way(replica: 'primary' | 'backup', service: PairService, address: string): Promise<string> {
    return (await this.#options.between?.(replica, service, address)) ?? address;
  }

  async #replica(member: 'primary' | 'backup', words: readonly string[]): Promise<void> {
    const path = join(this.#sockets, `status-${member}`);
    const server = net.createServer((connection) => {
      connection.on('error', () => {});
      const lines = createInterface({ input: connection }).on('error', () => {});
      lines.on('line', (line) => this.#options.onStatus(member, JSON.parse(line) as StatusLine));
    });
    server.listen(path);
    await once(server, 'listening');
    server.unref();
    const engine = this.#options.engines?.[member] ?? defaultEngine;
    const child = await this.#child(member, [
      member,
      '--engine',
      engine,
      this.#options.descriptionFile,
      ...words,
      '--status',
      `unix:${path}`,
    ]);
    void child.ended.then((how) => {
      server.close();
      this.#options.onReplicaEnd(member, how);
    });
  }

  /** The hub and the disk server keep nothing that their successor could not find again: one that ends is started again. */
  async #service(member: 'hub' | 'disk', words: readonly string[]): Promise<void> {
    const child = await this.#child(member, words);
    void child.ended.then(async ({ code, signal }) => {
      for (let started = false; !started && !this.#stopping; ) {
        this.#options.onNotice(member, `its process has ended (${signal ?? `status ${code}`}): starting it again`);
        await setTimeout(RESTART_MS, undefined, { ref: false });
        if (this.#stopping) return;
        this.#restarting = this.#service(member, words);
        started = await this.#restarting.then(
          () => true,
          (error: unknown) => {
            this.#options.onNotice(member, error instanceof Error ? error.message : String(error));
            return false;
          },
        );
      }
    });
  }

  async #child(member: PairMember, words: readonly string[]): Promise<Child> {
    const child = await startChild(words, {
      onLine: (line) => this.#options.onNotice(member, line),
      onError: (line) => this.#options.onNotice(member, line),
    });
    this.#children.set(member, child);
    return child;
  }

  pid(member: PairMember): number | undefined {
    return this.#children.get(member)?.pid;
  }

  /** Sends a signal to one of the processes, as anybody with its pid could. */
  signal(member: PairMember, signal: NodeJS.Signals): void {
    this.#children.get(member)?.process.kill(signal);
  }

  /** Resolves when both replicas have ended. */
  async ended(): Promise<void> {
    await Promise.all((['primary', 'backup'] as const).map((member) => this.#children.get(member)?.ended));
  }

  /** Ends what still runs: replicas first, then what they stand on. */
  async stop(): Promise<void> {
    this.#stopping = true;
    await this.#restarting.catch(() => {});
    // The primary takes leave of the backup; the other way round it would go on alone, and claim a generation for that.
    const order: readonly PairMember[] = ['primary', 'backup', 'disk', 'hub'];
    for (const member of order) await this.#children.get(member)?.stop();
    if (this.#sockets !== '') await rm(this.#sockets, { recursive: true, force: true });
    await this.#state?.close();
    this.#state = undefined;
  }
}

/** Makes `path` and what is above it. Throws OperatingError `state-directory`. */
export async function makeStateDirectory(path: string): Promise<void> {
  try {
    await mkdir(path, { recursive: true });
  } catch (error) {
    throw new OperatingError(
      'state-directory',
      `the directory ${path} cannot be made: ${errorCode(error)}`,
      'Name another place for the state of the pair with --state.',
      { cause: error },
    );
  }
}
