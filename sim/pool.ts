/** Runs many seeds, on threads of their own if more than one is wanted. A seed's run is the same on any of them. */
import { isMainThread, parentPort, Worker } from 'node:worker_threads';
import { bugs } from './bugs.ts';
import { type Asked, askedOptions } from './options.ts';
import { type Outcome, runSeed } from './scenario.ts';

export interface SeedsRequest extends Asked {
  readonly from: number;
  readonly seeds: number;
  readonly jobs: number;
  /** Whether an outcome ends it all; if not given, a failure does. */
  readonly ends?: (outcome: Outcome) => boolean;
}

/** So many seeds at a time are given to a thread. */
const CHUNK = 20;

interface Chunk {
  readonly from: number;
  readonly seeds: number;
  readonly asked: Asked;
}

/**
 * Calls `each` with the outcomes, in any order. Once one ends it no more are begun, and of those that do `each` hears only of
 * the one with the lowest number, last.
 */
export async function runSeeds(request: SeedsRequest, each: (outcome: Outcome) => void): Promise<void> {
  let next = request.from;
  const end = request.from + request.seeds;
  const ends = request.ends ?? (({ violations }) => violations.length > 0);
  const asked: Asked = { variants: request.variants ?? [], bug: request.bug };
  let last: Outcome | undefined;
  const take = (): Chunk | undefined => {
    if (next >= end || last !== undefined) return undefined;
    const from = next;
    next = Math.min(end, from + CHUNK);
    return { from, seeds: next - from, asked };
  };
  const done = (outcomes: readonly Outcome[]): void => {
    for (const outcome of outcomes) {
      if (!ends(outcome)) each(outcome);
      else if (last === undefined || outcome.seed < last.seed) last = outcome;
    }
  };
  if (request.jobs === 1) for (let chunk = take(); chunk !== undefined; chunk = take()) done(run(chunk));
  else await Promise.all(Array.from({ length: request.jobs }, () => runThread(take, done)));
  if (last !== undefined) each(last);
}

/** The first seed that shows a planted bug to the checker that is meant to see it; undefined if none does. */
export async function firstToSee(
  bug: string,
  request: Omit<SeedsRequest, 'bug' | 'ends'>,
): Promise<number | undefined> {
  const { seenBy } = bugs[bug]!;
  const ends = ({ violations }: Outcome): boolean => violations.some(({ checker }) => checker === seenBy);
  let found: number | undefined;
  await runSeeds({ ...request, bug, ends }, (outcome) => {
    if (ends(outcome)) found = outcome.seed;
  });
  return found;
}

function run({ from, seeds, asked }: Chunk): Outcome[] {
  const options = askedOptions(asked);
  const outcomes: Outcome[] = [];
  for (let seed = from; seed < from + seeds; seed++) outcomes.push(runSeed(seed, options));
  return outcomes;
}

/** One thread: a chunk out, its outcomes in, until there are no more. */
function runThread(take: () => Chunk | undefined, done: (outcomes: readonly Outcome[]) => void): Promise<void> {
  const worker = new Worker(new URL(import.meta.url));
  return new Promise((resolve, reject) => {
    const give = (): void => {
      const chunk = take();
      if (chunk !== undefined) worker.postMessage(chunk);
      else void worker.terminate().then(() => resolve());
    };
    worker.on('error', reject);
    worker.on('message', (outcomes: Outcome[]) => {
      done(outcomes);
      give();
    });
    give();
  });
}

if (!isMainThread) parentPort?.on('message', (chunk: Chunk) => parentPort!.postMessage(run(chunk)));
