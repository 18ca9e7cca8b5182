/**
 * What the main thread knows of its CPU thread: where the machine is, and whether the thread still lives (PROTOCOL.md, 11). A
 * main thread that vouched for a dead CPU thread would never be replaced.
 */
import type { CpuState } from './message.ts';

export interface CpuViewOptions {
  /** A thread that reports nothing for so long is taken for dead. */
  readonly cpuSilenceMs: number;
  /** A gap of this length between two calls of `observe` means that this process was not running. */
  readonly ownPauseMs: number;
}

export class CpuView {
  position = 0n;
  time = 0n;
  /** The machine is not to run: not started, paused, or at its end. Its silence means nothing then. */
  resting: boolean;
  readonly #options: CpuViewOptions;
  #reportedMs: number;
  #observedMs: number;

  constructor(options: CpuViewOptions, resting: boolean, nowMs: number) {
    this.#options = options;
    this.resting = resting;
    this.#reportedMs = nowMs;
    this.#observedMs = nowMs;
  }

  /** This process runs now. While it stood still, its CPU thread's reports did not come through either. */
  observe(nowMs: number): void {
    if (nowMs - this.#observedMs >= this.#options.ownPauseMs) this.#reportedMs = nowMs;
    this.#observedMs = nowMs;
  }

  /** The CPU thread has said something. */
  reported(nowMs: number): void {
    this.#reportedMs = nowMs;
  }

  state(nowMs: number = this.#observedMs): CpuState {
    if (this.resting) return 'stopped-on-purpose';
    return nowMs - this.#reportedMs >= this.#options.cpuSilenceMs ? 'silent' : 'running';
  }
}
