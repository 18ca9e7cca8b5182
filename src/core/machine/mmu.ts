/**
 * Address translation as generated code: page walk (Sv39, Sv48; privileged 1.12, 4.3-4.5), PMP, the software TLB's refill,
 * fetch, and the slow paths of loads and stores. Both engines call these functions; their fast paths are inline.
 *
 * The TLB never shows (MACHINE.md, 10-13). A RAM page from which PTEs were read, or that holds decoded code, is flagged and
 * has no write tags, so every store to it comes here, to `touch`, which drops what was derived from the bytes about to
 * change. So `sfence.vma` has nothing to do. Tags carry a generation in bits 11:3; bumping it voids them all at once.
 */

import { type Expr, type I32, type I64, i32, i64 } from '../wasm/expression.ts';
import type { Callee, FunctionBuilder } from '../wasm/function.ts';
import type { ModuleBuilder } from '../wasm/module.ts';
import { any64, get32, get64, noteTrap, set } from './emit.ts';
import { cause, hart, mstatus, PRIVILEGE_M, PRIVILEGE_S, PRIVILEGE_U } from './hart.ts';
import {
  DATA_TLB,
  DATA_TLB_BYTES,
  DATA_TLB_ENTRIES,
  DATA_TLB_ENTRY_BYTES,
  DECODED_BYTES,
  DECODED_TRAILER,
  dataMode,
  FETCH_TLB,
  FETCH_TLB_BYTES,
  FETCH_TLB_ENTRIES,
  FETCH_TLB_ENTRY_BYTES,
  fetchEntry,
  type MemoryMap,
  PAGE_CODE,
  PAGE_HTIF,
  PAGE_PTE,
  PAGE_TABLE,
  RAM_BASE,
  RECORD_BYTES,
  SLOTS,
  tlbEntry,
} from './memory-map.ts';
import { emitPmp } from './pmp.ts';

/** Kinds of access, and the causes that go with them. */
export const ACCESS_READ = 0;
export const ACCESS_WRITE = 1;
export const ACCESS_FETCH = 2;
/** What `resolve` gives instead of an offset into RAM. */
export const RESOLVED_TRAP = 0;
export const RESOLVED_DEVICE = 1;

/** Record kinds that every engine's decoded pages share: not decoded yet, and "look the page up again". */
export const OP_UNDECODED = 0;
export const OP_REENTER = 1;

const PTE_V = 1n;
const PTE_R = 2n;
const PTE_W = 4n;
const PTE_X = 8n;
const PTE_U = 16n;
const PTE_A = 64n;
const PTE_D = 128n;
const PTE_RESERVED = 0x3ffn << 54n;
/** How old (in epochs) a page-table flag must be before a store may clear it: keeps live tables from flapping. */
const STALE_EPOCHS = 64;
/** Stores into a decoded page without a decode in between, before it is given up. */
const CODE_STORES = 256;

export interface MmuImports {
  /** (physical address, size) → 1 if a device answered; the value is in mmioLow, mmioHigh. */
  readonly mmioRead: Callee;
  /** (physical address, size) → 1 if a device took the value in mmioLow, mmioHigh. */
  readonly mmioWrite: Callee;
  /** (offset into linear memory, size): a store hit the page of `tohost`. */
  readonly htifStore: Callee;
}

export interface Mmu {
  /** () → (): data and fetch modes from privilege, mstatus, satp. */
  readonly updateModes: Callee;
  /** () → (): voids all translations (satp, PMP, MXR changed). */
  readonly flush: Callee;
  /** () → (): voids all write tags (an epoch of dirty tracking begins). */
  readonly bumpWrite: Callee;
  /** (vaddr i64) → i32: the record of the instruction there, 0 = trap; sets decodeBase, decodePageVirtual. */
  readonly fetch: Callee;
  /** (vaddr i64, size i32) → i64, zero-extended; look at `event` after. */
  readonly loadSlow: Callee;
  /** (vaddr i64, size i32, value i64) → (); look at `event` after. */
  readonly storeSlow: Callee;
  /** (vaddr i64, size i32, access i32) → i32: offset in linear memory of aligned RAM to read or modify, 0 = trap. */
  readonly atomicHost: Callee;
  /** (offset i32, length i32) → (): these bytes of RAM are about to change, by whoever. */
  readonly touch: Callee;
  /** (offset i32, length i32) → (): the same for any length. */
  readonly touchRange: Callee;
}

