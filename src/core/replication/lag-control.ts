/**
 * Keeps the backup close behind: what it has not executed when the primary dies, it must execute before it goes on. When the
 * backup is too far behind, the primary's guest is slowed by a few per cent at a time, and sped up again when it has caught
 * up (Scales et al. 2010, 2.4).
 */
export interface LagControlOptions {
  /** The lag to stay below. */
  readonly targetLagMs: number;
  /** How often the speed may change. */
  readonly intervalMs: number;
}

/** The guest always gets this much of the time: a backup that cannot follow even that is stopped for by the log's buffer. */
const SLOWEST = 0.1;
const SLOW_DOWN = 0.95;
const SPEED_UP = 1.02;
const MAX_SAMPLES = 4096;

export class LagControl {
  readonly #options: LagControlOptions;
  #samples: { readonly position: bigint; readonly atMs: number }[] = [];
  #executed = 0n;
  #changedMs = Number.NEGATIVE_INFINITY;
  #fraction = 1;

  constructor(options: LagControlOptions) {
    this.#options = options;
  }

  /** The part of the time that the guest may use, 0.1 to 1. */
  get fraction(): number {
    return this.#fraction;
  }

  /** Where the backup is, as far as is known. */
  get executedPosition(): bigint {
    return this.#executed;
  }

  /** The primary's machine has come to `position`. */
  produced(position: bigint, nowMs: number): void {
    const last = this.#samples.at(-1);
    if (last !== undefined && position <= last.position) return;
    this.#samples.push({ position, atMs: nowMs });
    if (this.#samples.length > MAX_SAMPLES) this.#samples = this.#samples.filter((_, index) => index % 2 === 0);
  }

  /** The backup has executed to `position`. */
  executed(position: bigint): void {
    if (position > this.#executed) this.#executed = position;
    const first = this.#samples.findIndex((sample) => sample.position > this.#executed);
    this.#samples = first < 0 ? [] : this.#samples.slice(first);
  }

  /** How long ago the primary was where the backup is now, in ms; 0 if the backup is as far as the primary. */
  lagMs(nowMs: number): number {
    const first = this.#samples[0];
    return first === undefined ? 0 : nowMs - first.atMs;
  }

  /** Returns the new fraction if it changed. */
  adjust(nowMs: number): number | undefined {
    if (nowMs - this.#changedMs < this.#options.intervalMs) return undefined;
    this.#changedMs = nowMs;
    const lagMs = this.lagMs(nowMs);
    const before = this.#fraction;
    if (lagMs > this.#options.targetLagMs) this.#fraction = Math.max(SLOWEST, before * SLOW_DOWN);
    else if (lagMs < this.#options.targetLagMs / 2) this.#fraction = Math.min(1, before * SPEED_UP);
    return this.#fraction === before ? undefined : this.#fraction;
  }
}
