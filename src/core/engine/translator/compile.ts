/**
 * From what is to be translated to the bytes of a WebAssembly module: a pure function of its arguments, which any thread
 * may call. It sees no guest memory, only the copy of a page that a request carries; whether that is still what the page
 * holds is for whoever installs the module to check.
 */
import type { Callee } from '../../wasm/function.ts';
import { ModuleBuilder } from '../../wasm/module.ts';
import { emitRegion, type TranslationImport, translationImports } from './emit-region.ts';
import { type Block, findBlocks } from './region.ts';

/** What the code depends on besides the guest's: how the machine lies in linear memory. */
export interface CodeLayout {
  /** Size of linear memory in pages of 64 KiB. */
  readonly memoryPages: number;
  /** Where RAM begins in linear memory. */
  readonly ramOffset: number;
}

/** One page, of which what hangs together with the entries is to be translated. Plain data: it goes between threads. */
export interface RegionRequest {
  /** The place in the table that the region will have. */
  readonly number: number;
  /** The decoded page, as an offset in linear memory. */
  readonly decoded: number;
  /** A copy of the guest's page: PAGE_BYTES. */
  readonly page: Uint8Array<ArrayBuffer>;
  /** Byte offsets in the page that jumps have been seen to arrive at often. */
  readonly entries: readonly number[];
  /** A bit for each 2-byte slot: a jump has been seen to arrive there. */
  readonly reached: Uint8Array<ArrayBuffer>;
}

export interface CompiledRegion {
  readonly number: number;
  readonly decoded: number;
  /** Three numbers a block, by its number: offset of its start, of its end, and 1 if it may be entered from outside. */
  readonly blocks: Uint16Array<ArrayBuffer>;
  /** Guest instructions in it. */
  readonly instructions: number;
}

export interface CompiledCode {
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** Without those in which nothing can be translated. */
  readonly regions: readonly CompiledRegion[];
}

/** The export of the module that is the region of that number. */
export const exportName = (number: number): string => `region${number}`;

/** Undefined if there is nothing to translate in any of the requests. */
export function compileRegions(requests: readonly RegionRequest[], layout: CodeLayout): CompiledCode | undefined {
  const { m, regions } = buildRegions(requests, layout);
  return regions.length === 0 ? undefined : { bytes: m.encode(), regions };
}

/** The module before it is encoded: it can also be printed. */
export function buildRegions(
  requests: readonly RegionRequest[],
  layout: CodeLayout,
): { readonly m: ModuleBuilder; readonly regions: readonly CompiledRegion[] } {
  const { memoryPages, ramOffset } = layout;
  const m = new ModuleBuilder({ initialPages: memoryPages, maximumPages: memoryPages, shared: true });
  const functions = Object.fromEntries(
    Object.entries(translationImports).map(([name, { params, results }]) => [
      name,
      m.importFunction(name, params, results),
    ]),
  ) as Record<TranslationImport, Callee>;
  m.importTable();
  const imports = { ...functions, translation: m.signature(['i32', 'i32', 'i64'], ['i32']), ramOffset };
  const regions: CompiledRegion[] = [];
  for (const { number, decoded, page, entries, reached } of requests) {
    const view = new DataView(page.buffer, page.byteOffset, page.length);
    const wasReached = (offset: number): boolean => ((reached[offset >>> 4] >>> ((offset >>> 1) & 7)) & 1) !== 0;
    const blocks = findBlocks(view, entries, wasReached);
    if (blocks.length === 0) continue;
    const f = m.function(exportName(number), ['i32', 'i32', 'i64'], ['i32']);
    emitRegion(f, blocks, imports, { decoded, number });
    m.export(f);
    regions.push(describe(number, decoded, blocks));
  }
  return { m, regions };
}

function describe(number: number, decoded: number, blocks: readonly Block[]): CompiledRegion {
  const flat = new Uint16Array(blocks.length * 3);
  let instructions = 0;
  for (const [i, block] of blocks.entries()) {
    flat[i * 3] = block.start;
    flat[i * 3 + 1] = block.end;
    flat[i * 3 + 2] = block.enterable ? 1 : 0;
    instructions += block.instructions.length;
  }
  return { number, decoded, blocks: flat, instructions };
}