export function emitMmu(m: ModuleBuilder, map: MemoryMap, imports: MmuImports): Mmu {
  const leafPte = m.global('i64', 0);
  const leafPteHost = m.global('i32', 0);
  const pmp = emitPmp(m);
  const c32 = i32.const;
  const c64 = i64.const;

  const inRam = (physical: I64): I32 => i64.lt_u(i64.sub(physical, c64(RAM_BASE)), c64(map.ramBytes));
  const hostOf = (physical: I64): I32 => i32.add(i32.wrap_i64(i64.sub(physical, c64(RAM_BASE))), c32(map.ram));
  const ramPage = (host: I32): I32 => i32.shr_u(i32.sub(host, c32(map.ram)), c32(12));
  const row8 = (table: number, page: I32): I32 => i32.load8_u(page, table);
  const row32 = (table: number, page: I32): I32 => i32.load(i32.shl(page, c32(2)), table);
  const virtualPage = (vaddr: I64): I64 => i64.and(vaddr, c64(-4096));

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

  const updateModes = m.function('updateModes', [], []);
  {
    const f = updateModes;
    const status = f.let(get64(hart.mstatus));
    const privilege = f.let(get32(hart.privilege));
    const mpp = i32.and(i32.wrap_i64(i64.shr_u(status, c64(11))), c32(3));
    const modified = i32.and(i32.eq(privilege, c32(PRIVILEGE_M)), any64(status, mstatus.MPRV));
    const effective = f.let(i32.select(mpp, privilege, modified));
    const supervisor = i32.select(c32(dataMode.SSum), c32(dataMode.S), any64(status, mstatus.SUM));
    const mode = i32.select(
      c32(dataMode.U),
      i32.select(supervisor, c32(dataMode.M), i32.eq(effective, c32(PRIVILEGE_S))),
      i32.eq(effective, c32(PRIVILEGE_U)),
    );
    set(f, hart.dataPrivilege, effective);
    set(f, hart.dataTlb, i32.add(c32(DATA_TLB), i32.mul(mode, c32(DATA_TLB_BYTES))));
    const fetchTable = i32.select(c32(2), privilege, i32.eq(privilege, c32(PRIVILEGE_M)));
    set(f, hart.fetchTlb, i32.add(c32(FETCH_TLB), i32.mul(fetchTable, c32(FETCH_TLB_BYTES))));
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

  /** (ram page): gives its decoded page up. Whoever still stands in it looks the page up again. */
  const dropDecoded = m.function('dropDecoded', ['i32'], []);
  {
    const f = dropDecoded;
    const page = f.param<'i32'>(0);
    f.store('i32.store8', page, i32.and(row8(map.flags, page), c32(~PAGE_CODE)), map.flags);
    const decoded = f.let(row32(map.decodedOf, page));
    f.if(decoded, () => {
      f.store('i32.store', i32.shl(page, c32(2)), c32(0), map.decodedOf);
      const at = f.let(decoded);
      const end = f.let(i32.add(decoded, c32(SLOTS * RECORD_BYTES)));
      f.loop((again) => {
        f.store('i32.store16', at, c32(OP_REENTER));
        f.set(at, i32.add(at, c32(RECORD_BYTES)));
        f.brIf(again, i32.lt_u(at, end));
      });
      f.do(flush);
    });
  }

  const touch = m.function('touch', ['i32', 'i32'], []);
  {
    const f = touch;
    const host = f.param<'i32'>(0);
    const length = f.param<'i32'>(1);
    const page = f.let(ramPage(host));
    f.store('i32.store8', page, c32(1), map.dirty);
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
          f.loop((again) => {
            f.store('i32.store16', at, c32(OP_UNDECODED));
            f.set(at, i32.add(at, c32(RECORD_BYTES)));
            f.brIf(again, i32.le_u(at, end));
          });
          const count = f.let(i32.add(i32.load(decoded, DECODED_TRAILER + 4), c32(1)));
          f.store('i32.store', decoded, count, DECODED_TRAILER + 4);
          f.if(i32.gt_u(count, c32(CODE_STORES)), () => f.do(dropDecoded, page));
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

  // ---- the walk -------------------------------------------------------------------------------------------------------
  /** (pte offset, flag): PTEs are read from that page: no write tags for it. */
  const markTable = m.function('markTable', ['i32', 'i32'], []);
  {
    const f = markTable;
    const page = f.let(ramPage(f.param<'i32'>(0)));
    const flag = f.param<'i32'>(1);
    f.store('i32.store', i32.shl(page, c32(2)), get32(hart.epoch), map.pteEpoch);
    const flags = f.let(row8(map.flags, page));
    f.if(i32.eqz(i32.and(flags, flag)), () => {
      f.store('i32.store8', page, i32.or(flags, flag), map.flags);
      f.do(bumpWrite);
    });
  }

  const pick = (access: I32, read: number, write: number, fetch: number): I64 =>
    i64.select(c64(read), i64.select(c64(write), c64(fetch), i32.eq(access, c32(ACCESS_WRITE))), i32.eqz(access));
  const pageFault = (access: I32): I64 => pick(access, cause.loadPage, cause.storePage, cause.instructionPage);
  const accessFault = (access: I32): I64 => pick(access, cause.loadAccess, cause.storeAccess, cause.instructionAccess);

  /** (vaddr, access, effective privilege) → physical address, -1 = trap. Sets leafPte and leafPteHost. PMP is checked. */
  const walk = m.function('walk', ['i64', 'i32', 'i32'], ['i64']);
  {
    const f = walk;
    const vaddr = f.param<'i64'>(0);
    const access = f.param<'i32'>(1);
    const privilege = f.param<'i32'>(2);
    const satp = f.let(get64(hart.satp));
    const mode = f.let(i64.shr_u(satp, c64(60)));
    const physical = f.local('i64');
    const fail = (why: (access: I32) => I64): void => {
      noteTrap(f, why(access), vaddr);
      f.return(c64(-1));
    };
    f.if(
      i32.or(i32.eq(privilege, c32(PRIVILEGE_M)), i64.eqz(mode)),
      () => {
        f.set(leafPte, c64(PTE_R | PTE_W | PTE_X | PTE_D));
        f.set(leafPteHost, c32(0));
        f.set(physical, vaddr);
      },
      () => {
        const sv39 = f.let(i64.eq(mode, c64(8)));
        const unused = f.let(i64.select(c64(25), c64(16), sv39));
        f.if(i64.ne(i64.shr_s(i64.shl(vaddr, unused), unused), vaddr), () => fail(pageFault));
        const table = f.let(i64.shl(i64.and(satp, c64((1n << 44n) - 1n)), c64(12)));
        const shift = f.let(i64.select(c64(30), c64(39), sv39));
        const pte = f.local('i64');
        const host = f.local('i32');
        f.loop((again) => {
          const index = i64.and(i64.shr_u(vaddr, shift), c64(511));
          const address = f.let(i64.add(table, i64.shl(index, c64(3))));
          f.if(i32.eqz(inRam(address)), () => fail(accessFault));
          f.if(i32.eqz(f.call(pmp, address, c32(ACCESS_READ), c32(PRIVILEGE_S))), () => fail(accessFault));
          f.set(host, hostOf(address));
          f.do(markTable, host, i32.select(c32(PAGE_PTE), c32(PAGE_TABLE), i64.eq(shift, c64(12))));
          f.set(pte, i64.load(host));
          const invalid = i32.or(
            i64.eqz(i64.and(pte, c64(PTE_V))),
            i64.eq(i64.and(pte, c64(PTE_R | PTE_W)), c64(PTE_W)),
          );
          f.if(i32.or(invalid, any64(pte, PTE_RESERVED)), () => fail(pageFault));
          f.if(i64.eqz(i64.and(pte, c64(PTE_R | PTE_X))), () => {
            f.if(i32.or(any64(pte, PTE_A | PTE_D | PTE_U), i64.eq(shift, c64(12))), () => fail(pageFault));
            f.set(table, i64.shl(i64.and(i64.shr_u(pte, c64(10)), c64((1n << 44n) - 1n)), c64(12)));
            f.set(shift, i64.sub(shift, c64(9)));
            f.br(again);
          });
        });
        const offsetMask = f.let(i64.sub(i64.shl(c64(1), shift), c64(1)));
        const base = f.let(i64.shl(i64.and(i64.shr_u(pte, c64(10)), c64((1n << 44n) - 1n)), c64(12)));
        f.if(i64.ne(i64.and(base, offsetMask), c64(0)), () => fail(pageFault));
        checkPermissions(f, pte, access, privilege, () => fail(pageFault));
        const needed = f.let(i64.select(c64(PTE_A | PTE_D), c64(PTE_A), i32.eq(access, c32(ACCESS_WRITE))));
        f.if(i64.ne(i64.and(pte, needed), needed), () => {
          const address = i64.add(i64.extend_i32_u(i32.sub(host, c32(map.ram))), c64(RAM_BASE));
          f.if(i32.eqz(f.call(pmp, address, c32(ACCESS_WRITE), c32(PRIVILEGE_S))), () => fail(accessFault));
          f.do(touch, host, c32(8));
          f.set(pte, i64.or(pte, needed));
          f.store('i64.store', host, pte);
        });
        f.set(leafPte, pte);
        f.set(leafPteHost, i32.select(host, c32(0), i64.eq(shift, c64(12))));
        f.set(physical, i64.or(base, i64.and(vaddr, offsetMask)));
      },
    );
    f.if(i32.eqz(f.call(pmp, physical, access, privilege)), () => fail(accessFault));
    f.return(physical);
  }

  // ---- data -----------------------------------------------------------------------------------------------------------
  const dataEntry = (f: FunctionBuilder, vaddr: I64): I32 => {
    const index = i32.and(i32.wrap_i64(i64.shr_u(vaddr, c64(12))), c32(DATA_TLB_ENTRIES - 1));
    return f.let(i32.add(get32(hart.dataTlb), i32.shl(index, c32(5))));
  };

  /** (vaddr, access) → offset in linear memory, or RESOLVED_TRAP, or RESOLVED_DEVICE (address in `physical`). Refills the TLB. */
  const resolve = m.function('resolve', ['i64', 'i32'], ['i32']);
  {
    const f = resolve;
    const vaddr = f.param<'i64'>(0);
    const access = f.param<'i32'>(1);
    const privilege = f.let(get32(hart.dataPrivilege));
    const physical = f.call<'i64'>(walk, vaddr, access, privilege);
    f.if(i64.eq(physical, c64(-1)), () => f.return(c32(RESOLVED_TRAP)));
    f.if(i32.eqz(inRam(physical)), () => {
      set(f, hart.physical, physical);
      f.return(c32(RESOLVED_DEVICE));
    });
    const host = f.let(hostOf(physical));
    const page = f.let(ramPage(host));
    const entry = dataEntry(f, vaddr);
    f.if(access, () => f.store('i32.store8', page, c32(1), map.dirty));
    const writable = f.let(
      i32.and(
        i64.eq(i64.and(leafPte, c64(PTE_W | PTE_D)), c64(PTE_W | PTE_D)),
        i32.and(row8(map.dirty, page), f.call<'i32'>(pmp, physical, c32(ACCESS_WRITE), privilege)),
      ),
    );
    const tag = f.let(i64.or(virtualPage(vaddr), get64(hart.writeGeneration)));
    const watched = f.let(row8(map.flags, page));
    f.store('i64.store', entry, i64.or(virtualPage(vaddr), get64(hart.readGeneration)), tlbEntry.readTag);
    f.store('i64.store', entry, i64.select(tag, c64(0), i32.and(writable, i32.eqz(watched))), tlbEntry.writeTag);
    f.store('i64.store', entry, i64.select(tag, c64(0), i32.and(writable, i32.ne(watched, c32(0)))), tlbEntry.watchTag);
    f.store('i32.store', entry, i32.sub(host, i32.wrap_i64(vaddr)), tlbEntry.addend);
    f.store('i32.store', entry, leafPteHost, tlbEntry.pte);
    f.return(host);
  }

  const sized = (f: FunctionBuilder, size: I32, each: (bytes: 1 | 2 | 4 | 8) => void): void => {
    f.if(
      i32.eq(size, c32(8)),
      () => each(8),
      () =>
        f.if(
          i32.eq(size, c32(4)),
          () => each(4),
          () =>
            f.if(
              i32.eq(size, c32(2)),
              () => each(2),
              () => each(1),
            ),
        ),
    );
  };
  const loadOf = { 1: i64.load8_u, 2: i64.load16_u, 4: i64.load32_u, 8: i64.load } as const;
  const storeOf = { 1: 'i64.store8', 2: 'i64.store16', 4: 'i64.store32', 8: 'i64.store' } as const;

  const crosses = (vaddr: I64, size: I32): I32 =>
    i32.gt_u(i32.add(i32.and(i32.wrap_i64(vaddr), c32(4095)), size), c32(4096));
  const misaligned = (vaddr: I64, size: I32): I32 => i32.and(i32.wrap_i64(vaddr), i32.sub(size, c32(1)));

  /** Probes both pages of a straddling access; calls `each` with (offset of byte i). */
  const straddle = (
    f: FunctionBuilder,
    vaddr: I64,
    size: I32,
    access: number,
    fail: () => void,
    each: (host: I32, i: I32) => void,
  ): void => {
    const first = f.call<'i32'>(resolve, vaddr, c32(access));
    f.if(i32.eqz(first), fail);
    const next = f.let(i64.add(i64.or(vaddr, c64(4095)), c64(1)));
    const second = f.call<'i32'>(resolve, next, c32(access));
    f.if(i32.eqz(second), fail);
    f.if(i32.or(i32.eq(first, c32(RESOLVED_DEVICE)), i32.eq(second, c32(RESOLVED_DEVICE))), () => {
      noteTrap(f, access === ACCESS_READ ? cause.loadAccess : cause.storeAccess, vaddr);
      fail();
    });
    const head = f.let(i32.wrap_i64(i64.sub(next, vaddr)));
    if (access === ACCESS_WRITE) {
      f.do(touch, first, head);
      f.do(touch, second, i32.sub(size, head));
    }
    const index = f.local('i32');
    const at = f.local('i32');
    f.set(index, c32(0));
    f.loop((again) => {
      f.set(at, i32.select(i32.add(first, index), i32.add(second, i32.sub(index, head)), i32.lt_u(index, head)));
      each(at, index);
      f.set(index, i32.add(index, c32(1)));
      f.brIf(again, i32.lt_u(index, size));
    });
  };

  const loadSlow = m.function('loadSlow', ['i64', 'i32'], ['i64']);
  {
    const f = loadSlow;
    const vaddr = f.param<'i64'>(0);
    const size = f.param<'i32'>(1);
    const fail = (): void => f.return(c64(0));
    f.if(crosses(vaddr, size), () => {
      const value = f.local('i64');
      f.set(value, c64(0));
      straddle(f, vaddr, size, ACCESS_READ, fail, (host, i) => {
        const shift = i64.extend_i32_u(i32.shl(i, c32(3)));
        f.set(value, i64.or(value, i64.shl(i64.load8_u(host), shift)));
      });
      f.return(value);
    });
    const host = f.call<'i32'>(resolve, vaddr, c32(ACCESS_READ));
    f.if(i32.eqz(host), fail);
    f.if(i32.eq(host, c32(RESOLVED_DEVICE)), () => {
      const physical = f.let(get64(hart.physical));
      const ok = f.local('i32');
      f.set(ok, c32(0));
      f.if(i32.and(i64.lt_u(physical, c64(1n << 32n)), i32.eqz(misaligned(vaddr, size))), () => {
        f.set(ok, f.call<'i32'>(imports.mmioRead, i32.wrap_i64(physical), size));
      });
      f.if(i32.eqz(ok), () => {
        noteTrap(f, cause.loadAccess, vaddr);
        fail();
      });
      endSlice(f);
      const low = i64.extend_i32_u(get32(hart.mmioLow));
      f.return(i64.or(low, i64.shl(i64.extend_i32_u(get32(hart.mmioHigh)), c64(32))));
    });
    sized(f, size, (bytes) => f.return(loadOf[bytes](host)));
    f.return(c64(0));
  }

  const storeSlow = m.function('storeSlow', ['i64', 'i32', 'i64'], []);
  {
    const f = storeSlow;
    const vaddr = f.param<'i64'>(0);
    const size = f.param<'i32'>(1);
    const value = f.param<'i64'>(2);
    const fail = (): void => f.return();
    f.if(crosses(vaddr, size), () => {
      straddle(f, vaddr, size, ACCESS_WRITE, fail, (host, i) => {
        f.store('i64.store8', host, i64.shr_u(value, i64.extend_i32_u(i32.shl(i, c32(3)))));
      });
      f.return();
    });
    const entry = dataEntry(f, vaddr);
    const host = f.local('i32');
    f.if(
      i64.eq(i64.load(entry, tlbEntry.watchTag), i64.or(virtualPage(vaddr), get64(hart.writeGeneration))),
      () => f.set(host, i32.add(i32.wrap_i64(vaddr), i32.load(entry, tlbEntry.addend))),
      () => {
        f.set(host, f.call<'i32'>(resolve, vaddr, c32(ACCESS_WRITE)));
        f.if(i32.eqz(host), fail);
      },
    );
    f.if(i32.eq(host, c32(RESOLVED_DEVICE)), () => {
      const physical = f.let(get64(hart.physical));
      const ok = f.local('i32');
      f.set(ok, c32(0));
      f.if(i32.and(i64.lt_u(physical, c64(1n << 32n)), i32.eqz(misaligned(vaddr, size))), () => {
        set(f, hart.mmioLow, i32.wrap_i64(value));
        set(f, hart.mmioHigh, i32.wrap_i64(i64.shr_u(value, c64(32))));
        f.set(ok, f.call<'i32'>(imports.mmioWrite, i32.wrap_i64(physical), size));
      });
      f.if(
        ok,
        () => endSlice(f),
        () => noteTrap(f, cause.storeAccess, vaddr),
      );
      f.return();
    });
    f.do(touch, host, size);
    sized(f, size, (bytes) => f.store(storeOf[bytes], host, value));
    f.if(i32.and(row8(map.flags, ramPage(host)), c32(PAGE_HTIF)), () => {
      f.do(imports.htifStore, host, size);
      endSlice(f);
    });
  }

  const atomicHost = m.function('atomicHost', ['i64', 'i32', 'i32'], ['i32']);
  {
    const f = atomicHost;
    const vaddr = f.param<'i64'>(0);
    const size = f.param<'i32'>(1);
    const access = f.param<'i32'>(2);
    const fault = (misalignedCause: boolean): I64 =>
      misalignedCause
        ? i64.select(c64(cause.storeMisaligned), c64(cause.loadMisaligned), access)
        : i64.select(c64(cause.storeAccess), c64(cause.loadAccess), access);
    f.if(misaligned(vaddr, size), () => {
      noteTrap(f, fault(true), vaddr);
      f.return(c32(0));
    });
    const entry = dataEntry(f, vaddr);
    f.if(
      i32.and(
        access,
        i64.eq(i64.load(entry, tlbEntry.writeTag), i64.or(virtualPage(vaddr), get64(hart.writeGeneration))),
      ),
      () => f.return(i32.add(i32.wrap_i64(vaddr), i32.load(entry, tlbEntry.addend))),
    );
    const host = f.call<'i32'>(resolve, vaddr, access);
    f.if(i32.eq(host, c32(RESOLVED_DEVICE)), () => {
      noteTrap(f, fault(false), vaddr);
      f.return(c32(0));
    });
    f.if(i32.and(access, i32.ne(host, c32(0))), () => f.do(touch, host, size));
    f.return(host);
  }

  // ---- instructions -----------------------------------------------------------------------------------------------------
  /** () → (): all decoded pages are given up (the pool is full). */
  const resetDecoded = m.function('resetDecoded', [], []);
  {
    const f = resetDecoded;
    f.memoryFill(c32(map.decodedOf), c32(0), c32(map.ramPages * 4));
    set(f, hart.decodeNext, c32(map.pool));
    f.do(flush);
  }

  const fetch = m.function('fetch', ['i64'], ['i32']);
  {
    const f = fetch;
    const vaddr = f.param<'i64'>(0);
    const index = i32.and(i32.wrap_i64(i64.shr_u(vaddr, c64(12))), c32(FETCH_TLB_ENTRIES - 1));
    const entry = f.let(i32.add(get32(hart.fetchTlb), i32.shl(index, c32(4))));
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
          f.if(i32.ge_u(get32(hart.decodeNext), c32(map.poolEnd)), () => f.do(resetDecoded));
          f.set(decoded, get32(hart.decodeNext));
          set(f, hart.decodeNext, i32.add(decoded, c32(DECODED_BYTES)));
          f.memoryFill(decoded, c32(0), c32(SLOTS * RECORD_BYTES));
          f.store('i32.store', decoded, c32(OP_REENTER), SLOTS * RECORD_BYTES);
          f.store('i32.store', decoded, c32(OP_REENTER), (SLOTS + 1) * RECORD_BYTES);
          f.store('i32.store', decoded, host, DECODED_TRAILER);
          f.store('i32.store', decoded, c32(0), DECODED_TRAILER + 4);
          f.store('i32.store', i32.shl(row, c32(2)), decoded, map.decodedOf);
          const flags = f.let(row8(map.flags, row));
          f.if(i32.eqz(i32.and(flags, c32(PAGE_CODE))), () => {
            f.store('i32.store8', row, i32.or(flags, c32(PAGE_CODE)), map.flags);
            f.do(bumpWrite);
          });
        });
        f.store('i64.store', entry, i64.or(page, get64(hart.readGeneration)), fetchEntry.tag);
        f.store('i32.store', entry, decoded, fetchEntry.decode);
        f.store('i32.store', entry, leafPteHost, fetchEntry.pte);
      },
    );
    set(f, hart.decodeBase, decoded);
    set(f, hart.decodePageVirtual, page);
    f.return(i32.add(decoded, i32.shl(i32.and(i32.wrap_i64(vaddr), c32(4094)), c32(3))));
  }

  return { updateModes, flush, bumpWrite, fetch, loadSlow, storeSlow, atomicHost, touch, touchRange };
}

