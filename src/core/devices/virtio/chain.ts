/**
 * A descriptor chain, once read: the guest's buffers for one request, as the device sees them. First all that it may
 * read, then all that it may write (virtio 1.2, 2.7.4.2). How a driver cuts its buffers into descriptors means nothing
 * (2.7.4.1), so devices use the two lists as two byte strings and go through `gather` and `scatter`.
 */
import type { GuestMemory } from '../device.ts';

/** A piece of guest-physical memory; whether it is inside RAM shows when it is used. */
export interface Segment {
  readonly address: number;
  readonly length: number;
}

export interface Chain {
  /** The index of the first descriptor: the name under which the buffers are given back. */
  readonly head: number;
  readonly readable: Segment[];
  readonly writable: Segment[];
  readableBytes: number;
  writableBytes: number;
}

/** `length` bytes from `offset` of the string of segments; undefined if it is shorter, or leaves RAM. */
export function gather(
  memory: GuestMemory,
  segments: readonly Segment[],
  offset: number,
  length: number,
): Uint8Array | undefined {
  let bytes: Uint8Array | undefined;
  let skip = offset;
  let done = 0;
  for (const segment of segments) {
    if (done === length) break;
    const from = Math.min(skip, segment.length);
    skip -= from;
    const count = Math.min(segment.length - from, length - done);
    if (count === 0) continue;
    const piece = memory.read(segment.address + from, count);
    if (piece === undefined || count === length) return piece;
    bytes ??= new Uint8Array(length);
    bytes.set(piece, done);
    done += count;
  }
  return done === length ? (bytes ?? new Uint8Array(0)) : undefined;
}

/** Writes `bytes` from the start of the string of segments; false if it is shorter, or leaves RAM. */
export function scatter(memory: GuestMemory, segments: readonly Segment[], bytes: Uint8Array): boolean {
  let done = 0;
  for (const segment of segments) {
    if (done === bytes.length) break;
    const count = Math.min(segment.length, bytes.length - done);
    if (!memory.write(segment.address, bytes.subarray(done, done + count))) return false;
    done += count;
  }
  return done === bytes.length;
}

/** The segments as a flat list (address, length, address, length ...), for saved states. */
export function flatten(segments: readonly Segment[]): number[] {
  return segments.flatMap(({ address, length }) => [address, length]);
}

/** The inverse of `flatten`. */
export function unflatten(numbers: readonly number[]): Segment[] {
  const segments: Segment[] = [];
  for (let at = 0; at + 1 < numbers.length; at += 2) {
    segments.push({ address: numbers[at], length: numbers[at + 1] });
  }
  return segments;
}
