/**
 * How far the primary's CPU thread may go (PROTOCOL.md, 7 and 9): a bound on log that is not acknowledged, and one on outputs
 * that may not leave, both as byte counts from the start. The CPU thread is told only when it is news worth a message.
 */
import type { CpuCommand } from './cpu-link.ts';

export class CpuLimit {
  readonly #logBufferBytes: number;
  readonly #heldOutputBytes: number;
  #logBytes = 0;
  #outputBytes = 0;

  constructor(logBufferBytes: number, heldOutputBytes: number) {
    this.#logBufferBytes = logBufferBytes;
    this.#heldOutputBytes = heldOutputBytes;
  }

  /** `acknowledgedBytes` is undefined when no log is needed any more. Returns the command to send, if it is time for one. */
  update(acknowledgedBytes: number | undefined, releasedBytes: number): CpuCommand | undefined {
    const logBytes =
      acknowledgedBytes === undefined ? Number.MAX_SAFE_INTEGER : acknowledgedBytes + this.#logBufferBytes;
    const outputBytes = releasedBytes + this.#heldOutputBytes;
    const news =
      logBytes - this.#logBytes >= this.#logBufferBytes / 8 ||
      outputBytes - this.#outputBytes >= this.#heldOutputBytes / 8;
    if (!news) return undefined;
    return { type: 'limit', ...this.#set(logBytes, outputBytes) };
  }

  /** A new log begins: what the CPU thread must know from its first byte on. */
  newLog(releasedBytes: number): { logBytes: number; outputBytes: number } {
    return this.#set(this.#logBufferBytes, releasedBytes + this.#heldOutputBytes);
  }

  /** The CPU thread has no limit any more: the next one is news. */
  forget(): void {
    this.#set(0, 0);
  }

  #set(logBytes: number, outputBytes: number): { logBytes: number; outputBytes: number } {
    this.#logBytes = logBytes;
    this.#outputBytes = outputBytes;
    return { logBytes, outputBytes };
  }
}
