/**
 * The rounds of the cost benchmark. In each, every way runs once, right after the other, in an order that changes from round to round, so that
 * neither drift nor the place in the round falls on one of them. A run that fails is noted and its round does not count.
 */
import { loadavg } from 'node:os';
import type { BuiltImage } from '../../src/host/image/manifest.ts';
import { computeRun, type Way } from './compute-run.ts';
import { appendCostEntry, type CostEntry, type CostJournal } from './journal.ts';
import { type RedisSubject, startRedis } from './redis-run.ts';

/** Of any two ways, one goes first as often as the other. */
const ORDERS: readonly (readonly Way[])[] = [
  ['plain', 'recorded', 'pair', 'beside'],
  ['beside', 'pair', 'recorded', 'plain'],
  ['recorded', 'beside', 'plain', 'pair'],
  ['pair', 'plain', 'beside', 'recorded'],
];

/** Guests for redis are booted anew after so many rounds: what one process owes to chance must not fall on all rounds. */
const ROUNDS_PER_BOOT = 5;

export interface CostOptions {
  readonly image: BuiltImage;
  readonly file: string;
  readonly onProgress: (line: string) => void;
}

/** Runs what the journal does not hold yet. */
export async function runCost(journal: CostJournal, { image, file, onProgress }: CostOptions): Promise<void> {
  const { pairs, programs, passes } = journal.head;
  const isDone = (of: 'compute' | 'redis', round: number, way: Way): boolean =>
    journal.entries.some(({ type, ...entry }) => type === of && entry.round === round && entry.way === way);
  const note = async (entry: CostEntry): Promise<void> => {
    onProgress(`cost: round ${entry.round + 1} of ${pairs}, ${describe(entry)}`);
    await appendCostEntry(file, entry);
  };

  for (let round = 0; round < pairs; round++) {
    const ways = ORDERS[round % ORDERS.length];
    if (ways.every((way) => isDone('compute', round, way))) continue;
    for (const way of ways) {
      await note(await attempt('compute', round, way, () => computeRun(way, { programs, passes })));
    }
  }
  for (let first = 0; first < pairs; first += ROUNDS_PER_BOOT) {
    const block = Array.from({ length: Math.min(ROUNDS_PER_BOOT, pairs - first) }, (_, at) => first + at);
    const due = block.filter((round) => !REDIS_WAYS.every((way) => isDone('redis', round, way)));
    if (due.length > 0) await redisRounds(due, image, note);
  }
}

const REDIS_WAYS = ['plain', 'recorded'] as const;

async function redisRounds(
  rounds: readonly number[],
  image: BuiltImage,
  note: (entry: CostEntry) => Promise<void>,
): Promise<void> {
  const subjects = new Map<Way, RedisSubject>();
  try {
    for (const way of REDIS_WAYS) subjects.set(way, await startRedis(way, image));
    for (const round of rounds) {
      const order = round % 2 === 0 ? REDIS_WAYS : REDIS_WAYS.toReversed();
      for (const way of order) await note(await attempt('redis', round, way, () => subjects.get(way)!.measure()));
    }
  } finally {
    for (const subject of subjects.values()) await subject.stop();
  }
}

async function attempt<Kind extends 'compute' | 'redis', Figures>(
  type: Kind,
  round: number,
  way: Way,
  run: () => Promise<Figures>,
): Promise<CostEntry> {
  const place = { round, way, load: loadavg()[0] };
  try {
    return { type, ...place, figures: await run() } as unknown as CostEntry;
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    return { type: 'failure', ...place, of: type, why: why.slice(0, 3000) };
  }
}

function describe(entry: CostEntry): string {
  if (entry.type === 'failure') return `${entry.way} FAILED (${entry.of}): ${entry.why}`;
  if (entry.type === 'redis') {
    const tests = entry.figures.tests.map((test) => `${test.name} ${Math.round(test.requestsPerSecond)}/s`);
    return `${entry.way}: ${tests.join(', ')}`;
  }
  const { passes, seconds } = entry.figures;
  const names = Object.keys(passes[0]);
  const texts = names.map((name) => `${name} ${passes.map((of) => of[name].wallSeconds.toFixed(2)).join(' ')}`);
  return `${entry.way}: ${texts.join(', ')} (${seconds.toFixed(1)} s with boot)`;
}
