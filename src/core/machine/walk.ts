/**
 * The page walk as generated code (Sv39 and Sv48; privileged 1.12, 4.3-4.5): permissions, A and D bits set by the walk (through
 * `touch`, as any write), PMP for each PTE and for the result. It marks the pages that it reads PTEs from.
 */
import { type Expr, type I32, type I64, i32, i64 } from '../wasm/expression.ts';
import type { Callee, FunctionBuilder } from '../wasm/function.ts';
import type { ModuleBuilder } from '../wasm/module.ts';
import type { Coherence } from './coherence.ts';
import { any64, get32, get64, noteTrap } from './emit.ts';
import { cause, hart, mstatus, PRIVILEGE_M, PRIVILEGE_S, PRIVILEGE_U } from './hart.ts';
import { type MemoryMap, PAGE_PTE, PAGE_TABLE } from './memory-map.ts';
import { places, row8 } from './places.ts';

/** Kinds of access. */
export const ACCESS_READ = 0;
export const ACCESS_WRITE = 1;
export const ACCESS_FETCH = 2;

const PTE_V = 1n;
const PTE_R = 2n;
export const PTE_W = 4n;
const PTE_X = 8n;
const PTE_U = 16n;
const PTE_A = 64n;
export const PTE_D = 128n;
const PTE_RESERVED = 0x3ffn << 54n;

const c32 = i32.const;
const c64 = i64.const;

export interface Walk {
  /** (vaddr i64, access i32, effective privilege i32) → physical address, -1 = trap. PMP is checked. */
  readonly walk: Callee;
  /** The leaf that the last walk found (all permissions without translation), and where it is if it is a 4 KiB leaf, else 0. */
  readonly leafPte: I64;
  readonly leafPteHost: I32;
}

export function emitWalk(m: ModuleBuilder, map: MemoryMap, pmp: Callee, { touch, bumpWrite }: Coherence): Walk {
  const { inRam, hostOf, ramPage, physicalOf } = places(map);
  const leafPte = m.global('i64', 0);
  const leafPteHost = m.global('i32', 0);

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
          const address = physicalOf(host);
          f.if(i32.eqz(f.call(pmp, address, c32(ACCESS_WRITE), c32(PRIVILEGE_S))), () => fail(accessFault));
          f.do(touch, host, c32(8));
          // A table that is code of the running translation: the interpreter does it all, from the fetch on.
          f.if(get32(hart.event), () => f.return(c64(-1)));
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

  return { walk, leafPte, leafPteHost };
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
