/**
 * The network segment of a simulated cluster, as datagrams know it: frames are lost, delivered twice, late, and out of order
 * (each takes its own time). The log channel is TCP and stands in link.ts.
 */
import type { Random } from './random.ts';
import type { Schedule } from './schedule.ts';

export class Segment {
  /** Probabilities, for each frame. */
  loss = 0;
  duplicate = 0;
  /** A frame takes up to this much longer. */
  slowMs = 0;
  readonly #schedule: Schedule;
  readonly #random: Random;

  constructor(schedule: Schedule, random: Random) {
    this.#schedule = schedule;
    this.#random = random;
  }

  carry(deliver: () => void): void {
    if (this.loss > 0 && this.#random.chance(this.loss)) return;
    this.#later(deliver);
    if (this.duplicate > 0 && this.#random.chance(this.duplicate)) this.#later(deliver);
  }

  #later(deliver: () => void): void {
    this.#schedule.after(this.#random.between(0.1, 0.5 + this.slowMs), deliver);
  }
}
