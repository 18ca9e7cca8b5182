/**
 * Machines with `onTotalLoss: restart` on a simulated cluster (PROTOCOL.md, 27): the note at the arbiter's store that owners renew,
 * hosts that stand by and look at it, each with a clock of its own, and what goes wrong just there. What decides is the unmodified
 * code: lease.ts around the owner's gate, loss-watch.ts on the hosts.
 */
import type { LeaseOptions, LeaseReply, LeaseRequest } from '../src/core/replication/lease.ts';
import { LossWatch, type Sight } from '../src/core/replication/loss-watch.ts';
import { type ArbiterFaults, noArbiterFaults } from './arbiter.ts';
import type { Cluster } from './cluster.ts';
import type { SimProcess } from './process.ts';
import { Random } from './random.ts';

/** Long against a round trip to the arbiter, short against a run. The margin is for the paces below. */
export const LEASE: LeaseOptions = { ttlMs: 160, marginMs: 16 };
/** Clocks go so much too slow or too fast at the most, with this option. */
export const LEASE_PACES = [0.96, 1.04] as const;

/** Planted bugs. */
export interface LeaseBugs {
  /** Hosts that stand by wait for this part of the time. */
  readonly waits?: number;
  /** A renewal counts although the arbiter was not asked after it. */
  readonly unasked?: boolean;
}

/** The note, as processes reach it: by their ways to the arbiter, beside which it lies. */
export class SimLeases {
  #note: string | undefined;
  readonly #cluster: Cluster;
  readonly #bugs: LeaseBugs;

  constructor(cluster: Cluster, bugs: LeaseBugs) {
    this.#cluster = cluster;
    this.#bugs = bugs;
  }

  ask(request: LeaseRequest, faults: ArbiterFaults, reply: (reply: LeaseReply) => void): void {
    const { arbiter } = this.#cluster;
    if (request.op === 'look') return this.#look(faults, reply);
    const { note, incarnation, sentMs } = request;
    const answer = (outcome: 'held' | 'lost' | 'unknown'): void => reply({ op: 'renew', outcome, sentMs });
    const write = (): boolean => {
      if (!faults.empty) this.#note = note;
      return !faults.empty;
    };
    arbiter.travel(faults, write, (written) => {
      if (written !== true) return answer('unknown');
      if (this.#bugs.unasked === true) return answer('held');
      const owner = (): string | undefined => (faults.empty ? undefined : arbiter.newest.incarnation);
      arbiter.travel(faults, owner, (shown) => {
        answer(shown === undefined ? 'unknown' : shown === incarnation ? 'held' : 'lost');
      });
    });
  }

  #look(faults: ArbiterFaults, reply: (reply: LeaseReply) => void): void {
    this.#read(faults, (seen) => {
      if (seen === undefined) reply({ op: 'look', outcome: 'unknown' });
      else reply({ op: 'look', outcome: 'seen', note: seen.note });
    });
  }

  #read(faults: ArbiterFaults, then: (seen: { note: string | undefined } | undefined) => void): void {
    this.#cluster.arbiter.travel<{ note: string | undefined } | undefined>(
      faults,
      () => (faults.empty ? undefined : { note: this.#note }),
      then,
    );
  }

  /** What a host that stands by sees, in two questions. */
  see(faults: ArbiterFaults, then: (sight: Sight | undefined) => void): void {
    const { arbiter } = this.#cluster;
    const newest = (): Omit<Sight, 'note'> | undefined => {
      const { generation, incarnation } = arbiter.newest;
      return faults.empty || incarnation === undefined ? undefined : { generation, owner: incarnation };
    };
    arbiter.travel(faults, newest, (owned) => {
      if (owned === undefined) return then(undefined);
      this.#read(faults, (seen) => then(seen === undefined ? undefined : { ...owned, ...seen }));
    });
  }
}

/** A host that stands by. */
export class SimWatcher {
  readonly name: string;
  readonly faults = noArbiterFaults();
  powered = true;
  paused = false;
  readonly #cluster: Cluster;
  readonly #leases: SimLeases;
  #watch: LossWatch;
  #clock: { readonly hostMs: number; readonly atMs: number; readonly rate: number };
  #looking = false;

  constructor(name: string, cluster: Cluster, leases: SimLeases, { waits = 1 }: LeaseBugs) {
    const { ttlMs, marginMs } = LEASE;
    this.name = name;
    this.#cluster = cluster;
    this.#leases = leases;
    this.#watch = new LossWatch({ ttlMs: ttlMs * waits, marginMs: marginMs * waits });
    const rate = cluster.random.between(...LEASE_PACES);
    this.#clock = { hostMs: cluster.random.between(0, 1e9), atMs: 0, rate };
    this.#tick();
  }

