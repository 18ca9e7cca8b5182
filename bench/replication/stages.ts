/**
 * What is measured, in stages: each has guests of its own, and asks `due` which of its measurements are still to be made. A measurement that fails
 * ends its stage, because guests that failed once tell nothing more.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { BuiltImage } from '../../src/host/image/manifest.ts';
import { median } from '../support/numbers.ts';
import { testName } from '../support/redis-benchmark.ts';
import { runInGuest } from './agent.ts';
import { inTime, type MeasuredGuest, type MeasuredPair, type Own, startAlone, startPair } from './guests.ts';
import {
  type Bare,
  type DelayEntry,
  delayName,
  type LogEntryFigures,
  logName,
  type Measurement,
  type RatesEntry,
  rateName,
} from './journal.ts';
import { measureRoundTrip } from './log-link.ts';
import { mbits, totalOf, volumeByKind } from './log-volume.ts';
import { type Plan, runTests } from './tests.ts';

export interface StageDeps {
  readonly image: BuiltImage;
  readonly plan: Plan;
  /** Makes a measurement unless the journal has it; rejects when that fails. */
  readonly measure: (name: string, limitMs: number, work: () => Promise<Bare<Measurement>>) => Promise<void>;
  readonly isDone: (name: string) => boolean;
  readonly own: Own;
  /** Stops a guest, and forgets it. */
  readonly end: (guest: { readonly stop: () => Promise<void> } | undefined) => Promise<void>;
}

const TESTS_LIMIT_MS = 120_000;
const WARM_LIMIT_MS = 120_000;
/** For what comes before and after the compiler, on a slow day. */
const COMPILE_SLACK_MS = 60_000;
const GUEST_SETTLES_MS = 2000;
const ROUND_TRIPS = 200;

/** Plain and as a pair, both up, loaded in turn: the one that is not loaded is idle at its prompt. */
export async function rateStage(deps: StageDeps): Promise<void> {
  const { plan, image } = deps;
  const ways = ['plain', 'pair'] as const;
  const rounds = Array.from({ length: plan.rateRounds }, (_, round) => round);
  const names = (round: number): string[] => ways.map((way) => rateName(way, round));
  if (rounds.flatMap(names).every(deps.isDone)) return;
  let plain: MeasuredGuest | undefined;
  let pair: MeasuredPair | undefined;
  try {
    plain = await startAlone(image, deps.own);
    pair = await startPair(image, deps.own, { relayed: false });
    const guests = { plain, pair };
    for (const way of ways) await inTime(runTests(guests[way].redisPort, plan.rates), WARM_LIMIT_MS, 'no warm-up');
    for (const round of rounds) {
      for (const way of round % 2 === 0 ? ways : ways.toReversed()) {
        await deps.measure(rateName(way, round), TESTS_LIMIT_MS, async (): Promise<Bare<RatesEntry>> => {
          const tests = await runTests(guests[way].redisPort, plan.rates);
          guests[way].check();
          return { type: 'rates', round, way, tests };
        });
      }
    }
  } finally {
    await deps.end(pair);
    await deps.end(plain);
  }
}

/** A pair with a relay between its replicas: first the log of different work, then the same requests with a slower and slower link. */
export async function linkStage(deps: StageDeps): Promise<void> {
  const { plan, image } = deps;
  const works = [IDLE, COMPILE, ...plan.logTests.map(testName)];
  const delays = Array.from({ length: plan.delayRounds }, (_, round) =>
    plan.delaysMs.map((delayMs) => ({ round, delayMs, name: delayName(delayMs, round) })),
  ).flat();
  if ([...works.map(logName), ...delays.map(({ name }) => name)].every(deps.isDone)) return;
  const pair = await startPair(image, deps.own, { relayed: true });
  try {
    await sleep(GUEST_SETTLES_MS);
    const keep = (work: string, limitMs: number, act: () => Promise<string>): Promise<void> =>
      deps.measure(logName(work), limitMs, () => logOf(pair, work, act));
    await keep(IDLE, plan.idleSeconds * 1000 + 10_000, async () => {
      await sleep(plan.idleSeconds * 1000);
      return 'nothing but its own timers';
    });
    for (const test of plan.logTests) {
      await keep(testName(test), TESTS_LIMIT_MS, async () => {
        const [result] = await runTests(pair.redisPort, [test]);
        return `${Math.round(result!.requestsPerSecond)} requests a second`;
      });
    }
    await keep(COMPILE, plan.compileSeconds * 1000 + COMPILE_SLACK_MS, () => compile(pair, plan.compileSeconds));
    for (const { round, delayMs, name } of delays) {
      await deps.measure(name, TESTS_LIMIT_MS, async (): Promise<Bare<DelayEntry>> => {
        const roundTripMs = median(await measureRoundTrip(delayMs, ROUND_TRIPS));
        pair.link!.delayMs = delayMs;
        const tests = await runTests(pair.redisPort, plan.delayTests(delayMs));
        pair.link!.delayMs = 0;
        pair.check();
        return { type: 'delay', round, delayMs, roundTripMs, tests };
      });
    }
  } finally {
    await deps.end(pair);
  }
}

