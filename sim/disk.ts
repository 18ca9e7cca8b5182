/**
 * The shared disk of a simulated cluster: sectors behind a server that checks generations. A request is under way for a
 * while, then is executed for a while; the generation is checked when its execution begins, and an admission is answered
 * only when every execution of a lower generation has ended. What was written is safe once it was flushed: a loss of power
 * takes any part of the rest.
 */
import type { BlockRequest } from '../src/core/machine/doors.ts';
import type { ReplicaEvent } from '../src/core/replication/replica.ts';
import type { Journal } from './journal.ts';
import { SECTOR_BYTES } from './machine.ts';
import type { Random } from './random.ts';
import type { Schedule } from './schedule.ts';

type Answer = ReplicaEvent & { type: 'disk-answer' };
type Admission = ReplicaEvent & { type: 'disk-admission' };

/** Planted bugs. */
export interface DiskBugs {
  /** A request of a generation that has ended is executed like any other. */
  readonly admitsOldWrites?: boolean;
  /** A flush is answered at once, and flushes nothing. */
  readonly flushesNothing?: boolean;
}

export class SimDisk {
  /** What this disk is like: requests take up to this much longer on their way, and in their execution. */
  usualSlowMs = 0;
  /** And while it is slow, this much. */
  slowMs = 0;
  readonly #schedule: Schedule;
  readonly #random: Random;
  readonly #journal: Journal;
  readonly #bugs: DiskBugs;
  readonly #durable = new Map<number, Uint8Array>();
  /** Written, and not flushed. */
  #cache = new Map<number, Uint8Array>();
  #admitted = { generation: -1, incarnation: '' };
  #executing = new Map<number, number>();
  #waiting: (() => void)[] = [];
  /** Counts losses of power: what was under way before one never ends. */
  #powered = 0;

  constructor(schedule: Schedule, random: Random, journal: Journal, bugs: DiskBugs = {}) {
    this.#schedule = schedule;
    this.#random = random;
    this.#journal = journal;
    this.#bugs = bugs;
  }

  /** What a reader finds now. */
  sector(number: number): Uint8Array | undefined {
    return this.#cache.get(number) ?? this.#durable.get(number);
  }

  admit(generation: number, incarnation: string, answer: (event: Admission) => void): void {
    this.#later(this.#random.between(0.2, 2), () => {
      const admitted = this.#admitted;
      const other = generation === admitted.generation && incarnation !== admitted.incarnation;
      if (generation < admitted.generation || other) {
        return answer({ type: 'disk-admission', generation, outcome: 'refused' });
      }
      this.#admitted = { generation, incarnation };
      this.#whenIdleBelow(generation, () => answer({ type: 'disk-admission', generation, outcome: 'admitted' }));
    });
  }

  request(generation: number, device: number, request: BlockRequest, answer: (event: Answer) => void): void {
    const base = { type: 'disk-answer', generation, device, id: request.id } as const;
    this.#later(this.#takesMs(), () => {
      const old = generation < this.#admitted.generation && this.#bugs.admitsOldWrites !== true;
      if (old) return answer({ ...base, outcome: 'refused' });
      this.#executing.set(generation, (this.#executing.get(generation) ?? 0) + 1);
      this.#later(this.#takesMs(), () => {
        const data = this.#execute(generation, request);
        this.#executing.set(generation, this.#executing.get(generation)! - 1);
        answer(data === undefined ? { ...base, outcome: 'ok' } : { ...base, outcome: 'ok', data });
        for (const check of this.#waiting.splice(0)) check();
      });
    });
  }

  /** A read of somebody who owns no generation: it is fenced by nothing, and stands in nobody's way. */
  read(request: BlockRequest & { type: 'read' }, answer: (data: Uint8Array) => void): void {
    this.#later(this.#takesMs() + this.#takesMs(), () => answer(this.#found(request)));
  }

  /** Power fails: of what is not flushed some is there afterwards, and some is not. The admitted generation is durable. */
  losePower(): void {
    this.#powered++;
    for (const [number, data] of this.#cache) if (this.#random.chance(0.3)) this.#durable.set(number, data);
    this.#cache.clear();
    this.#executing.clear();
    this.#waiting = [];
  }

  #execute(generation: number, request: BlockRequest): Uint8Array | undefined {
    this.#journal.landed(generation, request);
    switch (request.type) {
      case 'write':
        this.#cache.set(request.offset / SECTOR_BYTES, request.data);
        return undefined;
      case 'flush':
        if (this.#bugs.flushesNothing !== true) this.#flush();
        return undefined;
      case 'read':
        return this.#found(request);
      case 'discard':
      case 'write-zeroes':
        return undefined;
    }
  }

  #found({ offset }: BlockRequest & { type: 'read' }): Uint8Array {
    return this.sector(offset / SECTOR_BYTES)?.slice() ?? new Uint8Array(SECTOR_BYTES);
  }

  #flush(): void {
    for (const [number, data] of this.#cache) this.#durable.set(number, data);
    this.#cache.clear();
  }

  #takesMs(): number {
    return this.#random.between(0.1, 1 + Math.max(this.slowMs, this.usualSlowMs));
  }

  #later(delayMs: number, run: () => void): void {
    const powered = this.#powered;
    this.#schedule.after(delayMs, () => {
      if (powered === this.#powered) run();
    });
  }

  #whenIdleBelow(generation: number, then: () => void): void {
    for (const [below, count] of this.#executing) {
      if (below >= generation || count === 0) continue;
      this.#waiting.push(() => this.#whenIdleBelow(generation, then));
      return;
    }
    then();
  }
}
