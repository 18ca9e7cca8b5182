/**
 * Disk reads whose data the log leaves out (`reads: backup`; PROTOCOL.md, 23), on the CPU thread. The recording side logs a
 * finished read as its length and checksum, if the read was asked for since this log began: whoever follows the log has made
 * the same request by then, and reads by itself. The following side applies the completion at its position, and not before it
 * has bytes that fit: until then it stands still, and says which read it stands at.
 */
import { crc32c } from '../base/crc32c.ts';
import type { Input, Output } from '../machine/doors.ts';
import { inputBytesAtMost, type LogEntry, type ReadDone } from '../replay/log-entry.ts';
import type { ReadData } from '../replay/replayer.ts';
import type { PendingBlockRequest } from '../vm/machine-interface.ts';
import type { CpuCommand, CpuReport } from './cpu-link.ts';

const keyOf = (device: number, id: number): string => `${device} ${id}`;

/** The recording side. */
export class LeanReads {
  /** Reads without a completion that the follower has made as well; undefined: the log holds all data. */
  #known: Set<string> | undefined;

  /** `lean`: a log begins in which the data of reads is left out, of those asked for from here on. */
  begin(lean: boolean): void {
    this.#known = lean ? new Set() : undefined;
  }

  /** The log ends. */
  end(): void {
    this.#known = undefined;
  }

  /** The machine has said this. */
  asked(output: Output): void {
    if (output.kind !== 'block' || output.request.type !== 'read') return;
    this.#known?.add(keyOf(output.device, output.request.id));
  }

  /** The entry as the log holds it. */
  shorten(entry: LogEntry): LogEntry {
    if (entry.kind !== 'input' || entry.input.kind !== 'block-done') return entry;
    const { device, id, ok, data } = entry.input;
    const known = this.#known?.delete(keyOf(device, id)) ?? false;
    if (!known || !ok || data === undefined) return entry;
    const read: ReadDone = { device, id, length: data.length, checksum: crc32c(data) };
    return { position: entry.position, kind: 'read-done', read };
  }

  /** How much room in the log this input may need. */
  bytesAtMost(input: Input): number {
    if (input.kind !== 'block-done' || !this.#known?.has(keyOf(input.device, input.id))) return inputBytesAtMost(input);
    return inputBytesAtMost({ kind: 'block-done', device: input.device, id: input.id, ok: input.ok });
  }
}

/** The following side. */
export class FollowedReads {
  readonly #inFlight: () => readonly PendingBlockRequest[];
  readonly #report: (report: CpuReport) => void;
  /** What this host has read; undefined: it could not. */
  readonly #given = new Map<string, Uint8Array | undefined>();
  /** The read at which the machine stands, if that was reported. */
  #told: string | undefined;

  constructor(inFlight: () => readonly PendingBlockRequest[], report: (report: CpuReport) => void) {
    this.#inFlight = inFlight;
    this.#report = report;
  }

  give({ device, id, data }: CpuCommand & { type: 'read-data' }): void {
    this.#given.set(keyOf(device, id), data);
  }

  /** The log has this read's completion here: its data, if this host has it and it is the same. */
  find({ device, id, length, checksum }: ReadDone): ReadData {
    const key = keyOf(device, id);
    const asked = this.#inFlight().some(
      ({ device: on, request }) => on === device && request.id === id && request.type === 'read',
    );
    if (!asked) return { impossible: 'no such read' };
    const tried = this.#given.has(key);
    const data = this.#given.get(key);
    this.#given.delete(key);
    if (data !== undefined && data.length === length && crc32c(data) === checksum) {
      this.#told = undefined;
      return { data };
    }
    if (tried || this.#told !== key) this.#report({ type: 'read-needed', device, id, tried });
    this.#told = key;
    return 'awaited';
  }

  /** The log has ended: reads without a completion are somebody else's. */
  end(): void {
    this.#given.clear();
  }

  /** A completion with all that belongs to it: no data of ours is needed. */
  done(input: Input): void {
    if (input.kind === 'block-done') this.#given.delete(keyOf(input.device, input.id));
  }
}
