/**
 * One replica as a process: around the sans-I/O `Primary` or `Backup` stand the CPU thread, the channel to the peer, the
 * arbiter, the shared disk and the uplink. Each of them makes events; every event's actions are performed at once.
 */
import { randomBytes } from 'node:crypto';
import type { EngineKind } from '../../core/engine/engine.ts';
import type { ArbiterRequest } from '../../core/replication/arbiter-protocol.ts';
import { Backup } from '../../core/replication/backup.ts';
import type { NumberedOutput } from '../../core/replication/cpu-link.ts';
import type { Loss } from '../../core/replication/loss-watch.ts';
import type { Message } from '../../core/replication/message.ts';
import { Primary } from '../../core/replication/primary.ts';
import type {
  HaltReason,
  ReplicaAction,
  ReplicaEvent,
  ReplicaOptions,
  ReplicaPhase,
  ReplicaStatus,
} from '../../core/replication/replica.ts';
import { DEFAULT_BOUNDS, DEFAULT_TIMING } from '../../core/replication/replica.ts';
import { DEFAULT_TRANSFER } from '../../core/replication/transfer.ts';
import { virtioDevice } from '../../core/vm/machine-config.ts';
import type { Arbiter } from '../arbiter/arbiter.ts';
import { openArbiter } from '../arbiter/open.ts';
import { openBootClock } from '../boot-clock.ts';
import type { ControlServer } from '../control/server.ts';
import type { Description, DiskDescription } from '../description/description.ts';
import { digestFiles, machineIdentity, pairDigest } from '../description/identity.ts';
import type { DiskAddress } from '../disk/disk-address.ts';
import type { StreamAddress } from '../net/address.ts';
import { announcementFrames } from '../net/announcement.ts';
import type { Uplink } from '../net/uplink.ts';
import type { CpuThreadState } from '../runner/cpu-thread.ts';
import { loadMachine, macBytes } from '../runner/machine-files.ts';
import { Runner } from '../runner/runner.ts';
import { MachineSnapshots } from '../snapshot/machine-snapshots.ts';
import type { CredentialSource } from '../tls/credentials.ts';
import { watchExpiry } from '../tls/expiry.ts';
import type { TlsPeer } from '../tls/secure.ts';
import { askArbiter } from './arbiter-requests.ts';
import { Channels, type ChannelsEvents } from './channels.ts';
import { Copier } from './copier.ts';
import { Diagnosis } from './diagnosis.ts';
import { checkLeaseKeeper, findLoss, type LeaseKeeper, leaseOptions } from './lease-keeper.ts';
import type { MirroredDisk } from './mirrored-disk.ts';
import { startImage } from './mirrored-start.ts';
import type { ReplicaDisk } from './replica-disk.ts';
import { serveSnapshots } from './replica-snapshots.ts';
import { openReplicaUplink } from './replica-uplink.ts';
import { SharedDisk } from './shared-disk.ts';
import { StatusReporter } from './status.ts';

export interface ReplicaSetup {
  readonly description: Description;
  readonly engine: EngineKind;
  readonly role:
    | {
        readonly kind: 'primary';
        readonly listen: StreamAddress;
        readonly create: boolean;
        readonly alone: boolean;
        /** This host has found the machine lost: a start from its disk that may end this generation alone (PROTOCOL.md, 27). */
        readonly loss?: Loss | undefined;
      }
    | {
        readonly kind: 'backup';
        readonly primary: StreamAddress;
        /** Where it waits for a backup of its own once it has gone live; undefined: it takes none. */
        readonly listen?: StreamAddress;
      };
  /** The keys of this host, for the log channel and the disk; undefined: neither is protected. */
  readonly tls: CredentialSource | undefined;
  /**
   * Whether this host may be the other replica's, asked for each channel under TLS: undefined if so, else why not. Without it any
   * host of the authority may ask to be the backup; the pair's record then says who it is (PROTOCOL.md, 29).
   */
  readonly mayBePeer?: ((peer: TlsPeer) => string | undefined) | undefined;
  readonly arbiter: string;
  readonly unsafeArbiter: boolean;
  readonly diskServer: DiskAddress | undefined;
  /** With a mirrored disk: a person agrees to start from an image that is not the newest. */
  readonly acceptDataLoss?: boolean;
  /** For a machine that hosts start again by themselves; only they can. */
  readonly leaseKeeper?: LeaseKeeper | undefined;
  readonly hub: StreamAddress | undefined;
  readonly status: StreamAddress | undefined;
  /** Where it is kept in what the two machines differed, if they ever do; undefined: nowhere. */
  readonly diagnoses?: string | undefined;
  /** The unix socket at which it is asked for snapshots of its machine (control/); undefined: at none. */
  readonly control?: string | undefined;
  readonly onNotice: (line: string) => void;
  /** The guest's console, as the world may see it. */
  readonly onConsole: (data: Uint8Array) => void;
  readonly onPhase?: (phase: ReplicaPhase, why: string) => void;
}

