/**
 * A disk as the machine's block device sees it from the host's side: `BlockRequest`s in, results out. Two implementations
 * behave alike (disk-suite.ts holds them to it): `DirectDisk`, a plain file of this host, and `DiskClient`, a disk behind a
 * disk-server process, which is the only one that two replicas may share.
 *
 * Requests run in parallel, but two that overlap, one of them a write, run in the order in which they were submitted
 * (PROTOCOL.md, 23). A flush makes durable what was *answered* before it was submitted (virtio 1.2, 5.2.6.2).
 */
import type { BlockRequest } from '../../core/machine/doors.ts';

export type BlockErrorCode =
  /** The medium failed; the guest sees an I/O error. */
  | 'io'
  /** The file could not grow: the file system of the image is full; the guest sees an I/O error. */
  | 'no-space'
  /** The request is not within the disk; the guest sees an I/O error. */
  | 'out-of-range'
  /** A write to a disk that was opened for reading; the guest sees an I/O error. */
  | 'read-only'
  /** A later generation owns the disk: this replica must halt, and the guest must not see this answer. */
  | 'fenced'
  /** The disk was closed on this side; the guest must not see this answer. */
  | 'closed';

/** `data` for reads alone, of the length asked for; it belongs to the caller. */
export type BlockResult =
  | { readonly ok: true; readonly data?: Uint8Array }
  | { readonly ok: false; readonly error: BlockErrorCode };

export interface Disk {
  /** A multiple of 512. */
  readonly sizeBytes: number;
  /** Where it is, in words, for messages to people. */
  readonly description: string;
  /** Never throws and never rejects. The data of a write must not change until the answer. */
  request(request: BlockRequest): Promise<BlockResult>;
  /** Waits for what is under way, then lets go of the disk. Later requests are answered `closed`. */
  close(): Promise<void>;
}

export const SECTOR_BYTES = 512;

export const OK: BlockResult = { ok: true };

export function failed(error: BlockErrorCode): BlockResult {
  return { ok: false, error };
}

/** Where a request reads or writes; undefined for a flush, which touches no place. */
export type Extent = { readonly start: number; readonly end: number; readonly writes: boolean };

export function extentOf(request: BlockRequest): Extent | undefined {
  switch (request.type) {
    case 'flush':
      return undefined;
    case 'read':
      return { start: request.offset, end: request.offset + request.length, writes: false };
    case 'write':
      return { start: request.offset, end: request.offset + request.data.length, writes: true };
    default:
      return { start: request.offset, end: request.offset + request.length, writes: true };
  }
}

/** Whether the request lies within a disk of `sizeBytes`; lengths and offsets are whole and not negative. */
export function isWithin(extent: Extent | undefined, sizeBytes: number): boolean {
  if (extent === undefined) return true;
  const whole = Number.isSafeInteger(extent.start) && Number.isSafeInteger(extent.end);
  return whole && extent.start >= 0 && extent.start <= extent.end && extent.end <= sizeBytes;
}
