/**
 * Faults that strike on purpose: at moments of a run at which they are most awkward, and which chance alone would hit too
 * rarely, because they last for a few milliseconds. A table: what the moment is, how often it is hit, and by what.
 */
import type { ArbiterReply } from '../src/core/replication/arbiter-protocol.ts';
import type { ReplicaPhase } from '../src/core/replication/replica.ts';
import { faults } from './faults.ts';
import type { SimProcess } from './process.ts';
import type { Random } from './random.ts';

/** A replica has entered a phase, has heard from its arbiter, or says something to the world. */
export interface Moment {
  readonly process: SimProcess;
  readonly phase?: ReplicaPhase;
  readonly reply?: ArbiterReply;
  readonly emits?: true;
}

interface Turn {
  readonly is: (moment: Moment) => boolean;
  /** Of each such moment to be hit. */
  readonly chance: number;
  /** How many of them in a run may be hit: one of these. */
  readonly most: readonly number[];
  /** Each fault of the blow comes within one of these times after the one before. */
  readonly withinMs: readonly number[];
  /** A blow is one of these: kinds of faults. */
  readonly blows: readonly (readonly string[])[];
}

const ANY = Object.keys(faults).map((kind) => [kind]);
const ALWAYS = [Number.POSITIVE_INFINITY];

/** What parts an owner from the backup that it makes, while neither, one or both of them reach the arbiter quickly. */
const PARTING = [
  ['cut'],
  ['partition and cut'],
  ['arbiter slow', 'cut'],
  ['arbiter answers lost', 'cut'],
  ['arbiter slow', 'partition and cut'],
  ['one-way partition'],
  ['kill'],
  ['host lost'],
  ['pause'],
  ['slow link', 'kill'],
];

/** What ends a replica while something of it is still on its way: log entries, disk requests, images that are behind. */
const ENDING = [
  ['host lost'],
  ['slow link', 'host lost'],
  ['slow link', 'partition and cut'],
  ['slow disk', 'kill'],
  ['slow disk', 'host lost'],
  ['slow disk', 'cut'],
  ['slow disk', 'power loss'],
];

const turns: readonly Turn[] = [
  // A copy is made, which is over in some tens of ms: it is hit at any of its bytes.
  { is: ({ phase }) => phase === 'copying', chance: 0.4, most: ALWAYS, withinMs: [3, 20, 60], blows: ANY },
  // The backup has read the pair's record and is none yet: the round trips until its copy is final.
  { is: readsRecordOfCopy, chance: 0.8, most: [0, 1, 2], withinMs: [0.5, 2, 4], blows: PARTING },
  { is: ({ phase }) => phase === 'cutting-over', chance: 0.2, most: [1], withinMs: [0.5, 2, 6], blows: PARTING },
  // There are some hundreds of these in a run.
  { is: ({ emits }) => emits === true, chance: 0.004, most: [0, 0, 1], withinMs: [0.5, 5, 30], blows: ENDING },
  { is: ({ emits }) => emits !== true, chance: 0.1, most: [0, 0, 1, 2], withinMs: [0, 2, 10], blows: ANY },
];

function readsRecordOfCopy({ process, reply }: Moment): boolean {
  return process.phase === 'receiving' && reply?.op === 'read-record' && reply.outcome === 'found';
}

/** One run's: at such moments `hit` is called with a kind of fault, and the time after which it strikes. */
export function watchTurns(random: Random, hit: (kind: string, afterMs: number) => void): (moment: Moment) => void {
  const left = turns.map(({ most }) => random.pick(most));
  return (moment) => {
    for (const [index, { is, chance, withinMs, blows }] of turns.entries()) {
      if (left[index]! <= 0 || !is(moment) || !random.chance(chance)) continue;
      left[index]!--;
      let afterMs = 0;
      for (const kind of random.pick(blows)) {
        afterMs += random.between(0, random.pick(withinMs));
        hit(kind, afterMs);
      }
    }
  };
}
