/**
 * One seed, one run: a pair comes up, clients work, faults strike and end, and the checkers judge. Everything, the faults and
 * their times included, follows from the seed.
 */
import { check, checkers, type Violation } from './checkers.ts';
import { Cluster, type ClusterOptions } from './cluster.ts';
import { evidenceOf } from './evidence.ts';
import { faults, planFaults, setWeather, strike } from './faults.ts';

/** Faults strike between these times, and have ended by the third. */
const FIRST_FAULT_MS = 250;
const LAST_FAULT_MS = 1200;
const QUIET_MS = 2200;
/** After the last fault a run goes on at least so long, and at most so long until all stands well. */
const CALM_MS = 300;
const PATIENCE_MS = 3000;
const LOOK_MS = 100;

/** How many turns of the protocol are hit by a fault, at once or soon after, in addition. */
const TURNS_HIT = [0, 0, 1, 2];

/** How a run came out: who has the machine in the end. */
export const endings = [
  'the first pair',
  'another pair',
  'the backup',
  'the primary alone',
  'started again',
  'nobody',
] as const;
export type Ending = (typeof endings)[number];

export interface Outcome {
  readonly seed: number;
  readonly violations: readonly Violation[];
  /** Empty unless asked for. */
  readonly story: readonly string[];
  readonly ending: Ending;
  readonly faults: ReadonlyMap<string, number>;
  /** Answers that clients have checked. */
  readonly answers: number;
  readonly simulatedMs: number;
}

/** Runs one seed. `options.story`: with its story. */
export function runSeed(seed: number, options: Omit<ClusterOptions, 'seed'> = {}): Outcome {
  const cluster = new Cluster({ seed, resumeMs: seed % 3 === 0 ? 60 : 0, story: false, ...sparesOf(seed), ...options });
  const { schedule, journal, random } = cluster;
  setWeather(cluster);
  cluster.start();
  let endedMs = FIRST_FAULT_MS;
  let calm = false;
  // A copy that is being made is hit on purpose, at any of its bytes: it is over in some tens of ms.
  cluster.onCopying = () => {
    if (calm || !random.chance(0.4)) return;
    const kind = random.pick(Object.keys(faults));
    schedule.after(random.between(0, random.pick([3, 20, 60])), () => {
      if (!calm) endedMs = Math.max(endedMs, strike(cluster, kind, QUIET_MS));
    });
  };
  let turns = random.pick(TURNS_HIT);
  cluster.onTurn = () => {
    if (calm || turns === 0 || !random.chance(0.1)) return;
    turns--;
    const kind = random.pick(Object.keys(faults));
    schedule.after(random.between(0, random.pick([0, 2, 10])), () => {
      if (!calm) endedMs = Math.max(endedMs, strike(cluster, kind, QUIET_MS));
    });
  };
  for (const { atMs, kind } of planFaults(cluster.random, FIRST_FAULT_MS, LAST_FAULT_MS)) {
    endedMs = Math.max(endedMs, atMs);
    schedule.after(atMs, () => {
      endedMs = Math.max(endedMs, strike(cluster, kind, QUIET_MS));
    });
  }
  while (schedule.nowMs < endedMs) schedule.runUntil(endedMs);
  calm = true;
  journal.tell('network', 'all faults have ended');
  const evidence = calmDown(cluster);
  const violations = check(evidence);
  return {
    seed,
    violations,
    story: options.story === true ? journal.tellStory(violations) : [],
    ending: endingOf(cluster),
    faults: journal.faults,
    answers: cluster.clients.reduce((sum, client) => sum + client.answers, 0),
    simulatedMs: schedule.nowMs,
  };
}

/** In most seeds other hosts stand by. */
function sparesOf(seed: number): { spareWithinMs?: number } {
  return seed % 4 === 0 ? {} : { spareWithinMs: [20, 100, 300][seed % 3]! };
}

/** Runs on until all stands well, or patience is at its end. */
function calmDown(cluster: Cluster): ReturnType<typeof evidenceOf> {
  const { schedule } = cluster;
  const answered = cluster.clients.map(({ answers }) => answers);
  const latestMs = schedule.nowMs + PATIENCE_MS;
  schedule.runUntil(schedule.nowMs + CALM_MS);
  for (;;) {
    const evidence = evidenceOf(cluster, answered);
    if (schedule.nowMs >= latestMs || checkers['redundant again'](evidence).length === 0) return evidence;
    schedule.runUntil(schedule.nowMs + LOOK_MS);
  }
}

function endingOf({ processes, journal }: Cluster): Ending {
  const going = processes.filter(({ alive, phase }) => alive && (phase === 'alone' || phase === 'paired'));
  if (going.length === 0) return 'nobody';
  if (journal.life > 1) return 'started again';
  const first = going.every((one) => processes.indexOf(one) < 2);
  if (going.some(({ phase }) => phase === 'paired')) return first ? 'the first pair' : 'another pair';
  return going.includes(processes[0]!) ? 'the primary alone' : 'the backup';
}
