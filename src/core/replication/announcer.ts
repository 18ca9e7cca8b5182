/**
 * When to tell the network where the guest is now (PROTOCOL.md, 18): at once, then some more times with growing intervals,
 * as QEMU's announce-self does, and at once again when the guest's own address is seen arriving from outside.
 */
const FIRST_MS = 50;
const STEP_MS = 100;
const LONGEST_MS = 550;
const ROUNDS = 10;
/** Two hosts that both believe to be the guest must not flood the network. */
const QUIET_MS = 50;

export class Announcer {
  #nextMs = Number.POSITIVE_INFINITY;
  #intervalMs = FIRST_MS;
  #roundsLeft = 0;
  #lastMs = Number.NEGATIVE_INFINITY;

  /** The guest lives here from now on. */
  start(nowMs: number): void {
    this.#nextMs = nowMs;
    this.#intervalMs = FIRST_MS;
    this.#roundsLeft = ROUNDS;
  }

  /** A frame from the guest's own address came in from outside: something there still points at the old host. */
  contradicted(nowMs: number): void {
    if (nowMs - this.#lastMs >= QUIET_MS) this.start(nowMs);
  }

  /** True if an announcement is due; it then counts as made. */
  due(nowMs: number): boolean {
    if (this.#roundsLeft === 0 || nowMs < this.#nextMs) return false;
    this.#roundsLeft--;
    this.#lastMs = nowMs;
    this.#nextMs = nowMs + this.#intervalMs;
    this.#intervalMs = Math.min(LONGEST_MS, this.#intervalMs + STEP_MS);
    return true;
  }
}
