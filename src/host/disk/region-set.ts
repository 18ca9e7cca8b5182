/**
 * A set of a disk's *regions*: equal pieces of it, one bit each. Which regions two images may differ in is what a returning
 * host has to catch up by (PROTOCOL.md, 24).
 *
 * The size of a region is a bargain. The first write to a clean region waits for its mark to be durable, which costs about
 * what a flush costs, so large regions are marked less often; but a region is copied whole. It is 256 KiB, which a network
 * of 1 Gbit/s carries in 2 ms and which makes 4096 regions of 1 GiB; larger disks have larger regions, so that no set is longer
 * than 32 KiB and a record (mirror-record.ts) can always be written whole.
 */
import { assert } from '../../core/base/assert.ts';
import type { Extent } from './disk.ts';

const LEAST_REGION_BYTES = 256 * 1024;
const MOST_REGIONS = 32 * 1024 * 8;

/** The size of a region for a disk of `sizeBytes`: a power of two. */
export function regionBytesFor(sizeBytes: number): number {
  let regionBytes = LEAST_REGION_BYTES;
  while (Math.ceil(sizeBytes / regionBytes) > MOST_REGIONS) regionBytes *= 2;
  return regionBytes;
}

/** A disk cut into regions; the last one may be short. */
export class Regions {
  readonly sizeBytes: number;
  readonly regionBytes: number;
  readonly count: number;

  constructor(sizeBytes: number, regionBytes: number = regionBytesFor(sizeBytes)) {
    assert(Number.isSafeInteger(sizeBytes) && sizeBytes > 0, 'a disk has a size');
    assert(regionBytes >= 512 && Number.isInteger(Math.log2(regionBytes)), 'a region is a power of two of bytes');
    this.sizeBytes = sizeBytes;
    this.regionBytes = regionBytes;
    this.count = Math.ceil(sizeBytes / regionBytes);
  }

  /** The first region that an extent touches, and the first one after it. */
  of(extent: Extent): { readonly first: number; readonly end: number } {
    if (extent.end <= extent.start) return { first: 0, end: 0 };
    return { first: Math.floor(extent.start / this.regionBytes), end: Math.ceil(extent.end / this.regionBytes) };
  }

  extentOf(region: number, writes: boolean): Extent {
    const start = region * this.regionBytes;
    return { start, end: Math.min(start + this.regionBytes, this.sizeBytes), writes };
  }
}

export class RegionSet {
  readonly count: number;
  readonly #bits: Uint8Array;

  private constructor(count: number, bits: Uint8Array) {
    this.count = count;
    this.#bits = bits;
  }

  static empty(count: number): RegionSet {
    return new RegionSet(count, new Uint8Array(bytesFor(count)));
  }

  static full(count: number): RegionSet {
    const set = RegionSet.empty(count);
    for (let region = 0; region < count; region++) set.add(region);
    return set;
  }

  static of(count: number, regions: Iterable<number>): RegionSet {
    const set = RegionSet.empty(count);
    for (const region of regions) set.add(region);
    return set;
  }

  /** From `toBytes`; undefined where the bytes are no set of `count` regions. */
  static fromBytes(count: number, bytes: Uint8Array): RegionSet | undefined {
    if (bytes.length !== bytesFor(count)) return undefined;
    const spare = bytes.length * 8 - count;
    if (spare > 0 && bytes[bytes.length - 1]! >>> (8 - spare) !== 0) return undefined;
    return new RegionSet(count, Uint8Array.from(bytes));
  }

  clone(): RegionSet {
    return new RegionSet(this.count, this.toBytes());
  }

  /** A copy of its bits, region 0 in the lowest bit of the first byte. */
  toBytes(): Uint8Array {
    return Uint8Array.from(this.#bits);
  }

  has(region: number): boolean {
    return (this.#bits[region >>> 3]! & (1 << (region & 7))) !== 0;
  }

  add(region: number): void {
    assert(region >= 0 && region < this.count, 'a region lies on the disk');
    this.#bits[region >>> 3]! |= 1 << (region & 7);
  }

  delete(region: number): void {
    this.#bits[region >>> 3]! &= ~(1 << (region & 7));
  }

  /** How many regions it has. */
  get size(): number {
    let size = 0;
    for (let byte of this.#bits) for (; byte !== 0; byte &= byte - 1) size++;
    return size;
  }

  union(other: RegionSet): RegionSet {
    assert(other.count === this.count, 'both sets are of one disk');
    const bits = this.toBytes();
    for (let at = 0; at < bits.length; at++) bits[at]! |= other.#bits[at]!;
    return new RegionSet(this.count, bits);
  }

  *[Symbol.iterator](): Generator<number> {
    for (let at = 0; at < this.#bits.length; at++) {
      if (this.#bits[at] === 0) continue;
      for (let bit = 0; bit < 8; bit++) if (this.has(at * 8 + bit)) yield at * 8 + bit;
    }
  }
}

export function bytesFor(count: number): number {
  return Math.ceil(count / 8);
}
