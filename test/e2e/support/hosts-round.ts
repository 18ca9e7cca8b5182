/**
 * One round of the campaign on hosts: a redundant machine under load, a fault, and then the questions. Was an acknowledged write
 * lost? Were there two primaries, by the replicas' own words, by the arbiter's record, or by the frames on the wire? Is it
 * redundant again in time? Did the connections live on? How long did the clients wait?
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { AgentAnswer } from './client-agent.ts';
import type { FrameRun } from './frame-watch.ts';
import { type HostsCluster, MACHINE } from './hosts-cluster.ts';
import { type HostFault, type Injected, injectHostFault, sleep } from './hosts-faults.ts';
import { HOST_LABELS, type HostLabel } from './hosts-lab.ts';
import type { Wait } from './probe.ts';
import { type Random, randomFrom } from './random.ts';
import type { Entered, Redundancy } from './replica-watch.ts';

export type HostsRoundOptions = {
  readonly fault: HostFault;
  /** Of this round alone. */
  readonly seed: number;
  readonly connections: number;
};

export type HostsRound = {
  readonly fault: HostFault;
  readonly seed: number;
  readonly variant: string;
  /** Empty if all was as it must be. */
  readonly problems: readonly string[];
  readonly from: string;
  readonly to: string;
  readonly acknowledgedWrites: number;
  readonly lostWrites: number;
  readonly requestsPerSecondBefore: number;
  /** The longest wait of the probe around the fault, until somebody went on; before the fault, for comparison. */
  readonly gapMs: number | undefined;
  readonly usualMs: number;
  /** The longest wait while a copy was made and cut over. */
  readonly transferGapMs: number | undefined;
  /** How long the last copy took. */
  readonly transferMs: number | undefined;
  /** From the fault, and from when it was mended, until the pair was complete; undefined if it was not broken. */
  readonly redundantAfterMs: number | undefined;
  readonly redundantAfterMendMs: number | undefined;
};

const REDUNDANT_WITHIN_MS = 30_000;
/** Longer, so that it is known how long it took. */
const REDUNDANT_PATIENCE_MS = 75_000;
const BEFORE_PATIENCE_MS = 90_000;
const ANSWERS = 300;
const LINES = 10;

type Told = { readonly before: Redundancy; readonly after: Redundancy | undefined; readonly injected: Injected };

export async function runHostsRound(cluster: HostsCluster, options: HostsRoundOptions): Promise<HostsRound> {
  const { fault, seed, connections } = options;
  const random = randomFrom(seed);
  const { watch, clients, frames } = cluster;
  const before = await watch.until(() => watch.redundancy(Date.now() - 1000), BEFORE_PATIENCE_MS);
  if (before === undefined) throw new Error(`the machine is not redundant before the fault`);
  const troubles = guestTroubles(cluster).length;
  watch.violations.length = 0;
  await clients.begin(connections, seed, BEFORE_PATIENCE_MS);
  const beganMs = Date.now();
  const loaded = await clients.more(ANSWERS + random(ANSWERS), LINES, 30_000);
  const requestsPerSecondBefore = Math.round((1000 * loaded.answers) / (Date.now() - beganMs));
  await sleep(random(200));
  frames.take();
  const pair = watch.redundancy();
  if (pair?.generation !== before.generation) throw new Error('the pair broke by itself before the fault');
  const injected = await injectHostFault(fault, { cluster, pair, random });
  const after = await watch.until(() => redundantAgain(cluster, injected, pair), REDUNDANT_PATIENCE_MS);
  const end = await finish(cluster, options, injected, random);
  await sleep(500); // the frame watch's last lines
  const told = { before: pair, after, injected };
  const entered = watch.entered(injected.faultMs);
  const { redundantMs, ...figures } = timesOf(told, entered, end.waits);
  const problems = [
    ...injected.problems,
    ...end.problems,
    ...redundancyProblems(told, redundantMs),
    ...watch.violations,
    ...claimProblems(watch.entered(beganMs)),
    ...frameProblems(cluster, frames.take(), [pair.primary, ...ownersOf(entered)]),
    ...arbiterProblems(cluster, after),
    ...guestTroubles(cluster).slice(troubles),
  ];
  return {
    fault,
    seed,
    variant: injected.variant,
    problems,
    from: placeOf(pair),
    to: after === undefined ? 'not redundant' : placeOf(after),
    acknowledgedWrites: end.report?.acknowledgedWrites ?? 0,
    lostWrites: end.report?.lost.length ?? 0,
    requestsPerSecondBefore,
    ...figures,
  };
}

/** The pair as it is when all is over, in the generation that it has to have. */
function redundantAgain({ watch }: HostsCluster, injected: Injected, before: Redundancy): Redundancy | undefined {
  const { expected, mendedMs } = injected;
  const now = watch.redundancy(Math.max(mendedMs, Date.now() - 1000));
  const ended = expected === 'next' || expected === 'lost';
  return now !== undefined && ended && now.generation <= before.generation ? undefined : now;
}

async function finish(
  { clients }: HostsCluster,
  { connections, seed }: HostsRoundOptions,
  { expected }: Injected,
  random: Random,
): Promise<AgentAnswer> {
  if (expected === 'lost') {
    // A new machine, as far as its clients can tell: it must serve them again.
    await clients.ask({ do: 'abandon' });
    await clients.begin(connections, seed, BEFORE_PATIENCE_MS);
  }
  await clients.more(ANSWERS + random(ANSWERS), LINES, 30_000);
  return clients.ask({ do: 'finish' });
}

