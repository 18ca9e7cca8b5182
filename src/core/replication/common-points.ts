/**
 * The owner's half of common points (PROTOCOL.md, 24): flushes that both images of a mirrored disk are known to hold. The
 * backup notes one first and says so in its acknowledgements; then it is noted here, and the heartbeats say that. The backup's
 * half is in own-image.ts.
 */
import type { ReplicaAction, ReplicaEvent } from './replica.ts';

export class CommonPoints {
  readonly #act: (action: ReplicaAction) => void;
  #asked = 0;
  #noted = 0;

  constructor(act: (action: ReplicaAction) => void) {
    this.#act = act;
  }

  /** The newest that this host's record has. */
  get noted(): number {
    return this.#noted;
  }

  /** Both images are equal at this output, and both records say so. */
  startAt(sequence: number): void {
    this.#asked = sequence;
    this.#noted = sequence;
  }

  /** The backup has noted this one. */
  atBackup(sequence: number, generation: number): void {
    if (sequence <= this.#asked) return;
    this.#asked = sequence;
    this.#act({ type: 'disk-common', generation, sequence });
  }

  noticed({ sequence, noted }: ReplicaEvent & { type: 'disk-common' }): void {
    if (noted) this.#noted = sequence;
  }
}
