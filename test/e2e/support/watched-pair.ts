/**
 * A pair of the demo's guest for tests: on a fresh copy of its disk, with ports of its own, and with links that can be cut
 * between the replicas and between the primary and the hub. Remembers what the replicas said of themselves.
 */
import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, open, rm, writeFile } from 'node:fs/promises';
import net from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { loadDescription } from '../../../src/host/description/load.ts';
import type { BuiltImage } from '../../../src/host/image/manifest.ts';
import { parseAddress } from '../../../src/host/net/address.ts';
import { Pair, type PairMember } from '../../../src/host/pair/pair.ts';
import type { StatusLine } from '../../../src/host/replica/status.ts';
import { Link } from './link.ts';

export type Member = 'primary' | 'backup';

export interface Event {
  readonly atMs: number;
  readonly member: PairMember;
  readonly what: string;
}

export interface ReplicaView {
  phase: string;
  generation: number;
  halt: string | undefined;
  /** How its process ended: a signal's name, 'status 0' ..., or undefined while it lives. */
  end: string | undefined;
}

const READY = 'understudy: ready';

export class WatchedPair {
  readonly redisPort: number;
  readonly streamPort: number;
  readonly views: Readonly<Record<Member, ReplicaView>> = { primary: newView(), backup: newView() };
  readonly events: Event[] = [];
  /** The last status of each. */
  readonly status: Partial<Record<Member, StatusLine & { type: 'status' }>> = {};
  /** The guest's console, as the two replicas let it out. */
  console = '';
  /** Between the replicas: forward is from the backup to the primary. */
  logLink!: Link;
  /** Between the primary, as started, and the hub: forward is what the primary sends. */
  hubLink!: Link;
  #pair!: Pair;
  readonly #directory: string;
  #waiting: (() => void)[] = [];
  #stopping = false;

  private constructor(directory: string, redisPort: number, streamPort: number) {
    this.#directory = directory;
    this.redisPort = redisPort;
    this.streamPort = streamPort;
  }

  /** Starts it, and waits until the guest's services answer. */
  static async start(image: BuiltImage): Promise<WatchedPair> {
    const directory = await mkdtemp(join(tmpdir(), 'understudy-e2e-'));
    const pair = new WatchedPair(directory, await freePort(), await freePort());
    try {
      await pair.#start(image);
      await pair.until(() => pair.console.includes(READY));
    } catch (error) {
      await pair.stop();
      throw error;
    }
    return pair;
  }

  async #start(image: BuiltImage): Promise<void> {
    const descriptionFile = join(this.#directory, 'machine.yaml');
    const disk = join(this.#directory, 'disk.img');
    await copyDisk(image.disk, disk);
    const forwards = [`127.0.0.1:${this.redisPort}:6379`, `127.0.0.1:${this.streamPort}:7000`];
    const { kernel, initramfs, manifest } = image;
    const network = { uplink: 'passt', forwards };
    const machine = {
      name: 'e2e',
      memory: '512M',
      kernel,
      initramfs,
      commandLine: manifest.commandLine,
      disk,
      network,
    };
    await writeFile(descriptionFile, JSON.stringify(machine)); // YAML holds JSON
    const stateDirectory = join(this.#directory, 'state');
    await mkdir(stateDirectory);
    this.#pair = await Pair.start({
      descriptionFile,
      description: await loadDescription(descriptionFile),
      stateDirectory,
      onStatus: (member, line) => this.#status(member, line),
      onNotice: (member, line) => this.#note(member, line),
      onReplicaEnd: (member, { code, signal }) => {
        this.views[member].end = signal ?? `status ${code}`;
        this.#note(member, `process ended: ${this.views[member].end}`);
      },
      between: (replica, service, address) => this.#between(replica, service, address),
    });
  }

  async #between(replica: Member, service: string, address: string): Promise<string> {
    if (service !== 'log' && !(service === 'hub' && replica === 'primary')) return address;
    const path = join(this.#directory, `${service}-link`);
    const link = await Link.open({ path }, parseAddress(address));
    if (service === 'log') this.logLink = link;
    else this.hubLink = link;
    return `unix:${path}`;
  }

  #status(member: Member, line: StatusLine): void {
    const view = this.views[member];
    if (line.type === 'console') this.console += line.data;
    else if (line.type === 'halt') view.halt = line.code;
    else {
      view.phase = line.phase;
      view.generation = line.generation;
      if (line.type === 'status') this.status[member] = line;
      if (line.type === 'phase') this.#note(member, `${line.phase} in generation ${line.generation}: ${line.why}`);
    }
    this.#tell();
  }

  #note(member: PairMember, what: string): void {
    this.events.push({ atMs: performance.now(), member, what });
    this.#tell();
  }

  #tell(): void {
    for (const look of [...this.#waiting]) look();
  }

  /** Resolves when `condition` holds; looks after each word of a replica. Rejects if both replicas end before. */
  async until(condition: () => boolean): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      const look = (): void => {
        const dead = this.views.primary.end !== undefined && this.views.backup.end !== undefined;
        if (!condition() && !dead && !this.#stopping) return;
        this.#waiting = this.#waiting.filter((other) => other !== look);
        if (condition()) resolve();
        else reject(new Error(`both replicas have ended:\n${this.story()}`));
      };
      this.#waiting.push(look);
      look();
    });
  }

  signal(member: Member | 'disk', signal: NodeJS.Signals): void {
    this.#pair.signal(member, signal);
  }

  /** What the replicas said, a line each, with the time since `fromMs`. */
  story(fromMs = this.events[0]?.atMs ?? 0): string {
    return this.events
      .map(({ atMs, member, what }) => `${(atMs - fromMs).toFixed(0)} ms ${member}: ${what}`)
      .join('\n');
  }

  async stop(): Promise<void> {
    this.#stopping = true;
    await this.#pair?.stop();
    this.logLink?.close();
    this.hubLink?.close();
    await rm(this.#directory, { recursive: true, force: true });
  }
}

function newView(): ReplicaView {
  return { phase: 'starting', generation: 0, halt: undefined, end: undefined };
}

/** The copy is on the disk before anything starts: else the first fsync of the arbiter, in a failover, would wait for it. */
async function copyDisk(from: string, to: string): Promise<void> {
  await promisify(execFile)('cp', ['--sparse=always', from, to]);
  const file = await open(to, 'r+');
  await file.sync();
  await file.close();
}

export async function freePort(): Promise<number> {
  const server = net.createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as net.AddressInfo;
  await new Promise<void>((resolve) => server.close(() => resolve()));
  return port;
}
