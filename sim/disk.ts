/**
 * The shared disk of a simulated cluster: sectors behind a server that checks generations. A request is under way for a
 * while, then is executed for a while; the generation is checked when its execution begins, and an admission is answered
 * only when every execution of a lower generation has ended.
 */
import type { BlockRequest } from '../src/core/machine/doors.ts';
import type { ReplicaEvent } from '../src/core/replication/replica.ts';
import type { Journal } from './journal.ts';
import { SECTOR_BYTES } from './machine.ts';
import type { Random } from './random.ts';
import type { Schedule } from './schedule.ts';

type Answer = ReplicaEvent & { type: 'disk-answer' };
type Admission = ReplicaEvent & { type: 'disk-admission' };

export class SimDisk {
  readonly sectors = new Map<number, Uint8Array>();
  /** Executions take this much longer. */
  slowMs = 0;
  readonly #schedule: Schedule;
  readonly #random: Random;
  readonly #journal: Journal;
  #admitted = { generation: -1, incarnation: '' };
  #executing = new Map<number, number>();
  #waiting: (() => void)[] = [];

  constructor(schedule: Schedule, random: Random, journal: Journal) {
    this.#schedule = schedule;
    this.#random = random;
    this.#journal = journal;
  }

  admit(generation: number, incarnation: string, answer: (event: Admission) => void): void {
    this.#schedule.after(this.#random.between(0.2, 2), () => {
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
    this.#schedule.after(this.#random.between(0.1, 1 + this.slowMs), () => {
      if (generation < this.#admitted.generation) return answer({ ...base, outcome: 'refused' });
      this.#executing.set(generation, (this.#executing.get(generation) ?? 0) + 1);
      this.#schedule.after(this.#random.between(0.1, 1 + this.slowMs), () => {
        const data = this.#execute(generation, request);
        this.#executing.set(generation, this.#executing.get(generation)! - 1);
        answer(data === undefined ? { ...base, outcome: 'ok' } : { ...base, outcome: 'ok', data });
        for (const check of this.#waiting.splice(0)) check();
      });
    });
  }

  #execute(generation: number, request: BlockRequest): Uint8Array | undefined {
    if (request.type === 'write') {
      this.#journal.landed(generation, request);
      this.sectors.set(request.offset / SECTOR_BYTES, request.data);
    }
    if (request.type !== 'read') return undefined;
    return this.sectors.get(request.offset / SECTOR_BYTES)?.slice() ?? new Uint8Array(SECTOR_BYTES);
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
