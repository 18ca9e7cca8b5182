/**
 * What goes wrong in a simulated run. A fault strikes at once, may have a victim among the living processes, and ends by
 * itself. Each seed has its own mix: some kinds of fault, with weights, and how close to each other they come.
 */
import type { ArbiterFaults } from './arbiter.ts';
import type { Cluster } from './cluster.ts';
import type { SimProcess } from './process.ts';
import type { Random } from './random.ts';

/** Strikes; returns after how many ms it has ended (0: it has no end), and what ends it. */
type Fault = (cluster: Cluster, victim: SimProcess) => Ending | undefined;

interface Ending {
  readonly afterMs: number;
  readonly end: () => void;
}

/** From a blink to longer than any suspicion. */
function durationMs({ random }: Cluster): number {
  return random.pick([5, 30, 80, 150, 250, 350, 700]) * random.between(0.7, 1.3);
}

function stalled(cluster: Cluster, ways: readonly (0 | 1)[], what: string): Ending {
  cluster.journal.tell('network', what);
  for (const way of ways) cluster.ways[way].stall(true);
  const end = (): void => {
    cluster.journal.tell('network', 'the hosts reach each other again');
    for (const way of ways) cluster.ways[way].stall(false);
  };
  return { afterMs: durationMs(cluster), end };
}

/** The way of `victim` to the arbiter is bad for a while. */
function badArbiter(cluster: Cluster, victim: SimProcess, faults: Partial<ArbiterFaults>, what: string): Ending {
  cluster.journal.tell(victim.name, what);
  Object.assign(cluster.faultsOf(victim), faults);
  const end = (): void => {
    cluster.journal.tell(victim.name, 'is well again with the arbiter');
    cluster.healArbiter(victim);
  };
  return { afterMs: 3 * durationMs(cluster), end };
}

/** The segment treats frames badly for a while. */
function badSegment(
  cluster: Cluster,
  faults: { loss?: number; duplicate?: number; slowMs?: number },
  what: string,
): Ending {
  cluster.journal.tell('network', what);
  Object.assign(cluster.segment, faults);
  return {
    afterMs: 2 * durationMs(cluster),
    end: () => Object.assign(cluster.segment, { loss: 0, duplicate: 0, slowMs: 0 }),
  };
}

function paused(cluster: Cluster, victim: SimProcess): Ending {
  victim.pause();
  return { afterMs: durationMs(cluster), end: () => victim.continue() };
}

export const faults: Record<string, Fault> = {
  // Processes and hosts
  kill: (cluster, victim) => void cluster.kill(victim, false),
  'host lost': (cluster, victim) => void cluster.kill(victim, true),
  restart: (cluster, victim) => {
    cluster.kill(victim, false);
    cluster.startProcess(`${victim.name}'`, cluster.random.pick(['primary', 'backup']));
  },
  pause: paused,
  'host asleep': (cluster, victim) => {
    const stands = stalled(cluster, [0, 1], `the host of ${victim.name} falls asleep`);
    const sleeps = paused(cluster, victim);
    const end = (): void => {
      sleeps.end();
      stands.end();
    };
    return { afterMs: sleeps.afterMs, end };
  },
  'power loss': (cluster) => {
    const outageMs = cluster.random.between(80, 250);
    cluster.losePower(outageMs);
    return { afterMs: outageMs + 100, end: () => {} };
  },
  'dead CPU thread': (_, victim) => void victim.killCpuThread(),
  'hung CPU thread': (cluster, victim) => {
    victim.hangCpuThread();
    return { afterMs: durationMs(cluster), end: () => victim.freeCpuThread() };
  },
  'clock leap': (cluster, victim) => void victim.jumpClock(cluster.random.pick([20, 70, 250, 2000])),
  'clock pace': (cluster, victim) => {
    victim.setClockRate(cluster.random.between(...cluster.paces));
    return { afterMs: durationMs(cluster), end: () => victim.setClockRate(cluster.random.between(0.99, 1.01)) };
  },

  // The log channel
  cut: (cluster) => void cluster.cutLink(),
  partition: (cluster) => stalled(cluster, [0, 1], 'the hosts do not reach each other'),
  'one-way partition': (cluster) => {
    const way = cluster.random.pick([0, 1] as const);
    return stalled(cluster, [way], `nothing arrives at the ${way === 0 ? 'backup' : 'primary'}`);
  },
  'partition and cut': (cluster) => {
    cluster.cutLink();
    return stalled(cluster, [0, 1], 'the hosts do not reach each other');
  },
  'slow link': (cluster) => {
    cluster.journal.tell('network', 'is slow between the hosts');
    const slowMs = cluster.random.pick([5, 30, 90]);
    for (const way of cluster.ways) way.slowMs = slowMs;
    const end = (): void => {
      for (const way of cluster.ways) way.slowMs = 0;
    };
    return { afterMs: durationMs(cluster), end };
  },

  // Frames
  'frames lost': (cluster) => badSegment(cluster, { loss: 0.3 }, 'loses frames'),
  'frames twice': (cluster) => badSegment(cluster, { duplicate: 0.5 }, 'delivers frames twice'),
  'frames late': (cluster) => badSegment(cluster, { slowMs: 30 }, 'delivers frames late and in another order'),
  'no uplink': (cluster, victim) => {
    cluster.journal.tell(victim.name, 'has lost its uplink');
    victim.uplink = false;
    victim.event({ type: 'uplink', up: false });
    const end = (): void => {
      victim.uplink = true;
      victim.event({ type: 'uplink', up: true });
    };
    return { afterMs: durationMs(cluster), end };
  },

  // The arbiter
  'no arbiter': (cluster, victim) => badArbiter(cluster, victim, { unreachable: true }, 'cannot reach the arbiter'),
  'arbiter down': (cluster) => {
    cluster.journal.tell('arbiter', 'is down');
    cluster.arbiter.down = true;
    const end = (): void => {
      cluster.journal.tell('arbiter', 'is up again');
      cluster.arbiter.down = false;
    };
    return { afterMs: 2 * durationMs(cluster), end };
  },
  'arbiter answers lost': (cluster, victim) =>
    badArbiter(cluster, victim, { loseReply: 0.8 }, 'gets few answers from the arbiter, which hears all'),
  'arbiter slow': (cluster, victim) => badArbiter(cluster, victim, { slowMs: 40 }, 'has a slow way to the arbiter'),
  'arbiter late': (cluster, victim) =>
    badArbiter(cluster, victim, { late: 0.6, loseRequest: 0.2 }, 'has requests that reach the arbiter much later'),
  'arbiter empty': (cluster, victim) => badArbiter(cluster, victim, { empty: true }, 'sees an empty arbiter'),

  // The disk
  'slow disk': (cluster) => {
    cluster.journal.tell('disk', 'is slow');
    cluster.disk.slowMs = cluster.random.pick([10, 60, 200]);
    return { afterMs: 2 * durationMs(cluster), end: () => Object.assign(cluster.disk, { slowMs: 0 }) };
  },

  // People
  'hand-over': (_, victim) => void victim.event({ type: 'hand-over' }),
};