const STATUS_EVERY_MS = 100;
const READS_BETWEEN_NOTICES = 1000;

export class ReplicaProcess {
  readonly #setup: ReplicaSetup;
  readonly #nowMs = openBootClock();
  readonly #incarnation = randomBytes(16).toString('hex');
  /**
   * The keys as they were at the start. The records of the generations that this replica wins name their certificate, so the
   * disk server must be shown that one, whatever the files hold by then.
   */
  readonly #keys: CredentialSource | undefined;
  readonly #expiry: { close(): void } | undefined;
  readonly #channels: Channels;
  readonly #status: StatusReporter;
  readonly #diagnosis: Diagnosis;
  #replica: Primary | Backup | undefined;
  #arbiter: Arbiter | undefined;
  /** Why the arbiter's last answer was no answer. */
  #arbiterTrouble: string | undefined;
  #disk: ReplicaDisk | undefined;
  /** The same, if each host has an image of it. */
  #mirror: MirroredDisk | undefined;
  #loss: Loss | undefined;
  /** A cold start may end this generation alone. */
  #endsGeneration: number | undefined;
  #readsWanted = 0;
  #runner: Runner | undefined;
  #copier: Copier | undefined;
  #uplink: Uplink | undefined;
  #netDevice = 0;
  #listening: Promise<StreamAddress | undefined> | undefined;
  /** Events that came up while another's actions were being performed. */
  readonly #events: ReplicaEvent[] = [];
  #handling = false;
  #control: ControlServer | undefined;
  #ticks: NodeJS.Timeout | undefined;
  #tickedMs = Number.NEGATIVE_INFINITY;
  #reports: NodeJS.Timeout | undefined;
  #finish: (reason: HaltReason) => void = () => {};
  #fail: (error: unknown) => void = () => {};
  /** Why this replica is over; rejects on a bug or a dead CPU thread. */
  readonly ended: Promise<HaltReason>;