/** A device was reached: no further step in this slice, so that lines and deadlines are looked at before it (MACHINE.md, 8). */
function endSlice(f: FunctionBuilder): void {
  set(f, hart.deferred, get32(hart.remaining));
  set(f, hart.remaining, i32.const(0));
}

/** Who may do what with the page (privileged 1.12, 4.3.1). */
function checkPermissions(f: FunctionBuilder, pte: I64, access: I32, privilege: I32, fail: () => void): void {
  const status = f.let(get64(hart.mstatus));
  const isFetch = f.let(i32.eq(access, i32.const(ACCESS_FETCH)));
  const userPage = f.let(any64(pte, PTE_U));
  f.if(
    i32.eq(privilege, i32.const(PRIVILEGE_U)),
    () => f.if(i32.eqz(userPage), fail),
    () => {
      const forbidden = i32.or(isFetch, i32.eqz(any64(status, mstatus.SUM)));
      f.if(i32.and(userPage, forbidden), fail);
    },
  );
  const readable = i64.select(i64.const(PTE_R | PTE_X), i64.const(PTE_R), any64(status, mstatus.MXR));
  const wanted: Expr<'i64'> = i64.select(
    i64.const(PTE_X),
    i64.select(i64.const(PTE_W), readable, i32.eq(access, i32.const(ACCESS_WRITE))),
    isFetch,
  );
  f.if(i64.eqz(i64.and(pte, wanted)), fail);
}
