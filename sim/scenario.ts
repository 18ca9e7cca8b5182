/**
 * One seed, one run: a pair comes up, clients work, faults strike and end, and the checkers judge. Everything, the faults and
 * their times included, follows from the seed.
 */
import { check, checkers, type Violation } from './checkers.ts';
import { Cluster } from './cluster.ts';
import { evidenceOf } from './evidence.ts';
import { planFaults, setWeather, strike } from './faults.ts';
import { strikeLeases } from './leases.ts';
import { drawOptions, type RunOptions } from './options.ts';
import type { SimProcess } from './process.ts';
import { strikeReads } from './reads.ts';
import { watchTurns } from './turns.ts';

/** Faults strike between these times, and have ended by the third. */
const FIRST_FAULT_MS = 250;
const LAST_FAULT_MS = 1200;
const QUIET_MS = 2200;
/** After the last fault a run goes on at least so long, and at most so long until all stands well. */
const CALM_MS = 300;
const PATIENCE_MS = 3000;
const LOOK_MS = 100;

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
export function runSeed(seed: number, options: RunOptions = {}): Outcome {
  const cluster = new Cluster({ seed, story: false, ...drawOptions(seed), ...options });
  const { schedule, journal, random } = cluster;
  setWeather(cluster);
  cluster.start();
  let endedMs = FIRST_FAULT_MS;
  let calm = false;
  const hit = (kind: string, victim?: SimProcess): void => {
    if (!calm) endedMs = Math.max(endedMs, strike(cluster, kind, QUIET_MS, victim));
  };
  cluster.onMoment = watchTurns(random, (kind, afterMs, victim) => {
    if (!calm) schedule.after(afterMs, () => hit(kind, victim));
  });
  for (const { atMs, kind } of planFaults(random, FIRST_FAULT_MS, LAST_FAULT_MS)) {
    endedMs = Math.max(endedMs, atMs);
    schedule.after(atMs, () => hit(kind));
  }
  if (cluster.reads !== undefined) strikeReads(cluster, seed, FIRST_FAULT_MS, LAST_FAULT_MS);
  if (options.leases !== undefined)
    endedMs = Math.max(endedMs, strikeLeases(cluster, seed, FIRST_FAULT_MS, LAST_FAULT_MS));
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
  if (journal.lives > 1) return 'started again';
  const first = going.every((one) => processes.indexOf(one) < 2);
  if (going.some(({ phase }) => phase === 'paired')) return first ? 'the first pair' : 'another pair';
  return going.includes(processes[0]!) ? 'the primary alone' : 'the backup';
}
