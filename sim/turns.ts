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
  /** There is an image of the disk on each host. */
  readonly mirrored?: boolean;
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
  /** It is the process itself that they happen to, and not just anybody. */
  readonly aimed?: true;
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

/** What ends a replica while disk requests of it are still on their way, or images are behind. */
const ENDING = [
  ['slow disk', 'kill'],
  ['slow disk', 'restart'],
  ['slow disk', 'power loss'],
];

const turns: readonly Turn[] = [
  // A copy is made, which is over in some tens of ms: it is hit at any of its bytes.
  { is: ({ phase }) => phase === 'copying', chance: 0.4, most: ALWAYS, withinMs: [3, 20, 60], blows: ANY },
  // The backup has read the pair's record and is none yet: the round trips until its copy is final.
  { is: readsRecordOfCopy, chance: 0.8, most: [0, 1, 2], withinMs: [0.5, 2, 4], blows: PARTING },
  { is: ({ phase }) => phase === 'cutting-over', chance: 0.2, most: [1], withinMs: [0.5, 2, 6], blows: PARTING },
  // There are some dozens of these in a run. What was said just now is gone with its log entries; or what is not done yet.
  { is: speaks, chance: 0.02, most: [0, 0, 0, 1], withinMs: [0.1, 0.3], blows: [['host lost']], aimed: true },
  { is: speaks, chance: 0.02, most: [0, 0, 1], withinMs: [5, 30], blows: ENDING, aimed: true },
  // One image has flushed, and the other has not.
  { is: speaksMirrored, chance: 0.02, most: [0, 1], withinMs: [5, 30], blows: [['slow disk', 'power loss']] },
  // A channel that breaks, and nothing else: it may come back.
  { is: speaks, chance: 0.02, most: [0, 0, 1], withinMs: [1, 30], blows: [['cut']] },
  { is: (moment) => !speaks(moment), chance: 0.1, most: [0, 0, 1, 2], withinMs: [0, 2, 10], blows: ANY },
];

function readsRecordOfCopy({ process, reply }: Moment): boolean {
  return process.phase === 'receiving' && reply?.op === 'read-record' && reply.outcome === 'found';
}

function speaks({ emits }: Moment): boolean {
  return emits === true;
}

function speaksMirrored({ emits, mirrored }: Moment): boolean {
  return emits === true && mirrored === true;
}

/** One run's: at such moments `hit` is called with a kind of fault, the time after which it strikes, and whom if that matters. */
export function watchTurns(
  random: Random,
  hit: (kind: string, afterMs: number, victim: SimProcess | undefined) => void,
): (moment: Moment) => void {
  const left = turns.map(({ most }) => random.pick(most));
  return (moment) => {
    for (const [index, { is, chance, withinMs, blows, aimed }] of turns.entries()) {
      if (left[index]! <= 0 || !is(moment) || !random.chance(chance)) continue;
      left[index]!--;
      let afterMs = 0;
      for (const kind of random.pick(blows)) {
        afterMs += random.between(0, random.pick(withinMs));
        hit(kind, afterMs, aimed === true ? moment.process : undefined);
      }
    }
  };
}
