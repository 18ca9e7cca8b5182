/** The interpreter as an engine: instantiates the generated module over a machine's memory and runs it. */
import { hart } from '../../machine/hart.ts';
import { DECODED_BYTES, type MemoryMap, RECORD_BYTES } from '../../machine/memory-map.ts';
import type { Engine, EngineHooks } from '../engine.ts';
import { softfloatImport } from '../softfloat-import.ts';
import { buildInterpreter } from './module.ts';
import { dispatch, recordWriter } from './record.ts';

interface Exports {
  run(limit: number): number;
  flush(): void;
  bumpWrite(): void;
  updateModes(): void;
  touchRange(offset: number, length: number): void;
  hashPage(offset: number, page: bigint): bigint;
}

export function createInterpreter(memory: WebAssembly.Memory, map: MemoryMap, hooks: EngineHooks): Engine {
  const pages = memory.buffer.byteLength / 65536;
  const module = new WebAssembly.Module(buildInterpreter(map, pages));
  const env = {
    memory,
    mmioRead: hooks.mmioRead,
    mmioWrite: hooks.mmioWrite,
    htifStore: hooks.htifStore,
    softfloat: softfloatImport(memory),
    decode: recordWriter(memory.buffer),
  };
  const exports = new WebAssembly.Instance(module, { env }).exports as unknown as Exports;
  prepareCaches(memory, map);
  return {
    run: exports.run,
    flush: exports.flush,
    bumpWrite: exports.bumpWrite,
    updateModes: exports.updateModes,
    touch: exports.touchRange,
    hashPage: exports.hashPage,
  };
}

function prepareCaches(memory: WebAssembly.Memory, map: MemoryMap): void {
  const view = new DataView(memory.buffer);
  view.setBigInt64(hart.readGeneration.offset, 8n, true);
  view.setBigInt64(hart.writeGeneration.offset, 8n, true);
  view.setUint32(hart.decodeNext.offset, map.pool, true);
  for (let at = 0; at < DECODED_BYTES; at += RECORD_BYTES) view.setUint16(map.scratch + at, dispatch.reenter, true);
}
