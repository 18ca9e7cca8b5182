/** Runs many seeds, on threads of their own if more than one is wanted. A seed's run is the same on any of them. */
import { isMainThread, parentPort, Worker } from 'node:worker_threads';
import { bugs } from './bugs.ts';
import { type Outcome, runSeed } from './scenario.ts';

export interface SeedsRequest {
  readonly from: number;
  readonly seeds: number;
  readonly jobs: number;
  /** A planted bug, by name. */
  readonly bug?: string | undefined;
  /** With an image of the disk on each host. */
  readonly mirrored?: boolean;
  /** Whether an outcome ends it all; if not given, a failure does. */
  readonly ends?: (outcome: Outcome) => boolean;
}

/** So many seeds at a time are given to a thread. */
const CHUNK = 20;

interface Chunk {
  readonly from: number;
  readonly seeds: number;
  readonly bug: string | undefined;
  readonly mirrored: boolean;
}

/**
 * Calls `each` with the outcomes, in any order. Once one ends it no more are begun, and of those that do `each` hears only of
 * the one with the lowest number, last.
 */
export async function runSeeds(request: SeedsRequest, each: (outcome: Outcome) => void): Promise<void> {
  let next = request.from;
  const end = request.from + request.seeds;
  const ends = request.ends ?? (({ violations }) => violations.length > 0);
  let last: Outcome | undefined;
  const take = (): Chunk | undefined => {
    if (next >= end || last !== undefined) return undefined;
    const from = next;
    next = Math.min(end, from + CHUNK);
    return { from, seeds: next - from, bug: request.bug, mirrored: request.mirrored ?? false };
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

function run({ from, seeds, bug, mirrored }: Chunk): Outcome[] {
  const options = { ...(mirrored ? { mirrored } : {}), ...(bug === undefined ? {} : bugs[bug]!) };
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
