/** The interpreter as an engine: instantiates the generated module over a machine's memory and runs it. */
import { hart } from '../../machine/hart.ts';
import { DECODED_PROFILE, type MemoryMap, RECORD_BYTES } from '../../machine/memory-map.ts';
import type { Engine, EngineHooks } from '../engine.ts';
import { buildInterpreter } from './module.ts';
import { dispatch, recordWriter } from './record.ts';

export interface InterpreterHooks extends EngineHooks {
  /** (operation, single?, rounding mode, a, b, c) → bits. */
  readonly softfloat: (operation: number, single: number, rm: number, a: bigint, b: bigint, c: bigint) => bigint;
  /** Present: jumps are counted, and translations are entered through the table. */
  readonly translations?: {
    readonly table: WebAssembly.Table;
    /** Jumps to a record until it is reported. */
    readonly hotAfter: number;
    /** (decoded page, record): the record is jumped to often. */
    readonly hot: (decoded: number, ip: number) => void;
  };
}

/** What translations call. */
export interface QuickFunctions {
  readonly storedTables: unknown;
  readonly atomicHost: unknown;
  readonly csr: unknown;
  readonly flush: () => void;
  readonly updateModes: () => void;
  readonly takeTrap: unknown;
  readonly sret: unknown;
}

interface Exports extends QuickFunctions {
  run(limit: number): number;
  flush(): void;
  bumpWrite(): void;
  updateModes(): void;
  touchRange(offset: number, length: number): void;
  hashPage(offset: number, page: bigint): bigint;
}

export function createInterpreter(
  memory: WebAssembly.Memory,
  map: MemoryMap,
  hooks: InterpreterHooks,
): { readonly engine: Engine; readonly quick: QuickFunctions | undefined } {
  const pages = memory.buffer.byteLength / 65536;
  const { translations } = hooks;
  const module = new WebAssembly.Module(buildInterpreter(map, pages, { hotAfter: translations?.hotAfter }));
  const env = {
    memory,
    mmioRead: hooks.mmioRead,
    mmioWrite: hooks.mmioWrite,
    htifStore: hooks.htifStore,
    softfloat: hooks.softfloat,
    decode: recordWriter(memory.buffer),
    ...(translations && { table: translations.table, hot: translations.hot }),
  };
  const exports = new WebAssembly.Instance(module, { env }).exports as unknown as Exports;
  prepareCaches(memory, map);
  const engine: Engine = {
    run: exports.run,
    flush: exports.flush,
    bumpWrite: exports.bumpWrite,
    updateModes: exports.updateModes,
    touch: exports.touchRange,
    hashPage: exports.hashPage,
  };
  return { engine, quick: translations === undefined ? undefined : exports };
}

function prepareCaches(memory: WebAssembly.Memory, map: MemoryMap): void {
  const view = new DataView(memory.buffer);
  view.setBigInt64(hart.readGeneration.offset, 8n, true);
  view.setBigInt64(hart.writeGeneration.offset, 8n, true);
  view.setUint32(hart.decodeNext.offset, map.pool, true);
  for (let at = 0; at < DECODED_PROFILE; at += RECORD_BYTES) view.setUint16(map.scratch + at, dispatch.reenter, true);
}
