/**
 * Console bytes on their way out, gathered into `console-out` outputs. Each output costs a mark in the log and a wait at
 * the output gate, so one for each byte would be dear. Where a chunk ends depends on the state alone: after a newline,
 * at 256 bytes, or when the vm flushes (the guest starts to wait in `wfi`, a clock input, the end of the run).
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

  bytes(data: Uint8Array): void {
    for (const value of data) this.byte(value);
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
