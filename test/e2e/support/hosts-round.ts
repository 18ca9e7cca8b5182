/**
 * One round of the campaign on hosts: a redundant machine under load, a fault, and then the questions. Was an acknowledged write
 * lost? Were there two primaries, by the replicas' own words, by the arbiter's record, or by the frames on the wire? Is it
 * redundant again in time? Did the connections live on? How long did the clients wait?
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { AgentAnswer } from './client-agent.ts';
import { type HostsCluster, MACHINE } from './hosts-cluster.ts';
import { type HostFault, injectHostFault } from './hosts-faults.ts';
import { type Injected, sleep } from './hosts-hands.ts';
import { HOST_LABELS, type HostLabel } from './hosts-lab.ts';
import {
  claimProblems,
  frameProblems,
  type ImageCopy,
  imageCopyOf,
  ownersOf,
  REDUNDANT_PATIENCE_MS,
  redundancyProblems,
  timesOf,
} from './hosts-verdict.ts';
import { type Random, randomFrom } from './random.ts';
import type { Redundancy } from './replica-watch.ts';

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
  /** Of a mirrored disk, if the new backup's image had to catch up. */
  readonly imageCopy?: ImageCopy;
};

const BEFORE_PATIENCE_MS = 90_000;
const ANSWERS = 300;
const LINES = 10;

export async function runHostsRound(cluster: HostsCluster, options: HostsRoundOptions): Promise<HostsRound> {
  const { fault, seed, connections } = options;
  const random = randomFrom(seed);
  const { watch, clients, frames } = cluster;
  // Without a third that an earlier round has left behind: one that finds no primary makes room after a while.
  const quiet = () => (watch.seen.size === 2 ? watch.redundancy(Date.now() - 1000) : undefined);
  const before = await watch.until(quiet, BEFORE_PATIENCE_MS);
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
  const imageCopy = imageCopyOf(watch.said.filter(({ atMs }) => atMs >= injected.faultMs));
  const problems = [
    ...injected.problems,
    ...end.problems,
    ...redundancyProblems(told, redundantMs),
    ...watch.violations,
    ...claimProblems(watch.entered(beganMs)),
    ...frameProblems(frames.take(), [pair.primary, ...ownersOf(entered)], (vtep) => hostAt(cluster, vtep)),
    ...(await recordProblems(cluster, after)),
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
    ...(imageCopy === undefined ? {} : { imageCopy }),
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

function hostAt({ lab }: HostsCluster, vtep: string): HostLabel | undefined {
  return HOST_LABELS.find((label) => lab.address(label, 'uplink') === vtep);
}

/** What stands written about the pair, at the arbiter and beside its disk. */
async function recordProblems(cluster: HostsCluster, after: Redundancy | undefined): Promise<string[]> {
  if (after === undefined) return [];
  const word = cluster.arbiterWord();
  const generation = word.owner?.generation;
  if (generation !== after.generation)
    return [`the arbiter says generation ${generation}, the pair ${after.generation}`];
  return cluster.disk.pairProblems(after, word);
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
