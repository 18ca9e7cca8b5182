/**
 * What must hold in every run, whatever happens: the checkers at the end of PROTOCOL.md, by name. Each is a pure function of
 * the facts of a run (journal.ts, evidence.ts), and says what it has against them; it says little about much of the same.
 */
import { crc32c } from '../src/core/base/crc32c.ts';
import type { BlockRequest, Output } from '../src/core/machine/doors.ts';
import { markOf, sameMark } from '../src/core/replay/output-mark.ts';
import type { ReplicaPhase } from '../src/core/replication/replica.ts';
import type { Executed, Misread, Owned, Released } from './journal.ts';

export type CheckerName =
  | 'one owner'
  | 'no late write'
  | 'late frames lie on the surviving history'
  | 'released outputs lie on the surviving history'
  | 'no acknowledged flush is lost'
  | 'reads find the same bytes'
  | 'redundant again';

export interface Violation {
  readonly checker: CheckerName;
  readonly atMs: number;
  readonly what: string;
}

/** What one life of the machine was in the end: the outputs of the last owner that ran, by sequence number. */
export interface History {
  readonly life: number;
  readonly who: string;
  readonly output: (sequence: number) => Output | undefined;
  /** The block request of this number (a machine never uses one again in its life). */
  readonly request: (id: number) => BlockRequest | undefined;
}

/** A write that a client was told is on the disk, and what is there. */
export interface Promised {
  readonly client: number;
  readonly key: number;
  readonly value: number;
  readonly found: number;
  /** A later write of this client was under way: its value may be there instead. */
  readonly underWay: number | undefined;
}

export interface ReplicaFact {
  readonly who: string;
  readonly incarnation: string;
  /** Not killed, and with a CPU thread that works. */
  readonly works: boolean;
  readonly phase: ReplicaPhase;
  readonly generation: number;
}

/** How the cluster stands some time after the last fault has ended. */
export interface Standing {
  readonly replicas: readonly ReplicaFact[];
  /** The newest generation at the arbiter, and its owner. */
  readonly newest: { readonly generation: number; readonly incarnation: string | undefined };
  /** Every client has had answers since. */
  readonly answered: boolean;
  /** A host is there that could be the backup, and the protocol lets it join: the owner must not be alone. */
  readonly pairPossible: boolean;
}

export interface Evidence {
  readonly endMs: number;
  readonly owned: readonly Owned[];
  readonly released: readonly Released[];
  readonly executed: readonly Executed[];
  readonly misreads: readonly Misread[];
  /** Of backups that read by themselves, without a fault that would explain it. */
  readonly strayReads: readonly Misread[];
  readonly histories: readonly History[];
  readonly promised: readonly Promised[];
  readonly standing: Standing;
}

const NAMES = {
  oneOwner: 'one owner',
  lateWrite: 'no late write',
  lateFrames: 'late frames lie on the surviving history',
  released: 'released outputs lie on the surviving history',
  flush: 'no acknowledged flush is lost',
  reads: 'reads find the same bytes',
  redundant: 'redundant again',
} as const satisfies Record<string, CheckerName>;

export const checkers: Record<CheckerName, (evidence: Evidence) => Violation[]> = {
  'one owner': ({ owned }) => oneOwner(owned),
  'no late write': noLateWrite,
  'late frames lie on the surviving history': lateFrames,
  'released outputs lie on the surviving history': releasedOutputs,
  'no acknowledged flush is lost': flushKept,
  'reads find the same bytes': readsSame,
  'redundant again': redundantAgain,
};

/** What all checkers have against the evidence, in the order of time. */
export function check(evidence: Evidence): Violation[] {
  const found = Object.values(checkers).flatMap((checker) => checker(evidence));
  return found.sort((one, other) => one.atMs - other.atMs);
}

/** One incarnation at most ever owns a generation. */
export function oneOwner(owned: readonly Owned[]): Violation[] {
  const owners = new Map<number, Owned>();
  const found: Violation[] = [];
  for (const fact of owned) {
    const first = owners.get(fact.generation) ?? fact;
    owners.set(fact.generation, first);
    if (first.incarnation === fact.incarnation) continue;
    const what = `${fact.who} is ${fact.phase} in generation ${fact.generation}, which is ${first.who}'s`;
    found.push({ checker: NAMES.oneOwner, atMs: fact.atMs, what });
  }
  return found;
}

/** Once the owner of g+1 has output anything (a disk request is an output too), no disk write of g or less lands. */
export function noLateWrite({ released, executed }: Pick<Evidence, 'released' | 'executed'>): Violation[] {
  let highest = -1;
  let next = 0;
  const found: Violation[] = [];
  for (const { atMs, order, generation, request } of executed) {
    while (next < released.length && released[next]!.order < order) {
      highest = Math.max(highest, released[next++]!.generation);
    }
    if (request.type === 'write' && generation < highest) {
      const what = `write ${request.id} of generation ${generation} lands after an output of generation ${highest}`;
      found.push({ checker: NAMES.lateWrite, atMs, what });
    }
    highest = Math.max(highest, generation);
  }
  return found;
}

