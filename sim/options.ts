/**
 * What a run is made of besides its faults: options that each seed draws for itself, variants of the cluster that a person asks
 * for, and planted bugs. A new one of either kind is an entry of its table here (or in bugs.ts), and the command knows it.
 */
import { bugs } from './bugs.ts';
import type { ClusterOptions } from './cluster.ts';
import { Random } from './random.ts';

export type RunOptions = Omit<ClusterOptions, 'seed'>;

/** Each seed draws these; what is given counts instead. Entries have a stream each, so that a new one changes none of the others. */
const drawn: readonly ((random: Random) => RunOptions)[] = [
  // A broken channel is given a moment to come back.
  (random) => ({ resumeMs: random.chance(1 / 2) ? 60 : 0 }),
  // In most seeds other hosts stand by.
  (random) => (random.chance(1 / 4) ? {} : { spareWithinMs: random.pick([20, 100, 300]) }),
  // Backups read by themselves.
  (random) => (random.chance(1 / 4) ? { reads: 'backup' } : {}),
];

/** Variants of the cluster, by the command's option. */
export const variants: Record<string, { readonly help: string; readonly options: RunOptions }> = {
  mirrored: { help: 'with an image of the disk on each host', options: { mirrored: true } },
  reads: { help: 'with backups that read by themselves (reads: backup)', options: { reads: 'backup' } },
  leases: { help: 'with leases: hosts that stand by start a lost machine again', options: { leases: {} } },
};

/** What a seed makes of its run. */
export function drawOptions(seed: number): RunOptions {
  return Object.assign({}, ...drawn.map((draw, stream) => draw(new Random(seed + (stream + 1) * 2 ** 32))));
}

export interface Asked {
  /** Names of `variants`. */
  readonly variants?: readonly string[];
  /** A name of `bugs`. */
  readonly bug?: string | undefined;
}

/** What a person makes of all runs. Throws RangeError on a name that is in no table. */
export function askedOptions(asked: Asked): RunOptions {
  const parts = (asked.variants ?? []).map((name) => entryOf(variants, name).options);
  return Object.assign({}, ...parts, asked.bug === undefined ? {} : entryOf(bugs, asked.bug).options);
}

function entryOf<Entry>(table: Record<string, Entry>, name: string): Entry {
  const entry = Object.hasOwn(table, name) ? table[name] : undefined;
  if (entry === undefined) throw new RangeError(`there is no '${name}' among ${Object.keys(table).join(', ')}`);
  return entry;
}
