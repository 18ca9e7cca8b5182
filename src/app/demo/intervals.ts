/** How long a client waited, each time: what is usual, and the longest wait since an instant. */

/** Enough for minutes of waits; older ones are forgotten. */
const MAX_KEPT = 4096;

interface Interval {
  readonly endMs: number;
  readonly lengthMs: number;
}

export class Intervals {
  readonly #kept: Interval[] = [];

  add(startMs: number, endMs: number): void {
    if (this.#kept.length === MAX_KEPT) this.#kept.shift();
    this.#kept.push({ endMs, lengthMs: endMs - startMs });
  }

  /** The median, in milliseconds, of those that ended before `beforeMs`; undefined if there is none. */
  usualMs(beforeMs: number): number | undefined {
    const lengths = this.#kept.filter(({ endMs }) => endMs < beforeMs).map(({ lengthMs }) => lengthMs);
    return lengths.sort((a, b) => a - b)[lengths.length >> 1];
  }

  /** The longest, in milliseconds, of those that ended in [fromMs, toMs]; undefined if there is none. */
  longestMs(fromMs: number, toMs: number): number | undefined {
    const within = this.#kept.filter(({ endMs }) => endMs >= fromMs && endMs <= toMs);
    return within.length === 0 ? undefined : Math.max(...within.map(({ lengthMs }) => lengthMs));
  }

  /**
   * The longest, in milliseconds, around an instant: the first that ended after it, or one within the second that follows, for
   * what was on its way at that instant still arrives. Undefined if none has ended since.
   */
  aroundMs(instantMs: number): number | undefined {
    const first = this.#kept.find(({ endMs }) => endMs >= instantMs);
    return first && this.longestMs(instantMs, Math.max(first.endMs, instantMs + 1000));
  }
}
