/**
 * One seed, one run: a pair comes up, clients work, faults happen, faults end, and the checkers look. Everything, the faults
 * and their times included, follows from the seed.
 */
import { Cluster, type ClusterOptions } from './cluster.ts';
import type { SimProcess } from './process.ts';

/** Faults happen between these times, and have ended by the third; the run ends at the last. */
const FIRST_FAULT_MS = 250;
const LAST_FAULT_MS = 1400;
const QUIET_MS = 2200;
const END_MS = 3600;

export interface Outcome {
  readonly seed: number;
  readonly violations: readonly string[];
  readonly story: readonly string[];
  /** What happened, for a summary. */
  readonly failedOver: boolean;
  readonly answers: number;
}

type Fault = (cluster: Cluster, victim: SimProcess) => void;

/** Pauses and partitions last from a blink to longer than any suspicion. */
const duration = (cluster: Cluster): number =>
  cluster.random.pick([5, 30, 80, 150, 250, 350, 700]) * cluster.random.between(0.7, 1.3);

const until = (cluster: Cluster, endMs: number, end: () => void): void =>
  cluster.schedule.after(Math.min(endMs, QUIET_MS - cluster.schedule.nowMs), end);

const faults: Record<string, Fault> = {
  kill: (cluster, victim) => cluster.kill(victim, false),
  'power loss': (cluster, victim) => cluster.kill(victim, true),
  pause: (cluster, victim) => {
    victim.pause();
    until(cluster, duration(cluster), () => victim.continue());
  },
  cut: (cluster) => cluster.cutLink(),
  partition: (cluster) => {
    cluster.journal.tell('network', 'the hosts do not reach each other');
    for (const way of cluster.ways) way.stall(true);
    until(cluster, duration(cluster), () => {
      cluster.journal.tell('network', 'the hosts reach each other again');
      for (const way of cluster.ways) way.stall(false);
    });
  },
  'one-way partition': (cluster) => {
    const direction = cluster.random.below(2) as 0 | 1;
    cluster.journal.tell('network', `nothing arrives at the ${direction === 0 ? 'backup' : 'primary'}`);
    cluster.ways[direction].stall(true);
    until(cluster, duration(cluster), () => {
      cluster.journal.tell('network', 'the hosts reach each other again');
      cluster.ways[direction].stall(false);
    });
  },
  'partition and cut': (cluster) => {
    cluster.journal.tell('network', 'the hosts do not reach each other, and the channel breaks');
    for (const way of cluster.ways) way.stall(true);
    cluster.cutLink();
    until(cluster, duration(cluster), () => {
      for (const way of cluster.ways) way.stall(false);
    });
  },
  'no arbiter': (cluster, victim) => {
    cluster.journal.tell(victim.name, 'cannot reach the arbiter');
    const its = cluster.faultsOf(victim);
    its.unreachable = true;
    until(cluster, 3 * duration(cluster), () => {
      its.unreachable = false;
    });
  },
  'bad arbiter': (cluster, victim) => {
    cluster.journal.tell(victim.name, 'has a bad way to the arbiter');
    const its = cluster.faultsOf(victim);
    Object.assign(its, { loseRequest: 0.2, loseReply: 0.6, late: 0.2 });
    until(cluster, 4 * duration(cluster), () => Object.assign(its, { loseRequest: 0, loseReply: 0, late: 0 }));
  },
  'slow disk': (cluster) => {
    cluster.journal.tell('disk', 'is slow');
    cluster.disk.slowMs = 60;
    until(cluster, 2 * duration(cluster), () => {
      cluster.disk.slowMs = 0;
    });
  },
  'no uplink': (cluster, victim) => {
    cluster.journal.tell(victim.name, 'has lost its uplink');
    victim.uplink = false;
    victim.event({ type: 'uplink', up: false });
    until(cluster, duration(cluster), () => {
      victim.uplink = true;
      victim.event({ type: 'uplink', up: true });
    });
  },
  'dead CPU thread': (_, victim) => victim.killCpuThread(),
  'hand-over': (_, victim) => victim.event({ type: 'hand-over' }),
  restart: (cluster, victim) => {
    cluster.kill(victim, false);
    cluster.startProcess(`${victim.name}'`, 'primary');
  },
};

