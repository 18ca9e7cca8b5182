/** Instruction fetch as generated code: the fetch TLB, and the decoded page behind a virtual address. */
import { type I32, type I64, i32, i64 } from '../wasm/expression.ts';
import type { Callee } from '../wasm/function.ts';
import type { ModuleBuilder } from '../wasm/module.ts';
import { type Coherence, OP_REENTER } from './coherence.ts';
import { emitTakeDecoded } from './decode-pool.ts';
import { get32, get64, noteTrap, set } from './emit.ts';
import { cause, hart } from './hart.ts';
import {
  DECODED_BYTES,
  DECODED_PROFILE,
  DECODED_TRAILER,
  FETCH_TLB_ENTRIES,
  fetchEntry,
  type MemoryMap,
  PAGE_CODE,
  RECORD_BYTES,
  SLOTS,
  trailer,
} from './memory-map.ts';
import { places, row8, row32, virtualPage } from './places.ts';
import { ACCESS_FETCH, type Walk } from './walk.ts';

const c32 = i32.const;
const c64 = i64.const;

export interface Fetch {
  /** (vaddr i64) → i32: the record of the instruction there, 0 = trap; sets decodeBase and decodePageVirtual. */
  readonly fetch: Callee;
}

/** The entry of the present fetch TLB for a virtual address. */
export function fetchEntryOf(vaddr: I64): I32 {
  const index = i32.and(i32.wrap_i64(i64.shr_u(vaddr, c64(12))), c32(FETCH_TLB_ENTRIES - 1));
  return i32.add(get32(hart.fetchTlb), i32.shl(index, c32(4)));
}

export function emitFetch(m: ModuleBuilder, map: MemoryMap, coherence: Coherence, walker: Walk): Fetch {
  const { bumpWrite } = coherence;
  const { inRam, hostOf, ramPage } = places(map);
  const { walk, leafPteHost } = walker;

  const takeDecoded = emitTakeDecoded(m, map, coherence);

  const fetch = m.function('fetch', ['i64'], ['i32']);
  {
    const f = fetch;
    const vaddr = f.param<'i64'>(0);
    const entry = f.let(fetchEntryOf(vaddr));
    const page = f.let(virtualPage(vaddr));
    const decoded = f.local('i32');
    f.if(
      i64.eq(i64.load(entry, fetchEntry.tag), i64.or(page, get64(hart.readGeneration))),
      () => f.set(decoded, i32.load(entry, fetchEntry.decode)),
      () => {
        const physical = f.call<'i64'>(walk, vaddr, c32(ACCESS_FETCH), get32(hart.privilege));
        f.if(i64.eq(physical, c64(-1)), () => f.return(c32(0)));
        f.if(i32.eqz(inRam(physical)), () => {
          noteTrap(f, cause.instructionAccess, vaddr);
          f.return(c32(0));
        });
        const host = f.let(i32.and(hostOf(physical), c32(-4096)));
        const row = f.let(ramPage(host));
        f.set(decoded, row32(map.decodedOf, row));
        f.if(i32.eqz(decoded), () => {
          f.set(decoded, f.call<'i32'>(takeDecoded));
          f.memoryFill(decoded, c32(0), c32(SLOTS * RECORD_BYTES));
          f.store('i32.store', decoded, c32(OP_REENTER), SLOTS * RECORD_BYTES);
          f.store('i32.store', decoded, c32(OP_REENTER), (SLOTS + 1) * RECORD_BYTES);
          f.store('i32.store', decoded, host, DECODED_TRAILER + trailer.host);
          f.store('i32.store', decoded, c32(0), DECODED_TRAILER + trailer.stores);
          f.store('i32.store', decoded, c32(0), DECODED_TRAILER + trailer.translated);
          const profile = i32.add(decoded, c32(DECODED_PROFILE));
          f.memoryFill(profile, c32(0), c32(DECODED_BYTES - DECODED_PROFILE));
          f.store('i32.store', i32.shl(row, c32(2)), decoded, map.decodedOf);
          const flags = f.let(row8(map.flags, row));
          f.if(i32.eqz(i32.and(flags, c32(PAGE_CODE))), () => {
            f.store('i32.store8', row, i32.or(flags, c32(PAGE_CODE)), map.flags);
            f.do(bumpWrite);
          });
        });
        f.store('i32.store', decoded, c32(1), DECODED_TRAILER + trailer.used);
        f.store('i64.store', entry, i64.or(page, get64(hart.readGeneration)), fetchEntry.tag);
        f.store('i32.store', entry, decoded, fetchEntry.decode);
        f.store('i32.store', entry, leafPteHost, fetchEntry.pte);
      },
    );
    set(f, hart.decodeBase, decoded);
    set(f, hart.decodePageVirtual, page);
    f.return(i32.add(decoded, i32.shl(i32.and(i32.wrap_i64(vaddr), c32(4094)), c32(3))));
  }

  return { fetch };
}