  private constructor(setup: ReplicaSetup) {
    this.#setup = setup;
    this.#keys = setup.tls === undefined ? undefined : { current: setup.tls.current };
    if (this.#keys !== undefined) this.#expiry = watchExpiry(this.#keys.current, setup.onNotice);
    this.#status = new StatusReporter(setup.status);
    const events: ChannelsEvents = {
      onOpen: (channel, certificates) => {
        this.#diagnosis.opened(channel);
        this.#handle({ type: 'channel-open', channel, ...(certificates !== undefined && { certificates }) });
      },
      onMessage: (channel, message) => {
        if (!this.#diagnosis.takes(channel, message)) this.#handle({ type: 'message', channel, message });
      },
      onOtherVersion: (channel, version) => this.#handle({ type: 'other-version', channel, version }),
      onClosed: (channel, why) => {
        this.#diagnosis.closed(channel);
        this.#handle({ type: 'channel-closed', channel, why });
      },
      onRefused: setup.onNotice,
    };
    const tls = setup.tls === undefined ? undefined : { credentials: setup.tls, authorise: setup.mayBePeer };
    this.#channels = new Channels(events, tls);
    this.#diagnosis = this.#newDiagnosis();
    this.ended = new Promise((resolve, reject) => {
      this.#finish = resolve;
      this.#fail = reject;
    });
    this.ended.catch(() => {});
  }

  #newDiagnosis(): Diagnosis {
    const { description, diagnoses: directory, role, onNotice } = this.#setup;
    const { hashIntervalMs } = description.timeouts;
    return new Diagnosis(
      { directory, vm: description.name, incarnation: this.#incarnation, hashIntervalMs },
      {
        nowMs: this.#nowMs,
        ask: (question) => this.#runner!.diagnose(question),
        connect: (channel) => {
          if (role.kind === 'backup') void this.#channels.connect(channel, role.primary).catch(this.#fail);
        },
        send: (channel, message) => this.#channels.send(channel, message),
        close: (channel) => this.#channels.close(channel),
        onNotice,
      },
    );
  }

  /** Opens everything and starts the protocol. Throws OperatingError, with nothing left behind. */
  static async start(setup: ReplicaSetup): Promise<ReplicaProcess> {
    const replica = new ReplicaProcess(setup);
    try {
      await replica.#start();
    } catch (error) {
      await replica.close();
      throw error;
    }
    return replica;
  }

  async #start(): Promise<void> {
    const { description, role } = this.#setup;
    checkLeaseKeeper(this.#setup);
    this.#arbiter = await openArbiter(this.#setup.arbiter, { allowLocal: this.#setup.unsafeArbiter });
    this.#loss = await findLoss(this.#setup);
    const diskBytes = await this.#openDisk();
    if (this.#loss !== undefined) this.#endsGeneration = this.#loss.generation;
    const { config } = await loadMachine(description, diskBytes);
    this.#netDevice = virtioDevice(config.virtio.findIndex((device) => device.kind === 'net'));
    this.#runner = await Runner.start(config, this.#setup.engine, {
      onReport: (report) => {
        this.#diagnosis.report(report, this.status()?.generation ?? 0);
        this.#handle({ type: 'cpu', report });
        if (report.type === 'progress') this.#tick();
      },
      onCrash: (error) => this.#fail(error),
      onNotice: this.#setup.onNotice,
    });
    this.#copier = new Copier(this.#runner.ram, (copied) => this.#handle(copied), this.#fail);
    const identity = machineIdentity(description, await digestFiles(description, diskBytes));
    const options = replicaOptions(this.#setup, pairDigest(identity, description), this.#incarnation, this.#loss);
    if (role.kind === 'primary') {
      this.#listening = this.#channels.listen(role.listen);
      await this.#listening;
      this.#replica = new Primary(options, this.#nowMs());
    } else this.#replica = new Backup(options, this.#nowMs());
    await this.#openUplink();
    await this.#serveSnapshots(new MachineSnapshots(description, identity));
    this.#handle({ type: 'start' });
    this.#ticks = setInterval(() => this.#tick(), options.timing.heartbeatMs);
    this.#reports = setInterval(() => this.#reportStatus(), STATUS_EVERY_MS);
  }

  /** The disk's size; undefined for a machine without one. */
  async #openDisk(): Promise<number | undefined> {
    const { description, diskServer: address, onNotice } = this.#setup;
    const common = { vm: description.name, incarnation: this.#incarnation, onNotice };
    if (address !== undefined) this.#disk = new SharedDisk({ ...common, address, tls: this.#keys });
    else if (description.disk?.mirrored === true) this.#disk = await this.#startImage(description.disk);
    return this.#disk?.sizeBytes();
  }

  async #startImage({ path, sizeBytes }: DiskDescription): Promise<MirroredDisk> {
    const { description, role, onNotice, acceptDataLoss = false } = this.#setup;
    const { disk, endsGeneration } = await startImage(
      {
        path,
        vm: description.name,
        incarnation: this.#incarnation,
        onEvent: (event) => this.#handle(event),
        onNotice,
        onFailure: this.#fail,
      },
      {
        arbiter: this.#arbiter!,
        as: role.kind === 'backup' ? 'backup' : role.create ? 'first' : 'cold',
        sizeBytes,
        acceptDataLoss,
      },
    );
    this.#mirror = disk;
    this.#endsGeneration = endsGeneration;
    return disk;
  }

  async #serveSnapshots(snapshots: MachineSnapshots): Promise<void> {
    const { control, description } = this.#setup;
    if (control === undefined) return;
    const { name } = description;
    const deps = { name, runner: this.#runner!, snapshots, status: () => this.status() };
    this.#control = await serveSnapshots(control, deps);
  }

  async #openUplink(): Promise<void> {
    const { hub, description, onNotice } = this.#setup;
    const own = macBytes(description.mac);
    const isOwn = (frame: Uint8Array): boolean => own.every((byte, i) => frame[6 + i] === byte);
    this.#uplink = await openReplicaUplink(
      { hub, network: description.network, onNotice },
      {
        onFrame: (frame) => {
          if (isOwn(frame)) return this.#handle({ type: 'own-address-seen' });
          this.#handle({ type: 'input', input: { kind: 'net-rx', device: this.#netDevice, frame } });
        },
        onState: (state) => this.#handle({ type: 'uplink', up: state === 'up' }),
      },
    );
  }

  /** A person stops this replica. */
  shutdown(): void {
    this.#handle({ type: 'shutdown' });
  }

  /** A person wants the other host to go on; nothing happens unless the pair is complete. */
  handOver(): void {
    this.#handle({ type: 'hand-over' });
  }

  /** A look inside; undefined after `close`. */
  status(): ReplicaStatus | undefined {
    return this.#replica?.status(this.#nowMs());
  }

  /** How this process is. */
  vitals(): { readonly residentBytes: number; readonly cpu: CpuThreadState | undefined } {
    return { residentBytes: process.memoryUsage.rss(), cpu: this.#runner?.state };
  }

  /** What stands in the way of a decision or of a copy, and how far the image of a mirrored disk is in one. */
  get waits(): {
    readonly arbiter: string | undefined;
    readonly image: { readonly doneBytes: number; readonly totalBytes: number } | undefined;
  } {
    return { arbiter: this.#arbiterTrouble, image: this.#mirror?.copied };
  }

  /** Where a backup may connect; undefined for a backup, and where it cannot listen. */
  async listening(): Promise<StreamAddress | undefined> {
    return this.#listening;
  }

  /** Whoever has gone live takes a backup as a primary does. */
  #listenAfterGoLive(): void {
    const { role, onNotice } = this.#setup;
    if (role.kind !== 'backup' || role.listen === undefined || this.#listening !== undefined) return;
    this.#listening = this.#channels.listen(role.listen).catch((error: unknown) => {
      onNotice(`no backup can connect: ${error instanceof Error ? error.message : String(error)}`);
      return undefined;
    });
  }

  /** With the beats of the CPU thread, for which this process is woken anyway; from a timer only while there are none. */
  #tick(): void {
    const now = performance.now();
    if (now - this.#tickedMs < this.#setup.description.timeouts.heartbeatMs / 2) return;
    this.#tickedMs = now;
    this.#handle({ type: 'tick' });
  }

  #handle(event: ReplicaEvent): void {
    this.#events.push(event);
    if (this.#handling) return;
    this.#handling = true;
    try {
      for (let next = this.#events.shift(); next !== undefined; next = this.#events.shift()) {
        const actions = this.#replica?.handle(next, this.#nowMs()) ?? [];
        for (const action of actions) this.#perform(action);
      }
    } catch (error) {
      this.#fail(error);
    }
    this.#handling = false;
  }

  #perform(action: ReplicaAction): void {
    switch (action.type) {
      case 'send':
        this.#tellOf(action.message);
        this.#diagnosis.sent(action.channel, action.message);
        return this.#channels.send(action.channel, action.message);
      case 'close':
        return this.#channels.close(action.channel);
      case 'connect': {
        const { role } = this.#setup;
        if (role.kind === 'backup') void this.#channels.connect(action.channel, role.primary).catch(this.#fail);
        return;
      }
      case 'arbiter':
        return this.#ask(action.request);
      case 'lease':
        return void this.#setup.leaseKeeper
          ?.ask(action.request)
          .then((reply) => this.#handle({ type: 'lease', reply }))
          .catch(this.#fail);
      case 'admit':
        return this.#admit(action.generation);
      case 'disk':
        return this.#request(action);
      case 'disk-read':
        return this.#read(action);
      case 'disk-join':
      case 'disk-common':
      case 'catch-up':
      case 'catch-up-data':
        return this.#mirror?.perform(action);
      case 'cpu':
        return this.#runner!.send(action.command);
      case 'copy':
        return this.#copier!.copy(action);
      case 'emit':
        return this.#emit(action.outputs);
      case 'announce':
        return this.#announce();
      case 'phase': {
        const { phase, generation, why } = action;
        this.#status.report({ type: 'phase', pid: process.pid, phase, generation, why });
        this.#setup.onNotice(`generation ${generation}: ${phase} (${why})`);
        if (phase === 'alone') this.#listenAfterGoLive();
        this.#setup.onPhase?.(phase, why);
        return;
      }
      case 'halt': {
        const { code, message } = action.reason;
        this.#status.report({ type: 'halt', pid: process.pid, code, message });
        // What is known of a divergence would be gone with this process.
        return void this.#diagnosis.settled().then(() => this.#finish(action.reason));
      }
    }
  }

  /** Somebody is told that he is not let in, or asked for what this host could not read: whoever looks at this side should know too. */
  #tellOf(message: Message): void {
    if (message.type === 'refuse' && message.code !== 'busy')
      this.#setup.onNotice(`refused a peer: ${message.message}`);
    if (message.type === 'read-wanted' && this.#readsWanted++ % READS_BETWEEN_NOTICES === 0) {
      const what = 'this host could not read what the guest reads, or not in time, and asks the primary for it';
      this.#setup.onNotice(
        `${what} (${this.#readsWanted} times so far). Look at its disk, or its way to the disk server`,
      );
    }
  }

  /** Without an answer the protocol asks on for ever; a person should know that it does, but not each time. */
  #ask(request: ArbiterRequest): void {
    const { name } = this.#setup.description;
    void askArbiter(this.#arbiter!, name, request, this.#keys?.current.fingerprint, this.#endsGeneration)
      .then((reply) => {
        const silent = reply.outcome === 'unknown' || reply.outcome === 'missing';
        const before = this.#arbiterTrouble;
        this.#arbiterTrouble = silent ? whySilent(this.#arbiter!, name, request) : undefined;
        if (before === undefined && silent) this.#setup.onNotice(`${this.#arbiterTrouble}; waiting, and asking again`);
        else if (before !== undefined && !silent) this.#setup.onNotice(`${this.#arbiter!.description} answers again`);
        this.#handle({ type: 'arbiter', reply });
      })
      .catch(this.#fail);
  }

  #admit(generation: number): void {
    if (this.#disk === undefined) {
      queueMicrotask(() => this.#handle({ type: 'disk-admission', generation, outcome: 'admitted' }));
      return;
    }
    void this.#disk
      .admit(generation)
      .then((outcome) => this.#handle({ type: 'disk-admission', generation, outcome }))
      .catch(this.#fail);
  }

  #request(action: ReplicaAction & { type: 'disk' }): void {
    const { generation, device, request, sequence } = action;
    void this.#disk?.request(generation, request, sequence).then((result) => {
      if (!result.ok && result.error === 'closed') return;
      const outcome = result.ok ? 'ok' : result.error === 'fenced' ? 'refused' : 'error';
      const answer = { type: 'disk-answer', generation, device, id: request.id, outcome } as const;
      this.#handle(result.ok && result.data !== undefined ? { ...answer, data: result.data } : answer);
    });
  }

  #read({ device, request }: ReplicaAction & { type: 'disk-read' }): void {
    const answer = { type: 'disk-read-answer', device, id: request.id } as const;
    void this.#disk
      ?.read(request)
      .then((data) => this.#handle(data === undefined ? answer : { ...answer, data }))
      .catch(this.#fail);
  }

  #emit(outputs: readonly NumberedOutput[]): void {
    for (const { output } of outputs) {
      if (output.kind === 'net-tx') this.#uplink?.send(output.frame);
      else if (output.kind === 'console-out') {
        this.#setup.onConsole(output.data);
        const data = Buffer.from(output.data).toString('latin1');
        this.#status.report({ type: 'console', pid: process.pid, data });
      } else if (output.kind === 'entropy') {
        const { device, id, length } = output;
        const input = { kind: 'entropy', device, id, data: randomBytes(length) } as const;
        queueMicrotask(() => this.#handle({ type: 'input', input }));
      }
    }
  }

  #announce(): void {
    const { mac, network } = this.#setup.description;
    const text = network?.address?.address;
    const ipv4 = text === undefined ? undefined : Uint8Array.from(text.split('.'), Number);
    const frames = announcementFrames({ mac: macBytes(mac), ...(ipv4 === undefined ? {} : { ipv4 }) });
    for (const frame of frames) this.#uplink?.send(frame);
  }

  #reportStatus(): void {
    if (this.#replica === undefined) return;
    const { cpu: _cpu, position, peerPosition, ...rest } = this.#replica.status(this.#nowMs());
    const positions = {
      position: String(position),
      peerPosition: peerPosition === undefined ? undefined : String(peerPosition),
    };
    this.#status.report({ type: 'status', pid: process.pid, ...rest, ...positions, ...this.vitals() });
  }

  async close(): Promise<void> {
    this.#expiry?.close();
    clearInterval(this.#ticks);
    clearInterval(this.#reports);
    this.#replica = undefined;
    await this.#runner?.stop();
    await this.#control?.close();
    await this.#channels.closeAll();
    await this.#uplink?.close();
    await this.#disk?.close();
    await this.#arbiter?.close();
    await this.#status.close();
  }
}

/** What a person is told once when the arbiter's answer is no answer. */
function whySilent(arbiter: Arbiter, vm: string, request: ArbiterRequest): string {
  const { trouble } = arbiter;
  if (trouble !== undefined) return `${trouble.message}. ${trouble.advice ?? ''}`.replace(/[. ]+$/, '');
  const advice = request.op === 'cold-claim' ? ' (--create is for a machine that has never run)' : '';
  return `${arbiter.description} shows no record of ${vm}${advice}`;
}

function replicaOptions(
  setup: ReplicaSetup,
  machine: string,
  incarnation: string,
  restart: Loss | undefined,
): ReplicaOptions {
  const { description, role } = setup;
  const { suspicionMs, heartbeatMs, claimRetryMs, hashIntervalMs, lagMs } = description.timeouts;
  const { logBytes, outputBytes } = description.buffers;
  return {
    vm: description.name,
    machine,
    incarnation,
    token: randomBytes(16).toString('hex'),
    alone: role.kind === 'primary' && role.alone,
    coldStart: role.kind === 'primary' && !role.create,
    onDivergence: description.onDivergence,
    lease: leaseOptions(description),
    restart,
    timing: {
      ...DEFAULT_TIMING,
      suspicionMs,
      backupExtraMs: suspicionMs / 2,
      heartbeatMs,
      retryMs: claimRetryMs,
      hashIntervalMs,
      targetLagMs: lagMs,
    },
    bounds: { ...DEFAULT_BOUNDS, logBufferBytes: logBytes, heldOutputBytes: outputBytes },
    transfer: DEFAULT_TRANSFER,
    mirrored: description.disk?.mirrored ?? false,
    reads: description.disk?.reads ?? 'log',
  };
}