/** Once the owner of g+1 has output anything, any later frame of g or less lies on the surviving history. */
function lateFrames({ released, histories }: Evidence): Violation[] {
  const late = released.filter(isLate());
  const found = firstOffHistory(late, histories, NAMES.lateFrames);
  const [first] = late.filter(isOfEndedLife(released));
  if (first === undefined) return found;
  const { atMs, who, generation, sequence } = first;
  const what = `output ${sequence}, released by ${who} in generation ${generation}, comes after the machine has begun anew`;
  return [...found, { checker: NAMES.lateFrames, atMs, what }];
}

/** Whether an owner of a later life had said something before. */
function isOfEndedLife(released: readonly Released[]): (fact: Released) => boolean {
  const began = new Map<number, number>();
  for (const { life, order } of released) if (!began.has(life)) began.set(life, order);
  return (fact) => [...began].some(([life, order]) => life > fact.life && order < fact.order);
}

/** Every released output lies on the surviving history, and so does every disk write. (Late frames have their own checker.) */
function releasedOutputs({ released, executed, histories }: Evidence): Violation[] {
  const late = isLate();
  const found = firstOffHistory(
    released.filter((fact) => !late(fact)),
    histories,
    NAMES.released,
  );
  return [...found, ...firstWriteOffHistory(executed, histories)];
}

/** Tells, fact by fact in their order, whether an output is a frame that left after a later owner had said something. */
function isLate(): (fact: Released) => boolean {
  let highest = -1;
  return ({ generation, output }) => {
    highest = Math.max(highest, generation);
    return output.kind === 'net-tx' && generation < highest;
  };
}

function firstOffHistory(
  released: Iterable<Released>,
  histories: readonly History[],
  checker: CheckerName,
): Violation[] {
  for (const { atMs, who, life, generation, sequence, output } of released) {
    const history = histories.find((one) => one.life === life);
    const kept = history?.output(sequence);
    if (kept === output) continue;
    if (kept !== undefined && sameMark(markOf(kept, sequence), markOf(output, sequence))) continue;
    const instead = kept === undefined ? 'nothing' : `another ${kept.kind}`;
    const what =
      `output ${sequence} (${output.kind}), released by ${who} in generation ${generation}, is not in the history of ` +
      `${history?.who ?? 'anybody'}, which has ${instead} there`;
    return [{ checker, atMs, what }];
  }
  return [];
}

function firstWriteOffHistory(executed: readonly Executed[], histories: readonly History[]): Violation[] {
  for (const { atMs, life, generation, request } of executed) {
    if (request.type !== 'write') continue;
    const history = histories.find((one) => one.life === life);
    const kept = history?.request(request.id);
    if (kept === request) continue;
    const same = kept?.type === 'write' && kept.offset === request.offset && crc32c(kept.data) === crc32c(request.data);
    if (same) continue;
    const what = `write ${request.id} of generation ${generation} has landed, and is not in the history of ${history?.who ?? 'anybody'}`;
    return [{ checker: NAMES.released, atMs, what }];
  }
  return [];
}

/** No acknowledged flush is lost: what a client was told is there, on the disk and in every answer. */
function flushKept({ endMs, misreads, promised }: Evidence): Violation[] {
  const found: Violation[] = misreads.map(({ atMs, what }) => ({ checker: NAMES.flush, atMs, what }));
  for (const { client, key, value, found: there, underWay } of promised) {
    if (there === value || there === underWay) continue;
    const what = `the disk has ${there} for key ${key}; client ${client} was promised ${value}`;
    found.push({ checker: NAMES.flush, atMs: endMs, what });
  }
  return found;
}

/** What a backup reads by itself is what its owner has read. */
function readsSame({ strayReads }: Evidence): Violation[] {
  return strayReads.slice(0, 1).map(({ atMs, what }) => ({ checker: NAMES.reads, atMs, what }));
}

const SETTLED: readonly ReplicaPhase[] = ['alone', 'paired', 'connecting', 'waiting-for-backup'];

/** When faults stop: nobody is stuck, the newest owner goes on and serves, and it has a backup again if it can have one. */
function redundantAgain({ endMs, standing }: Evidence): Violation[] {
  const { replicas, newest, answered, pairPossible } = standing;
  const found: string[] = [];
  const live = replicas.filter(({ works, phase }) => works && phase !== 'halted');
  for (const { who, phase, generation } of live) {
    if (!SETTLED.includes(phase)) found.push(`${who} is still ${phase}`);
    if (phase !== 'alone' && phase !== 'paired') continue;
    if (generation !== newest.generation) found.push(`${who} is ${phase} in generation ${generation}, which has ended`);
    const peer = live.find((other) => other.who !== who && other.phase === 'paired');
    if (phase === 'paired' && peer === undefined) found.push(`${who} is paired with nobody`);
  }
  const owner = replicas.find(({ works, incarnation }) => works && incarnation === newest.incarnation);
  // A cold start waits for its backup, and for a person's word if there is none.
  if (owner !== undefined && !(owner.phase === 'waiting-for-backup' && live.length === 1)) {
    if (owner.phase === 'halted') found.push(`${owner.who} owns generation ${newest.generation}, and has halted`);
    else if (!answered) found.push(`${owner.who} goes on, but a client gets no answers`);
    if (pairPossible && owner.phase === 'alone') found.push(`${owner.who} is alone, and could have a backup`);
  }
  return found.map((what) => ({ checker: NAMES.redundant, atMs: endMs, what }));
}
