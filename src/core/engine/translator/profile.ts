/**
 * The profile of a decoded page, as JavaScript sees it (memory-map.ts has the layout): for each 2-byte slot how often jumps
 * arrived there, or which translation begins there; and which bytes translations cover. The interpreter counts and looks
 * translations up; stores clear all of it (machine/coherence.ts).
 */
import {
  DECODED_COVER,
  DECODED_PROFILE,
  DECODED_TRAILER,
  type MemoryMap,
  PAGE_BYTES,
  PROFILE_TRANSLATED,
  SLOTS,
  trailer,
} from '../../machine/memory-map.ts';

const COUNT = PROFILE_TRANSLATED - 1;
/** A count that is never reached by counting: the slot is not reported. */
export const SILENT: number = COUNT;

/** What a translation covers: three numbers a block, offset of its start, of its end, and 1 if it may be entered. */
export type BlockTable = Uint16Array<ArrayBuffer>;

export class Profile {
  readonly #map: MemoryMap;
  readonly #words: Int32Array;
  readonly #bytes: Uint8Array;

  constructor(memory: WebAssembly.Memory, map: MemoryMap) {
    this.#map = map;
    this.#words = new Int32Array(memory.buffer);
    this.#bytes = new Uint8Array(memory.buffer);
  }

  /** Where the page of RAM is that the decoded page was made from, as an offset in linear memory. */
  hostOf(decoded: number): number {
    return this.#words[(decoded + DECODED_TRAILER + trailer.host) >>> 2] >>> 0;
  }

  /** Whether the decoded page still belongs to the page of RAM at `host`. */
  isCurrent(decoded: number, host: number): boolean {
    const { ram, ramPages, decodedOf } = this.#map;
    const page = (host - ram) / PAGE_BYTES;
    return page >= 0 && page < ramPages && this.#words[(decodedOf >>> 2) + page] >>> 0 === decoded;
  }

  /** Changes whenever the translations of the decoded page are lost (memory-map.ts). */
  lifeOf(decoded: number): number {
    return this.#words[(decoded + DECODED_TRAILER + trailer.life) >>> 2];
  }

  #at(decoded: number, slot: number): number {
    return ((decoded + DECODED_PROFILE) >>> 2) + slot;
  }

  /** Whether jumps to that slot go into translation `number`. */
  #leadsTo(decoded: number, slot: number, number: number): boolean {
    const word = this.#words[this.#at(decoded, slot)];
    return (word & PROFILE_TRANSLATED) !== 0 && (word & COUNT) === number;
  }

  /** From 0 the slot counts as never reached. */
  setCount(decoded: number, slot: number, count: number): void {
    this.#words[this.#at(decoded, slot)] = count;
  }

  /** Arrivals at a slot that was reached, and where no translation begins, are counted from `count` on. */
  recount(decoded: number, slot: number, count: number): void {
    const at = this.#at(decoded, slot);
    if ((this.#words[at] & PROFILE_TRANSLATED) === 0 && this.#words[at] > 0) this.#words[at] = count;
  }

  /** The byte offsets at which jumps arrived at least that often, without those where a translation begins or none can. */
  arrivals(decoded: number, atLeast: number): number[] {
    const found: number[] = [];
    const first = this.#at(decoded, 0);
    for (let slot = 0; slot < SLOTS; slot++) {
      const word = this.#words[first + slot];
      if (word >= atLeast && word < SILENT) found.push(slot * 2);
    }
    return found;
  }

  /** A bit for each slot: jumps have arrived there. */
  reached(decoded: number): Uint8Array<ArrayBuffer> {
    const bits = new Uint8Array(SLOTS / 8);
    const first = this.#at(decoded, 0);
    for (let slot = 0; slot < SLOTS; slot++) {
      if (this.#words[first + slot] !== 0) bits[slot >>> 3] |= 1 << (slot & 7);
    }
    return bits;
  }

  copyPage(host: number): Uint8Array<ArrayBuffer> {
    const copy = new Uint8Array(PAGE_BYTES);
    copy.set(this.#bytes.subarray(host, host + PAGE_BYTES));
    return copy;
  }

  /** Whether the bytes of these blocks in the page at `host` are those of `page`. */
  isUnchanged(host: number, page: Uint8Array, blocks: BlockTable): boolean {
    for (let i = 0; i < blocks.length; i += 3) {
      for (let at = blocks[i]; at < blocks[i + 1]; at++) if (this.#bytes[host + at] !== page[at]) return false;
    }
    return true;
  }

  /** Jumps to the enterable blocks go into translation `number` from here on. */
  mark(decoded: number, number: number, blocks: BlockTable): void {
    for (let i = 0; i < blocks.length; i += 3) {
      if (blocks[i + 2] === 0) continue;
      this.#words[this.#at(decoded, blocks[i] >>> 1)] = ((i / 3) << 16) | PROFILE_TRANSLATED | number;
    }
  }

  /** Jumps go into translation `number` no more; slots that another has taken over since are left to it. */
  unmark(decoded: number, number: number, blocks: BlockTable, count: number): void {
    for (let i = 0; i < blocks.length; i += 3) {
      const slot = blocks[i] >>> 1;
      if (blocks[i + 2] !== 0 && this.#leadsTo(decoded, slot, number)) this.setCount(decoded, slot, count);
    }
  }

  /** Stores into any of the blocks drop the translations of the page from here on. */
  cover(decoded: number, blocks: BlockTable): void {
    for (let i = 0; i < blocks.length; i += 3) {
      const end = Math.min((blocks[i + 1] + 1) >>> 1, SLOTS);
      this.#bytes.fill(1, decoded + DECODED_COVER + (blocks[i] >>> 1), decoded + DECODED_COVER + end);
    }
    this.#words[(decoded + DECODED_TRAILER + trailer.translated) >>> 2] = 1;
  }

  /** No translation covers any part of the page. */
  uncover(decoded: number): void {
    this.#bytes.fill(0, decoded + DECODED_COVER, decoded + DECODED_COVER + SLOTS);
    this.#words[(decoded + DECODED_TRAILER + trailer.translated) >>> 2] = 0;
  }
}
