/**
 * What happened in a simulated run: the facts that the checkers judge (checkers.ts), and the story that a person reads. Every
 * part of the cluster reports here. A life of the machine begins with each cold start; the first is life 1. An old owner may still
 * speak when another life has begun, so a fact belongs to the life of its generation.
 */
import type { BlockRequest, Output } from '../src/core/machine/doors.ts';
import type { ReplicaPhase } from '../src/core/replication/replica.ts';
import { noLateWrite, oneOwner, type Violation } from './checkers.ts';

/** Something that happened, and its place among all that did. */
interface Fact {
  readonly atMs: number;
  readonly order: number;
}

/** A replica is the owner of a generation. `runs`: and its machine goes on from all that the generation's log holds. */
export interface Owned extends Fact {
  readonly who: string;
  readonly incarnation: string;
  readonly life: number;
  readonly generation: number;
  readonly phase: ReplicaPhase;
  readonly runs: boolean;
}

/** An output that has left its host. */
export interface Released extends Fact {
  readonly who: string;
  readonly life: number;
  readonly generation: number;
  /** Its place among all outputs of the machine's life, from 1. */
  readonly sequence: number;
  readonly output: Output;
}

/** The disk has executed a request. */
export interface Executed extends Fact {
  readonly life: number;
  readonly generation: number;
  readonly request: BlockRequest;
}

/** A client read something else than what was acknowledged to it, or a backup something else than its owner. */
export interface Misread extends Fact {
  readonly what: string;
}

interface Line {
  readonly atMs: number;
  readonly who: string;
  readonly what: string;
}

/** How much of what happened around a violation a person wants to see. */
const AROUND_MS = 3;

const RUNNING: readonly ReplicaPhase[] = [
  'waiting-for-backup',
  'forming',
  'copying',
  'cutting-over',
  'paired',
  'alone',
];

export class Journal {
  readonly owned: Owned[] = [];
  readonly released: Released[] = [];
  readonly executed: Executed[] = [];
  readonly misreads: Misread[] = [];
  readonly strayReads: Misread[] = [];
  /** How often each kind of fault has happened. */
  readonly faults = new Map<string, number>();
  /** Of people, who start the machine again. */
  life = 1;
  /** By generation. */
  readonly #lives = new Map<number, number>();
  readonly #lines: Line[] = [];
  readonly #nowMs: () => number;
  readonly #keepsStory: boolean;
  #order = 0;

  constructor(nowMs: () => number, keepsStory = true) {
    this.#nowMs = nowMs;
    this.#keepsStory = keepsStory;
  }

  tell(who: string, what: string): void {
    if (this.#keepsStory) this.#lines.push({ atMs: this.#nowMs(), who, what });
  }

  /** The story so far, a line each, with `violations` in their places and what happened closely around them. */
  tellStory(violations: readonly Violation[] = []): string[] {
    const lines = [...this.#lines, ...violations.flatMap((violation) => this.#around(violation))];
    for (const { atMs, checker, what } of violations) lines.push({ atMs, who: 'CHECK', what: `${checker}: ${what}` });
    lines.sort((one, other) => one.atMs - other.atMs);
    const told = lines.map(({ atMs, who, what }) => `${atMs.toFixed(2).padStart(9)} ms  ${who.padEnd(10)} ${what}`);
    return [...new Set(told)];
  }

  /** Outputs and disk requests close to a violation; whoever is only stuck has none that matter. */
  #around(violation: Violation): Line[] {
    if (violation.checker === 'redundant again') return [];
    const close = ({ atMs }: Fact): boolean => Math.abs(atMs - violation.atMs) < AROUND_MS;
    const outputs = this.released.filter(close).map(({ atMs, who, generation, sequence, output }) => {
      return { atMs, who, what: `releases output ${sequence}, ${output.kind}, in generation ${generation}` };
    });
    const requests = this.executed.filter(close).map(({ atMs, generation, request }) => {
      return { atMs, who: 'disk', what: `executes ${request.type} ${request.id} of generation ${generation}` };
    });
    return [...outputs, ...requests];
  }

  get story(): readonly string[] {
    return this.tellStory();
  }

  /** What can be judged while the run still goes on. */
  get violations(): readonly Violation[] {
    const misreads = this.misreads.map(
      ({ atMs, what }) => ({ checker: 'no acknowledged flush is lost', atMs, what }) as const,
    );
    return [...oneOwner(this.owned), ...noLateWrite(this), ...misreads];
  }

  fault(kind: string): void {
    this.faults.set(kind, (this.faults.get(kind) ?? 0) + 1);
  }

  /** How many times the machine has begun. */
  get lives(): number {
    return new Set(this.#lives.values()).size;
  }

  #lifeOf(generation: number): number {
    return this.#lives.get(generation) ?? 1;
  }

  /** The owner of `generation` is in `phase`. `begins`: by a cold start, it did not own the one before. */
  owns(who: string, incarnation: string, generation: number, phase: ReplicaPhase, begins: boolean): void {
    const runs = RUNNING.includes(phase);
    if (!this.#lives.has(generation)) {
      this.#lives.set(generation, begins ? generation + 1 : this.#lifeOf(generation - 1));
    }
    this.owned.push({ ...this.#fact(), who, incarnation, life: this.#lifeOf(generation), generation, phase, runs });
  }

  left(who: string, generation: number, sequence: number, output: Output): void {
    // Nobody outside can tell whether entropy was asked for.
    if (output.kind === 'entropy') return;
    this.released.push({ ...this.#fact(), who, life: this.#lifeOf(generation), generation, sequence, output });
  }

  landed(generation: number, request: BlockRequest): void {
    this.executed.push({ ...this.#fact(), life: this.#lifeOf(generation), generation, request });
  }

  misread(what: string): void {
    this.misreads.push({ ...this.#fact(), what });
  }

  strayRead(what: string): void {
    this.strayReads.push({ ...this.#fact(), what });
  }

  #fact(): Fact {
    return { atMs: this.#nowMs(), order: this.#order++ };
  }
}
