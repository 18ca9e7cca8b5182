/**
 * The Output Rule (PROTOCOL.md, 13 to 15): an output leaves the primary only when the backup has acknowledged the log up to
 * the output's mark. Outputs that change nothing outside, disk reads and requests for entropy, need not wait; a read that
 * overlaps a held write keeps its place behind it.
 */
import { payloadOf } from '../replay/output-mark.ts';
import { conflict } from './block-order.ts';
import type { NumberedOutput } from './cpu-link.ts';

interface Held {
  readonly numbered: NumberedOutput;
  /** The batch that holds its mark. */
  readonly batch: number;
}

/** What an output counts for in the bounds on memory: its payload and some overhead. */
export function heldBytes(numbered: NumberedOutput): number {
  return 64 + (payloadOf(numbered.output)?.length ?? 0);
}

export class OutputGate {
  #held: Held[] = [];
  #acknowledged = 0;
  #released = 0;
  #releasedBytes = 0;

  /** The last output of those that have left in order: all before it that had to wait have left too. */
  get released(): number {
    return this.#released;
  }

  /** Bytes that have left, in the measure of `heldBytes`, since the gate exists. */
  get releasedBytes(): number {
    return this.#releasedBytes;
  }

  get heldCount(): number {
    return this.#held.length;
  }

  /** New outputs, whose marks are in `batch`. Returns those that may leave at once. */
  hold(outputs: readonly NumberedOutput[], batch: number): NumberedOutput[] {
    const leaving: NumberedOutput[] = [];
    for (const numbered of outputs) {
      if (this.#needsNoMark(numbered)) leaving.push(this.#leave(numbered));
      else this.#held.push({ numbered, batch });
    }
    return leaving;
  }

  /** The backup has all batches up to this one. Never moves back. */
  acknowledge(batch: number): void {
    if (batch > this.#acknowledged) this.#acknowledged = batch;
  }

  /** A new log begins, for another backup: nothing of it is acknowledged. */
  newLog(): void {
    this.#acknowledged = 0;
  }

  /** Whether an acknowledged output waits to leave. */
  get ready(): boolean {
    const first = this.#held[0];
    return first !== undefined && first.batch <= this.#acknowledged;
  }

  /** Takes out what is acknowledged, in order. The caller has made sure that the peer was heard of lately (rule 14). */
  release(): NumberedOutput[] {
    return this.#take((held) => held.batch <= this.#acknowledged);
  }

  /** Takes out everything: the generation is won, and nobody else can go on from an earlier state. */
  releaseAll(): NumberedOutput[] {
    return this.#take(() => true);
  }

  /** Forgets everything: the generation is lost. */
  discardAll(): void {
    this.#held = [];
  }

  #needsNoMark({ output }: NumberedOutput): boolean {
    if (output.kind === 'entropy') return true;
    if (output.kind !== 'block' || output.request.type !== 'read') return false;
    const { request } = output;
    return !this.#held.some(
      ({ numbered: { output: held } }) => held.kind === 'block' && conflict(held.request, request),
    );
  }

  #take(mayLeave: (held: Held) => boolean): NumberedOutput[] {
    const stay = this.#held.findIndex((held) => !mayLeave(held));
    const leaving = stay < 0 ? this.#held : this.#held.slice(0, stay);
    this.#held = stay < 0 ? [] : this.#held.slice(stay);
    for (const { numbered } of leaving) {
      this.#leave(numbered);
      this.#released = numbered.sequence;
    }
    return leaving.map(({ numbered }) => numbered);
  }

  #leave(numbered: NumberedOutput): NumberedOutput {
    this.#releasedBytes += heldBytes(numbered);
    return numbered;
  }
}
