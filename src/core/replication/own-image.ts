/**
 * The backup's own image of a mirrored disk: what its machine does to the disk as it follows is done here too (PROTOCOL.md,
 * 24). Reads are answered from the log; a write that overlaps an earlier read waits until the log has that read's answer (23),
 * so that a read without one can be done again at go-live. Writes that overlap are kept in order by the host's image, where a
 * flush waits for all writes given to it before (25).
 *
 * Requests are known by their place among the machine's outputs; the ids by which the host answers are this side's own.
 */
import type { BlockRequest } from '../machine/doors.ts';
import { conflict } from './block-order.ts';
import type { DiskStep } from './cpu-link.ts';
import type { HaltReason, ReplicaAction, ReplicaEvent } from './replica.ts';

type Request = DiskStep & { kind: 'request' };

/** Between two common points: every one costs both hosts a write of their records. */
const COMMON_POINT_MS = 5000;

function bytesOf(request: BlockRequest): number {
  return 64 + (request.type === 'write' ? request.data.length : 0);
}

export class OwnImage {
  readonly #act: (action: ReplicaAction) => void;
  readonly #maxBytes: number;
  #generation: number | undefined;
  /** What came before the image was a part of the generation. */
  #early: DiskStep[] = [];
  /** Reads and flushes without an answer in the log, and writes that wait for such a read. */
  #open = new Map<string, Request>();
  #held: Request[] = [];
  #lastId = 0;
  readonly #inHand = new Map<number, Request>();
  #bytes = 0;
  #flushed = 0;
  #failed = false;
  /** The last common point that both sides have noted, the one that is on its way, and when it was begun. */
  #common = { noted: 0, told: 0, asked: false, atMs: Number.NEGATIVE_INFINITY };

  constructor(maxBytes: number, act: (action: ReplicaAction) => void) {
    this.#maxBytes = maxBytes;
    this.#act = act;
  }

  /** Every flush up to this output is durable here. */
  get flushed(): number {
    return this.#flushed;
  }

  /** The newest common point that this side has noted; 0 if there is none. */
  get common(): number {
    return this.#common.told;
  }

  /** Too much waits for the disk: the machine should rest. */
  get full(): boolean {
    return this.#bytes > this.#maxBytes;
  }

  /** Whether all that was given to the disk is done. */
  get idle(): boolean {
    return this.#inHand.size === 0;
  }

  /** A request failed here: this image is not the machine's disk any more. */
  get failed(): boolean {
    return this.#failed;
  }

  /** Without an image nobody goes on from here; if the generation is won already, nobody does. */
  failure(won: boolean): HaltReason {
    const message = "this host's image of the disk cannot be written";
    return won ? { code: 'total-loss', message: `this replica won, but ${message}` } : { code: 'disk-failed', message };
  }

  /** What the machine and the log say of the disk, in order. */
  perform(steps: readonly DiskStep[], nowMs: number): void {
    if (this.#generation === undefined) {
      this.#early.push(...steps);
      return;
    }
    for (const step of steps) {
      if (step.kind === 'done') this.#done(step, nowMs);
      else this.#request(step);
    }
  }

  /** The image is a part of `generation`: all up to `sequence` is in it, durably. */
  join(generation: number, sequence: number, nowMs: number): void {
    this.#generation = generation;
    this.#flushed = sequence;
    this.#common = { noted: sequence, told: sequence, asked: false, atMs: nowMs };
    this.perform(this.#early.splice(0), nowMs);
  }

  /** The host's answer; true if it is news for the primary. */
  answered(event: ReplicaEvent & { type: 'disk-answer' }): boolean {
    const request = this.#inHand.get(event.id);
    if (request === undefined) return false;
    this.#inHand.delete(event.id);
    this.#bytes -= bytesOf(request.request);
    if (event.outcome !== 'ok') this.#failed = true;
    else if (request.request.type === 'flush') this.#flushed = Math.max(this.#flushed, request.sequence ?? 0);
    return request.request.type === 'flush';
  }

  /** This side's record has the common point, or cannot have it. */
  pointNoted({ sequence, noted }: ReplicaEvent & { type: 'disk-common' }): void {
    this.#common.asked = false;
    if (noted) this.#common.told = sequence;
  }

  /** The primary's record has it. */
  primaryNoted(sequence: number): void {
    this.#common.noted = Math.max(this.#common.noted, sequence);
  }

  #request(step: Request): void {
    const { request } = step;
    if (request.type !== 'write' && request.type !== 'write-zeroes' && request.type !== 'discard') {
      this.#open.set(`${step.device} ${request.id}`, step);
    }
    if (request.type === 'read') return;
    const waits = [...this.#open.values(), ...this.#held].some(
      (other) => other.device === step.device && conflict(other.request, request),
    );
    if (waits) this.#held.push(step);
    else this.#issue(step);
  }

  #issue(step: Request): void {
    // What was flushed before the image became equal is in it.
    if (step.request.type === 'flush' && step.sequence === undefined) return;
    const id = ++this.#lastId;
    this.#inHand.set(id, step);
    this.#bytes += bytesOf(step.request);
    const at = step.sequence === undefined ? {} : { sequence: step.sequence };
    this.#act({
      type: 'disk',
      generation: this.#generation!,
      device: step.device,
      request: { ...step.request, id },
      ...at,
    });
  }

  #done(step: DiskStep & { kind: 'done' }, nowMs: number): void {
    const key = `${step.device} ${step.id}`;
    const answered = this.#open.get(key);
    if (answered === undefined) return;
    this.#open.delete(key);
    if (answered.request.type === 'flush') {
      if (step.ok && answered.sequence !== undefined) this.#commonPoint(answered.sequence, nowMs);
      return;
    }
    for (const waiting of this.#held.splice(0)) this.#request(waiting);
  }

  /** Both hosts have this flush. One point at a time, so that the two records are never further apart (24). */
  #commonPoint(sequence: number, nowMs: number): void {
    const { noted, told, asked, atMs } = this.#common;
    if (asked || noted < told || nowMs - atMs < COMMON_POINT_MS) return;
    this.#common.asked = true;
    this.#common.atMs = nowMs;
    this.#act({ type: 'disk-common', generation: this.#generation!, sequence });
  }
}
