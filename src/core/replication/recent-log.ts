/**
 * The last batches of the log, kept on both sides for the case that a divergence has to be explained: those of some hash
 * intervals, within a bound on bytes. Nothing is decoded before it is asked for.
 */
import { decodeEntries, type LogEntry } from '../replay/log-entry.ts';
import type { LogBatch } from './message.ts';

export class RecentLog {
  #batches: { readonly batch: LogBatch; readonly atMs: number }[] = [];
  /** Batches before this index are forgotten. */
  #first = 0;
  #bytes = 0;
  readonly #keepMs: number;
  readonly #keepBytes: number;

  constructor({ keepMs, keepBytes }: { readonly keepMs: number; readonly keepBytes: number }) {
    this.#keepMs = keepMs;
    this.#keepBytes = keepBytes;
  }

  add(batch: LogBatch, nowMs: number): void {
    // Another generation, or the same from the start: another log.
    const last = this.#batches.at(-1)?.batch;
    if (last !== undefined && (last.generation !== batch.generation || batch.sequence <= last.sequence)) this.clear();
    this.#batches.push({ batch, atMs: nowMs });
    this.#bytes += batch.bytes.length;
    for (let old = this.#batches[this.#first]; old !== undefined; old = this.#batches[this.#first]) {
      if (this.#bytes <= this.#keepBytes && nowMs - old.atMs <= this.#keepMs) break;
      this.#bytes -= old.batch.bytes.length;
      this.#first++;
    }
    if (this.#first * 2 < this.#batches.length) return;
    this.#batches = this.#batches.slice(this.#first);
    this.#first = 0;
  }

  clear(): void {
    this.#batches = [];
    this.#first = 0;
    this.#bytes = 0;
  }

  /** What is kept, oldest first. */
  get batches(): LogBatch[] {
    return this.#batches.slice(this.#first).map(({ batch }) => batch);
  }
}

/** The entries of batches. Throws MalformedError. */
export function entriesOf(batches: readonly LogBatch[]): LogEntry[] {
  return batches.flatMap(({ bytes, base }) => decodeEntries(bytes, base));
}

/** The entries behind the last hash that stands at or before `position` and is followed by something; all if there is none. */
export function sinceLastHash(entries: readonly LogEntry[], position: bigint): readonly LogEntry[] {
  const last = entries.findLastIndex((entry) => entry.kind === 'hash' && entry.position < position);
  return entries.slice(last < 0 ? 0 : last);
}
