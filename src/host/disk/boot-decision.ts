/**
 * Whether a host's image of a mirrored disk may boot when no replica runs (PROTOCOL.md, 26). The arbiter names the owner of
 * the newest generation, and if that was a pair whose generation nobody ended, its backup. An image boots if it belongs to
 * one of these: the record beside it (mirror-record.ts) lists every incarnation under which it took part in its generation or
 * may have claimed a later one. Whoever boots claims first, and that makes every other image stale for good.
 *
 * A pure function of both records, so that the table of all cases can be tested.
 */
import type { Owner, PairRecord } from '../arbiter/arbiter.ts';
import type { MirrorRecord } from './mirror-record.ts';

/** What the arbiter shows. */
export type ArbiterWord = {
  /** The newest generation and its owner; undefined where that cannot be told. */
  readonly owner: Owner | undefined;
  /** The pair's record of that generation, or its solo record; undefined where it cannot be told. */
  readonly pair: PairRecord | undefined;
};

export type BootVerdict =
  /** It may claim the machine; `dataLoss` tells what a person has agreed to lose. */
  | { readonly verdict: 'boots'; readonly dataLoss?: string }
  /** Another image is newer: only `--accept-data-loss` boots this one. */
  | { readonly verdict: 'stale'; readonly message: string; readonly advice: string }
  /** It is a mixture of two images: nothing boots it. */
  | { readonly verdict: 'incomplete'; readonly message: string; readonly advice: string }
  /** The arbiter does not answer, or not about this machine: ask again. */
  | { readonly verdict: 'unknown'; readonly message: string; readonly advice: string }
  /** It is the image of another machine. */
  | { readonly verdict: 'foreign'; readonly message: string; readonly advice: string };

export type BootOptions = {
  readonly vm: string;
  /** The image's path, for messages. */
  readonly path: string;
  /** The person has given `--accept-data-loss`. */
  readonly acceptDataLoss: boolean;
};

export function bootDecision(record: MirrorRecord, arbiter: ArbiterWord, options: BootOptions): BootVerdict {
  const { vm, path } = options;
  if (record.vm !== vm) {
    const message = `${path} is an image of the machine '${record.vm}', not of '${vm}'`;
    return { verdict: 'foreign', message, advice: 'Check the path of the disk and the name of the machine.' };
  }
  if (record.state === 'incomplete') {
    const message = `${path} is incomplete: it was catching up with another host's image, and holds a part of each`;
    const advice =
      'Start the machine on the host that it was catching up with, then this one as its backup: it goes on where it stopped.';
    return { verdict: 'incomplete', message, advice };
  }
  const { owner } = arbiter;
  if (owner === undefined) return unknown(`the arbiter does not tell who owns '${vm}' now`);
  const generation = record.generation ?? -1;
  if (generation > owner.generation) {
    return unknown(
      `${path} was in generation ${generation}, but the arbiter knows ${owner.generation} as the newest: it is not the one that was used before, or it has lost records`,
    );
  }
  if (record.incarnations.includes(owner.incarnation)) return { verdict: 'boots' };
  if (generation === owner.generation) {
    const { pair } = arbiter;
    if (pair === undefined) return unknown(`the arbiter does not tell who the pair of generation ${generation} is`);
    if (pair.backup !== null && record.incarnations.includes(pair.backup)) return { verdict: 'boots' };
  }
  return stale(generation, owner, options);
}

function stale(generation: number, owner: Owner, { path, acceptDataLoss }: BootOptions): BootVerdict {
  const had = generation < 0 ? 'was in no generation yet' : `was last in generation ${generation}`;
  const newer =
    generation === owner.generation
      ? `and the machine went on in that generation without it`
      : `and the machine went on without it: generation ${owner.generation} belongs to incarnation ${owner.incarnation.slice(0, 8)}`;
  const message = `${path} is stale: it ${had}, ${newer}, with another image`;
  if (acceptDataLoss) return { verdict: 'boots', dataLoss: message };
  const advice =
    'Start the machine on the host with the newest image. If that is lost for good, --accept-data-loss starts from this one, and what was written since is gone.';
  return { verdict: 'stale', message, advice };
}

function unknown(message: string): BootVerdict {
  return {
    verdict: 'unknown',
    message,
    advice: 'Check the address of the arbiter and that it is reached, and try again.',
  };
}
