/**
 * What a backup does to its disk while it follows: with a mirrored disk its own image gets what the machine writes
 * (own-image.ts), and with `reads: backup` it reads what the log leaves out (own-reads.ts). Otherwise nothing.
 */
import type { CpuReport, DiskStep } from './cpu-link.ts';
import type { Ack, Message } from './message.ts';
import { OwnImage } from './own-image.ts';
import { OwnReads, type OwnReadsDeps } from './own-reads.ts';
import type { HaltReason, ReplicaEvent, ReplicaOptions } from './replica.ts';

/** What this host's disk says of its own accord, or in answer. */
export type OwnDiskEvent = ReplicaEvent & { type: 'disk-answer' | 'disk-read-answer' | 'disk-common' };

export class OwnDisk {
  readonly #image: OwnImage | undefined;
  readonly #reads: OwnReads | undefined;

  constructor({ mirrored, reads, bounds, timing }: ReplicaOptions, deps: OwnReadsDeps) {
    if (mirrored === true) this.#image = new OwnImage(bounds.keptOutputBytes, deps.act);
    if (reads === 'backup') this.#reads = new OwnReads(timing, deps);
  }

  /** Whether it must hear what happens to the disk. */
  get follows(): boolean {
    return this.#image !== undefined || this.#reads !== undefined;
  }

  /** What an acknowledgement says of it. */
  get ack(): Pick<Ack, 'image' | 'reads'> {
    const image = this.#image && { image: { flushed: this.#image.flushed, common: this.#image.common } };
    return { ...image, ...(this.#reads && { reads: this.#reads.done }) };
  }

  /** Too much waits for the disk: the machine should rest. */
  get full(): boolean {
    return this.#image?.full ?? false;
  }

  /** Whether all that was given to the disk is done. What is still read nobody needs: the log has no completion of it. */
  get idle(): boolean {
    return this.#image?.idle ?? true;
  }

  /** Why this replica is over; undefined if it is not. `won`: nobody else can go on. */
  failure(won: boolean): HaltReason | undefined {
    return this.#image?.failed === true ? this.#image.failure(won) : this.#reads?.failure(won);
  }

  /**
   * The machine is a copy, cut at its output `sequence`, and follows the owner of `generation`. An image is a part of it: all up to
   * there is in it, durably.
   */
  join(generation: number, sequence: number, nowMs: number): void {
    this.#image?.join(generation, sequence, nowMs);
    this.follow(generation);
  }

  /** There is an owner, in `generation`; again, if its channel was replaced. */
  follow(generation: number): void {
    this.#reads?.follow(generation);
  }

  /** There is none any more. */
  alone(): void {
    this.#reads?.alone();
  }

  /** What the machine and the log say of the disk, in order. True if it is news for the owner. */
  perform(steps: readonly DiskStep[], nowMs: number): boolean {
    this.#image?.perform(steps, nowMs);
    return this.#reads?.perform(steps) ?? false;
  }

  /** The same for what this host's disk says. */
  heard(event: OwnDiskEvent): boolean {
    if (event.type === 'disk-answer') return this.#image?.answered(event) ?? false;
    if (event.type === 'disk-common') this.#image?.pointNoted(event);
    else this.#reads?.answered(event);
    return false;
  }

  needed(report: CpuReport & { type: 'read-needed' }, nowMs: number): void {
    this.#reads?.needed(report, nowMs);
  }

  fetched(message: Message & { type: 'read-data' }): void {
    this.#reads?.fetched(message);
  }

  /** The owner's record has this common point (24). */
  primaryNoted(sequence: number): void {
    this.#image?.primaryNoted(sequence);
  }

  tick(nowMs: number): void {
    this.#reads?.tick(nowMs);
  }
}
