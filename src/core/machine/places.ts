/** Words for generated code that goes between guest-physical addresses, RAM pages and the rows of the memory map. */
import { type I32, type I64, i32, i64 } from '../wasm/expression.ts';
import { type MemoryMap, RAM_BASE } from './memory-map.ts';

const c32 = i32.const;
const c64 = i64.const;

export const virtualPage = (vaddr: I64): I64 => i64.and(vaddr, c64(-4096));
/** The entry for a page in a table of bytes, or of words, with a row a RAM page. */
export const row8 = (table: number, page: I32): I32 => i32.load8_u(page, table);
export const row32 = (table: number, page: I32): I32 => i32.load(i32.shl(page, c32(2)), table);

export interface Places {
  readonly inRam: (physical: I64) => I32;
  /** Offset in linear memory of a physical address in RAM, and back. */
  readonly hostOf: (physical: I64) => I32;
  readonly physicalOf: (host: I32) => I64;
  /** The number of the RAM page at an offset in linear memory. */
  readonly ramPage: (host: I32) => I32;
}

export function places(map: MemoryMap): Places {
  return {
    inRam: (physical) => i64.lt_u(i64.sub(physical, c64(RAM_BASE)), c64(map.ramBytes)),
    hostOf: (physical) => i32.add(i32.wrap_i64(i64.sub(physical, c64(RAM_BASE))), c32(map.ram)),
    physicalOf: (host) => i64.add(i64.extend_i32_u(i32.sub(host, c32(map.ram))), c64(RAM_BASE)),
    ramPage: (host) => i32.shr_u(i32.sub(host, c32(map.ram)), c32(12)),
  };
}
