/**
 * The hash of a machine's whole state: registers and CSRs, devices with their requests in flight, and RAM (MACHINE.md, 20).
 * RAM's part is a sum of per-page hashes, so that only pages written since the last checkpoint are read again.
 */
import type { Plain } from '../devices/device.ts';
import type { Engine } from '../engine/engine.ts';
import { DIRTY_HASH, type MemoryMap, PAGE_BYTES } from '../machine/memory-map.ts';
import { DirtyPages } from './dirty-pages.ts';

const MASK = (1n << 64n) - 1n;

/** A 64-bit FNV-1a over words of 32 bits, in two halves so that it needs no bigint for each word. */
class WordHash {
  #high = 0xcbf29ce4;
  #low = 0x84222325;

  word(value: number): void {
    const low = (this.#low ^ value) >>> 0;
    // Times 0x100000001b3, modulo 2^64.
    const product = low * 0x1b3;
    this.#high = (Math.imul(this.#high, 0x1b3) + low * 0x100 + Math.floor(product / 2 ** 32)) >>> 0;
    this.#low = product >>> 0;
  }
  bigint(value: bigint): void {
    this.word(Number(value & 0xffff_ffffn));
    this.word(Number((value >> 32n) & 0xffff_ffffn));
  }
  bytes(bytes: Uint8Array): void {
    this.word(bytes.length);
    let i = 0;
    for (; i + 4 <= bytes.length; i += 4) {
      this.word(bytes[i] | (bytes[i + 1] << 8) | (bytes[i + 2] << 16) | (bytes[i + 3] << 24));
    }
    for (; i < bytes.length; i++) this.word(bytes[i]);
  }
  plain(value: Plain): void {
    if (typeof value === 'number') {
      this.word(1);
      this.bigint(BigInt.asUintN(64, BigInt(value)));
    } else if (typeof value === 'bigint') {
      this.word(2);
      this.bigint(BigInt.asUintN(64, value));
    } else if (typeof value === 'boolean') this.word(value ? 3 : 4);
    else if (typeof value === 'string') {
      this.word(5);
      this.word(value.length);
      for (let i = 0; i < value.length; i++) this.word(value.charCodeAt(i));
    } else if (value === null) this.word(6);
    else if (value instanceof Uint8Array) {
      this.word(7);
      this.bytes(value);
    } else if (isList(value)) {
      this.word(8);
      this.word(value.length);
      for (const item of value) this.plain(item);
    } else {
      this.word(9);
      for (const [key, item] of Object.entries(value)) {
        this.plain(key);
        this.plain(item);
      }
    }
  }
  value(): bigint {
    return (BigInt(this.#high) << 32n) | BigInt(this.#low);
  }
}

function isList(value: Plain): value is readonly Plain[] {
  return Array.isArray(value);
}

/** Registers and devices. */
export function hashWords(words: readonly bigint[], devices: readonly Plain[]): bigint {
  const hash = new WordHash();
  for (const word of words) hash.bigint(word);
  for (const device of devices) hash.plain(device);
  return hash.value();
}

export class MemoryHash {
  readonly #dirty: DirtyPages;
  readonly #hashes: BigUint64Array;
  readonly #map: MemoryMap;
  readonly #engine: Engine;
  #sum = 0n;

  constructor(memory: ArrayBufferLike, map: MemoryMap, engine: Engine) {
    this.#dirty = new DirtyPages(memory, map, engine, DIRTY_HASH);
    this.#hashes = new BigUint64Array(map.ramPages);
    this.#map = map;
    this.#engine = engine;
  }

  /** Copies one hash for each page, as of the last `update` (and of what was hashed ahead since). */
  copyPages(into: BigUint64Array): void {
    into.set(this.#hashes);
  }

  /** Hashes the pages written since the last call, and begins a new epoch of dirty tracking. */
  update(): bigint {
    this.ahead(Number.POSITIVE_INFINITY);
    return this.#sum;
  }

  /** Hashes about `limit` of these pages only, so that less is left for `update`; true if there may be more. */
  ahead(limit: number): boolean {
    const hashed = this.#dirty.take((page) => {
      const hash = BigInt.asUintN(64, this.#engine.hashPage(this.#map.ram + page * PAGE_BYTES, BigInt(page)));
      this.#sum = (this.#sum + hash - this.#hashes[page]) & MASK;
      this.#hashes[page] = hash;
    }, limit);
    return hashed >= limit;
  }
}
