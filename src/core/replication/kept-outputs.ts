/**
 * What the backup's machine has said to nobody, kept until the primary is known to have sent it (PROTOCOL.md, 15): at go-live it
 * goes out, in order. The backup's guest is stopped when this is full.
 */
import type { NumberedOutput } from './cpu-link.ts';
import { heldBytes } from './output-gate.ts';

export class KeptOutputs {
  readonly #maxBytes: number;
  #kept: NumberedOutput[] = [];
  #bytes = 0;
  #released = 0;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  get count(): number {
    return this.#kept.length;
  }

  get full(): boolean {
    return this.#bytes > this.#maxBytes;
  }

  keep(outputs: readonly NumberedOutput[]): void {
    for (const numbered of outputs) {
      if (numbered.sequence <= this.#released) continue;
      this.#kept.push(numbered);
      this.#bytes += heldBytes(numbered);
    }
  }

  /** The primary has sent its outputs up to this one. */
  forget(released: number): void {
    if (released <= this.#released) return;
    this.#released = released;
    const keep = this.#kept.findIndex(({ sequence }) => sequence > released);
    const gone = keep < 0 ? this.#kept : this.#kept.slice(0, keep);
    this.#kept = keep < 0 ? [] : this.#kept.slice(keep);
    for (const numbered of gone) this.#bytes -= heldBytes(numbered);
  }

  takeAll(): NumberedOutput[] {
    const kept = this.#kept;
    this.#kept = [];
    this.#bytes = 0;
    return kept;
  }
}