function placeOf({ generation, primary, backup }: Redundancy): string {
  return `${primary}+${backup} in ${generation}`;
}

function longest(waits: readonly Wait[], fromMs: number, toMs: number): number | undefined {
  const within = waits.filter(({ startMs, endMs }) => endMs >= fromMs && startMs <= toMs);
  return within.length === 0 ? undefined : Math.max(...within.map(({ startMs, endMs }) => endMs - startMs));
}

function timesOf({ before, after, injected }: Told, entered: readonly Entered[], waits: readonly Wait[]) {
  const { faultMs, mendedMs, expected } = injected;
  const broken = after === undefined || after.generation > before.generation;
  const alone = entered.find(({ phase }) => phase === 'alone');
  const copying = entered.findLast(({ phase }) => phase === 'copying');
  const last = entered.filter(({ phase, generation }) => phase === 'paired' && generation === after?.generation);
  const redundantMs = !broken || after === undefined ? undefined : (last.at(-1)?.atMs ?? after.atMs);
  const copied = copying !== undefined && redundantMs !== undefined && redundantMs > copying.atMs;
  const serving = expected !== 'lost';
  return {
    redundantMs,
    gapMs: serving ? longest(waits, faultMs, Math.max(alone?.atMs ?? 0, faultMs + 1000)) : undefined,
    usualMs: longest(waits, 0, faultMs - 1000) ?? 0,
    transferGapMs: serving && copied ? longest(waits, copying.atMs, redundantMs) : undefined,
    transferMs: copied ? redundantMs - copying.atMs : undefined,
    redundantAfterMs: redundantMs === undefined ? undefined : redundantMs - faultMs,
    redundantAfterMendMs: redundantMs === undefined ? undefined : Math.max(0, redundantMs - mendedMs),
  };
}

// Questions

function redundancyProblems({ before, after, injected }: Told, redundantMs: number | undefined): string[] {
  const { expected, mendedMs, primary } = injected;
  if (after === undefined) return [`not redundant ${REDUNDANT_PATIENCE_MS / 1000} s after the fault was mended`];
  const problems: string[] = [];
  const tookMs = (redundantMs ?? mendedMs) - mendedMs;
  if (tookMs > REDUNDANT_WITHIN_MS && expected !== 'lost') {
    problems.push(`redundant only ${tookMs} ms after the fault was mended`);
  }
  if (expected === 'same' && after.generation !== before.generation) problems.push('the pair was broken');
  if (primary !== undefined && after.primary !== primary) {
    problems.push(`the machine runs on ${after.primary}, not on ${primary}`);
  }
  return problems;
}

/** Each generation is won by one host only. */
function claimProblems(entered: readonly Entered[]): string[] {
  const winners = new Map<number, Set<HostLabel>>();
  for (const { phase, generation, host } of entered) {
    if (phase !== 'admitting' && phase !== 'alone') continue;
    winners.set(generation, (winners.get(generation) ?? new Set()).add(host));
  }
  return [...winners]
    .filter(([, hosts]) => hosts.size > 1)
    .map(([generation, hosts]) => `generation ${generation} was won by ${[...hosts].join(' and ')}`);
}

/** Whoever has won a generation, in order. */
function ownersOf(entered: readonly Entered[]): HostLabel[] {
  return entered.filter(({ phase }) => phase === 'admitting').map(({ host }) => host);
}

/** The guest's frames come from its owners, one after the other: never again from one that was followed by another. */
function frameProblems({ lab }: HostsCluster, runs: readonly FrameRun[], owners: readonly HostLabel[]): string[] {
  const hostOf = (vtep: string) => HOST_LABELS.find((label) => lab.address(label, 'uplink') === vtep) ?? vtep;
  let at = 0;
  for (const { vtep, frames, firstMs } of runs) {
    const host = hostOf(vtep);
    const next = owners.findIndex((owner, i) => i >= at && owner === host);
    if (next < 0) {
      const order = runs.map((run) => `${hostOf(run.vtep)} (${run.frames})`).join(', ');
      const when = new Date(firstMs).toISOString();
      return [
        `${frames} frames from ${host} at ${when} out of turn: frames came from ${order}, owners were ${owners.join(', ')}`,
      ];
    }
    at = next;
  }
  return [];
}

function arbiterProblems(cluster: HostsCluster, after: Redundancy | undefined): string[] {
  const { generation } = cluster.owner();
  return after === undefined || generation === after.generation
    ? []
    : [`the arbiter says generation ${generation}, the pair ${after.generation}`];
}

/** What a kernel in trouble says. */
function guestTroubles(cluster: HostsCluster): string[] {
  return HOST_LABELS.flatMap((label) => {
    try {
      const console = readFileSync(join(cluster.stateOf(label), 'replicas', MACHINE, 'console.log'), 'latin1');
      return console
        .split('\n')
        .filter((line) => /EXT4-fs error|I\/O error|Oops|Call Trace|BUG:|rcu.*stall/i.test(line));
    } catch {
      return [];
    }
  });
}