/** The log of a guest that reads its disk, without what it reads: the backup reads by itself (docs/disks.md). */
export async function readsStage(deps: StageDeps): Promise<void> {
  const { plan, image, measure } = deps;
  if (deps.isDone(logName(COMPILE_READS))) return;
  // The disk is where `makePlace` has put it.
  const disk = { path: 'disk.img', reads: 'backup' };
  const pair = await startPair(image, deps.own, { relayed: true, more: { disk } });
  try {
    await sleep(GUEST_SETTLES_MS);
    await measure(logName(COMPILE_READS), plan.compileSeconds * 1000 + COMPILE_SLACK_MS, () =>
      logOf(pair, COMPILE_READS, () => compile(pair, plan.compileSeconds)),
    );
  } finally {
    await deps.end(pair);
  }
}

export const IDLE = 'idle at the prompt';
export const COMPILE = 'byte-compiling Python’s library';
export const COMPILE_READS = 'the same with `reads: backup`';

async function logOf(pair: MeasuredPair, work: string, act: () => Promise<string>): Promise<Bare<LogEntryFigures>> {
  const link = pair.link!;
  const before = link.passed;
  const beganMs = performance.now();
  link.keep();
  const done = await act();
  const seconds = (performance.now() - beganMs) / 1000;
  const kept = link.take();
  const after = link.passed;
  pair.check();
  const sentBytes = after.sentBytes - before.sentBytes;
  const backBytes = after.backBytes - before.backBytes;
  return { type: 'log', work, seconds, sentBytes, backBytes, volumes: volumeByKind(kept), done };
}

/** With cold caches: sources are read from the disk, and what comes of them is written to it. Each `;` is one step of the guest's shell. */
async function compile(pair: MeasuredPair, seconds: number): Promise<string> {
  const target = '/var/tmp/bench-compiled';
  const said = await runInGuest(
    pair.agentPort,
    [
      `rm -rf ${target}`,
      'sync',
      'echo 3 >/proc/sys/vm/drop_caches',
      'library=$(python3 -c "import os; print(os.path.dirname(os.__file__))")',
      `PYTHONPYCACHEPREFIX=${target} timeout ${seconds} python3 -m compileall -q -f $library`,
      'sync',
      `find ${target} -name "*.pyc" | wc -l`,
    ].join('; '),
  );
  const files = Number(said.trim().split('\n').at(-1));
  if (!(files > 0)) throw new Error(`nothing was compiled: ${said.slice(-300)}`);
  return `${files} files compiled`;
}

/** A line for people while it runs. */
export function describe(entry: Bare<Measurement>): string {
  switch (entry.type) {
    case 'rates':
    case 'delay': {
      const tests = entry.tests.map(
        ({ name, requestsPerSecond, p50Ms, p99Ms }) =>
          `${name}: ${Math.round(requestsPerSecond)}/s, ${p50Ms.toFixed(2)} / ${p99Ms.toFixed(2)} ms`,
      );
      const trip = entry.type === 'delay' ? `round trip ${entry.roundTripMs.toFixed(2)} ms; ` : '';
      return trip + tests.join('; ');
    }
    case 'log': {
      const log = mbits(totalOf(entry.volumes).bytes, entry.seconds).toFixed(3);
      return `${log} Mbit/s of entries for ${entry.seconds.toFixed(1)} s, ${entry.done}`;
    }
    case 'transfer': {
      const times = `alone ${entry.aloneMs.toFixed(0)}, redundant ${entry.redundantMs.toFixed(0)} ms after it`;
      const stops = `guest late by ${entry.stops.longestMs.toFixed(0)} ms, at the cut ${entry.cutStops.longestMs.toFixed(0)} (usually ${entry.usualStops.longestMs.toFixed(0)})`;
      return `${entry.victim} killed: ${times}; ${stops}; wait ${entry.waitMs} ms (usually ${entry.usualMs}), gap ${entry.gapMs}`;
    }
  }
}
