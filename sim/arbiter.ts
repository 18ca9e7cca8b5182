/**
 * The arbiter of a simulated cluster: a store that does one thing at a time, reached by each process over a network that
 * loses requests and answers, delays them, and lets them land long after the process was told 'unknown'.
 */
import type { ArbiterReply, ArbiterRequest, PairRecord } from '../src/core/replication/arbiter-protocol.ts';
import type { Random } from './random.ts';
import type { Schedule } from './schedule.ts';

const TIMEOUT_MS = 60;

export interface ArbiterFaults {
  /** The process cannot reach the arbiter at all. */
  unreachable: boolean;
  /** What the process sees is an empty store: a directory that is not mounted. Nothing it asks there lands. */
  empty: boolean;
  /** Probabilities, for each request. */
  loseRequest: number;
  loseReply: number;
  /** The request lands this much later, long after its answer was given up. */
  late: number;
  /** Requests and answers take up to this much longer. */
  slowMs: number;
}

export function noArbiterFaults(): ArbiterFaults {
  return { unreachable: false, empty: false, loseRequest: 0, loseReply: 0, late: 0, slowMs: 0 };
}

export class SimArbiter {
  /** Nobody reaches it. */
  down = false;
  readonly #schedule: Schedule;
  readonly #random: Random;
  readonly #owners: string[] = [];
  readonly #records = new Map<number, PairRecord>();

  constructor(schedule: Schedule, random: Random) {
    this.#schedule = schedule;
    this.#random = random;
  }

  /** The newest generation and its owner. */
  get newest(): { generation: number; incarnation: string | undefined } {
    return { generation: this.#owners.length - 1, incarnation: this.#owners.at(-1) };
  }

  /** The backup that the record of this generation names. */
  backupOf(generation: number): string | undefined {
    return this.#records.get(generation)?.backup;
  }

  owner(generation: number): string | undefined {
    return this.#owners[generation];
  }

  /**
   * Asks; `reply` is called once, with 'unknown' if nothing else is known in time. `newest`: a cold start may end this generation
   * alone.
   */
  ask(request: ArbiterRequest, faults: ArbiterFaults, reply: (reply: ArbiterReply) => void, newest?: number): void {
    const perform = (): ArbiterReply => (faults.empty ? atEmptyStore(request) : this.#perform(request, newest));
    this.travel(faults, perform, (result) => reply(result ?? unknown(request)));
  }

  /** Something to do at the store, and its way there and back; `answer` is called once, with undefined if nothing comes in time. */
  travel<Result>(faults: ArbiterFaults, perform: () => Result, answer: (result: Result | undefined) => void): void {
    let answered = false;
    const once = (what: Result | undefined): void => {
      if (!answered) answer(what);
      answered = true;
    };
    this.#schedule.after(TIMEOUT_MS, () => once(undefined));
    const random = this.#random;
    if (this.down || faults.unreachable || random.chance(faults.loseRequest)) return;
    const usualMs = (): number => random.between(0.5, 4 + faults.slowMs);
    const delayMs = random.chance(faults.late) ? random.between(TIMEOUT_MS, 8 * TIMEOUT_MS) : usualMs();
    this.#schedule.after(delayMs, () => {
      const result = perform();
      if (!random.chance(faults.loseReply)) this.#schedule.after(usualMs(), () => once(result));
    });
  }

  #perform(request: ArbiterRequest, newest: number | undefined): ArbiterReply {
    switch (request.op) {
      case 'create':
        return { op: 'create', outcome: this.#settle(0, request.incarnation) };
      case 'cold-claim': {
        const generation = this.#owners.length;
        if (this.#owners.at(-1) === request.incarnation)
          return { op: 'cold-claim', outcome: 'won', generation: generation - 1 };
        if (newest !== undefined && newest !== generation - 1) return { op: 'cold-claim', outcome: 'lost' };
        this.#owners.push(request.incarnation);
        return { op: 'cold-claim', outcome: 'won', generation };
      }
      case 'claim':
        return { op: 'claim', generation: request.generation, outcome: this.#claim(request) };
      case 'write-record':
        return { op: 'write-record', generation: request.generation, outcome: this.#write(request) };
      case 'read-record': {
        const { generation } = request;
        const record = this.#records.get(generation);
        if (record === undefined) return { op: 'read-record', generation, outcome: 'missing' };
        return { op: 'read-record', generation, outcome: 'found', record };
      }
    }
  }

  #claim({ generation, incarnation, token }: ArbiterRequest & { op: 'claim' }): 'won' | 'lost' | 'unknown' {
    const record = this.#records.get(generation);
    if (record?.token !== token) return 'unknown';
    if (record.primary !== incarnation && record.backup !== incarnation) return 'lost';
    return this.#settle(generation + 1, incarnation);
  }

  #write({ generation, record }: ArbiterRequest & { op: 'write-record' }): 'written' | 'refused' {
    if (this.#owners.length - 1 !== generation || this.#owners[generation] !== record.primary) return 'refused';
    const shown = this.#records.get(generation) ?? record;
    this.#records.set(generation, shown);
    return shown.token === record.token && shown.backup === record.backup ? 'written' : 'refused';
  }

  /** The permanent test-and-set. */
  #settle(generation: number, incarnation: string): 'won' | 'lost' {
    this.#owners[generation] ??= incarnation;
    return this.#owners[generation] === incarnation ? 'won' : 'lost';
  }
}

/** A claim counts only where the pair's record stands (PROTOCOL.md, 4), and so does everything else. */
function atEmptyStore(request: ArbiterRequest): ArbiterReply {
  if (request.op !== 'read-record') return unknown(request);
  return { op: 'read-record', generation: request.generation, outcome: 'missing' };
}

function unknown(request: ArbiterRequest): ArbiterReply {
  switch (request.op) {
    case 'create':
    case 'cold-claim':
      return { op: request.op, outcome: 'unknown' };
    case 'claim':
    case 'write-record':
    case 'read-record':
      return { op: request.op, generation: request.generation, outcome: 'unknown' };
  }
}
