/**
 * The backup's end of the log channel: which batches are here, how far they and the heartbeats let the machine go, and what an
 * acknowledgement says. The counterpart of log-stream.ts; byte counts run from the start of the generation.
 */
import type { Ack, LogBatch } from './message.ts';

export class LogSink {
  readonly #bufferBytes: number;
  #received = 0;
  #bytes = 0;
  #executable = 0n;
  /** Bytes of log that the machine has done. */
  consumed = 0;
  /** The stamp of the last heartbeat: an acknowledgement that has it was sent after that. */
  echo = Number.NEGATIVE_INFINITY;

  /** `bufferBytes`: room for log that the machine has not done. */
  constructor(bufferBytes: number) {
    this.#bufferBytes = bufferBytes;
  }

  /** The number of the last batch. */
  get received(): number {
    return this.#received;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** The machine may execute up to here. */
  get executable(): bigint {
    return this.#executable;
  }

  /** 'old': it is here already. 'gap': others are missing before it. */
  take(batch: LogBatch): 'new' | 'old' | 'gap' {
    if (batch.sequence <= this.#received) return 'old';
    if (batch.sequence !== this.#received + 1) return 'gap';
    this.#received = batch.sequence;
    this.#bytes += batch.bytes.length;
    this.allow(batch.position);
    return 'new';
  }

  /** True if that is further than before. */
  allow(position: bigint): boolean {
    if (position <= this.#executable) return false;
    this.#executable = position;
    return true;
  }

  ack(rest: Omit<Ack, 'type' | 'sequence' | 'credit' | 'echo'>): Ack {
    const credit = this.consumed + this.#bufferBytes;
    return { type: 'ack', sequence: this.#received, credit, echo: this.echo, ...rest };
  }
}
