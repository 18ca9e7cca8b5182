/**
 * State transfers: a replica of a protected guest is killed, again and again, and its hosts make it redundant again. How long did that take, for how
 * long did the guest stand still by its own clock, and how long did a client wait?
 */
import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { Probe, type Wait } from '../../test/e2e/support/probe.ts';
import type { Redundancy } from '../../test/e2e/support/replica-watch.ts';
import { machineThread } from '../cost/marker-clock.ts';
import { SteadyLoad } from '../soak/steady-load.ts';
import { type GuestStop, StopWatch } from './agent.ts';
import { inTime } from './guests.ts';
import {
  type Bare,
  type Stops,
  type TransferEntry,
  type TransferWork,
  transferName,
  VICTIMS,
  type Victim,
} from './journal.ts';
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
const LONG_STOP_MS = 10;
/** What the replicas' logs and the guest's clock may disagree by, and some more. */
const AROUND_CUT_MS = 100;
/** A transfer that took longer leaves its story. */
const UNUSUAL_MS = 15_000;
const STORY_CHARACTERS = 6000;

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
  const { watch } = guest;
  const before = await untilRedundant(guest, (now) => watch.seen.size === 2 && now !== undefined);
  const victim = VICTIMS[round % VICTIMS.length]!;
  const [victimPid, survivorPid] = [victim, other(victim)].map((role) => watch.seen.get(before[role])!.pid);
  const probe = await Probe.open(guest.redisPort, '127.0.0.1');
  let stopWatch: StopWatch | undefined;
  try {
    stopWatch = await StopWatch.open(guest.agentPort);
    await sleep(SETTLED_MS);
    await stopWatch.look();
    const beganMs = Date.now();
    const answersBefore = load?.answers ?? 0;
    await sleep(BEFORE_MS);
    const usual = await stopWatch.look();
    const killMs = Date.now();
    const seconds = (killMs - beganMs) / 1000;
    const requestsPerSecondBefore = load === undefined ? undefined : (load.answers - answersBefore) / seconds;
    process.kill(victimPid!, 'SIGKILL');
    const times = await untilCopied(guest, { killMs, generation: before.generation, pid: survivorPid!, stopWatch });
    await sleep(AFTER_MS);
    const { stops } = await stopWatch.look();
    await probe.close();
    const problems = [...(probe.problem === undefined ? [] : [probe.problem]), ...(load?.complaints ?? [])];
    if (problems.length > 0) throw new Error(problems.slice(0, 3).join('; '));
    const { aloneAtMs, copyingAtMs, redundantAtMs, cutAtMs, copies, waitedForCoreMs } = times;
    return {
      type: 'transfer',
      work,
      round,
      victim,
      aloneMs: aloneAtMs - killMs,
      copyingMs: copyingAtMs - killMs,
      cutMs: cutAtMs === undefined ? undefined : cutAtMs - killMs,
      redundantMs: redundantAtMs - killMs,
      copies,
      stops: stopsWithin(stops, aloneAtMs, redundantAtMs + AFTER_MS),
      cutStops: stopsWithin(stops, (cutAtMs ?? redundantAtMs) - AROUND_CUT_MS, redundantAtMs + AROUND_CUT_MS),
      usualStops: stopsWithin(usual.stops, beganMs, killMs),
      waitedForCoreMs,
      waitMs: longestWait(probe.waits, copyingAtMs, redundantAtMs + AFTER_MS),
      gapMs: longestWait(probe.waits, killMs, killMs + GAP_MS),
      usualMs: longestWait(probe.waits, beganMs, killMs - 1),
      requestsPerSecondBefore,
      ...(redundantAtMs - killMs > UNUSUAL_MS && { story: watch.story(killMs).slice(0, STORY_CHARACTERS) }),
    };
  } finally {
    stopWatch?.close();
    await inTime(probe.close(), LAST_ANSWERS_MS, 'the probe has no answer').catch(() => {});
  }
}

const other = (victim: Victim): Victim => (victim === 'primary' ? 'backup' : 'primary');

/** Of stops that touch this time. */
export function stopsWithin(stops: readonly GuestStop[], fromMs: number, toMs: number): Stops {
  const within = stops.filter(({ endMs, ms }) => endMs >= fromMs && endMs - ms <= toMs).map(({ ms }) => ms);
  const long = within.filter((ms) => ms >= LONG_STOP_MS);
  return {
    longestMs: Math.max(0, ...within),
    times: long.length,
    sumMs: long.reduce((sum, ms) => sum + ms, 0),
  };
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

interface Kill {
  readonly killMs: number;
  /** The one that it ended. */
  readonly generation: number;
  /** Of the replica that is left. */
  readonly pid: number;
  readonly stopWatch: StopWatch;
}

/** The guest's own stops count from when its survivor runs alone: before that they are the failover's. */
async function untilCopied(guest: ProtectedGuest, { killMs, generation, pid, stopWatch }: Kill) {
  const { watch } = guest;
  const at = (phase: string): number | undefined => watch.entered(killMs).find((each) => each.phase === phase)?.atMs;
  const aloneAtMs = await watch.until(() => at('alone'), REDUNDANT_LIMIT_MS);
  if (aloneAtMs === undefined) throw new Error(`nobody has gone on alone\n${watch.story(killMs)}`);
  await stopWatch.look();
  const thread = machineThread(pid);
  const waitedBefore = waitedMs(pid, thread);
  const after = await untilRedundant(guest, (now) => now !== undefined && now.generation > generation);
  const waitedForCoreMs = waitedMs(pid, thread) - waitedBefore;
  // The last copy, if one had to be begun anew.
  const entered = watch.entered(killMs);
  const last = (phase: string): number | undefined => entered.findLast((each) => each.phase === phase)?.atMs;
  return {
    aloneAtMs,
    copyingAtMs: last('copying') ?? aloneAtMs,
    cutAtMs: last('cutting-over'),
    redundantAtMs: last('paired') ?? after.atMs,
    copies: entered.filter(({ phase }) => phase === 'copying').length,
    waitedForCoreMs,
  };
}

/** For how long a thread was ready and had no core since it began (proc(5), schedstat); 0 if that cannot be read. */
function waitedMs(pid: number, thread: string | undefined): number {
  try {
    return Number(readFileSync(`/proc/${pid}/task/${thread}/schedstat`, 'utf8').split(' ')[1]) / 1e6;
  } catch {
    return 0;
  }
}
