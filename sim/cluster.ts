/**
 * A cluster in one process: two hosts, an arbiter, a disk server, a network segment with clients; everything in simulated
 * time, everything decided by one seed. The replicas are the unmodified state machines of core/replication.
 */
import type { Input, Output } from '../src/core/machine/doors.ts';
import { Backup } from '../src/core/replication/backup.ts';
import type { Loss } from '../src/core/replication/loss-watch.ts';
import { Primary } from '../src/core/replication/primary.ts';
import {
  DEFAULT_BOUNDS,
  DEFAULT_TIMING,
  type ReplicaAction,
  type ReplicaOptions,
  type ReplicaPhase,
} from '../src/core/replication/replica.ts';
import { DEFAULT_TRANSFER } from '../src/core/replication/transfer.ts';
import { gatherPages, sealPiece } from '../src/core/vm/page-pieces.ts';
import { type ArbiterFaults, noArbiterFaults, SimArbiter } from './arbiter.ts';
import { SimClient } from './client.ts';
import { type DiskBugs, SimDisk } from './disk.ts';
import { Journal } from './journal.ts';
import { LEASE, LEASE_PACES, type LeaseBugs, SimLeases, SimWatcher } from './leases.ts';
import { Link, Way } from './link.ts';
import { NET } from './machine.ts';
import { boots, type Claimant, type MirrorBugs, SimImage, SimMirror } from './mirror.ts';
import { type ReplicaLike, SimProcess } from './process.ts';
import { Random } from './random.ts';
import { SimReads } from './reads.ts';
import { Schedule } from './schedule.ts';
import { Segment } from './segment.ts';
import type { Moment } from './turns.ts';

export interface ClusterOptions {
  readonly seed: number;
  readonly resumeMs?: number;
  /** Whether the journal keeps a story for people; the run is the same with and without. */
  readonly story?: boolean;
  /** Puts something around a replica: a planted bug. */
  readonly wrap?: (replica: ReplicaLike, role: 'primary' | 'backup') => ReplicaLike;
  /** Hosts that stand by: while fewer replicas than two work, a fresh one comes up within this time, as a backup. */
  readonly spareWithinMs?: number;
  /** Each host has an image of the disk, instead of the disk server. */
  readonly mirrored?: boolean;
  /** Who reads again what the guest reads: nobody, because the log has it ('log'), or the backup (reads.ts). */
  readonly reads?: 'log' | 'backup';
  /** `onTotalLoss: restart`: owners have leases, and hosts that stand by start the machine again (leases.ts). */
  readonly leases?: LeaseBugs;
  /** Bugs planted in the disk server, or in the images. */
  readonly diskBugs?: DiskBugs & MirrorBugs;
}

const CLIENTS = 3;
const SPARES = [
  'carol',
  'dave',
  'erin',
  'frank',
  'grace',
  'heidi',
  'ivan',
  'judy',
  'mallory',
  'niaj',
  'olivia',
  'peggy',
];
const LOOK_FOR_SPARES_MS = 20;
/** Hosts that start a lost machine again, with `leases`. */
const WATCHERS = ['walter', 'xenia'];

/** A connection, with its number on either side. The first end is the one that was called. */
interface Connection {
  readonly link: Link;
  readonly ids: readonly [number, number];
  readonly ends: readonly [SimProcess, SimProcess];
}

export class Cluster {
  readonly schedule = new Schedule();
  readonly random: Random;
  readonly journal: Journal;
  readonly arbiter: SimArbiter;
  readonly disk: SimDisk;
  /** From the primary's host to the backup's, and back. */
  readonly ways: readonly [Way, Way];
  readonly segment: Segment;
  /** By host, if there are any. */
  readonly images = new Map<string, SimImage>();
  readonly #mirrors = new Map<SimProcess, SimMirror>();
  readonly processes: SimProcess[] = [];
  readonly clients: SimClient[] = [];
  readonly #options: ClusterOptions;
  readonly #faults = new Map<SimProcess, ArbiterFaults>();
  readonly pasts = new Map<bigint, readonly Output[]>();
  /** All connections that were ever made. */
  readonly #connections: Connection[] = [];
  #nextChannel = 1000;
  /** The first process of the machine's present life. */
  #firstOfLife = 0;
  #spares = 0;
  #powered = true;
  readonly reads: SimReads | undefined;
  readonly #leases: SimLeases | undefined;
  readonly watchers: SimWatcher[] = [];
  /** Between these clocks may go when they go wrong. */
  readonly paces: readonly [number, number];
  /** Called when a replica enters a phase, hears from its arbiter or says something. */
  onMoment: (moment: Moment) => void = () => {};

