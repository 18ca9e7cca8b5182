/**
 * The primary's end of the log channel: numbered batches, sent while the backup has room for them, kept until they are
 * acknowledged (so that a new channel can take over where a broken one ended), and counted for the bound that stops the
 * guest. Byte counts run from the start of the generation.
 */
import type { LogBatch } from './message.ts';

interface Batch {
  readonly message: LogBatch;
  /** Bytes of all batches up to and including this one. */
  readonly endBytes: number;
}

export class LogStream {
  /** Not acknowledged, in order; the first `#sent` of them have been sent on the present channel. */
  #batches: Batch[] = [];
  #sent = 0;
  #last = 0;
  #acknowledged = 0;
  #bytes = 0;
  #acknowledgedBytes = 0;
  #credit = 0;

  /** The number of the last batch made; 0 if there is none. */
  get last(): number {
    return this.#last;
  }

  get acknowledged(): number {
    return this.#acknowledged;
  }

  get bytes(): number {
    return this.#bytes;
  }

  get acknowledgedBytes(): number {
    return this.#acknowledgedBytes;
  }

  get allAcknowledged(): boolean {
    return this.#batches.length === 0;
  }

  /** How far the backup may execute when the machine is at `position`: not past a batch that it has not been sent. */
  executable(position: bigint): bigint {
    const unsent = this.#batches[this.#sent]?.message.base;
    return unsent !== undefined && unsent < position ? unsent : position;
  }

  /** A new batch; returns its number. */
  append(batch: Omit<LogBatch, 'type' | 'sequence'>): number {
    this.#last++;
    this.#bytes += batch.bytes.length;
    this.#batches.push({ message: { type: 'log', sequence: this.#last, ...batch }, endBytes: this.#bytes });
    return this.#last;
  }

  /** Batches that may be sent now, in order; they count as sent. */
  takeSendable(): LogBatch[] {
    const sendable: LogBatch[] = [];
    for (let next = this.#batches[this.#sent]; next !== undefined; next = this.#batches[this.#sent]) {
      const startBytes = next.endBytes - next.message.bytes.length;
      if (startBytes >= this.#credit) break;
      sendable.push(next.message);
      this.#sent++;
    }
    return sendable;
  }

  /** False if the acknowledgement is of a batch that was never sent. Old ones have no effect. */
  acknowledge(sequence: number, credit: number): boolean {
    const lastSent = this.#batches[this.#sent - 1]?.message.sequence ?? this.#acknowledged;
    if (sequence > lastSent) return false;
    const count = sequence - this.#acknowledged;
    if (count > 0) {
      this.#acknowledgedBytes = this.#batches[count - 1]!.endBytes;
      this.#acknowledged = sequence;
      this.#batches = this.#batches.slice(count);
      this.#sent -= count;
    }
    this.#credit = Math.max(this.#credit, credit);
    return true;
  }

  /** A new channel whose far end has everything up to `received`. False if that cannot be. */
  resume(received: number): boolean {
    if (received < this.#acknowledged || received > this.#last) return false;
    this.#sent = received - this.#acknowledged;
    return true;
  }
}
