/**
 * Data accesses as generated code: the software TLB's refill and the slow paths of loads, stores and atomics. Engines have
 * the fast path inline and call these. The parts of the MMU come together here: coherence.ts, walk.ts, fetch.ts, pmp.ts.
 */
import { type I32, type I64, i32, i64 } from '../wasm/expression.ts';
import type { Callee, FunctionBuilder } from '../wasm/function.ts';
import type { ModuleBuilder } from '../wasm/module.ts';
import { type Coherence, emitCoherence } from './coherence.ts';
import { any64, get32, get64, noteTrap, set } from './emit.ts';
import { emitFetch, type Fetch, fetchEntryOf } from './fetch.ts';
import { cause, EVENT_REFETCH, hart, mstatus, PRIVILEGE_M, PRIVILEGE_S, PRIVILEGE_U } from './hart.ts';
import {
  DATA_TLB,
  DATA_TLB_BYTES,
  DATA_TLB_ENTRIES,
  DIRTY_ALL,
  dataMode,
  FETCH_TLB,
  FETCH_TLB_BYTES,
  fetchEntry,
  type MemoryMap,
  PAGE_HTIF,
  tlbEntry,
} from './memory-map.ts';
import { places, row8, virtualPage } from './places.ts';
import { emitPmp } from './pmp.ts';
import { ACCESS_READ, ACCESS_WRITE, emitWalk, PTE_D, PTE_W } from './walk.ts';

/** What `resolve` gives instead of an offset into RAM. */
const RESOLVED_TRAP = 0;
const RESOLVED_DEVICE = 1;

const c32 = i32.const;
const c64 = i64.const;

export interface MmuImports {
  /** (physical address, size) → 1 if a device answered; the value is in mmioLow, mmioHigh. */
  readonly mmioRead: Callee;
  /** (physical address, size) → 1 if a device took the value in mmioLow, mmioHigh. */
  readonly mmioWrite: Callee;
  /** (offset into linear memory, size): a store hit the page of `tohost`. */
  readonly htifStore: Callee;
}

export interface Mmu extends Coherence, Fetch {
  /** () → (): data and fetch modes from privilege, mstatus, satp. */
  readonly updateModes: Callee;
  /** (vaddr i64, size i32) → i64, zero-extended; look at `event` after. */
  readonly loadSlow: Callee;
  /** (vaddr i64, size i32, value i64) → (); look at `event` after. */
  readonly storeSlow: Callee;
  /** () → (): after an atomic of translated code that set `refetch`; look at `event` after. */
  readonly storedTables: Callee;
  /** (vaddr i64, size i32, access i32) → i32: offset in linear memory of aligned RAM to read or modify, 0 = trap. */
  readonly atomicHost: Callee;
}

export function emitMmu(m: ModuleBuilder, map: MemoryMap, imports: MmuImports): Mmu {
  const { inRam, hostOf, ramPage } = places(map);
  const pmp = emitPmp(m);
  const coherence = emitCoherence(m, map);
  const { touch } = coherence;
  const walker = emitWalk(m, map, pmp, coherence);
  const { walk, leafPte, leafPteHost } = walker;
  const fetching = emitFetch(m, map, coherence, walker);

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
    f.if(access, () => f.store('i32.store8', page, c32(DIRTY_ALL), map.dirty));
    const writable = f.let(
      i32.and(
        i64.eq(i64.and(leafPte, c64(PTE_W | PTE_D)), c64(PTE_W | PTE_D)),
        i32.and(
          i32.eq(row8(map.dirty, page), c32(DIRTY_ALL)),
          f.call<'i32'>(pmp, physical, c32(ACCESS_WRITE), privilege),
        ),
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

  /** () → (): after a store into page tables by translated code: may it go on in the page where it is? */
  const storedTables = m.function('storedTables', [], []);
  {
    const f = storedTables;
    set(f, hart.refetch, c32(0));
    const page = f.let(get64(hart.decodePageVirtual));
    const entry = f.let(fetchEntryOf(page));
    const known = i64.eq(i64.load(entry, fetchEntry.tag), i64.or(page, get64(hart.readGeneration)));
    const same = i32.eq(i32.load(entry, fetchEntry.decode), get32(hart.decodeBase));
    f.if(i32.eqz(i32.and(known, same)), () => set(f, hart.event, c32(EVENT_REFETCH)));
  }

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

  const emitLoad = (): Callee => {
    const f = m.function('loadSlow', ['i64', 'i32'], ['i64']);
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
    return f;
  };

  const isHtif = (host: I32): I32 => i32.and(row8(map.flags, ramPage(host)), c32(PAGE_HTIF));

  const emitStore = (): Callee => {
    const f = m.function('storeSlow', ['i64', 'i32', 'i64'], []);
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
    f.if(isHtif(host), () => {
      f.do(imports.htifStore, host, size);
      endSlice(f);
    });
    return f;
  };

  const loadSlow = emitLoad();
  const storeSlow = emitStore();

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
    const wanted = i64.or(
      virtualPage(vaddr),
      i64.select(get64(hart.writeGeneration), get64(hart.readGeneration), access),
    );
    const tag = i64.select(i64.load(entry, tlbEntry.writeTag), i64.load(entry, tlbEntry.readTag), access);
    f.if(i64.eq(tag, wanted), () => f.return(i32.add(i32.wrap_i64(vaddr), i32.load(entry, tlbEntry.addend))));
    const host = f.call<'i32'>(resolve, vaddr, access);
    f.if(i32.eq(host, c32(RESOLVED_DEVICE)), () => {
      noteTrap(f, fault(false), vaddr);
      f.return(c32(0));
    });
    f.if(i32.and(access, i32.ne(host, c32(0))), () => f.do(touch, host, size));
    f.return(host);
  }

  return {
    ...coherence,
    ...fetching,
    updateModes,
    loadSlow,
    storeSlow,
    storedTables,
    atomicHost,
  };
}

/** A device was reached: no further step in this slice, so that lines and deadlines are looked at before it (MACHINE.md, 8). */
function endSlice(f: FunctionBuilder): void {
  set(f, hart.deferred, get32(hart.remaining));
  set(f, hart.remaining, i32.const(0));
}
