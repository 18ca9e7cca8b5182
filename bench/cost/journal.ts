/** The raw figures of the cost benchmark: one line of JSON for each run, written as soon as it has ended; `--resume` goes on behind them. */
import { appendFile, mkdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { Facts } from '../support/facts.ts';
import type { ComputeRun, Way } from './compute-run.ts';
import type { RedisCostRun } from './redis-run.ts';

export interface CostHead {
  readonly type: 'cost';
  readonly facts: Facts;
  readonly pairs: number;
  /** Of one pass. */
  readonly programs: readonly string[];
  readonly passes: number;
}

/** Of what was run as the `round`-th of its kind; `load` is that of the last minute before it. */
interface Place {
  readonly round: number;
  readonly way: Way;
  readonly load: number;
}

export type CostEntry =
  | (Place & { readonly type: 'compute'; readonly figures: ComputeRun })
  | (Place & { readonly type: 'redis'; readonly figures: RedisCostRun })
  | (Place & { readonly type: 'failure'; readonly of: 'compute' | 'redis'; readonly why: string });

export interface CostJournal {
  readonly head: CostHead;
  readonly entries: readonly CostEntry[];
}

/** Undefined when there is none. A last line that was cut short is left out. */
export async function readCostJournal(file: string): Promise<CostJournal | undefined> {
  const text = await readFile(file, 'utf8').catch(() => '');
  const lines = text.slice(0, text.lastIndexOf('\n') + 1).split('\n');
  const [head, ...entries] = lines.filter((line) => line !== '').map((line) => JSON.parse(line) as unknown);
  return head === undefined ? undefined : { head: head as CostHead, entries: entries as CostEntry[] };
}

/** Replaces what was there. */
export async function writeCostJournal(file: string, { head, entries }: CostJournal): Promise<void> {
  await mkdir(path.dirname(file), { recursive: true });
  await writeFile(file, [head, ...entries].map((line) => `${JSON.stringify(line)}\n`).join(''));
}

export const appendCostEntry = (file: string, entry: CostEntry): Promise<void> =>
  appendFile(file, `${JSON.stringify(entry)}\n`);
