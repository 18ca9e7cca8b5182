/**
 * Keeps the backup close behind: what it has not executed when the primary dies, it must execute before it goes on. When the
 * backup is too far behind, the primary's guest is slowed by a few per cent at a time, and sped up again when it has caught
 * up (Scales et al. 2010, 2.4).
 *
 * The guest's speed has two factors. One follows the lag itself, from full speed at the target down to three quarters at twice the
 * target: a backup that is a little slower finds the lag at which both are equally fast, and a lag that passes leaves nothing behind. (A
 * speed that only went down while the backup was late, and up afterwards, swung to two thirds and back for ever, and cost a computing
 * guest an eighth of its time.) The other is for a backup that is slower still: it goes down while a lag beyond that does
 * not shrink, and comes back slowly.
 *
 * What counts is the smallest lag of an interval. Clock inputs, what the backup may execute and what it has executed come every 20 ms,
 * so that the lag of a backup which is as fast as the primary goes up and down between one and three times that.
 *
 * A backup that is as fast never catches up with a guest that never waits. While a flush waits for the backup's disk (PROTOCOL.md, 25),
 * and so for what the backup has not executed, such a guest gets half of its time: a few flushes in a row find the two together.
 */
export interface LagControlOptions {
  /** Up to here the guest runs at full speed. */
  readonly targetLagMs: number;
  /** How often the speed may change. */
  readonly intervalMs: number;
}

/** The guest always gets this much of the time: a backup that cannot follow even that is stopped for by the log's buffer. */
const SLOWEST = 0.1;
/** What the lag itself takes away at most, once it is twice the target. */
const BY_LAG = 0.25;
/** While a flush waits for a backup whose lag is more than this part of the target. */
const FOR_FLUSH = 0.5;
const SOON = 0.1;
/** Of the lasting factor, in an interval. */
const SLOW_DOWN = 0.95;
const SPEED_UP = 1.02;
/** No change is greater, in an interval. */
const LARGEST_STEP = 0.05;
const MAX_SAMPLES = 4096;

export class LagControl {
  readonly #options: LagControlOptions;
  #samples: { readonly position: bigint; readonly atMs: number }[] = [];
  #executed = 0n;
  #changedMs = Number.NEGATIVE_INFINITY;
  #fraction = 1;
  /** What follows from the lag alone. */
  #paced = 1;
  #lasting = 1;
  /** The smallest of this interval, of the one before, and the one at the last acknowledgement. */
  #leastLagMs = Number.POSITIVE_INFINITY;
  #lastLagMs = 0;
  #heardLagMs = 0;

  constructor(options: LagControlOptions) {
    this.#options = options;
  }

  /** The part of the time that the guest may use, 0.1 to 1. */
  get fraction(): number {
    return this.#fraction;
  }

  /** There is no backup any more, and the next one begins anew. True if the guest was slowed. */
  end(): boolean {
    const slowed = this.#fraction < 1;
    this.#samples = [];
    this.#fraction = 1;
    this.#paced = 1;
    this.#lasting = 1;
    this.#leastLagMs = Number.POSITIVE_INFINITY;
    this.#lastLagMs = 0;
    this.#heardLagMs = 0;
    return slowed;
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

  /** The backup says that it has executed to `position`. */
  executed(position: bigint, nowMs: number): void {
    if (position > this.#executed) this.#executed = position;
    const first = this.#samples.findIndex((sample) => sample.position > this.#executed);
    this.#samples = first < 0 ? [] : this.#samples.slice(first);
    this.#heardLagMs = this.lagMs(nowMs);
    this.#leastLagMs = Math.min(this.#leastLagMs, this.#heardLagMs);
  }

  /** How long ago the primary was where the backup is now, in ms; 0 if the backup is as far as the primary. */
  lagMs(nowMs: number): number {
    const first = this.#samples[0];
    return first === undefined ? 0 : nowMs - first.atMs;
  }

  /** Returns the new fraction if it changed. `flushWaits`: all that a flush still needs is the backup. */
  adjust(nowMs: number, flushWaits: boolean): number | undefined {
    if (nowMs - this.#changedMs >= this.#options.intervalMs) this.#follow(nowMs);
    const hurries = flushWaits && this.#heardLagMs > SOON * this.#options.targetLagMs;
    const before = this.#fraction;
    this.#fraction = Math.max(SLOWEST, this.#paced * (hurries ? FOR_FLUSH : 1));
    return this.#fraction === before ? undefined : this.#fraction;
  }

  #follow(nowMs: number): void {
    this.#changedMs = nowMs;
    const lagMs = Math.min(this.#leastLagMs, this.lagMs(nowMs));
    this.#leastLagMs = Number.POSITIVE_INFINITY;
    const { targetLagMs } = this.#options;
    if (lagMs > 2 * targetLagMs && lagMs >= this.#lastLagMs)
      this.#lasting = Math.max(SLOWEST, this.#lasting * SLOW_DOWN);
    else if (lagMs < targetLagMs) this.#lasting = Math.min(1, this.#lasting * SPEED_UP);
    this.#lastLagMs = lagMs;
    const late = within(0, lagMs / targetLagMs - 1, 1);
    const wanted = Math.max(SLOWEST, this.#lasting * (1 - BY_LAG * late));
    const before = this.#paced;
    this.#paced = within(before - LARGEST_STEP, wanted, before + LARGEST_STEP);
  }
}

const within = (least: number, value: number, most: number): number => Math.min(Math.max(least, value), most);
