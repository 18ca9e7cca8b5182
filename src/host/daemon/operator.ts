/**
 * What a person does with machines on hosts: protect, start, stop, hand over, look. Everything goes through the APIs of the hosts;
 * nothing here outlives the command, and nothing depends on it once the command has ended.
 */
import { setTimeout } from 'node:timers/promises';
import { OperatingError } from '../../core/base/error.ts';
import { HostClient } from './api-client.ts';
import type { HostRecord, HostReport, MachineRecord, ReplicaReport } from './messages.ts';
import { OVERHEAD_BYTES } from './replicas.ts';
import type { ApiTls } from './transport.ts';

/** A host as its own API tells it, or why it does not. */
export type HostView =
  | { readonly record: HostRecord; readonly report: HostReport }
  | { readonly record: HostRecord; readonly report: undefined; readonly why: string };

export interface ClusterView {
  readonly hosts: readonly HostView[];
  readonly machines: readonly MachineRecord[];
}

export type Placed = { readonly host: string; readonly replica: ReplicaReport };

/** A host by its name at the store, or with the address that a person gives. */
export type HostChoice = { readonly name: string; readonly address: string | undefined };

const LOOK_EVERY_MS = 200;
/** A host says so of its image of a mirrored disk: another one may have the newest, or a whole one. */
const NOT_NEWEST: readonly string[] = ['disk-stale', 'disk-incomplete', 'disk-missing', 'mirror-record-missing'];
const PATIENCE_MS = 60_000;

export interface StartChoices {
  /** It is certain that it runs nowhere. */
  readonly afterLoss: boolean;
  /** Without waiting for a backup. */
  readonly alone: boolean;
  /** The host from whose image of a mirrored disk it starts, also if that is not the newest (PROTOCOL.md, 26). */
  readonly acceptDataLoss?: string | undefined;
}

/** Throws OperatingError `no-such-host` or `no-mirrored-disk`. */
function checkImageOf({ name, hosts, disk, description }: MachineRecord, host: string): void {
  if (!hosts.includes(host)) {
    throw new OperatingError(
      'no-such-host',
      `${host} is no host of ${name} (${hosts.join(', ')})`,
      'Name one of them.',
    );
  }
  const described = description.disk;
  if (disk === undefined && typeof described === 'object' && described !== null && 'mirrored' in described) return;
  throw new OperatingError(
    'no-mirrored-disk',
    `${name} has no image on ${host}: its disk is not mirrored`,
    'Leave --accept-data-loss out: it is for images that are not the newest.',
  );
}

export class Operator {
  readonly #contact: HostClient;
  readonly #tls: ApiTls | undefined;
  readonly #say: (line: string) => void;

  /** `contact`: HOST:PORT of any host. `say` is told what takes a while. */
  constructor(contact: string, tls: ApiTls | undefined, say: (line: string) => void) {
    this.#contact = new HostClient(contact, tls);
    this.#tls = tls;
    this.#say = say;
  }

