/**
 * How a spare host finds out that both replicas of a machine are gone (PROTOCOL.md, 27): it looks at the newest generation and at
 * the owner's renewals (lease.ts), again and again. When all of that has stood still for the time to live and the margin, counted
 * on its own clock from its *last sight of a change*, no owner's output can leave any more, and the spare may claim.
 *
 * What the spare does not know it does not count: after a look without an answer, one that took too long, or a time in
 * which it did not look itself, the wait begins anew. So an arbiter that was away for a while gives every owner the time to renew
 * before anybody takes its machine for lost.
 */
import type { LeaseOptions } from './lease.ts';

/** What a look has shown. */
export interface Sight {
  /** The newest one, and its owner's incarnation. */
  readonly generation: number;
  readonly owner: string;
  /** The owner's renewal; undefined if there is none, or none since long. */
  readonly note: string | undefined;
}

/** The generation to end, and what the restarted machine must know of the renewals before. */
export interface Loss {
  readonly generation: number;
  readonly note: string | undefined;
}

export class LossWatch {
  readonly #options: LeaseOptions;
  #last: Sight | undefined;
  /** The last sight of a change. */
  #sinceMs = 0;
  #lookedMs = Number.NEGATIVE_INFINITY;

  constructor(options: LeaseOptions) {
    this.#options = options;
  }

  /** How often to look, in ms: several times in a time to live. */
  get everyMs(): number {
    return this.#options.ttlMs / 8;
  }

  /**
   * A look at `askedMs` has ended at `nowMs`; undefined: without an answer. Returns the loss, if it is one; a claim of it must follow
   * at once.
   */
  looked(sight: Sight | undefined, askedMs: number, nowMs: number): Loss | undefined {
    const before = this.#last;
    const blindMs = nowMs - this.#lookedMs;
    this.#last = sight;
    this.#lookedMs = nowMs;
    const { ttlMs, marginMs } = this.#options;
    if (sight === undefined) return undefined;
    if (before === undefined || blindMs > ttlMs / 2 || !same(before, sight)) {
      this.#sinceMs = nowMs;
      return undefined;
    }
    if (askedMs - this.#sinceMs < ttlMs + marginMs) return undefined;
    // Whatever comes of the claim, another one needs another wait.
    this.#last = undefined;
    return { generation: sight.generation, note: sight.note };
  }
}

/** A renewal that is gone is no news of its owner. */
function same(before: Sight, now: Sight): boolean {
  if (before.generation !== now.generation || before.owner !== now.owner) return false;
  return now.note === undefined || before.note === now.note;
}
