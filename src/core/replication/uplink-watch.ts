/**
 * Whether the guest's network is better off at the backup's host (PROTOCOL.md, 20): this host has lost its uplink, and the
 * backup has one. The backup's word counts when it was given well after the loss: when both lose the same hub their
 * links end at once, but the news of the other's comes later.
 */
export class UplinkWatch {
  readonly #settleMs: number;
  #lostMs: number | undefined;

  /** `settleMs`: how much later than the loss the backup must have been asked. */
  constructor(settleMs: number) {
    this.#settleMs = settleMs;
  }

  own(up: boolean, nowMs: number): void {
    if (up) this.#lostMs = undefined;
    else this.#lostMs ??= nowMs;
  }

  /** What the backup says of its own uplink, in answer to a heartbeat of this host's time `askedMs`. */
  betterAtBackup(up: boolean, askedMs: number): boolean {
    return up && this.#lostMs !== undefined && askedMs - this.#lostMs >= this.#settleMs;
  }
}
