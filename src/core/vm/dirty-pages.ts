/**
 * The pages of RAM written since somebody last asked: one reader of the dirty marks (MACHINE.md, 13). Each reader has a bit
 * of its own, so that the memory's hash and a copy of the machine have epochs that do not disturb each other. A store sets
 * all bits at once, and only in the slow path, so a second reader costs a running guest nothing.
 */
import type { Engine } from '../engine/engine.ts';
import { DIRTY_EVER, type MemoryMap } from '../machine/memory-map.ts';

export class DirtyPages {
  readonly #marks: Uint8Array;
  /** The same marks, four at a time: most pages are clean. */
  readonly #words: Uint32Array;
  readonly #bit: number;
  readonly #engine: Engine;

  /** `bit` is one of memory-map's DIRTY_*. */
  constructor(memory: ArrayBufferLike, map: MemoryMap, engine: Engine, bit: number) {
    this.#marks = new Uint8Array(memory, map.dirty, map.ramPages);
    this.#words = new Uint32Array(memory, map.dirty, Math.ceil(map.ramPages / 4));
    this.#bit = bit;
    this.#engine = engine;
  }

  /**
   * Between slices: the written pages in ascending order, or about the first `limit` of them; they count as clean when
   * `visit` is called. Gives how many there were.
   */
  take(visit: (page: number) => void, limit: number = Number.POSITIVE_INFINITY): number {
    const marks = this.#marks;
    const mask = this.#bit * 0x0101_0101;
    let count = 0;
    for (let word = 0; word < this.#words.length && count < limit; word++) {
      if ((this.#words[word] & mask) === 0) continue;
      const end = Math.min(word * 4 + 4, marks.length);
      for (let page = word * 4; page < end; page++) {
        if ((marks[page] & this.#bit) === 0) continue;
        marks[page] &= ~this.#bit;
        count++;
        visit(page);
      }
    }
    if (count > 0) this.#engine.bumpWrite();
    return count;
  }

  /** All pages that were ever written, in ascending order. */
  everWrittenPages(): Uint32Array<ArrayBuffer> {
    const pages = new Uint32Array(this.#marks.length);
    let count = 0;
    for (let word = 0; word < this.#words.length; word++) {
      if (this.#words[word] === 0) continue;
      const end = Math.min(word * 4 + 4, pages.length);
      for (let page = word * 4; page < end; page++) if (this.everWritten(page)) pages[count++] = page;
    }
    return pages.slice(0, count);
  }

  /** Whether the page was ever written: if not, it holds zeroes. */
  everWritten(page: number): boolean {
    return (this.#marks[page] & DIRTY_EVER) !== 0;
  }
}
