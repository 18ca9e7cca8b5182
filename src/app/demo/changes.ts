/** Waiting for a condition on things that change: whoever changes them says so, and whoever waits looks again. */
import type { OperatingError } from '../../core/base/error.ts';

/** The person has had enough (Ctrl-C); nothing is wrong. */
export class Interrupted extends Error {}

export interface WaitOptions {
  readonly limitMs: number;
  /** The error for when the time is over. */
  readonly late: () => OperatingError;
}

export class Changes {
  readonly #signal: AbortSignal;
  /** Throws where it makes no sense to wait any longer. */
  readonly #check: () => void;
  readonly #waiting = new Set<() => void>();

  constructor(signal: AbortSignal, check: () => void) {
    this.#signal = signal;
    this.#check = check;
    signal.addEventListener('abort', () => this.notify());
  }

  notify(): void {
    for (const wake of [...this.#waiting]) wake();
  }

  /** Resolves once `isTrue`. Rejects with Interrupted, with what the check throws, or when it is late. */
  async until(isTrue: () => boolean, options?: WaitOptions): Promise<void> {
    const endMs = performance.now() + (options?.limitMs ?? Number.POSITIVE_INFINITY);
    for (;;) {
      if (isTrue()) return;
      if (this.#signal.aborted) throw new Interrupted();
      this.#check();
      const leftMs = endMs - performance.now();
      if (leftMs <= 0) throw options!.late();
      await this.#change(leftMs);
    }
  }

  /** Resolves after this long, or rejects as `until` does. */
  async pause(durationMs: number): Promise<void> {
    const endMs = performance.now() + durationMs;
    const timer = setTimeout(() => this.notify(), durationMs + 1);
    await this.until(() => performance.now() >= endMs).finally(() => clearTimeout(timer));
  }

  #change(limitMs: number): Promise<void> {
    return new Promise((resolve) => {
      let timer: NodeJS.Timeout | undefined;
      const wake = (): void => {
        clearTimeout(timer);
        this.#waiting.delete(wake);
        resolve();
      };
      if (Number.isFinite(limitMs)) timer = setTimeout(wake, limitMs);
      this.#waiting.add(wake);
    });
  }
}