  /** From now on its clock goes `rate` times as fast as time. */
  setClockRate(rate: number): void {
    this.#clock = { hostMs: this.#nowMs(), atMs: this.#cluster.schedule.nowMs, rate };
  }

  #nowMs(): number {
    const { hostMs, atMs, rate } = this.#clock;
    return hostMs + (this.#cluster.schedule.nowMs - atMs) * rate;
  }

  #tick(): void {
    this.#cluster.schedule.after(this.#watch.everyMs, () => this.#tick());
    if (this.#looking || this.paused || !this.powered) return;
    this.#looking = true;
    const askedMs = this.#nowMs();
    this.#leases.see(this.faults, (sight) => this.#seen(sight, askedMs));
  }

  /** A stopped process hears of it when it goes on. */
  #seen(sight: Sight | undefined, askedMs: number): void {
    if (this.paused) return this.#cluster.schedule.after(1, () => this.#seen(sight, askedMs));
    this.#looking = false;
    if (!this.powered) return;
    const loss = this.#watch.looked(sight, askedMs, this.#nowMs());
    if (loss !== undefined) this.#cluster.restart(this.name, loss);
  }
}

type Fault = (cluster: Cluster, random: Random) => void;

/** What is worst for a lease; each ends by itself. */
export const leaseFaults: Record<string, Fault> = {
  'both replicas lost': (cluster, random) => {
    for (const process of living(cluster)) {
      cluster.schedule.after(random.between(0, random.pick([0, 5, 40])), () =>
        cluster.kill(process, random.chance(0.5)),
      );
    }
  },
  'owner without arbiter': (cluster, random) => {
    const owner = ownerOf(cluster);
    if (owner === undefined) return;
    cluster.journal.tell(owner.name, 'cannot reach the arbiter');
    cluster.faultsOf(owner).unreachable = true;
    cluster.schedule.after(lastsMs(random), () => cluster.healArbiter(owner));
  },
  'owner with a bad way to the arbiter, then none': (cluster, random) => {
    const owner = ownerOf(cluster);
    if (owner === undefined) return;
    cluster.journal.tell(owner.name, 'has a slow way to the arbiter');
    Object.assign(cluster.faultsOf(owner), { slowMs: 50 });
    cluster.schedule.after(random.between(50, 200), () =>
      Object.assign(cluster.faultsOf(owner), { unreachable: true }),
    );
    cluster.schedule.after(200 + lastsMs(random), () => cluster.healArbiter(owner));
  },
  'owner stopped, backup lost': (cluster, random) => {
    const owner = ownerOf(cluster);
    if (owner === undefined) return;
    for (const process of living(cluster)) if (process !== owner) cluster.kill(process, false);
    cluster.schedule.after(random.between(0, 100), () => owner.pause());
    cluster.schedule.after(100 + lastsMs(random), () => owner.continue());
  },
  'a host that stands by does not reach the arbiter': (cluster, random) => {
    const watcher = random.pick(cluster.watchers);
    watcher.faults.unreachable = true;
    cluster.schedule.after(lastsMs(random), () => Object.assign(watcher.faults, noArbiterFaults()));
  },
  'a host that stands by is stopped': (cluster, random) => {
    const watcher = random.pick(cluster.watchers);
    watcher.paused = true;
    cluster.schedule.after(lastsMs(random), () => {
      watcher.paused = false;
    });
  },
  'a host that stands by has a slow way to the arbiter': (cluster, random) => {
    const watcher = random.pick(cluster.watchers);
    watcher.faults.slowMs = 20;
    cluster.schedule.after(lastsMs(random), () => Object.assign(watcher.faults, noArbiterFaults()));
  },
};

/** Strikes with one to three of them between these times; returns when all of them will have ended. */
export function strikeLeases(cluster: Cluster, seed: number, fromMs: number, latestMs: number): number {
  const random = new Random(seed + 99 * 2 ** 32);
  for (let left = 1 + random.below(3); left > 0; left--) {
    const kind = random.pick(Object.keys(leaseFaults));
    cluster.schedule.after(random.between(fromMs, latestMs), () => {
      cluster.journal.fault(kind);
      leaseFaults[kind]!(cluster, random);
    });
  }
  return latestMs + 200 + LONGEST_MS;
}

const LONGEST_MS = 600;

/** Shorter than a lease, and longer. */
function lastsMs(random: Random): number {
  return random.pick([60, 150, 220, 300, LONGEST_MS / 1.2]) * random.between(0.8, 1.2);
}

function living({ processes }: Cluster): SimProcess[] {
  return processes.filter(({ alive }) => alive);
}

function ownerOf(cluster: Cluster): SimProcess | undefined {
  const { incarnation } = cluster.arbiter.newest;
  return living(cluster).find((process) => process.incarnation === incarnation);
}
