/**
 * The frames that arrived from outside lately, kept by the backup (PROTOCOL.md, 19). A frame that the primary had received
 * but not logged when it died would otherwise be lost, and cost the client a retransmission: seconds, not milliseconds.
 */
import { crc32c } from '../base/crc32c.ts';
import type { LoggedFrame } from './cpu-link.ts';

export interface InboundFrame {
  readonly device: number;
  readonly frame: Uint8Array;
}

interface Kept extends InboundFrame {
  readonly atMs: number;
}

export interface InboundFramesOptions {
  /** How long a frame is kept. */
  readonly keepMs: number;
  /** At most this many bytes are kept; the oldest go first. */
  readonly keepBytes: number;
}

/** A frame may reach the primary, its log and this host earlier than it reaches this host by the uplink. */
const SLACK_MS = 1000;

export class InboundFrames {
  readonly #options: InboundFramesOptions;
  #kept: Kept[] = [];
  /** Those before this index are too old. */
  #oldest = 0;
  #bytes = 0;
  #frozenMs: number | undefined;

  constructor(options: InboundFramesOptions) {
    this.#options = options;
  }

  add(device: number, frame: Uint8Array, nowMs: number): void {
    this.#kept.push({ device, frame, atMs: nowMs });
    this.#bytes += frame.length;
    this.#expire(this.#frozenMs ?? nowMs);
  }

  /** The primary is suspected: from now on no frame gets too old. */
  freeze(nowMs: number): void {
    this.#frozenMs ??= nowMs;
    this.#expire(this.#frozenMs);
  }

  /** The frames that the log does not hold, in the order of their arrival; then they are forgotten. */
  takeUnlogged(logged: readonly LoggedFrame[]): InboundFrame[] {
    const kept = this.#kept.slice(this.#oldest);
    const oldestMs = kept[0]?.atMs ?? 0;
    const counts = new Map<string, number>();
    for (const { length, checksum, arrivedMs } of logged) {
      if (arrivedMs < oldestMs - SLACK_MS) continue;
      const key = `${length} ${checksum}`;
      counts.set(key, (counts.get(key) ?? 0) + 1);
    }
    const unlogged: InboundFrame[] = [];
    for (const { device, frame } of kept) {
      const key = `${frame.length} ${crc32c(frame)}`;
      const count = counts.get(key) ?? 0;
      if (count > 0) counts.set(key, count - 1);
      else unlogged.push({ device, frame });
    }
    this.#kept = [];
    this.#oldest = 0;
    this.#bytes = 0;
    return unlogged;
  }

  #expire(nowMs: number): void {
    while (this.#oldest < this.#kept.length) {
      const { atMs, frame } = this.#kept[this.#oldest]!;
      if (atMs >= nowMs - this.#options.keepMs && this.#bytes <= this.#options.keepBytes) break;
      this.#bytes -= frame.length;
      this.#oldest++;
    }
    if (this.#oldest < 256 || this.#oldest * 2 < this.#kept.length) return;
    this.#kept = this.#kept.slice(this.#oldest);
    this.#oldest = 0;
  }
}
