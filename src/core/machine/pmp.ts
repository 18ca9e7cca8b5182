/**
 * Physical memory protection as generated code (privileged 1.12, 3.7): 16 entries with a grain of 4 KiB, so a page is
 * allowed or not as a whole and the TLB can hold the answer. NA4 does not exist at this grain.
 */

import { i32, i64 } from '../wasm/expression.ts';
import type { Callee } from '../wasm/function.ts';
import type { ModuleBuilder } from '../wasm/module.ts';
import { hart, PMP_ENTRIES, PRIVILEGE_M, pmpaddr0 } from './hart.ts';

/** log2 of the grain in units of 4 bytes. */
export const PMP_GRAIN_SHIFT = 10n;
const NAPOT_ONES = (1n << (PMP_GRAIN_SHIFT - 1n)) - 1n;
/** A NAPOT entry with these bits set covers all 2^56 bytes. */
const WHOLE_SPACE = (1n << 53n) - 1n;
const TOR_MASK = ~((1n << PMP_GRAIN_SHIFT) - 1n);

/** (physical address i64, access i32, privilege i32) → 1 if allowed. */
export function emitPmp(m: ModuleBuilder): Callee {
  const f = m.function('pmp', ['i64', 'i32', 'i32'], ['i32']);
  const c32 = i32.const;
  const c64 = i64.const;
  // What firmware sets up for an operating system: the first entry allows everything.
  const allowsAll = i32.eq(i32.and(i32.load8_u(c32(0), hart.pmpcfg0.offset), c32(0x1f)), c32(0x1f));
  const coversAll = i64.eq(i64.and(i64.load(c32(0), pmpaddr0), c64(WHOLE_SPACE)), c64(WHOLE_SPACE));
  f.if(i32.and(allowsAll, coversAll), () => f.return(c32(1)));
  const unit = f.let(i64.shr_u(i64.and(f.param<'i64'>(0), c64(-4096)), c64(2)));
  const access = f.param<'i32'>(1);
  const machine = f.let(i32.eq(f.param<'i32'>(2), c32(PRIVILEGE_M)));
  const index = f.local('i32');
  const below = f.local('i64');
  f.set(index, c32(0));
  f.set(below, c64(0));
  const configOf = i32.add(
    i32.and(index, c32(7)),
    i32.select(c32(hart.pmpcfg2.offset), c32(hart.pmpcfg0.offset), i32.ge_u(index, c32(8))),
  );
  f.loop((again) => {
    const config = f.let(i32.load8_u(configOf));
    const address = f.let(i64.load(i32.shl(index, c32(3)), pmpaddr0));
    const kind = f.let(i32.and(config, c32(0x18)));
    const ones = f.let(i64.or(address, c64(NAPOT_ONES)));
    const mask = i64.xor(ones, i64.add(ones, c64(1)));
    const napot = i64.eqz(i64.and(i64.xor(unit, ones), i64.xor(mask, c64(-1))));
    const tor = i32.and(i64.ge_u(unit, below), i64.lt_u(unit, i64.and(address, c64(TOR_MASK))));
    const matches = i32.or(i32.and(i32.eq(kind, c32(0x18)), napot), i32.and(i32.eq(kind, c32(0x08)), tor));
    f.if(matches, () => {
      const granted = i32.and(i32.shr_u(config, access), c32(1));
      const unlocked = i32.eqz(i32.and(config, c32(0x80)));
      f.return(i32.or(granted, i32.and(machine, unlocked)));
    });
    f.set(below, i64.and(address, c64(TOR_MASK)));
    f.set(index, i32.add(index, c32(1)));
    f.brIf(again, i32.lt_u(index, c32(PMP_ENTRIES)));
  });
  f.return(machine);
  return f;
}
