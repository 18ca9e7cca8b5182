/**
 * What a host does for machines that are to be started again when both their replicas are gone (`onTotalLoss: restart`, PROTOCOL.md,
 * 27): it watches those that it may run and does not run, and starts one that is lost (loss-watch.ts) from its disk, alone; the
 * new primary finds itself a backup. Other hosts do the same: the arbiter decides, and the others' replicas end at once. Whether an
 * image of a mirrored disk on this host may start is the replica's own affair (PROTOCOL.md, 26).
 */
import { OperatingError } from '../../core/base/error.ts';
import { type Loss, LossWatch, type Sight } from '../../core/replication/loss-watch.ts';
import type { Arbiter } from '../arbiter/arbiter.ts';
import { openBootClock } from '../boot-clock.ts';
import type { Description } from '../description/description.ts';
import { leaseOptions } from '../replica/lease-keeper.ts';
import type { Cluster } from './cluster.ts';
import type { Log } from './log.ts';
import type { MachineRecord } from './messages.ts';

export interface RestarterDeps {
  readonly cluster: Cluster;
  readonly arbiter: Arbiter;
  readonly log: Log;
  readonly describe: (record: MachineRecord) => Promise<Description>;
  /** Whether a replica of it lives on this host. */
  readonly runsHere: (machine: string) => boolean;
  /** Throws OperatingError. */
  readonly restart: (machine: string, loss: Loss) => Promise<void>;
}

interface Watched {
  readonly watch: LossWatch;
  /** The next look; none while it is being started. */
  nextMs: number;
  /** After another start in vain: an image that may not start today may not in a minute either. */
  pauseMs: number;
}

/** How often the list of machines is read. */
const LIST_EVERY_MS = 2000;
const TICK_MS = 100;
const FIRST_PAUSE_MS = 5000;
const LONGEST_PAUSE_MS = 60_000;

export class Restarter {
  readonly #host: string;
  readonly #deps: RestarterDeps;
  readonly #nowMs = openBootClock();
  readonly #watched = new Map<string, Watched>();
  #listAtMs = Number.NEGATIVE_INFINITY;
  #timer: NodeJS.Timeout | undefined;
  #closed = false;

  constructor(host: string, deps: RestarterDeps) {
    this.#host = host;
    this.#deps = deps;
  }

  start(): void {
    this.#timer = setTimeout(() => void this.#tick(), TICK_MS);
  }

  async #tick(): Promise<void> {
    try {
      if (this.#nowMs() >= this.#listAtMs) await this.#list();
    } catch (error) {
      // A store that is away is said elsewhere; nothing is lost that cannot be seen.
      if (!(error instanceof OperatingError)) throw error;
      this.#watched.clear();
    }
    const due = [...this.#watched].filter(([, { nextMs }]) => this.#nowMs() >= nextMs);
    await Promise.all(due.map(([machine, watched]) => this.#look(machine, watched)));
    if (!this.#closed) this.start();
  }

  /** Finds the machines to watch; one that was watched goes on being watched. */
  async #list(): Promise<void> {
    this.#listAtMs = this.#nowMs() + LIST_EVERY_MS;
    const machines = await this.#deps.cluster.machines();
    const mine = machines.filter(
      ({ name, wanted, hosts, description }) =>
        description.onTotalLoss === 'restart' &&
        wanted === 'running' &&
        hosts.includes(this.#host) &&
        !this.#deps.runsHere(name),
    );
    for (const name of this.#watched.keys())
      if (!mine.some((record) => record.name === name)) this.#watched.delete(name);
    for (const record of mine) {
      if (this.#watched.has(record.name)) continue;
      const lease = await this.#leaseOf(record);
      if (lease !== undefined)
        this.#watched.set(record.name, { watch: new LossWatch(lease), nextMs: 0, pauseMs: FIRST_PAUSE_MS });
    }
  }

  async #leaseOf(record: MachineRecord): Promise<ReturnType<typeof leaseOptions>> {
    try {
      return leaseOptions(await this.#deps.describe(record));
    } catch (error) {
      if (error instanceof OperatingError) return undefined; // its files are not on this host
      throw error;
    }
  }

  async #look(machine: string, watched: Watched): Promise<void> {
    const askedMs = this.#nowMs();
    const sight = await this.#see(machine);
    watched.nextMs = askedMs + watched.watch.everyMs;
    const loss = watched.watch.looked(sight, askedMs, this.#nowMs());
    if (loss === undefined || this.#closed || this.#watched.get(machine) !== watched) return;
    if (!this.#deps.runsHere(machine)) void this.#restart(machine, watched, loss);
  }

  /** Takes some seconds, in which other machines are looked at. */
  async #restart(machine: string, watched: Watched, loss: Loss): Promise<void> {
    const { log, restart } = this.#deps;
    log.warn({ machine, generation: loss.generation }, 'lost: both replicas are gone; starting it here');
    watched.nextMs = Number.POSITIVE_INFINITY;
    try {
      await restart(machine, loss);
      watched.nextMs = this.#nowMs();
    } catch (error) {
      if (!(error instanceof OperatingError)) throw error;
      log.warn({ machine, code: error.code }, `not started here: ${error.message}`);
      watched.nextMs = this.#nowMs() + watched.pauseMs;
      watched.pauseMs = Math.min(2 * watched.pauseMs, LONGEST_PAUSE_MS);
    }
  }

  async #see(machine: string): Promise<Sight | undefined> {
    try {
      const owner = await this.#deps.arbiter.owner(machine);
      if (owner === undefined) return undefined;
      const { generation, incarnation } = owner;
      return { generation, owner: incarnation, note: await this.#deps.cluster.renewal(machine) };
    } catch (error) {
      if (error instanceof OperatingError) return undefined;
      throw error;
    }
  }

  close(): void {
    this.#closed = true;
    clearTimeout(this.#timer);
  }
}
