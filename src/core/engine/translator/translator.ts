/**
 * The translator: turns the regions that the interpreter found hot into WebAssembly functions, puts them into the table, and
 * marks their blocks in the decoded pages' profiles, where jumps find them. When anything was translated, and whether at all,
 * never shows in the guest.
 */
import {
  DECODED_COVER,
  DECODED_PROFILE,
  DECODED_TRAILER,
  type MemoryMap,
  PAGE_BYTES,
  PROFILE_TRANSLATED,
  RECORD_BYTES,
  SLOTS,
  trailer,
} from '../../machine/memory-map.ts';
import type { Callee } from '../../wasm/function.ts';
import { ModuleBuilder } from '../../wasm/module.ts';
import { emitRegion, type TranslationImport, translationImports } from './emit-region.ts';
import { type Block, findBlocks } from './region.ts';

export interface TranslatorDependencies {
  readonly memory: WebAssembly.Memory;
  readonly table: WebAssembly.Table;
  readonly map: MemoryMap;
  /** Functions of the interpreter's module, and the softfloat. */
  readonly imports: Readonly<Record<TranslationImport, unknown>>;
  /** Gives all decoded pages up. */
  readonly resetDecoded: () => void;
}

/** Numbers of translations are 15 bits in a profile word. */
export const MAX_TRANSLATIONS = PROFILE_TRANSLATED;
/** Regions in one module. */
const BATCH = 16;

interface Request {
  readonly decoded: number;
  readonly offset: number;
}

export class Translator {
  readonly #deps: TranslatorDependencies;
  readonly #view: DataView;
  #hot: Request[] = [];
  #next = 0;

  constructor(deps: TranslatorDependencies) {
    this.#deps = deps;
    this.#view = new DataView(deps.memory.buffer);
  }

  /** The interpreter's hook: the record at `ip` in the decoded page is jumped to often. */
  readonly hot = (decoded: number, ip: number): void => {
    this.#hot.push({ decoded, offset: (((ip - decoded) >>> 0) / RECORD_BYTES) * 2 });
  };

  /** Between slices: translates what has become hot, a few regions at a time. */
  work(): void {
    if (this.#hot.length === 0) return;
    if (this.#next + BATCH > MAX_TRANSLATIONS) {
      this.#deps.resetDecoded();
      this.#hot = [];
      this.#next = 0;
      return;
    }
    const regions: { readonly decoded: number; readonly blocks: readonly Block[] }[] = [];
    const seen = new Set<number>();
    while (this.#hot.length > 0 && regions.length < BATCH) {
      const { decoded } = this.#hot[0];
      const entries = this.#hot.filter((request) => request.decoded === decoded).map((request) => request.offset);
      this.#hot = this.#hot.filter((request) => request.decoded !== decoded);
      if (seen.has(decoded) || !this.#isCurrent(decoded)) continue;
      seen.add(decoded);
      const host = this.#view.getUint32(decoded + DECODED_TRAILER + trailer.host, true);
      const page = new DataView(this.#deps.memory.buffer, host, PAGE_BYTES);
      const blocks = findBlocks(
        page,
        entries,
        (offset) => this.#view.getUint32(decoded + DECODED_PROFILE + offset * 2, true) !== 0,
      );
      if (blocks.length > 0) regions.push({ decoded, blocks });
    }
    if (regions.length > 0) this.#install(regions);
  }

  /** Whether the decoded page still belongs to the page of RAM that it was made from. */
  #isCurrent(decoded: number): boolean {
    const { map } = this.#deps;
    const host = this.#view.getUint32(decoded + DECODED_TRAILER + trailer.host, true);
    const page = (host - map.ram) / PAGE_BYTES;
    return page >= 0 && page < map.ramPages && this.#view.getUint32(map.decodedOf + page * 4, true) === decoded;
  }

  #install(regions: readonly { readonly decoded: number; readonly blocks: readonly Block[] }[]): void {
    const { memory, table, map, imports } = this.#deps;
    const pages = memory.buffer.byteLength / 65536;
    const m = new ModuleBuilder({ initialPages: pages, maximumPages: pages, shared: true });
    const functions = Object.fromEntries(
      Object.entries(translationImports).map(([name, { params, results }]) => [
        name,
        m.importFunction(name, params, results),
      ]),
    ) as Record<TranslationImport, Callee>;
    m.importTable();
    const translation = m.signature(['i32', 'i32', 'i64'], ['i32']);
    for (const [i, { decoded, blocks }] of regions.entries()) {
      const f = m.function(`region${i}`, ['i32', 'i32', 'i64'], ['i32']);
      const place = { decoded, number: this.#next + i };
      emitRegion(f, blocks, { ...functions, translation, ramOffset: map.ram }, place);
      m.export(f);
    }
    const env = { memory, table, ...imports };
    const { exports } = new WebAssembly.Instance(new WebAssembly.Module(m.encode()), { env });
    for (const [i, { decoded, blocks }] of regions.entries()) {
      const number = this.#next++;
      table.set(number, exports[`region${i}`]);
      this.#mark(decoded, blocks, number);
    }
  }

  #mark(decoded: number, blocks: readonly Block[], number: number): void {
    for (const [index, block] of blocks.entries()) {
      if (block.enterable) {
        const word = (index << 16) | PROFILE_TRANSLATED | number;
        this.#view.setUint32(decoded + DECODED_PROFILE + block.start * 2, word, true);
      }
      for (let slot = block.start / 2; slot < Math.min(block.end / 2, SLOTS); slot++) {
        this.#view.setUint8(decoded + DECODED_COVER + slot, 1);
      }
    }
    this.#view.setUint32(decoded + DECODED_TRAILER + trailer.translated, 1, true);
  }
}
