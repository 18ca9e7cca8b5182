/**
 * The replicas of one host: it starts each in a process of its own, counts the memory that it has promised, and finds those that
 * an earlier daemon started. It never ends a replica by itself: each lives by its lock and its protocol.
 */
import { OperatingError } from '../../core/base/error.ts';
import { checkMachineName } from '../arbiter/arbiter.ts';
import type { Description } from '../description/description.ts';
import { formatPath } from '../description/problems.ts';
import { resolveDescription } from '../description/resolve.ts';
import { startDetached } from '../processes.ts';
import { askReplica } from './control.ts';
import type { HostConfig } from './host-config.ts';
import {
  type EndedReplica,
  type MachineRecord,
  outcomeSchema,
  type ReplicaOrder,
  type ReplicaReport,
  type ReplicaRequest,
} from './messages.ts';
import { machinesIn, type ReplicaDirectory, replicaDirectoryOf } from './replica-directory.ts';

const MIB = 1024 * 1024;
/** What a replica takes beside its guest's memory: translated code, log and output buffers, the runtime. */
export const OVERHEAD_BYTES = 192 * MIB;

interface Known {
  readonly directory: ReplicaDirectory;
  readonly memoryBytes: number;
  /** Between the promise of its memory and its first sign of life. */
  starting: boolean;
  pid: number;
}

export class Replicas {
  readonly #config: HostConfig;
  readonly #known = new Map<string, Known>();
  readonly #ended = new Map<string, EndedReplica>();

  constructor(config: HostConfig) {
    this.#config = config;
  }

