/**
 * Makes pieces of the guest's memory while it runs (core/replication/transfer.ts): pages are gathered from the memory that is
 * shared with the CPU thread, or were gathered by it in the cut, and compressed on another thread. Pieces are handed on in the
 * order in which they were asked for.
 */
import { setImmediate } from 'node:timers/promises';
import type { ReplicaAction, ReplicaEvent } from '../../core/replication/replica.ts';
import { PAGE_BYTES } from '../../core/replication/transfer.ts';
import { gatherPages } from '../../core/vm/page-pieces.ts';
import { compressedPiece } from '../runner/pieces.ts';

export class Copier {
  readonly #ram: Uint8Array;
  readonly #onCopied: (copied: ReplicaEvent & { type: 'copied' }) => void;
  readonly #onFailure: (error: unknown) => void;
  #last: Promise<void> = Promise.resolve();

  constructor(
    ram: Uint8Array,
    onCopied: (copied: ReplicaEvent & { type: 'copied' }) => void,
    onFailure: (error: unknown) => void,
  ) {
    this.#ram = ram;
    this.#onCopied = onCopied;
    this.#onFailure = onFailure;
  }

  copy({ transfer, pages }: ReplicaAction & { type: 'copy' }): void {
    const page = (number: number): Uint8Array => this.#ram.subarray(number * PAGE_BYTES, (number + 1) * PAGE_BYTES);
    // Several pieces are compressed at a time.
    const piece = compressedPiece('content' in pages ? pages : gatherPages(pages, 0, page).gathered);
    this.#last = this.#last
      .then(() => piece)
      // Pages of zeroes make a piece at once, and the next one is asked for at once: somebody else has a turn in between.
      .then((bytes) => setImmediate(bytes))
      .then((bytes) => this.#onCopied({ type: 'copied', transfer, bytes }))
      .catch(this.#onFailure);
  }
}