  async look(): Promise<ClusterView> {
    const [records, machines] = await Promise.all([this.#contact.hosts(), this.#contact.machines()]);
    const hosts = await Promise.all(
      records.map(async (record): Promise<HostView> => {
        try {
          return { record, report: await this.#client(record.address).report() };
        } catch (error) {
          if (!(error instanceof OperatingError)) throw error;
          return { record, report: undefined, why: error.message };
        }
      }),
    );
    return { hosts, machines };
  }

  #client(address: string): HostClient {
    return new HostClient(address, this.#tls);
  }

  /** Checks everything that can be checked, and places the primary on the first host; its caretaker does the rest. */
  async protect(record: Omit<MachineRecord, 'hosts' | 'wanted'>, choices: readonly HostChoice[], guestBytes: number) {
    const hosts = choices.map(({ name }) => name);
    if (new Set(hosts).size < 2) {
      throw new OperatingError(
        'too-few-hosts',
        'a machine is protected by two hosts at least',
        'Name them: --hosts a,b',
      );
    }
    const view = await this.look();
    const chosen = await Promise.all(choices.map((choice) => this.#resolve(choice, view)));
    for (const host of chosen.slice(0, 2)) checkRoom(host, record.name, guestBytes + OVERHEAD_BYTES);
    await this.#contact.addMachine({ ...record, hosts, wanted: 'running' });
    const first = chosen[0];
    try {
      const request = { machine: record.name, role: 'primary', start: 'create', alone: false } as const;
      await this.#client(first.address).startReplica(request);
    } catch (error) {
      await this.#contact.want(record.name, 'gone');
      throw error;
    }
    return this.#untilPaired(record.name, first);
  }

  async #resolve({ name, address }: HostChoice, { hosts }: ClusterView): Promise<HostReport> {
    const known = hosts.find(({ record }) => record.name === name);
    if (known === undefined) {
      const names = hosts.map(({ record }) => record.name).join(', ') || 'none';
      throw new OperatingError(
        'no-such-host',
        `there is no host ${name} at ${this.#contact.address} and its arbiter (there are: ${names})`,
        `Start "understudy host" there, with the same arbiter.`,
      );
    }
    if (address === undefined) {
      if (known.report !== undefined) return known.report;
      throw new OperatingError('host-unreachable', known.why, 'Start it, or leave it out of --hosts.');
    }
    const report = await this.#client(address).report();
    if (report.name === name) return { ...report, address };
    throw new OperatingError('other-host', `the host at ${address} is ${report.name}, not ${name}`, 'Look at --hosts.');
  }

  /** Of a stopped machine; or, on a person's word that it runs nowhere, of a lost one (PROTOCOL.md, 26 and 27). */
  async start(name: string, { afterLoss, alone, acceptDataLoss }: StartChoices): Promise<Placed[]> {
    const view = await this.look();
    const record = machineIn(view, name);
    const running = replicasOf(view, name);
    if (running.length > 0) {
      throw new OperatingError(
        'machine-runs',
        `${name} has a replica on ${running.map(({ host }) => host).join(' and ')}`,
        '"understudy status" shows what it does.',
      );
    }
    if (!afterLoss) this.#checkNothingLost(view, record);
    if (acceptDataLoss !== undefined) checkImageOf(record, acceptDataLoss);
    const present = record.hosts
      .filter((host) => acceptDataLoss === undefined || host === acceptDataLoss)
      .map((host) => view.hosts.find((seen) => seen.record.name === host)?.report)
      .filter((report) => report !== undefined);
    if (present.length === 0) {
      const names = acceptDataLoss ?? record.hosts.join(', ');
      throw new OperatingError('no-such-host', `none of the hosts of ${name} is there (${names})`);
    }
    await this.#contact.want(name, 'running');
    let host: HostReport;
    try {
      host = await this.#startOnOne({ machine: name, alone, acceptDataLoss: acceptDataLoss !== undefined }, present);
    } catch (error) {
      await this.#contact.want(name, record.wanted);
      throw error;
    }
    return alone
      ? this.#until(name, host, ['alone', 'copying', 'cutting-over', 'paired'])
      : this.#untilPaired(name, host);
  }

  /** The first one whose image of a mirrored disk is the newest; any, with another disk. */
  async #startOnOne(
    how: { machine: string; alone: boolean; acceptDataLoss: boolean },
    hosts: readonly HostReport[],
  ): Promise<HostReport> {
    let refusal: unknown;
    for (const host of hosts) {
      try {
        await this.#client(host.address).startReplica({ role: 'primary', start: 'cold', ...how });
        return host;
      } catch (error) {
        if (!(error instanceof OperatingError) || !NOT_NEWEST.includes(error.code)) throw error;
        this.#say(error.message);
        refusal ??= error;
      }
    }
    throw refusal;
  }

  #checkNothingLost({ hosts }: ClusterView, record: MachineRecord): void {
    const advice = `If it is certain that it runs nowhere: understudy start ${record.name} --after-loss`;
    if (record.wanted === 'running') {
      throw new OperatingError('machine-lost', `${record.name} was not stopped: its replicas were lost`, advice);
    }
    const silent = record.hosts.filter(
      (name) => hosts.find(({ record: host }) => host.name === name)?.report === undefined,
    );
    if (silent.length === 0) return;
    throw new OperatingError('host-unreachable', `${silent.join(', ')} cannot be asked about ${record.name}`, advice);
  }

  /** The primary takes its backup along. Returns when no replica is left on a host that can be asked. */
  async stop(name: string): Promise<void> {
    const view = await this.look();
    machineIn(view, name);
    await this.#contact.want(name, 'stopped');
    for (const role of ['primary', 'backup'] as const) {
      for (const { host, replica } of replicasOf(await this.look(), name)) {
        // One that does not answer may be about to end: the look that follows decides.
        if (replica.status?.role === role) await this.#tell(view, host, name, 'stop').catch(unlessEnding);
      }
      if (await this.#gone(name)) return;
    }
    const left = replicasOf(await this.look(), name).map(({ host, replica }) => `process ${replica.pid} on ${host}`);
    throw new OperatingError(
      'replica-silent',
      `${left.join(' and ')} does not stop`,
      'Look at its log; kill it if need be.',
    );
  }

  async #gone(name: string): Promise<boolean> {
    return (await this.#poll((view) => (replicasOf(view, name).length === 0 ? true : undefined), 5000)) ?? false;
  }

  /** The backup goes on in the primary's place; nothing is lost, and nobody notices. */
  async failover(name: string): Promise<{ from: string; to: string; generation: number }> {
    const view = await this.look();
    machineIn(view, name);
    const before = primaryOf(view, name);
    if (before === undefined) {
      throw new OperatingError(
        'no-replica',
        `${name} has no primary on a host that answers`,
        'Look at "understudy status".',
      );
    }
    const from = before.host;
    await this.#tell(view, from, name, 'hand-over');
    const after = await this.#poll((now) => {
      const primary = primaryOf(now, name);
      return primary === undefined || primary.host === from ? undefined : primary;
    }, PATIENCE_MS);
    if (after === undefined) throw new OperatingError('no-failover', `${name} is still on ${from}`, 'Look at its log.');
    return { from, to: after.host, generation: after.replica.status?.generation ?? 0 };
  }

  async #tell({ hosts }: ClusterView, host: string, machine: string, what: 'stop' | 'hand-over'): Promise<void> {
    const address = hosts.find(({ record }) => record.name === host)?.record.address;
    if (address !== undefined) await this.#client(address).tellReplica(machine, what);
  }

