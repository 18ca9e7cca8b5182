/**
 * What time it is for the guest when the backup takes over (PROTOCOL.md, 17). Only elapsed time crosses hosts: the backup
 * notes, on its own clock, when it last heard the guest's time, and adds what has passed since.
 */
const TICKS_PER_MS = 10_000;

export class GuestTime {
  #heard: { readonly time: bigint; readonly atMs: number } | undefined;

  /** The primary's guest time, in ticks of 100 ns, has just arrived. */
  heard(time: bigint, nowMs: number): void {
    this.#heard = { time, atMs: nowMs };
  }

  /** The guest's time now, given its time at the end of the log. Never earlier than that. */
  atGoLive(endOfLog: bigint, nowMs: number): bigint {
    if (this.#heard === undefined) return endOfLog;
    const elapsedMs = Math.max(0, nowMs - this.#heard.atMs);
    const time = this.#heard.time + BigInt(Math.round(elapsedMs * TICKS_PER_MS));
    return time > endOfLog ? time : endOfLog;
  }
}
