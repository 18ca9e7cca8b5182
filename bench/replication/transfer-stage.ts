/**
 * State transfers: a replica of a protected guest is killed, again and again, and its hosts make it redundant again. How long did that take, for how
 * long did the guest stand still by its own clock, and how long did a client wait?
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { Probe, type Wait } from '../../test/e2e/support/probe.ts';
import type { Redundancy } from '../../test/e2e/support/replica-watch.ts';
import { SteadyLoad } from '../soak/steady-load.ts';
import { StopWatch } from './agent.ts';
import { inTime } from './guests.ts';
import { type Bare, type TransferEntry, type TransferWork, transferName, VICTIMS } from './journal.ts';
import { type ProtectedGuest, startProtected } from './protected-guest.ts';
import type { StageDeps } from './stages.ts';

const WORKS: readonly TransferWork[] = ['idle', 'redis'];
const ROUND_LIMIT_MS = 90_000;
const REDUNDANT_LIMIT_MS = 60_000;
const CONNECTIONS = 4;
/** Before each kill: what is usual. Long enough for a host that has just lost a replica to be asked again, too. */
const BEFORE_MS = 3000;
/** Outputs that waited are on their way for a moment after the copy. */
const AFTER_MS = 500;
/** The gap at a kill is looked for in this time. */
const GAP_MS = 1500;
const SETTLED_MS = 1000;
const LAST_ANSWERS_MS = 5000;

export async function transferStage(deps: StageDeps): Promise<void> {
  const { plan, image } = deps;
  const rounds = Array.from({ length: plan.transfers }, (_, round) => round);
  const isDone = (work: TransferWork): boolean => rounds.every((round) => deps.isDone(transferName(work, round)));
  if (WORKS.every(isDone)) return;
  const guest = await startProtected(image, deps.own);
  try {
    for (const work of WORKS.filter((each) => !isDone(each))) {
      const load = work === 'redis' ? await SteadyLoad.start(guest.redisPort, CONNECTIONS, 1) : undefined;
      try {
        for (const round of rounds) {
          await deps.measure(transferName(work, round), ROUND_LIMIT_MS, () => loseOne(guest, work, round, load));
        }
      } finally {
        await load?.finish(LAST_ANSWERS_MS);
      }
    }
  } finally {
    await deps.end(guest);
  }
}

async function loseOne(
  guest: ProtectedGuest,
  work: TransferWork,
  round: number,
  load: SteadyLoad | undefined,
): Promise<Bare<TransferEntry>> {
  const before = await untilRedundant(guest, (now) => guest.watch.seen.size === 2 && now !== undefined);
  const victim = VICTIMS[round % VICTIMS.length]!;
  const probe = await Probe.open(guest.redisPort, '127.0.0.1');
  let stopWatch: StopWatch | undefined;
  try {
    stopWatch = await StopWatch.open(guest.agentPort);
    await sleep(SETTLED_MS);
    await stopWatch.look();
    const beganMs = Date.now();
    const answersBefore = load?.answers ?? 0;
    await sleep(BEFORE_MS);
    const usualStops = await stopWatch.look();
    const killMs = Date.now();
    const requestsPerSecondBefore =
      load === undefined ? undefined : ((load.answers - answersBefore) * 1000) / (killMs - beganMs);
    process.kill(guest.watch.seen.get(before[victim])!.pid, 'SIGKILL');
    const times = await untilCopied(guest, killMs, before.generation, stopWatch);
    await sleep(AFTER_MS);
    const stops = await stopWatch.look();
    await probe.close();
    const problems = [...(probe.problem === undefined ? [] : [probe.problem]), ...(load?.complaints ?? [])];
    if (problems.length > 0) throw new Error(problems.slice(0, 3).join('; '));
    const { aloneAtMs, copyingAtMs, redundantAtMs, cutAtMs } = times;
    return {
      type: 'transfer',
      work,
      round,
      victim,
      aloneMs: aloneAtMs - killMs,
      copyingMs: copyingAtMs - killMs,
      cutMs: cutAtMs === undefined ? undefined : cutAtMs - killMs,
      redundantMs: redundantAtMs - killMs,
      stops,
      usualStops,
      waitMs: longestWait(probe.waits, copyingAtMs, redundantAtMs + AFTER_MS),
      gapMs: longestWait(probe.waits, killMs, killMs + GAP_MS),
      usualMs: longestWait(probe.waits, beganMs, killMs - 1),
      requestsPerSecondBefore,
    };
  } finally {
    stopWatch?.close();
    await inTime(probe.close(), LAST_ANSWERS_MS, 'the probe has no answer').catch(() => {});
  }
}

/** Of waits that touch this time; 0 without a wait that is worth remembering. */
export function longestWait(waits: readonly Wait[], fromMs: number, toMs: number): number {
  const within = waits.filter(({ startMs, endMs }) => endMs >= fromMs && startMs <= toMs);
  return Math.max(0, ...within.map(({ startMs, endMs }) => endMs - startMs));
}

async function untilRedundant(
  { watch }: ProtectedGuest,
  isEnough: (now: Redundancy | undefined) => boolean,
): Promise<Redundancy> {
  const find = (): Redundancy | undefined => {
    const now = watch.redundancy(Date.now() - SETTLED_MS);
    return isEnough(now) ? now : undefined;
  };
  const found = await watch.until(find, REDUNDANT_LIMIT_MS);
  if (found === undefined)
    throw new Error(`not redundant within ${REDUNDANT_LIMIT_MS / 1000} s\n${watch.story(0).slice(-1500)}`);
  return found;
}

/** The guest's own stops count from when its survivor runs alone: before that they are the failover's. */
async function untilCopied(guest: ProtectedGuest, killMs: number, generation: number, stopWatch: StopWatch) {
  const { watch } = guest;
  const at = (phase: string): number | undefined => watch.entered(killMs).find((each) => each.phase === phase)?.atMs;
  const aloneAtMs = await watch.until(() => at('alone'), REDUNDANT_LIMIT_MS);
  if (aloneAtMs === undefined) throw new Error(`nobody has gone on alone\n${watch.story(killMs)}`);
  await stopWatch.look();
  const after = await untilRedundant(guest, (now) => now !== undefined && now.generation > generation);
  // The last copy, if one had to be begun anew.
  const entered = watch.entered(killMs);
  const last = (phase: string): number | undefined => entered.findLast((each) => each.phase === phase)?.atMs;
  const redundantAtMs = last('paired') ?? after.atMs;
  return { aloneAtMs, copyingAtMs: last('copying') ?? aloneAtMs, cutAtMs: last('cutting-over'), redundantAtMs };
}