  #untilPaired(name: string, first: HostReport): Promise<Placed[]> {
    this.#say(`${name}: the primary is on ${first.name}; waiting for its backup`);
    return this.#until(name, first, ['paired']);
  }

  /** Waits for the machine's primary to be in one of `phases`, for a minute; throws if it has ended. */
  async #until(name: string, first: HostReport, phases: readonly string[]): Promise<Placed[]> {
    const outcome = await this.#poll((view) => {
      const phase = primaryOf(view, name)?.replica.status?.phase;
      if (phase !== undefined && phases.includes(phase)) return { placed: replicasOf(view, name) };
      const report = view.hosts.find(({ record }) => record.name === first.name)?.report;
      const ended = report?.ended.find(({ machine }) => machine === name);
      return ended === undefined ? undefined : { ended };
    }, PATIENCE_MS);
    if (outcome === undefined) {
      const reasons = primaryOf(await this.look(), name)?.replica.status?.reasons ?? [];
      const why = reasons.map(({ message }) => message).join('; ');
      throw new OperatingError(
        'not-redundant',
        `${name} runs on ${first.name}, and is not redundant after ${PATIENCE_MS / 1000} s${why === '' ? '' : `: ${why}`}`,
        'Its primary goes on asking for a backup: "understudy status" shows how it is, and what to do.',
      );
    }
    if ('placed' in outcome) return outcome.placed;
    const { code, message } = outcome.ended;
    if (code === 'already-created') await this.#contact.want(name, 'gone');
    throw new OperatingError(code, `the primary of ${name} on ${first.name} has ended: ${message}`, ADVICE[code]);
  }

  async #poll<Answer>(
    answerOf: (view: ClusterView) => Answer | undefined,
    timeoutMs: number,
  ): Promise<Answer | undefined> {
    const untilMs = performance.now() + timeoutMs;
    while (performance.now() < untilMs) {
      const answer = answerOf(await this.look());
      if (answer !== undefined) return answer;
      await setTimeout(LOOK_EVERY_MS);
    }
    return undefined;
  }
}

const ADVICE: Readonly<Record<string, string>> = {
  'already-created': 'A machine of this name has run with this arbiter before: give the new one another name.',
};

function unlessEnding(error: unknown): void {
  if (!(error instanceof OperatingError) || !['replica-silent', 'no-replica'].includes(error.code)) throw error;
}

/** Throws OperatingError `no-such-machine`. */
export function machineIn({ machines }: ClusterView, name: string): MachineRecord {
  const record = machines.find((machine) => machine.name === name);
  if (record !== undefined) return record;
  throw new OperatingError('no-such-machine', `there is no machine ${name}`, '"understudy status" lists the machines.');
}

export function replicasOf({ hosts }: ClusterView, machine: string): Placed[] {
  return hosts.flatMap(({ record, report }) =>
    (report?.replicas ?? [])
      .filter((replica) => replica.machine === machine)
      .map((replica) => ({ host: record.name, replica })),
  );
}

/** The one of the highest generation, should an old one still be on its way out. */
export function primaryOf(view: ClusterView, machine: string): Placed | undefined {
  return replicasOf(view, machine)
    .filter(({ replica }) => replica.status?.role === 'primary' && replica.status.phase !== 'halted')
    .sort((a, b) => (b.replica.status?.generation ?? 0) - (a.replica.status?.generation ?? 0))[0];
}

function checkRoom({ name, freeBytes, replicas }: HostReport, machine: string, neededBytes: number): void {
  const mib = (bytes: number): string => `${Math.floor(bytes / 2 ** 20)} MiB`;
  if (replicas.some((replica) => replica.machine === machine)) {
    throw new OperatingError(
      'replica-exists',
      `host ${name} has a replica of ${machine} already`,
      'Name another host.',
    );
  }
  if (freeBytes >= neededBytes) return;
  throw new OperatingError(
    'no-memory',
    `host ${name} has ${mib(freeBytes)} free, and a replica of ${machine} needs ${mib(neededBytes)}`,
    'Name another host, or offer more memory there ("memory" in host.yaml).',
  );
}
