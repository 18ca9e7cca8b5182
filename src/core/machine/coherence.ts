/**
 * Caches that never show, as generated code (MACHINE.md, 10-13): generations that void TLB tags all at once, and `touch`, the
 * one routine that hears of every write to RAM before it happens and drops what was derived from the bytes about to change.
 *
 * A RAM page from which PTEs were read, or that holds decoded code, is flagged and has no write tags, so every store to it
 * takes the slow path, which calls `touch`. Tags carry a generation in bits 11:3.
 */
import { i32, i64 } from '../wasm/expression.ts';
import type { Callee, FunctionBuilder } from '../wasm/function.ts';
import type { ModuleBuilder } from '../wasm/module.ts';
import { any64, get32, get64, set } from './emit.ts';
import { EVENT_RETRY, hart } from './hart.ts';
import {
  DATA_TLB,
  DATA_TLB_BYTES,
  DATA_TLB_ENTRIES,
  DATA_TLB_ENTRY_BYTES,
  DECODED_COVER,
  DECODED_PROFILE,
  DECODED_TRAILER,
  DIRTY_ALL,
  FETCH_TLB,
  FETCH_TLB_BYTES,
  FETCH_TLB_ENTRIES,
  FETCH_TLB_ENTRY_BYTES,
  fetchEntry,
  LIFE_DECODED,
  type MemoryMap,
  PAGE_CODE,
  PAGE_PTE,
  PAGE_TABLE,
  RECORD_BYTES,
  SLOTS,
  tlbEntry,
  trailer,
} from './memory-map.ts';
import { places, row8, row32 } from './places.ts';

/** Record kinds that every engine's decoded pages share: not decoded yet, and "look the page up again". */
export const OP_UNDECODED = 0;
export const OP_REENTER = 1;

const PTE_V = 1n;
/** How old (in epochs) a page-table flag must be before a store may clear it: keeps live tables from flapping. */
const STALE_EPOCHS = 64;
/** Stores into a decoded page without a decode in between, before it is given up. */
const CODE_STORES = 256;

const c32 = i32.const;
const c64 = i64.const;

export interface Coherence {
  /** () → (): voids all translations (satp, PMP, MXR changed). */
  readonly flush: Callee;
  /** () → (): voids all write tags (an epoch of dirty tracking begins). */
  readonly bumpWrite: Callee;
  /** (offset i32, length i32) → (): these bytes of one page of RAM are about to change, by whoever. */
  readonly touch: Callee;
  /** (offset i32, length i32) → (): the same for any length. */
  readonly touchRange: Callee;
  /** (RAM page i32) → (): its decoded page is free. `flush` must follow: the fetch TLB may name it. */
  readonly giveUp: Callee;
}

