/**
 * Puts disk requests into an order that is safe to execute: requests that overlap, one of them a write, run one after the
 * other in the order in which the guest submitted them, on every host (PROTOCOL.md, 23). All others may run together. A
 * flush promises only what was complete before it was submitted (virtio 1.2, 5.2.6.2), so it waits for nothing.
 *
 * It also knows what is unanswered, so that it can be issued again in another generation.
 */
import type { BlockRequest } from '../machine/doors.ts';
import type { PendingBlockRequest } from '../vm/machine-interface.ts';

interface Waiting {
  readonly pending: PendingBlockRequest;
  /** The place of a read that the backup must have done before (reads-at-backup.ts). */
  readonly behind: number;
  started: boolean;
}

/** Whether the two touch a common byte, and one of them changes it. */
export function conflict(one: BlockRequest, other: BlockRequest): boolean {
  if (one.type === 'flush' || other.type === 'flush') return false;
  if (one.type === 'read' && other.type === 'read') return false;
  return one.offset < endOf(other) && other.offset < endOf(one);
}

function endOf(request: Exclude<BlockRequest, { type: 'flush' }>): number {
  return request.offset + (request.type === 'write' ? request.data.length : request.length);
}

export class BlockOrder {
  #requests: Waiting[] = [];
  #readsDone = 0;

  /** Requests that are unanswered. */
  get size(): number {
    return this.#requests.length;
  }

  /** A new request; returns it if it may start now, otherwise it waits. `behind`: for the backup's read of that place as well. */
  submit(pending: PendingBlockRequest, behind = 0): PendingBlockRequest[] {
    this.#requests.push({ pending, behind, started: false });
    return this.#start(this.#requests.length - 1);
  }

  /** Whether this request is unanswered. */
  has(device: number, id: number): boolean {
    return this.#requests.some(({ pending }) => pending.device === device && pending.request.id === id);
  }

  /** A request is answered; returns those that may start now. Without effect for one that is not known. */
  done(device: number, id: number): PendingBlockRequest[] {
    const at = this.#requests.findIndex(({ pending }) => pending.device === device && pending.request.id === id);
    if (at < 0) return [];
    this.#requests.splice(at, 1);
    return this.#start(at);
  }

  /** The backup has done all reads up to this place; returns requests that may start now. Never moves back. */
  readsDone(place: number): PendingBlockRequest[] {
    if (place <= this.#readsDone) return [];
    this.#readsDone = place;
    return this.#start(0);
  }

  /** Those that have started and are unanswered, in order of submission. */
  started(): PendingBlockRequest[] {
    return this.#requests.filter(({ started }) => started).map(({ pending }) => pending);
  }

  /** Starts what may start, from this place on: what stands before it has not become free. */
  #start(from: number): PendingBlockRequest[] {
    const starting: PendingBlockRequest[] = [];
    for (let index = from; index < this.#requests.length; index++) {
      const waiting = this.#requests[index]!;
      if (waiting.started || this.#blocked(index)) continue;
      waiting.started = true;
      starting.push(waiting.pending);
    }
    return starting;
  }

  #blocked(index: number): boolean {
    const { pending, behind } = this.#requests[index]!;
    if (behind > this.#readsDone) return true;
    for (let earlier = 0; earlier < index; earlier++) {
      const other = this.#requests[earlier]!.pending;
      if (other.device === pending.device && conflict(other.request, pending.request)) return true;
    }
    return false;
  }
}