  constructor(options: ClusterOptions) {
    this.#options = options;
    this.random = new Random(options.seed);
    this.journal = new Journal(() => this.schedule.nowMs, options.story ?? true);
    this.arbiter = new SimArbiter(this.schedule, this.random);
    this.disk = new SimDisk(this.schedule, this.random, this.journal, options.diskBugs);
    this.segment = new Segment(this.schedule, this.random);
    this.ways = [new Way(this.schedule, this.random), new Way(this.schedule, this.random)];
    for (let number = 0; number < CLIENTS; number++) {
      const send = (frame: Uint8Array): void => this.#fromClient(frame);
      this.clients.push(new SimClient(number, send, this.schedule, this.random, this.journal));
    }
    if (options.reads === 'backup') this.reads = new SimReads(this);
    const { leases } = options;
    this.paces = leases === undefined ? [0.8, 1.2] : LEASE_PACES;
    if (leases !== undefined) this.#leases = new SimLeases(this, leases);
  }

  get primary(): SimProcess {
    return this.processes[0]!;
  }

  get backup(): SimProcess {
    return this.processes[1]!;
  }

  /** Starts both replicas and the clients. */
  start(): void {
    this.startProcess('alice', 'primary');
    this.#startBackupSoon('bob');
    for (const client of this.clients) client.start();
    if (this.sparesStandBy) this.schedule.after(LOOK_FOR_SPARES_MS, () => this.#lookForSpares());
    if (this.#leases === undefined) return;
    for (const name of WATCHERS) this.watchers.push(new SimWatcher(name, this, this.#leases, this.#options.leases!));
  }

  /** A host that stands by takes the machine for lost. With images, only one that may boot is of use. */
  restart(name: string, loss: Loss): void {
    this.journal.tell(name, `takes the machine for lost in generation ${loss.generation}`);
    // A host has one replica of a machine: another process, if only a stopped one, holds its lock.
    const held = new Set(this.processes.filter(({ alive }) => alive).map(({ name }) => hostOf(name)));
    const may = [...this.images].filter(([of, image]) => !held.has(of) && boots(image, this.#claimant));
    const host = this.#options.mirrored === true ? may[0]?.[0] : `${name}-${loss.generation + 1}`;
    if (host !== undefined) this.startProcess(host, 'primary', true, loss);
  }

  /** Not without power, nor in another life. */
  #startBackupSoon(name: string): void {
    const { life } = this.journal;
    this.schedule.after(this.random.between(0, 20), () => {
      if (this.#powered && this.journal.life === life) this.startProcess(name, 'backup');
    });
  }

  get sparesStandBy(): boolean {
    return this.#options.spareWithinMs !== undefined;
  }

  /** The processes of the machine's present life that could do something. */
  get working(): SimProcess[] {
    return this.processes.slice(this.#firstOfLife).filter(({ alive, cpuDead }) => alive && !cpuDead);
  }

  /** As a daemon on each host would: what has died is replaced, after a while. */
  #lookForSpares(): void {
    const started = this.#leases !== undefined || this.processes.length - this.#firstOfLife >= 2;
    if (!this.#powered || !started || this.working.length >= 2 || this.#spares >= SPARES.length) {
      return this.schedule.after(LOOK_FOR_SPARES_MS, () => this.#lookForSpares());
    }
    this.schedule.after(this.random.between(0, this.#options.spareWithinMs!), () => {
      if (this.#powered && this.working.length < 2) this.startProcess(SPARES[this.#spares++]!, 'backup');
      this.#lookForSpares();
    });
  }

  entered(process: SimProcess, phase: ReplicaPhase): void {
    this.onMoment({ process, phase });
  }

  startProcess(name: string, role: 'primary' | 'backup', coldStart = false, restart?: Loss): SimProcess {
    const incarnation = this.random.hex(32);
    const options = { ...this.#replicaOptions(incarnation, coldStart), ...this.#leased(restart) };
    const make = (nowMs: number): ReplicaLike => {
      const replica = role === 'primary' ? new Primary(options, nowMs) : new Backup(options, nowMs);
      return this.#options.wrap?.(replica, role) ?? replica;
    };
    const started = new SimProcess(name, incarnation, make, this, this.schedule, this.random, this.journal);
    started.coldStart = coldStart;
    started.restart = restart;
    this.processes.push(started);
    this.#faults.set(started, noArbiterFaults());
    if (this.#options.mirrored === true) this.#mount(started);
    started.start();
    return started;
  }

  /** A restart runs alone, until a backup comes. */
  #leased(restart: Loss | undefined): Partial<ReplicaOptions> {
    if (this.#leases === undefined) return {};
    return { lease: LEASE, restart, alone: restart !== undefined };
  }

  /** The image of a host's name, which its later processes share (alice, alice-2); the first host's holds the disk. */
  #mount(process: SimProcess): void {
    const host = hostOf(process.name);
    const { random, schedule } = this;
    const image = this.images.get(host) ?? new SimImage(random, this.images.size === 0 ? 'complete' : 'incomplete');
    this.images.set(host, image);
    // Before a claim: a lost answer must not make the image a stranger to its own generation.
    if (image.state === 'complete') image.incarnations = [...image.incarnations, process.incarnation];
    const slowMs = (): number => Math.max(this.disk.slowMs, this.disk.usualSlowMs);
    this.#mirrors.set(
      process,
      new SimMirror(image, process, { schedule, random, slowMs, bugs: this.#options.diskBugs ?? {} }),
    );
  }

  /** What the arbiter says of the machine's newest owner. */
  get #claimant(): Claimant {
    const { newest } = this.arbiter;
    return { ...newest, backup: this.arbiter.backupOf(newest.generation) };
  }

  /** The disk, wherever the machine may go on from: one server's, or every image that would boot now. */
  get disks(): { sector(number: number): Uint8Array | undefined }[] {
    if (this.#options.mirrored !== true) return [this.disk];
    const found = [...this.images.values()].filter((image) => boots(image, this.#claimant));
    // Then all that was promised is lost.
    return found.length > 0 ? found : [{ sector: () => undefined }];
  }

  faultsOf(of: SimProcess): ArbiterFaults {
    return this.#faults.get(of)!;
  }

  healArbiter(of: SimProcess): void {
    Object.assign(this.faultsOf(of), noArbiterFaults());
  }

  /** The process is gone; its host's kernel says so, or (`silently`) nobody does. */
  kill(victim: SimProcess, silently: boolean): void {
    victim.kill(silently ? 'its host loses power' : 'SIGKILL');
    if (silently) this.#mirrors.get(victim)?.image.losePower();
    for (const { link, ends } of this.#connections) {
      const end = ends.indexOf(victim);
      if (end !== 0 && end !== 1) continue;
      if (silently) link.vanish(end);
      else link.close(end, 'reset by peer');
    }
  }

  /** Both hosts and the disk server lose their power at once; a while later a person starts the machine again. */
  losePower(outageMs: number): void {
    this.journal.tell('power', 'fails everywhere');
    for (const process of this.processes) this.kill(process, true);
    this.disk.losePower();
    this.#powered = false;
    for (const watcher of this.watchers) watcher.powered = false;
    this.schedule.after(outageMs, () => {
      this.journal.life++;
      for (const watcher of this.watchers) watcher.powered = true;
      const who = this.#leases === undefined ? ': a person starts the machine again' : '';
      this.journal.tell('power', `is back${who}`);
      this.#firstOfLife = this.processes.length;
      this.#powered = true;
      // Nobody need do it: the hosts that stand by find it lost.
      if (this.#leases !== undefined) return;
      const [first, second] = this.#hostsToStart();
      this.startProcess(`${first}-${this.journal.life}`, 'primary', true);
      this.#startBackupSoon(`${second}-${this.journal.life}`);
    });
  }

  /** With images of their own, a host that has the newest one is the first to start. */
  #hostsToStart(): [string, string] {
    const claimant = this.#claimant;
    const may = [...this.images].filter(([, image]) => boots(image, claimant)).map(([host]) => host);
    if (this.#options.mirrored !== true || may.length === 0) return ['alice', 'bob'];
    const first = this.random.pick(may);
    return [first, this.random.pick([...this.images.keys(), 'bob'].filter((host) => host !== first))];
  }

  cutLink(): void {
    this.journal.tell('network', 'all channels are cut');
    for (const { link } of this.#connections) link.cut();
  }

  /** Breaks the newest channel only: while a copy is made, the transfer's own. */
  cutNewestLink(): void {
    this.journal.tell('network', 'the newest channel is cut');
    this.#connections.at(-1)?.link.cut();
  }

  perform(process: SimProcess, action: Exclude<ReplicaAction, { type: 'cpu' | 'phase' | 'halt' }>): void {
    const mirror = this.#mirrors.get(process);
    switch (action.type) {
      case 'send':
        return this.#withChannel(process, action.channel, (link, end) => link.send(end, action.message));
      case 'close':
        return this.#withChannel(process, action.channel, (link, end) => link.close(end, 'closed by the peer'));
      case 'connect':
        return this.#connect(process, action.channel);
      case 'arbiter':
        this.journal.tell(process.name, `asks the arbiter: ${action.request.op}`);
        return this.arbiter.ask(
          action.request,
          this.faultsOf(process),
          (reply) => {
            if (process.alive) this.journal.tell(process.name, `the arbiter says: ${reply.op} ${reply.outcome}`);
            process.event({ type: 'arbiter', reply });
            this.onMoment({ process, reply });
          },
          process.restart?.generation,
        );
      case 'lease':
        return this.#leases?.ask(action.request, this.faultsOf(process), (reply) => {
          if (process.alive && reply.outcome === 'lost') this.journal.tell(process.name, 'is not the owner any more');
          process.event({ type: 'lease', reply });
        });
      case 'admit':
        if (mirror !== undefined) return mirror.perform(action);
        return this.disk.admit(action.generation, process.incarnation, (event) => process.event(event));
      case 'disk':
        if (mirror !== undefined) return mirror.perform(action);
        return this.disk.request(action.generation, action.device, action.request, (event) => process.event(event));
      case 'disk-read':
        return (mirror ?? this.disk).read(action.request, (data) => this.reads!.answer(process, action, data));
      case 'disk-join':
      case 'disk-common':
      case 'catch-up':
      case 'catch-up-data':
        return mirror?.perform(action);
      case 'copy':
        return this.#copy(process, action);
      case 'emit':
        return this.#emit(process, action);
      case 'announce':
        return;
    }
  }

  #replicaOptions(incarnation: string, coldStart: boolean): ReplicaOptions {
    return {
      vm: 'sim',
      machine: 'sim',
      incarnation,
      token: this.random.hex(32),
      alone: false,
      coldStart,
      onDivergence: 'stop',
      mirrored: this.#options.mirrored ?? false,
      ...(this.reads === undefined ? {} : { reads: 'backup' }),
      transfer: {
        ...DEFAULT_TRANSFER,
        pagesPerPiece: 2,
        copiesAtOnce: 2,
        windowBytes: 48 * 1024,
        cutPages: 3,
        maxCutPages: 8,
        cutTargetMs: 5,
        stallMs: 300,
        cutOverMs: 250,
      },
      bounds: { ...DEFAULT_BOUNDS, logBufferBytes: 256 * 1024, heldOutputBytes: 16 * 1024 },
      timing: {
        ...DEFAULT_TIMING,
        suspicionMs: 200,
        backupExtraMs: 100,
        ownPauseMs: 60,
        cpuSilenceMs: 150,
        retryMs: 20,
        hashIntervalMs: 300,
        resumeMs: this.#options.resumeMs ?? 0,
        // Shorter than a lease by as much as usual.
        ...(this.#leases === undefined ? {} : { inboundKeepMs: 40 }),
      },
    };
  }

  /** Whoever is or was a primary listens; a second channel leads to the same one. */
  #connect(from: SimProcess, channel: number): void {
    const already = this.#connections.findLast(({ ends, link }) => ends[1] === from && !link.closed(1));
    const life = this.processes.slice(this.#firstOfLife);
    const listening = life.filter((one) => one !== from && one.alive && one.status().role === 'primary');
    const to = already?.ends[0] ?? (listening.length > 0 ? this.random.pick(listening) : undefined);
    if (to === undefined || !to.alive || this.ways.some(({ stalled }) => stalled)) {
      this.schedule.after(20, () => from.event({ type: 'channel-closed', channel, why: 'no answer' }));
      return;
    }
    const there = this.#nextChannel++;
    const link: Link = new Link(this.ways, [
      {
        message: (message) => to.event({ type: 'message', channel: there, message }),
        closed: (why) => to.event({ type: 'channel-closed', channel: there, why }),
      },
      {
        message: (message) => from.event({ type: 'message', channel, message }),
        closed: (why) => from.event({ type: 'channel-closed', channel, why }),
      },
    ]);
    this.#connections.push({ link, ids: [there, channel], ends: [to, from] });
    to.event({ type: 'channel-open', channel: there });
    from.event({ type: 'channel-open', channel });
  }

  #withChannel(process: SimProcess, channel: number, use: (link: Link, end: 0 | 1) => void): void {
    for (const { link, ids, ends } of this.#connections) {
      const end = ends.indexOf(process);
      if ((end === 0 || end === 1) && ids[end] === channel) return use(link, end);
    }
  }

  /** The copier reads the pages at some moment while the machine runs, but for those that were read in the cut. */
  #copy(process: SimProcess, { transfer, pages }: ReplicaAction & { type: 'copy' }): void {
    this.schedule.after(this.random.between(0.1, 2), () => {
      const read = (page: number): Uint8Array => process.machine.readPage(page);
      const gathered = 'content' in pages ? pages : gatherPages(pages, 0, read).gathered;
      process.event({ type: 'copied', transfer, bytes: sealPiece(gathered) });
    });
  }

  #emit(process: SimProcess, { generation, outputs }: ReplicaAction & { type: 'emit' }): void {
    this.onMoment({ process, emits: true, mirrored: this.#options.mirrored === true });
    for (const { sequence, output } of outputs) {
      this.journal.left(process.name, generation, sequence, output);
      if (output.kind === 'entropy') {
        const { device, id, length } = output;
        const input: Input = { kind: 'entropy', device, id, data: this.random.bytes(length) };
        this.schedule.after(this.random.between(0.1, 2), () => process.event({ type: 'input', input }));
      } else if (output.kind === 'net-tx' && process.uplink) {
        this.segment.carry(() => {
          for (const client of this.clients) client.receive(output.frame);
        });
      }
    }
  }

  /** The segment delivers to every host that is plugged in. */
  #fromClient(frame: Uint8Array): void {
    for (const process of this.processes) {
      if (!process.uplink) continue;
      const input: Input = { kind: 'net-rx', device: NET, frame };
      // The service knows what it has answered, but not what it had before it was started again, as a connection's end would.
      const { lives } = this.journal;
      this.segment.carry(() => process.event({ type: 'input', input }, () => this.journal.lives === lives));
    }
  }
}

/** Of a process: its later ones have a number. */
function hostOf(name: string): string {
  return name.replace(/-\d+$/, '');
}