/** Runs one seed. */
export function runSeed(seed: number, options: Omit<ClusterOptions, 'seed'> = {}): Outcome {
  const cluster = new Cluster({ seed, resumeMs: seed % 3 === 0 ? 60 : 0, ...options });
  const { schedule, random, journal } = cluster;
  cluster.start();
  const count = 1 + random.below(4);
  for (let number = 0; number < count; number++) {
    schedule.after(random.between(FIRST_FAULT_MS, LAST_FAULT_MS), () => {
      const name = random.pick(Object.keys(faults));
      faults[name]!(cluster, cluster.processes[random.below(2)]!);
    });
  }
  schedule.runUntil(QUIET_MS);
  journal.tell('network', 'all faults have ended');
  const before = cluster.clients.map((client) => client.answers);
  schedule.runUntil(END_MS);
  check(cluster, before);
  return {
    seed,
    violations: journal.violations,
    story: journal.story,
    failedOver: cluster.processes.slice(1).some((process) => process.phase === 'alone'),
    answers: cluster.clients.reduce((sum, client) => sum + client.answers, 0),
  };
}

function check(cluster: Cluster, answersBefore: readonly number[]): void {
  const survivor = checkPhases(cluster);
  checkHistory(cluster);
  if (survivor === undefined) return;
  const works = cluster.clients.every((client, index) => client.answers > answersBefore[index]!);
  if (!works) cluster.journal.violation(`${survivor.name} goes on, but a client gets no answers`);
  checkDisk(cluster);
}

/** When faults have ended, whoever owns the newest generation goes on, and nobody is stuck. Returns who goes on. */
function checkPhases({ processes, arbiter, journal }: Cluster): SimProcess | undefined {
  const { generation, incarnation } = arbiter.newest;
  const owner = processes.find((process) => process.incarnation === incarnation);
  const live = processes.filter((process) => process.alive && !process.cpuDead);
  for (const process of live) {
    if (!['alone', 'paired', 'connecting', 'waiting-for-backup'].includes(process.phase)) {
      journal.violation(`${process.name} is still ${process.phase}`);
    }
    if (!['alone', 'paired'].includes(process.phase)) continue;
    if (process.generation !== generation) {
      journal.violation(`${process.name} is ${process.phase} in generation ${process.generation}; it has ended`);
    }
    const peer = live.find((other) => other !== process && other.phase === 'paired');
    if (process.phase === 'paired' && peer === undefined) journal.violation(`${process.name} is paired with nobody`);
  }
  if (owner === undefined || owner.killed || owner.cpuDead) return undefined;
  if (owner.halted || !['alone', 'paired'].includes(owner.phase)) {
    journal.violation(`${owner.name} owns generation ${generation}, and is ${owner.phase}`);
    return undefined;
  }
  return owner;
}

/** Released outputs lie on the history of the last owner that ever ran. */
function checkHistory({ processes, arbiter, journal }: Cluster): void {
  for (let { generation } = arbiter.newest; generation >= 0; generation--) {
    const owner = processes.find((process) => process.incarnation === arbiter.owner(generation));
    // With a dead CPU thread it never took a step as the owner.
    if (owner === undefined || (owner.cpuDead && owner.phase !== 'alone')) continue;
    journal.compare(owner.history, owner.name);
    return journal.compareWrites(owner.history, owner.name);
  }
}

/** What was acknowledged after a flush is on the disk. */
function checkDisk({ clients, disk, journal }: Cluster): void {
  for (const [number, client] of clients.entries()) {
    for (const [key, frame] of client.acknowledged) {
      const sector = disk.sectors.get(key);
      const value = sector === undefined ? 0 : new DataView(sector.buffer, sector.byteOffset).getUint32(0, true);
      if (value === frame.value || client.mayHaveWritten(key, value)) continue;
      journal.violation(`the disk has ${value} for key ${key}; client ${number} was promised ${frame.value}`);
    }
  }
}
