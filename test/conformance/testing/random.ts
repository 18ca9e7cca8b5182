/** A seeded generator of numbers (mulberry32): equal seeds give equal programs. */
export class Random {
  #state: number;

  constructor(seed: number) {
    this.#state = seed;
  }

  /** 0 .. 2^32-1 */
  word(): number {
    this.#state = (this.#state + 0x6d2b79f5) | 0;
    let t = Math.imul(this.#state ^ (this.#state >>> 15), 1 | this.#state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return (t ^ (t >>> 14)) >>> 0;
  }
  /** 0 .. bound-1 */
  below(bound: number): number {
    return this.word() % bound;
  }
  /** least .. most, both included */
  between(least: number, most: number): number {
    return least + this.below(most - least + 1);
  }
  chance(percent: number): boolean {
    return this.below(100) < percent;
  }
  pick<T>(list: readonly T[]): T {
    return list[this.below(list.length)];
  }
  doubleword(): bigint {
    return (BigInt(this.word()) << 32n) | BigInt(this.word());
  }
}
