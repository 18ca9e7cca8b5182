/**
 * The owner's side of reads that the backup does again by itself (`reads: backup`; PROTOCOL.md, 23). A write that overlaps an
 * earlier read waits until the backup has done that read, so that both find the same bytes. And what was read here is kept
 * until then, within a bound: a backup whose own read fails asks for it.
 *
 * Reads are known by their place among the machine's outputs. Those that were asked for before the log began have their data in
 * it, and do not count.
 */
import type { PendingBlockRequest } from '../vm/machine-interface.ts';
import { conflict } from './block-order.ts';

interface Read {
  readonly pending: PendingBlockRequest;
  data: Uint8Array | undefined;
}

/** What is kept for a backup that cannot read: what the bound on requests in flight allows, and as much again. */
export const MAX_KEPT_READ_BYTES = 32 * 1024 * 1024;

export class ReadsAtBackup {
  readonly #maxBytes: number;
  /** Only reads after this output count; undefined: none do. */
  #from: number | undefined;
  /** By place, in the order in which they were issued. */
  readonly #undone = new Map<number, Read>();
  #bytes = 0;

  constructor(maxBytes: number = MAX_KEPT_READ_BYTES) {
    this.#maxBytes = maxBytes;
  }

  /** A log begins behind this output, and leaves out what reads bring. */
  begin(sequence: number): void {
    this.end();
    this.#from = sequence;
  }

  /** No backup counts any more. Returns the place up to which nothing waits for it. */
  end(): number {
    let last = 0;
    for (const place of this.#undone.keys()) last = Math.max(last, place);
    this.#from = undefined;
    this.#undone.clear();
    this.#bytes = 0;
    return last;
  }

  /** A request is on its way to the disk; returns the place of the last read that the backup must have done before; 0: none. */
  place(sequence: number, pending: PendingBlockRequest): number {
    if (this.#from === undefined || sequence <= this.#from) return 0;
    if (pending.request.type === 'read') {
      this.#undone.set(sequence, { pending, data: undefined });
      return 0;
    }
    let last = 0;
    for (const [place, { pending: read }] of this.#undone) {
      if (place > last && read.device === pending.device && conflict(read.request, pending.request)) last = place;
    }
    return last;
  }

  /** The owner's disk has answered. */
  answered(device: number, id: number, data: Uint8Array): void {
    for (const read of this.#undone.values()) {
      const { pending } = read;
      if (pending.device !== device || pending.request.id !== id) continue;
      read.data = data;
      this.#bytes += data.length;
    }
    for (const read of this.#undone.values()) {
      if (this.#bytes <= this.#maxBytes) return;
      this.#drop(read);
    }
  }

  /** The backup has done all reads up to this place. */
  done(sequence: number): void {
    for (const [place, read] of this.#undone) {
      if (place > sequence) continue;
      this.#drop(read);
      this.#undone.delete(place);
    }
  }

  /** What was read at this place; undefined if it is not known, or not any more. */
  data(sequence: number): Uint8Array | undefined {
    return this.#undone.get(sequence)?.data;
  }

  #drop(read: Read): void {
    this.#bytes -= read.data?.length ?? 0;
    read.data = undefined;
  }
}
