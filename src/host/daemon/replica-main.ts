/**
 * One replica as the host daemon starts it: a process that lives by its lock, outlives the daemon, is asked by its control socket,
 * and, whenever it is its machine's primary, takes care that there is a backup (caretaker.ts).
 */
import { createWriteStream, writeSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import type net from 'node:net';
import { basename, join } from 'node:path';
import { OperatingError } from '../../core/base/error.ts';
import type { HaltReason } from '../../core/replication/replica.ts';
import { openBootClock } from '../boot-clock.ts';
import type { Description } from '../description/description.ts';
import { formatAddress, parseAddress, type StreamAddress } from '../net/address.ts';
import { LeaseKeeper, leaseOptions } from '../replica/lease-keeper.ts';
import { ReplicaProcess, type ReplicaSetup } from '../replica/replica-process.ts';
import { openStore } from '../store/open.ts';
import { type CredentialSource, Credentials } from '../tls/credentials.ts';
import { HostClient } from './api-client.ts';
import { Caretaker } from './caretaker.ts';
import { Cluster } from './cluster.ts';
import { serveControl } from './control.ts';
import { CopyMeter } from './copy-meter.ts';
import type {
  ControlAnswer,
  ControlRequest,
  CopyReport,
  HostRecord,
  Outcome,
  Reason,
  ReplicaOrder,
} from './messages.ts';
import { PeerHosts } from './peer-hosts.ts';
import { whyNotRedundant } from './redundancy.ts';
import type { ReplicaDirectory } from './replica-directory.ts';
import { descriptionOf } from './replicas.ts';

const LOOK_EVERY_MS = 1000;
/** A copy takes some seconds. */
const MEASURE_EVERY_MS = 250;
/** A backup that finds no primary for so long makes room for other things. */
const LONGEST_SEARCH_MS = 20_000;
/** The phases in which a primary is without a backup, and could take one. */
const NEEDY: readonly string[] = ['waiting-for-backup', 'alone'];
/** And those in which it has taken one. */
const ACCOMPANIED: readonly string[] = ['forming', 'copying', 'cutting-over', 'paired'];
/** Descriptor by which the daemon hears how the start went. */
const REPORT = 3;

/** Runs until the replica ends. Never throws: what went wrong is reported to the daemon, or stands in `end.json`. */
export async function runHostReplica(directory: ReplicaDirectory): Promise<boolean> {
  let hosted: HostedReplica | undefined;
  try {
    directory.lock(); // held until this process ends
    await rm(`${directory.path}/end.json`, { force: true });
    hosted = await HostedReplica.start(directory, await directory.readOrder());
  } catch (error) {
    if (!(error instanceof OperatingError)) say(String(error instanceof Error ? error.stack : error));
    report(outcomeOf(error));
    await hosted?.close();
    return false;
  }
  report({ code: 'ready', message: `process ${process.pid}` });
  const end = await hosted.ended;
  // A full disk, or a directory that somebody removed, must not keep an ended replica here.
  await directory.writeEnd(end).catch((error: unknown) => say(`its end is not kept: ${String(error)}`));
  say(`ended: ${end.code}, ${end.message}`);
  await hosted.close();
  return true;
}

class HostedReplica {
  readonly #directory: ReplicaDirectory;
  readonly #order: ReplicaOrder;
  readonly #replica: ReplicaProcess;
  readonly #leaseKeeper: LeaseKeeper | undefined;
  readonly #cluster: Cluster;
  readonly #caretaker: Caretaker;
  readonly #tls: CredentialSource | undefined;
  readonly #peers: PeerHosts;
  readonly #nowMs = openBootClock();
  #control: net.Server | undefined;
  #looks: NodeJS.Timeout | undefined;
  #measurements: NodeJS.Timeout | undefined;
  readonly #meter = new CopyMeter();
  #looking = false;
  /** What the last look at the store has found. */
  #present: readonly HostRecord[] | undefined;
  #storeTrouble: string | undefined;
  #searchingSinceMs: number | undefined;
  #accompanied = false;
  readonly ended: Promise<Outcome>;

  static async start(directory: ReplicaDirectory, order: ReplicaOrder): Promise<HostedReplica> {
    const console = createWriteStream(directory.console, { flags: 'a', mode: 0o600 });
    let onPhase = (_phase: string, _why: string): void => {};
    const tls = order.tls === undefined ? undefined : Credentials.load(order.tls, say);
    const peers = new PeerHosts(order.record.name, order.record.hosts);
    let isBackup = (): boolean => order.request.role === 'backup';
    const description = atThisHost(await descriptionOf(order.record), order);
    const lease = leaseOptions(description);
    const allowLocal = order.unsafeArbiter;
    const leaseKeeper =
      lease && (await LeaseKeeper.open(order.record.name, lease, order.arbiter, { allowLocal, onNotice: say }));
    const setup: ReplicaSetup = {
      tls,
      // A backup asks the record who its primary is; a primary's hosts ask for themselves.
      mayBePeer: (peer) => (isBackup() ? undefined : peers.refusal(peer)),
      description,
      leaseKeeper,
      acceptDataLoss: order.request.role === 'primary' && order.request.acceptDataLoss,
      engine: order.record.engine,
      role: roleOf(order),
      arbiter: order.arbiter,
      unsafeArbiter: order.unsafeArbiter,
      diskServer: addressOf(order.record.disk),
      hub: addressOf(order.record.hub),
      status: undefined,
      diagnoses: directory.diagnoses,
      control: directory.machine,
      onNotice: say,
      onConsole: (data) => console.write(data),
      onPhase: (phase, why) => onPhase(phase, why),
    };
    const cluster = new Cluster(await openStore(order.arbiter));
    const replica = await ReplicaProcess.start(setup);
    isBackup = () => replica.status()?.role === 'backup';
    const hosted = new HostedReplica(directory, order, replica, cluster, tls, peers, leaseKeeper);
    onPhase = (phase, why) => hosted.#entered(phase, why);
    await hosted.#begin();
    return hosted;
  }

  private constructor(
    directory: ReplicaDirectory,
    order: ReplicaOrder,
    replica: ReplicaProcess,
    cluster: Cluster,
    tls: CredentialSource | undefined,
    peers: PeerHosts,
    leaseKeeper: LeaseKeeper | undefined,
  ) {
    this.#leaseKeeper = leaseKeeper;
    this.#peers = peers;
    this.#tls = tls;
    this.#directory = directory;
    this.#order = order;
    this.#replica = replica;
    this.#cluster = cluster;
    this.#caretaker = new Caretaker({
      hosts: order.record.hosts,
      own: order.host,
      memoryBytes: order.memoryBytes,
    });
    this.ended = replica.ended.then(async (reason) => {
      await this.#endWanted(reason);
      return outcomeOfHalt(reason);
    }, outcomeOf);
  }

  async #begin(): Promise<void> {
    this.#control = await serveControl(this.#directory.control, (request) => this.#answer(request));
    this.#looks = setInterval(() => void this.#look(), LOOK_EVERY_MS);
    this.#measurements = setInterval(() => this.#copy(), MEASURE_EVERY_MS);
    void this.#look();
    for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, () => this.#leave());
  }

  /** A guest that has switched itself off is not lost: no host is to start it again. */
  async #endWanted(reason: HaltReason): Promise<void> {
    if (reason.code !== 'guest-stopped' || this.#leaseKeeper === undefined) return;
    if (reason.stop.reason !== 'power' || reason.stop.action !== 'off') return;
    await this.#cluster.want(this.#order.record.name, 'stopped').catch((error: unknown) => {
      say(`the machine may be started again by itself: ${error instanceof Error ? error.message : String(error)}`);
    });
  }

  /** The host goes down: the other one goes on without a pause if there is one. */
  #leave(): void {
    const status = this.#replica.status();
    if (status?.role === 'primary' && status.phase === 'paired') this.#replica.handOver();
    else this.#replica.shutdown();
  }

  async #answer(request: ControlRequest): Promise<ControlAnswer> {
    const status = this.#replica.status();
    if (request.do === 'stop') this.#replica.shutdown();
    if (request.do === 'hand-over') {
      if (status?.role !== 'primary' || status.phase !== 'paired') return notPaired(status?.role, status?.phase);
      this.#replica.handOver();
    }
    if (status === undefined) return { ok: true, pid: process.pid };
    const { role, phase, generation, position, lagMs, transfer } = status;
    const listening = await this.#replica.listening();
    const where = listening === undefined ? {} : { listening: formatAddress(listening) };
    const { residentBytes, cpu } = this.#replica.vitals();
    const copy = transfer === undefined ? {} : { transfer };
    const care = role === 'primary' ? { reasons: this.#reasons(), copy: this.#copy() } : {};
    const translator = cpu?.translator === undefined ? {} : { translator: cpu.translator };
    const progress = { role, phase, generation, position: String(position), lagMs: Math.max(0, lagMs), ...copy };
    return { ok: true, pid: process.pid, status: { ...progress, ...where, ...care, residentBytes, ...translator } };
  }

  /** How far the copy is that this replica makes of itself. */
  #copy(): CopyReport | undefined {
    const status = this.#replica.status();
    const transfer = status?.role === 'primary' ? status.transfer : undefined;
    return this.#meter.observe(transfer, this.#replica.waits.image, this.#nowMs());
  }

  #reasons(): Reason[] {
    const { record, host: own, memoryBytes } = this.#order;
    const { phase = 'halted', speed = 1, lagMs = 0 } = this.#replica.status() ?? {};
    return whyNotRedundant({
      machine: record.name,
      ...{ phase, speed, lagMs, own, memoryBytes },
      copy: this.#copy(),
      arbiter: this.#replica.waits.arbiter,
      store: this.#storeTrouble,
      hosts: record.hosts,
      present: this.#present,
      asked: this.#caretaker.asked,
      trouble: (name) => this.#caretaker.trouble(name, this.#nowMs()),
    });
  }

  #entered(phase: string, why: string): void {
    if (NEEDY.includes(phase)) {
      if (this.#accompanied) this.#caretaker.dropped(this.#nowMs(), why);
      this.#accompanied = false;
    } else if (ACCOMPANIED.includes(phase)) this.#accompanied = true;
    queueMicrotask(() => void this.#look());
  }

  /** What this replica does about its machine's redundancy. */
  async #look(): Promise<void> {
    const status = this.#replica.status();
    if (this.#looking || status === undefined) return;
    this.#looking = true;
    try {
      if (status.role === 'backup') this.#giveUpSearch(status.phase);
      else if (NEEDY.includes(status.phase)) await this.#findBackup();
      else if (status.phase === 'paired') this.#caretaker.joined();
    } catch (error) {
      sayTrouble(error);
    }
    this.#looking = false;
  }

  #giveUpSearch(phase: string): void {
    if (phase !== 'connecting') {
      this.#searchingSinceMs = undefined;
      return;
    }
    this.#searchingSinceMs ??= this.#nowMs();
    if (this.#nowMs() - this.#searchingSinceMs < LONGEST_SEARCH_MS) return;
    say('no primary answers: making room');
    this.#replica.shutdown();
  }

  async #findBackup(): Promise<void> {
    const listening = await this.#replica.listening();
    if (listening === undefined) return;
    const present = await this.#hosts();
    this.#peers.seen(present);
    const name = this.#caretaker.next(present, this.#nowMs());
    const host = present.find((record) => record.name === name);
    if (host === undefined) return;
    // Not awaited: a host that hangs must not hold up the search for longer than the caretaker's patience.
    this.#ask(host, formatAddress(listening)).catch(sayTrouble);
  }

  async #hosts(): Promise<readonly HostRecord[]> {
    try {
      this.#present = await this.#cluster.hosts();
      this.#storeTrouble = undefined;
      return this.#present;
    } catch (error) {
      this.#storeTrouble = error instanceof Error ? error.message : String(error);
      throw error;
    }
  }

  async #ask({ name, address }: HostRecord, primary: string): Promise<void> {
    const machine = this.#order.record.name;
    say(`asking host ${name} for a backup`);
    try {
      await new HostClient(address, this.#tls).startReplica({ machine, role: 'backup', primary });
      this.#caretaker.started(name, this.#nowMs());
    } catch (error) {
      if (!(error instanceof OperatingError)) throw error;
      say(`host ${name} gives no backup: ${error.message}`);
      this.#caretaker.failed(name, this.#nowMs(), error.message);
    }
  }

  async close(): Promise<void> {
    clearInterval(this.#looks);
    clearInterval(this.#measurements);
    this.#control?.close();
    await this.#replica.close();
    await this.#cluster.close();
    await this.#leaseKeeper?.close();
    await rm(this.#directory.control, { force: true });
  }
}

/** With this host's own end point of VXLAN and its own image of the disk, which are no part of what the machine is. */
function atThisHost(description: Description, { vtep, disks }: ReplicaOrder): Description {
  const { network, disk } = description;
  const ownDisk = disks === undefined || !disk?.mirrored ? disk : { ...disk, path: join(disks, basename(disk.path)) };
  if (vtep === undefined || network?.uplink.kind !== 'vxlan') return { ...description, disk: ownDisk };
  return { ...description, disk: ownDisk, network: { ...network, uplink: { ...network.uplink, local: vtep } } };
}

function roleOf({ request, replicas }: ReplicaOrder): ReplicaSetup['role'] {
  const listen = { host: replicas, port: 0 };
  if (request.role === 'backup') return { kind: 'backup', primary: parseAddress(request.primary), listen };
  const { start, alone, loss } = request;
  const found = loss === undefined ? undefined : { generation: loss.generation, note: loss.note };
  return { kind: 'primary', listen, create: start === 'create', alone, loss: found };
}

function addressOf(text: string | undefined): StreamAddress | undefined {
  return text === undefined ? undefined : parseAddress(text);
}

function notPaired(role: string | undefined, phase: string | undefined): ControlAnswer {
  const message =
    role === 'primary'
      ? `the machine has no complete backup now (it is ${phase ?? 'ending'})`
      : 'this replica is not the primary';
  return {
    ok: false,
    code: 'not-redundant',
    message,
    advice: 'Wait until "understudy status" says that it is paired.',
  };
}

function outcomeOfHalt({ code, message }: HaltReason): Outcome {
  return { code, message };
}

function outcomeOf(error: unknown): Outcome {
  if (!(error instanceof OperatingError)) return { code: 'bug', message: String(error) };
  const { code, message, advice } = error;
  return advice === undefined ? { code, message } : { code, message, advice };
}

function sayTrouble(error: unknown): void {
  say(`looking for a backup: ${error instanceof Error ? error.message : String(error)}`);
}

function say(line: string): void {
  process.stderr.write(`${new Date().toISOString()} ${line}\n`);
}

/** The daemon may be gone by now, which is no matter. */
function report(outcome: Outcome): void {
  try {
    writeSync(REPORT, `${JSON.stringify(outcome)}\n`);
  } catch {
    // nobody listens
  }
}
