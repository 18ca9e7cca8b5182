/**
 * Console bytes on their way out, gathered into `console-out` outputs. Each output costs a mark in the log and a wait at
 * the output gate, so one for each byte would be dear. Where a chunk ends depends on the state alone: behind a
 * newline (the last one of a write), at 256 bytes, or when the vm flushes (the guest starts to wait in `wfi`, a clock input, the end of the run).
 */
import type { Emit } from '../machine/doors.ts';

/** The longest chunk, in bytes. */
export const CONSOLE_CHUNK_BYTES = 256;

const NEWLINE = 0x0a;

export class ConsoleOutput {
  readonly #device: number;
  readonly #emit: Emit;
  readonly #chunk = new Uint8Array(CONSOLE_CHUNK_BYTES);
  #length = 0;

  constructor(device: number, emit: Emit) {
    this.#device = device;
    this.#emit = emit;
  }

  byte(value: number): void {
    this.#chunk[this.#length++] = value;
    if (value === NEWLINE || this.#length === CONSOLE_CHUNK_BYTES) this.flush();
  }

  /**
   * Bytes that the guest hands over at once: only the last newline among them ends a chunk, or a single notification with
   * buffers full of newlines would make millions of outputs.
   */
  bytes(data: Uint8Array): void {
    const end = data.lastIndexOf(NEWLINE) + 1;
    this.#gather(data.subarray(0, end));
    if (end > 0) this.flush();
    this.#gather(data.subarray(end));
  }

  #gather(data: Uint8Array): void {
    for (let at = 0; at < data.length; ) {
      const count = Math.min(CONSOLE_CHUNK_BYTES - this.#length, data.length - at);
      this.#chunk.set(data.subarray(at, at + count), this.#length);
      this.#length += count;
      at += count;
      if (this.#length === CONSOLE_CHUNK_BYTES) this.flush();
    }
  }

  /** Emits what has been gathered, if anything. */
  flush(): void {
    if (this.#length === 0) return;
    const data = this.#chunk.slice(0, this.#length);
    this.#length = 0;
    this.#emit({ kind: 'console-out', device: this.#device, data });
  }

  /** The gathered bytes that have not been emitted yet. */
  pending(): Uint8Array {
    return this.#chunk.slice(0, this.#length);
  }

  /** Takes over what `pending()` returned; at most CONSOLE_CHUNK_BYTES - 1 bytes. */
  restore(pending: Uint8Array): void {
    this.#chunk.set(pending);
    this.#length = pending.length;
  }
}
