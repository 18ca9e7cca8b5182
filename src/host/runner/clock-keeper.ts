/**
 * Keeps the guest's time close to the host's (MACHINE.md, 5 to 7): says when the machine needs a clock input, and which.
 * Only elapsed time of this host's monotonic clock enters; where guest time starts from is told by `start`.
 */
import type { Input } from '../../core/machine/doors.ts';
import { TIMEBASE_HZ } from '../../core/vm/device-tree.ts';

const TICKS_PER_MS = TIMEBASE_HZ / 1000;
/** While the guest runs, its time is set right this often. */
const PERIOD_MS = 10;
/** Guest time is let run a little slower than the host's, so that setting it right never means waiting. */
const SLOWER = 0.9;
/** And much slower while it is ahead. */
const AHEAD = 0.1;
/** Steps a second, before anything was measured. */
const FIRST_RATE = 1e8;

/** What the keeper looks at. */
export interface KeptMachine {
  readonly position: bigint;
  readonly time: bigint;
  readonly waiting: boolean;
  readonly nextTimer: bigint | undefined;
}

export class ClockKeeper {
  readonly #machine: KeptMachine;
  readonly #nowMs: () => number;
  #startMs = 0;
  #startTime = 0n;
  #lastMs = 0;
  #lastPosition = 0n;
  #stepsPerSecond = FIRST_RATE;

  /** `nowMs` is a monotonic clock in milliseconds, with fractions. */
  constructor(machine: KeptMachine, nowMs: () => number) {
    this.#machine = machine;
    this.#nowMs = nowMs;
  }

  /** The machine runs for real from here, at guest time `time`. */
  start(time: bigint): void {
    this.#startMs = this.#nowMs();
    this.#startTime = time;
    this.#lastMs = this.#startMs - PERIOD_MS;
    this.#lastPosition = this.#machine.position;
  }

  #hostTime(nowMs: number): bigint {
    return this.#startTime + BigInt(Math.floor((nowMs - this.#startMs) * TICKS_PER_MS));
  }

  /** The clock input that is due now, if one is. `woken`: an input is about to be applied to a machine that waits. */
  due(woken: boolean): Input | undefined {
    const nowMs = this.#nowMs();
    const machine = this.#machine;
    const hostTime = this.#hostTime(nowMs);
    const timer = machine.nextTimer;
    const timerDue = timer !== undefined && hostTime >= timer && machine.time < timer;
    const periodic = !machine.waiting && nowMs - this.#lastMs >= PERIOD_MS;
    if (!timerDue && !periodic && !(woken && machine.waiting)) return undefined;
    return this.#next(nowMs, hostTime);
  }

  #next(nowMs: number, hostTime: bigint): Input {
    const { time, position } = this.#machine;
    const ms = nowMs - this.#lastMs;
    const steps = Number(position - this.#lastPosition);
    // A machine that waited in between says nothing about speed.
    if (ms >= 1 && ms <= 4 * PERIOD_MS && steps > 100_000) this.#stepsPerSecond = (steps / ms) * 1000;
    this.#lastMs = nowMs;
    this.#lastPosition = position;
    const ticksPerStep = (TIMEBASE_HZ / this.#stepsPerSecond) * (time > hostTime ? AHEAD : SLOWER);
    const slope = Math.min(Math.floor(ticksPerStep * 2 ** 32), 2 ** 32 - 1);
    return { kind: 'clock', time: time > hostTime ? time : hostTime, slope };
  }

  /** Until the next timer of a machine that waits, in ms; undefined if none is armed. */
  wakeInMs(): number | undefined {
    const timer = this.#machine.nextTimer;
    if (timer === undefined) return undefined;
    return Math.max(0, Number(timer - this.#hostTime(this.#nowMs())) / TICKS_PER_MS);
  }
}