/** These end something for good: they come less often than what a pair lives through. */
const FINAL: readonly string[] = ['kill', 'host lost', 'restart', 'power loss', 'dead CPU thread'];

/** What this seed's disk and network are like when nothing is wrong with them. */
export function setWeather({ random, disk, ways }: Cluster): void {
  if (random.chance(0.4)) disk.usualSlowMs = random.pick([5, 20, 60]);
  if (random.chance(0.4)) for (const way of ways) way.usualSlowMs = random.pick([2, 8, 25]);
}

export interface PlannedFault {
  readonly atMs: number;
  readonly kind: string;
}

/** This seed's faults, between `fromMs` and `toMs`. */
export function planFaults(random: Random, fromMs: number, toMs: number): PlannedFault[] {
  const weights = new Map<string, number>();
  for (const kind of Object.keys(faults)) {
    if (random.chance(0.4)) weights.set(kind, (FINAL.includes(kind) ? 1 : 2) * random.between(0.2, 1));
  }
  if (weights.size === 0) weights.set(random.pick(Object.keys(faults)), 1);
  const burst = random.chance(0.5);
  const planned: PlannedFault[] = [];
  let atMs = random.between(fromMs, toMs);
  for (let left = 1 + random.below(6); left > 0; left--) {
    planned.push({ atMs, kind: draw(random, weights) });
    atMs = burst && random.chance(0.8) ? Math.min(toMs, atMs + random.between(0, 150)) : random.between(fromMs, toMs);
  }
  return planned;
}

/**
 * Does it to `victim`, or to anybody, if somebody lives to whom it can happen; returns when it will have ended, at `latestMs` at
 * the latest.
 */
export function strike(cluster: Cluster, kind: string, latestMs: number, victim?: SimProcess): number {
  const { schedule, random, journal } = cluster;
  const living = cluster.processes.filter(({ alive }) => alive);
  const whom = victim ?? (living.length === 0 ? undefined : random.pick(living));
  if (whom?.alive !== true) return schedule.nowMs;
  journal.fault(kind);
  const ending = faults[kind]!(cluster, whom);
  if (ending === undefined) return schedule.nowMs;
  const endMs = Math.min(schedule.nowMs + ending.afterMs, latestMs);
  schedule.after(endMs - schedule.nowMs, ending.end);
  return endMs;
}

function draw(random: Random, weights: ReadonlyMap<string, number>): string {
  let left = random.unit() * [...weights.values()].reduce((sum, weight) => sum + weight, 0);
  let last = '';
  for (const [kind, weight] of weights) {
    last = kind;
    left -= weight;
    if (left < 0) break;
  }
  return last;
}