export function emitCoherence(m: ModuleBuilder, map: MemoryMap): Coherence {
  const { ramPage } = places(map);

  // ---- generations ---------------------------------------------------------------------------------------------------
  const flush = m.function('flush', [], []);
  const bumpWrite = m.function('bumpWrite', [], []);
  const clearWhenWrapped = (f: FunctionBuilder): void => {
    const wrapped = i32.or(
      i64.ge_u(get64(hart.readGeneration), c64(4096)),
      i64.ge_u(get64(hart.writeGeneration), c64(4096)),
    );
    f.if(wrapped, () => {
      const end = FETCH_TLB + 3 * FETCH_TLB_BYTES;
      f.memoryFill(c32(DATA_TLB), c32(0), c32(end - DATA_TLB));
      set(f, hart.readGeneration, c64(8));
      set(f, hart.writeGeneration, c64(8));
    });
  };
  {
    const f = flush;
    set(f, hart.readGeneration, i64.add(get64(hart.readGeneration), c64(8)));
    set(f, hart.writeGeneration, i64.add(get64(hart.writeGeneration), c64(8)));
    set(f, hart.epoch, i32.add(get32(hart.epoch), c32(1)));
    clearWhenWrapped(f);
  }
  {
    const f = bumpWrite;
    set(f, hart.writeGeneration, i64.add(get64(hart.writeGeneration), c64(8)));
    clearWhenWrapped(f);
  }

  // ---- what is derived from bytes of RAM --------------------------------------------------------------------------------
  /** (pte offset): the TLB entries that came from this 4 KiB leaf. The PTE's place in its table is the low part of the index. */
  const dropLeaf = m.function('dropLeaf', ['i32'], []);
  {
    const f = dropLeaf;
    const pte = f.param<'i32'>(0);
    const low = f.let(i32.and(i32.shr_u(pte, c32(3)), c32(511)));
    const sweep = (
      table: number,
      tables: number,
      tableBytes: number,
      entries: number,
      entryBytes: number,
      pteAt: number,
      tags: number[],
    ): void => {
      const at = f.local('i32');
      f.set(at, i32.add(c32(table), i32.mul(low, c32(entryBytes))));
      const end = table + tables * tableBytes;
      const step = entryBytes * 512;
      if (entries % 512 !== 0) throw new Error('tables are whole multiples of 512 entries');
      f.loop((again) => {
        f.if(i32.eq(i32.load(at, pteAt), pte), () => {
          for (const tag of tags) f.store('i64.store', at, c64(0), tag);
        });
        f.set(at, i32.add(at, c32(step)));
        f.brIf(again, i32.lt_u(at, c32(end)));
      });
    };
    const dataTags = [tlbEntry.readTag, tlbEntry.writeTag, tlbEntry.watchTag];
    sweep(DATA_TLB, 4, DATA_TLB_BYTES, DATA_TLB_ENTRIES, DATA_TLB_ENTRY_BYTES, tlbEntry.pte, dataTags);
    sweep(FETCH_TLB, 3, FETCH_TLB_BYTES, FETCH_TLB_ENTRIES, FETCH_TLB_ENTRY_BYTES, fetchEntry.pte, [fetchEntry.tag]);
  }

  /** (decoded page): no slot of it leads into a translation any more, and whoever runs in one leaves it. */
  const dropTranslations = m.function('dropTranslations', ['i32'], []);
  {
    const f = dropTranslations;
    const decoded = f.param<'i32'>(0);
    f.memoryFill(i32.add(decoded, c32(DECODED_PROFILE)), c32(0), c32(SLOTS * 5));
    f.store('i32.store', decoded, c32(0), DECODED_TRAILER + trailer.translated);
    const life = i32.load(decoded, DECODED_TRAILER + trailer.life);
    f.store('i32.store', decoded, i32.add(life, c32(1)), DECODED_TRAILER + trailer.life);
    f.if(get32(hart.translated), () => set(f, hart.event, c32(EVENT_RETRY)));
  }

  /** Whoever still stands in the decoded page looks the page up again. */
  const giveUp = m.function('giveUp', ['i32'], []);
  {
    const f = giveUp;
    const page = f.param<'i32'>(0);
    f.store('i32.store8', page, i32.and(row8(map.flags, page), c32(~PAGE_CODE)), map.flags);
    const decoded = f.let(row32(map.decodedOf, page));
    f.if(decoded, () => {
      f.store('i32.store', i32.shl(page, c32(2)), c32(0), map.decodedOf);
      f.do(dropTranslations, decoded);
      const at = f.let(decoded);
      const end = f.let(i32.add(decoded, c32(SLOTS * RECORD_BYTES)));
      f.loop((again) => {
        f.store('i32.store16', at, c32(OP_REENTER));
        f.set(at, i32.add(at, c32(RECORD_BYTES)));
        f.brIf(again, i32.lt_u(at, end));
      });
      const life = i32.load(decoded, DECODED_TRAILER + trailer.life);
      f.store('i32.store', decoded, i32.add(life, c32(LIFE_DECODED)), DECODED_TRAILER + trailer.life);
      f.store('i32.store', decoded, get32(hart.decodeFree), DECODED_TRAILER + trailer.nextFree);
      set(f, hart.decodeFree, decoded);
    });
  }

  /** (ram page): gives its decoded page up. */
  const dropDecoded = m.function('dropDecoded', ['i32'], []);
  {
    const f = dropDecoded;
    const page = f.param<'i32'>(0);
    const decoded = f.let(row32(map.decodedOf, page));
    f.do(giveUp, page);
    f.if(decoded, () => f.do(flush));
  }

  const touch = m.function('touch', ['i32', 'i32'], []);
  {
    const f = touch;
    const host = f.param<'i32'>(0);
    const length = f.param<'i32'>(1);
    const page = f.let(ramPage(host));
    f.store('i32.store8', page, c32(DIRTY_ALL), map.dirty);
    const flags = f.let(row8(map.flags, page));
    f.if(i32.eqz(flags), () => f.return());
    const last = f.let(i32.sub(i32.add(host, length), c32(1)));
    f.if(i32.and(flags, c32(PAGE_CODE)), () => {
      const decoded = f.let(row32(map.decodedOf, page));
      f.if(
        decoded,
        () => {
          // An instruction of 4 bytes may begin 2 bytes before the first byte written.
          const offset = i32.and(host, c32(4095));
          const first = i32.select(i32.sub(offset, c32(2)), c32(0), i32.ge_u(offset, c32(2)));
          const at = f.let(i32.add(decoded, i32.mul(i32.shr_u(first, c32(1)), c32(RECORD_BYTES))));
          const end = f.let(i32.add(decoded, i32.mul(i32.shr_u(i32.and(last, c32(4095)), c32(1)), c32(RECORD_BYTES))));
          const covered = f.local('i32');
          f.set(covered, c32(0));
          f.loop((again) => {
            f.store('i32.store16', at, c32(OP_UNDECODED));
            const slot = i32.div_u(i32.sub(at, decoded), c32(RECORD_BYTES));
            f.set(covered, i32.or(covered, i32.load8_u(i32.add(decoded, slot), DECODED_COVER)));
            f.set(at, i32.add(at, c32(RECORD_BYTES)));
            f.brIf(again, i32.le_u(at, end));
          });
          f.if(covered, () => f.do(dropTranslations, decoded));
          // A page with translations is code for sure: stores beside them say nothing.
          f.if(i32.eqz(i32.load(decoded, DECODED_TRAILER + trailer.translated)), () => {
            const count = f.let(i32.add(i32.load(decoded, DECODED_TRAILER + trailer.stores), c32(1)));
            f.store('i32.store', decoded, count, DECODED_TRAILER + trailer.stores);
            f.if(i32.gt_u(count, c32(CODE_STORES)), () => f.do(dropDecoded, page));
          });
        },
        () => f.do(dropDecoded, page),
      );
    });
    f.if(i32.and(flags, c32(PAGE_PTE | PAGE_TABLE)), () => {
      const age = i32.sub(get32(hart.epoch), row32(map.pteEpoch, page));
      f.if(
        i32.gt_u(age, c32(STALE_EPOCHS)),
        () => f.store('i32.store8', page, i32.and(row8(map.flags, page), c32(~(PAGE_PTE | PAGE_TABLE))), map.flags),
        () => {
          const at = f.let(i32.and(host, c32(-8)));
          f.loop((again) => {
            f.if(any64(i64.load(at), PTE_V), () => {
              set(f, hart.refetch, c32(1));
              f.if(
                i32.and(flags, c32(PAGE_TABLE)),
                () => {
                  f.do(flush);
                  f.return();
                },
                () => f.do(dropLeaf, at),
              );
            });
            f.set(at, i32.add(at, c32(8)));
            f.brIf(again, i32.le_u(at, last));
          });
        },
      );
    });
  }

  const touchRange = m.function('touchRange', ['i32', 'i32'], []);
  {
    const f = touchRange;
    const at = f.let(f.param<'i32'>(0));
    const end = f.let(i32.add(at, f.param<'i32'>(1)));
    f.block((done) => {
      f.loop((again) => {
        f.brIf(done, i32.ge_u(at, end));
        const pageEnd = f.let(i32.add(i32.or(at, c32(4095)), c32(1)));
        const stop = f.let(i32.select(end, pageEnd, i32.lt_u(end, pageEnd)));
        f.do(touch, at, i32.sub(stop, at));
        f.set(at, stop);
        f.br(again);
      });
    });
  }

  return { flush, bumpWrite, touch, touchRange, giveUp };
}