  /** Finds what runs here already. Returns the machines' names. Must come before any memory is offered (PROTOCOL.md, 3). */
  async adopt(): Promise<readonly string[]> {
    for (const machine of await machinesIn(this.#config.stateDirectory)) {
      const directory = replicaDirectoryOf(this.#config.stateDirectory, machine);
      if (!directory.isHeld()) continue;
      const { memoryBytes } = await directory.readOrder();
      this.#known.set(machine, { directory, memoryBytes, starting: false, pid: 0 });
    }
    return [...this.#known.keys()];
  }

  get freeBytes(): number {
    let free = this.#config.memoryBytes;
    for (const { memoryBytes } of this.#known.values()) free -= memoryBytes;
    return Math.max(0, free);
  }

  /** The last that ended of each machine, as far as `report` has seen it. */
  get ended(): EndedReplica[] {
    return [...this.#ended.values()];
  }

  /** Whether one of this machine lives here, as far as `report` has seen it. */
  has(machine: string): boolean {
    return this.#known.has(machine);
  }

  /** All that live; what has ended is forgotten, and its memory free again. */
  async report(): Promise<ReplicaReport[]> {
    const reports = await Promise.all([...this.#known.keys()].map((machine) => this.#reportOf(machine)));
    return reports.filter((report) => report !== undefined);
  }

  async #reportOf(machine: string): Promise<ReplicaReport | undefined> {
    const known = this.#known.get(machine);
    if (known === undefined || known.starting) return undefined;
    const { memoryBytes, directory } = known;
    try {
      const { pid, status } = await askReplica(directory.control, { do: 'status' });
      known.pid = pid;
      return { machine, pid, memoryBytes, state: 'running', ...(status === undefined ? {} : { status }) };
    } catch {
      if (directory.isHeld()) return { machine, pid: known.pid, memoryBytes, state: 'silent' };
      if (this.#known.get(machine) !== known) return undefined;
      this.#known.delete(machine);
      const { code = 'died', message = 'its process ended without a word' } = (await directory.readEnd()) ?? {};
      this.#ended.set(machine, { machine, code, message });
      return undefined;
    }
  }

  /**
   * Starts a replica. Throws OperatingError `replica-exists`, `no-memory`, `description` for files that are not here, or what
   * the replica's process says.
   */
  async start(request: ReplicaRequest, record: MachineRecord): Promise<ReplicaReport> {
    const { machine } = request;
    const { name, tls, arbiter, unsafeArbiter, replicas, vtep, disks, stateDirectory } = this.#config;
    const { memoryBytes: guestBytes } = await descriptionOf(record);
    const memoryBytes = guestBytes + OVERHEAD_BYTES;
    const directory = replicaDirectoryOf(stateDirectory, machine);
    await this.#reportOf(machine); // forgets it if it has ended
    if (this.#known.has(machine) || directory.isHeld()) {
      throw new OperatingError(
        'replica-exists',
        `host ${name} has a replica of ${machine} already`,
        'A host holds one replica of a machine: name another host.',
      );
    }
    if (memoryBytes > this.freeBytes) throw noMemory(name, machine, memoryBytes, this.freeBytes);
    const known: Known = { directory, memoryBytes, starting: true, pid: 0 };
    this.#known.set(machine, known);
    this.#ended.delete(machine);
    try {
      const keys = tls === undefined ? {} : { tls };
      const own = { ...(vtep !== undefined && { vtep }), ...(disks !== undefined && { disks }) };
      const shared = { arbiter, unsafeArbiter, ...keys, ...own };
      const order: ReplicaOrder = { request, record, host: name, replicas, memoryBytes, ...shared };
      await startProcess(directory, order);
      known.starting = false;
      const report = await this.#reportOf(machine);
      if (report !== undefined) return report;
      const end = await directory.readEnd();
      throw new OperatingError(end?.code ?? 'replica-failed', end?.message ?? `it ended; see ${directory.log}`);
    } catch (error) {
      this.#known.delete(machine);
      throw error;
    }
  }

  /** Throws OperatingError `no-replica`, `replica-silent`, or what the replica says. */
  async tell(machine: string, what: 'stop' | 'hand-over'): Promise<void> {
    const known = this.#known.get(machine);
    if (known === undefined || !known.directory.isHeld()) {
      throw new OperatingError(
        'no-replica',
        `host ${this.#config.name} has no replica of ${machine}`,
        '"understudy status" tells where its replicas are.',
      );
    }
    await askReplica(known.directory.control, { do: what });
  }
}

async function startProcess(directory: ReplicaDirectory, order: ReplicaOrder): Promise<void> {
  directory.make();
  await directory.writeOrder(order);
  const line = await startDetached(['replica', directory.path], directory.log);
  const outcome = outcomeSchema.safeParse(line === undefined ? undefined : JSON.parse(line)).data;
  if (outcome?.code === 'ready') return;
  const { code = 'replica-failed', message = 'the process ended without a word', advice } = outcome ?? {};
  throw new OperatingError(code, `host ${order.host}: ${message}`, advice ?? `Its log is ${directory.log}.`);
}

/** Throws OperatingError `description`, also for files that are not on this host. */
export async function descriptionOf({ name, description, baseDirectory }: MachineRecord): Promise<Description> {
  checkMachineName(name);
  const resolved = await resolveDescription(
    { ...description, name },
    { baseDirectory, defaultName: name, diskIsHere: false, filesAreHere: true },
  );
  if ('description' in resolved) return resolved.description;
  const problems = resolved.problems.map(({ path, message }) => `${formatPath(path)}: ${message}`);
  throw new OperatingError(
    'description',
    `the description of ${name} does not hold here: ${problems.join('; ')}`,
    'Kernel and initramfs must be on every host, under the same paths.',
  );
}

function noMemory(host: string, machine: string, neededBytes: number, freeBytes: number): OperatingError {
  const mib = (bytes: number): string => `${Math.floor(bytes / MIB)} MiB`;
  return new OperatingError(
    'no-memory',
    `host ${host} has ${mib(freeBytes)} free, and a replica of ${machine} needs ${mib(neededBytes)}`,
    'Name another host, or offer more memory there ("memory" in host.yaml).',
  );
}
