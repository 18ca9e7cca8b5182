/** How long a client goes without an answer: the longest time between two of them, since the last `reset`. */
export class Silence {
  #lastMs: number | undefined;
  #longestMs = 0;

  answered(): void {
    const nowMs = performance.now();
    if (this.#lastMs !== undefined) this.#longestMs = Math.max(this.#longestMs, nowMs - this.#lastMs);
    this.#lastMs = nowMs;
  }

  /** Forgets the past; a silence that has begun already counts whole. Returns what was the longest before. */
  reset(): number {
    const longest = this.#longestMs;
    this.#longestMs = 0;
    return longest;
  }

  /** How long ago the last answer came, in whole ms. */
  get sinceMs(): number {
    return Math.round(performance.now() - (this.#lastMs ?? performance.now()));
  }

  get longestMs(): number {
    return this.#longestMs;
  }
}
