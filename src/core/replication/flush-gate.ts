/**
 * A flush is answered when it is durable on every replica that counts (PROTOCOL.md, 25). With a mirrored disk the backup has an
 * image of its own: the answer of the owner's disk waits here until the backup has said that its flush is durable too. Flushes
 * are known by their place among the machine's outputs, and each covers all that was written before it.
 */
import type { Input } from '../machine/doors.ts';

export class FlushGate {
  /** Whether there is a backup that counts. */
  #counts = false;
  /** The backup has every flush up to this one. */
  #durable = 0;
  #waiting: { readonly sequence: number; readonly input: Input }[] = [];

  /** From here on a backup counts, whose image is equal, durably, at this output of the machine. */
  pairAt(sequence: number): void {
    this.#counts = true;
    this.#durable = Math.max(this.#durable, sequence);
  }

  /** Whether the backup is all that some flush still needs. */
  get waits(): boolean {
    return this.#waiting.length > 0;
  }

  /** The owner's disk has answered. Returns the answer if the guest may hear it now. `sequence`: undefined for what is no flush. */
  answered(sequence: number | undefined, input: Input): Input | undefined {
    if (sequence === undefined || !this.#counts || sequence <= this.#durable) return input;
    this.#waiting.push({ sequence, input });
    return undefined;
  }

  /** The backup's image has everything up to this flush, durably. Returns the answers that waited for it. */
  durable(sequence: number): Input[] {
    this.#durable = Math.max(this.#durable, sequence);
    return this.#take((waiting) => waiting.sequence <= this.#durable);
  }

  /** No backup counts any more: the generation is won without it. */
  alone(): Input[] {
    this.#counts = false;
    return this.#take(() => true);
  }

  #take(mayGo: (waiting: { readonly sequence: number }) => boolean): Input[] {
    const going = this.#waiting.filter(mayGo);
    this.#waiting = this.#waiting.filter((waiting) => !mayGo(waiting));
    return going.map(({ input }) => input);
  }
}
