/**
 * Guest time and the timers that follow from it. `time` is linear in position between two clock inputs (MACHINE.md, 5), so
 * the position at which a timer fires is known exactly, and no timer interrupt needs a log entry.
 */
import { hart, interrupt } from '../machine/hart.ts';
import type { HartViews } from '../machine/views.ts';

const MENVCFG_STCE = 1n << 63n;

export class GuestTime {
  readonly #hart: HartViews;
  /** The position at which the next timer fires; undefined: none will, without an input. */
  #deadline: bigint | undefined;

  constructor(views: HartViews) {
    this.#hart = views;
  }

  get deadline(): bigint | undefined {
    return this.#deadline;
  }

  at(position: bigint): bigint {
    const h = this.#hart;
    const steps = position - h.get64(hart.clockPosition);
    return BigInt.asUintN(64, h.get64(hart.clockTime) + ((steps * h.get64(hart.clockSlope)) >> 32n));
  }

  /** Time goes on from here: at least where it is (it never runs backwards), by slope / 2^32 ticks a step. */
  set(position: bigint, time: bigint, slope: number): void {
    const now = this.at(position);
    this.#hart.set64(hart.clockTime, time > now ? time : now);
    this.#hart.set64(hart.clockPosition, position);
    this.#hart.set64(hart.clockSlope, BigInt(slope));
    this.update(position);
  }

  /** The earliest time at which a timer will fire; undefined: none is armed. */
  nextTimer(position: bigint): bigint | undefined {
    const now = this.at(position);
    const armed = this.#comparators().filter((time) => time > now);
    return armed.length === 0 ? undefined : armed.reduce((a, b) => (a < b ? a : b));
  }

  #comparators(): bigint[] {
    const h = this.#hart;
    const sstc = (h.get64(hart.menvcfg) & MENVCFG_STCE) !== 0n;
    const list = [h.get64(hart.mtimecmp)];
    if (sstc) list.push(h.get64(hart.stimecmp));
    return list.filter((time) => time !== (1n << 64n) - 1n);
  }

  /** Sets the timers' interrupt lines for this position, and computes the next deadline. */
  update(position: bigint): void {
    const h = this.#hart;
    const now = this.at(position);
    const sstc = (h.get64(hart.menvcfg) & MENVCFG_STCE) !== 0n;
    h.setPending(interrupt.STI, sstc && now >= h.get64(hart.stimecmp));
    h.setPending(interrupt.MTI, now >= h.get64(hart.mtimecmp));
    const next = this.nextTimer(position);
    const slope = h.get64(hart.clockSlope);
    if (next === undefined || slope === 0n) {
      this.#deadline = undefined;
      return;
    }
    const ticks = next - h.get64(hart.clockTime);
    const steps = ((ticks << 32n) + slope - 1n) / slope;
    this.#deadline = h.get64(hart.clockPosition) + steps;
  }
}
