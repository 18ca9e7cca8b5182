/**
 * The CSRs as a table, like the instructions: number, name, how it reads, what a write does (WARL rules included), and what
 * forbids an access beyond the privilege in its number. Privileged 1.12, chapters 2-4; Sstc; unprivileged ch. 10 (Zicntr).
 *
 * The builder functions are called once, when the engine is generated. Registers that exist and do nothing (hardware
 * performance counters, debug triggers) read 0 and ignore writes.
 */

import { type I32, type I64, i32, i64 } from '../wasm/expression.ts';
import type { Callee, FunctionBuilder } from '../wasm/function.ts';
import { any64, bit64, get32, get64, positionNow, set, timeNow } from './emit.ts';
import {
  EXIT_TIMER,
  type Field,
  hart,
  mstatus,
  PMP_ENTRIES,
  PRIVILEGE_M,
  PRIVILEGE_S,
  PRIVILEGE_U,
  pmpaddr0,
} from './hart.ts';
import { PMP_GRAIN_SHIFT } from './pmp.ts';

export interface CsrMachine {
  readonly updateModes: Callee;
  readonly flush: Callee;
}

export interface Csr {
  readonly number: number;
  readonly name: string;
  readonly read: (f: FunctionBuilder) => I64;
  /** What csrrs and csrrc modify, where that is not what they read (mip's SEIP). */
  readonly readToModify?: (f: FunctionBuilder) => I64;
  /** Absent: writes are ignored (or, by the number's top bits, illegal). */
  readonly write?: (f: FunctionBuilder, value: I64, m: CsrMachine) => void;
  /** Nonzero: illegal instruction. */
  readonly forbidden?: ((f: FunctionBuilder) => I32) | undefined;
}

const c64 = i64.const;
const mask = (value: I64, bits: bigint): I64 => i64.and(value, c64(bits));
const merge = (old: I64, value: I64, bits: bigint): I64 => i64.or(mask(old, ~bits), mask(value, bits));

const SSTATUS = mstatus.SIE | mstatus.SPIE | mstatus.SPP | mstatus.FS | mstatus.SUM | mstatus.MXR;
const MSTATUS =
  SSTATUS | mstatus.MIE | mstatus.MPIE | mstatus.MPP | mstatus.MPRV | mstatus.TVM | mstatus.TW | mstatus.TSR;
const SUPERVISOR_INTERRUPTS = 0x222n;
const ALL_INTERRUPTS = 0xaaan;
const MENVCFG_STCE = 1n << 63n;
/** RV64 with A, C, D, F, I, M, S, U. */
const MISA = (2n << 62n) | 0x14112dn;

// ---- plain registers ----------------------------------------------------------------------------------------------------
const zero = (number: number, name: string): Csr => ({ number, name, read: () => c64(0), write: () => {} });
const constant = (number: number, name: string, value: bigint): Csr => ({
  number,
  name,
  read: () => c64(value),
  write: () => {},
});
const plain = (number: number, name: string, field: Field, writable = -1n): Csr => ({
  number,
  name,
  read: () => get64(field),
  write: (f, value) => set(f, field, mask(value, writable)),
});

// ---- mstatus ------------------------------------------------------------------------------------------------------------
function readStatus(f: FunctionBuilder, bits: bigint): I64 {
  const status = f.let(get64(hart.mstatus));
  const dirty = i64.eq(mask(status, mstatus.FS), c64(mstatus.FS));
  return f.let(i64.or(mask(status, bits), i64.select(c64(mstatus.SD), c64(0), dirty)));
}

function writeStatus(f: FunctionBuilder, value: I64, bits: bigint, m: CsrMachine): void {
  const old = f.let(get64(hart.mstatus));
  const merged = f.let(merge(old, value, bits));
  // MPP is WARL: 2 does not exist and leaves it as it was.
  const bad = i64.eq(mask(merged, mstatus.MPP), c64(2n << 11n));
  const legal = f.let(i64.select(merge(merged, old, mstatus.MPP), merged, bad));
  set(f, hart.mstatus, legal);
  f.if(any64(i64.xor(old, legal), mstatus.MXR), () => f.do(m.flush));
  f.if(any64(i64.xor(old, legal), mstatus.MPRV | mstatus.MPP | mstatus.SUM), () => f.do(m.updateModes));
}

// ---- interrupts ---------------------------------------------------------------------------------------------------------
const stceOn = (): I32 => any64(get64(hart.menvcfg), MENVCFG_STCE);
const readMip = (): I64 => i64.or(get64(hart.mipSoftware), get64(hart.mipHardware));
function writeMip(f: FunctionBuilder, value: I64, bits: I64): void {
  // STIP belongs to the timer once Sstc is on.
  const writable = f.let(i64.and(bits, i64.select(c64(0x202), c64(0x222), stceOn())));
  const kept = i64.and(get64(hart.mipSoftware), i64.xor(writable, c64(-1)));
  set(f, hart.mipSoftware, i64.or(kept, i64.and(value, writable)));
}

// ---- counters -----------------------------------------------------------------------------------------------------------
const retiredNow = (): I64 => i64.sub(positionNow(), get64(hart.unretired));
function readCounter(f: FunctionBuilder, offset: Field, inhibitBit: bigint): I64 {
  const running = i64.eqz(bit64(get64(hart.mcountinhibit), inhibitBit));
  return f.let(i64.add(get64(offset), i64.select(retiredNow(), c64(0), running)));
}
function counter(number: number, name: string, offset: Field, inhibitBit: bigint): Csr {
  return {
    number,
    name,
    read: (f) => readCounter(f, offset, inhibitBit),
    // The write suppresses this instruction's own increment.
    write: (f, value) => {
      const running = i64.eqz(bit64(get64(hart.mcountinhibit), inhibitBit));
      const counted = i64.add(retiredNow(), c64(1));
      set(f, offset, i64.sub(value, i64.select(counted, c64(0), running)));
    },
  };
}
/** A counter is visible below M if mcounteren says so, and in U if scounteren does too. */
function counterForbidden(bit: bigint): Csr['forbidden'] {
  return (f) => {
    const privilege = f.let(get32(hart.privilege));
    const noM = i64.eqz(bit64(get64(hart.mcounteren), bit));
    const noS = i64.eqz(bit64(get64(hart.scounteren), bit));
    const belowM = i32.ne(privilege, i32.const(PRIVILEGE_M));
    return i32.or(i32.and(belowM, noM), i32.and(i32.eq(privilege, i32.const(PRIVILEGE_U)), noS));
  };
}

// ---- floating point -------------------------------------------------------------------------------------------------------
const floatOff: Csr['forbidden'] = () => i64.eqz(mask(get64(hart.mstatus), mstatus.FS));
function floatCsr(number: number, name: string, shift: bigint, bits: bigint): Csr {
  return {
    number,
    name,
    read: () => mask(i64.shr_u(get64(hart.fcsr), c64(shift)), bits),
    write: (f, value) => {
      set(f, hart.fcsr, merge(get64(hart.fcsr), i64.shl(value, c64(shift)), bits << shift));
      set(f, hart.mstatus, i64.or(get64(hart.mstatus), c64(mstatus.FS)));
    },
    forbidden: floatOff,
  };
}

// ---- PMP ----------------------------------------------------------------------------------------------------------------
function pmpConfig(number: number, name: string, field: Field): Csr {
  return {
    number,
    name,
    read: () => get64(field),
    write: (f, value, m) => {
      const merged = f.local('i64');
      f.set(merged, c64(0));
      for (let i = 0n; i < 8n; i++) {
        const old = f.let(mask(i64.shr_u(get64(field), c64(i * 8n)), 0xffn));
        const wanted = f.let(mask(i64.shr_u(value, c64(i * 8n)), 0x9fn));
        // W without R is reserved: W is dropped. NA4 does not exist at this grain: it becomes NAPOT.
        const noWrite = i64.select(mask(wanted, 0xfdn), wanted, i64.eqz(mask(wanted, 1n)));
        const kind = f.let(noWrite);
        const legal = i64.select(i64.or(kind, c64(0x18)), kind, i64.eq(mask(kind, 0x18n), c64(0x10)));
        const byte = i64.select(old, legal, any64(old, 0x80n));
        f.set(merged, i64.or(merged, i64.shl(byte, c64(i * 8n))));
      }
      set(f, field, merged);
      f.do(m.flush);
    },
  };
}

function pmpAddress(index: number): Csr {
  const field: Field = { offset: pmpaddr0 + index * 8, bytes: 8, state: true };
  const configOf = (i: number): I64 => {
    const register = i < 8 ? hart.pmpcfg0 : hart.pmpcfg2;
    return i64.shr_u(get64(register), c64((i % 8) * 8));
  };
  return {
    number: 0x3b0 + index,
    name: `pmpaddr${index}`,
    read: (f) => {
      const value = f.let(get64(field));
      const napot = any64(configOf(index), 0x10n);
      const ones = c64((1n << (PMP_GRAIN_SHIFT - 1n)) - 1n);
      const zeros = c64(~((1n << PMP_GRAIN_SHIFT) - 1n));
      return i64.select(i64.or(value, ones), i64.and(value, zeros), napot);
    },
    write: (f, value, m) => {
      let locked = any64(configOf(index), 0x80n);
      if (index + 1 < PMP_ENTRIES) {
        const nextConfig = mask(configOf(index + 1), 0x98n);
        locked = i32.or(locked, i64.eq(nextConfig, c64(0x88)));
      }
      f.if(i32.eqz(locked), () => {
        set(f, field, mask(value, (1n << 54n) - 1n));
        f.do(m.flush);
      });
    },
  };
}

const range = (from: number, to: number): number[] => Array.from({ length: to - from + 1 }, (_, i) => from + i);

export const csrs: readonly Csr[] = [
  floatCsr(0x001, 'fflags', 0n, 0x1fn),
  floatCsr(0x002, 'frm', 5n, 0x7n),
  floatCsr(0x003, 'fcsr', 0n, 0xffn),

  {
    number: 0xc00,
    name: 'cycle',
    read: (f) => readCounter(f, hart.mcycleOffset, 0n),
    forbidden: counterForbidden(0n),
  },
  { number: 0xc01, name: 'time', read: (f) => timeNow(f), forbidden: counterForbidden(1n) },
  {
    number: 0xc02,
    name: 'instret',
    read: (f) => readCounter(f, hart.minstretOffset, 2n),
    forbidden: counterForbidden(2n),
  },
  ...range(3, 31).map(
    (i): Csr => ({
      ...zero(0xc00 + i, `hpmcounter${i}`),
      forbidden: counterForbidden(BigInt(i)),
    }),
  ),

  {
    number: 0x100,
    name: 'sstatus',
    read: (f) => i64.or(readStatus(f, SSTATUS), c64(mstatus.UXL)),
    write: (f, value, m) => writeStatus(f, value, SSTATUS, m),
  },
  {
    number: 0x104,
    name: 'sie',
    read: () => i64.and(get64(hart.mie), get64(hart.mideleg)),
    write: (f, value) => {
      const delegated = f.let(get64(hart.mideleg));
      const kept = i64.and(get64(hart.mie), i64.xor(delegated, c64(-1)));
      set(f, hart.mie, i64.or(kept, i64.and(value, delegated)));
    },
  },
  plain(0x105, 'stvec', hart.stvec, ~2n),
  plain(0x106, 'scounteren', hart.scounteren, 0xffff_ffffn),
  plain(0x10a, 'senvcfg', hart.senvcfg, 1n),
  plain(0x140, 'sscratch', hart.sscratch),
  plain(0x141, 'sepc', hart.sepc, ~1n),
  plain(0x142, 'scause', hart.scause),
  plain(0x143, 'stval', hart.stval),
  {
    number: 0x144,
    name: 'sip',
    read: () => i64.and(readMip(), get64(hart.mideleg)),
    write: (f, value) => writeMip(f, value, mask(get64(hart.mideleg), 2n)),
  },
  {
    number: 0x14d,
    name: 'stimecmp',
    read: () => get64(hart.stimecmp),
    write: (f, value) => {
      set(f, hart.stimecmp, value);
      set(f, hart.exit, i32.const(EXIT_TIMER));
    },
    forbidden: (f) => {
      const belowM = i32.ne(get32(hart.privilege), i32.const(PRIVILEGE_M));
      const off = i32.or(i64.eqz(bit64(get64(hart.mcounteren), 1n)), i32.eqz(stceOn()));
      return f.let(i32.and(belowM, off));
    },
  },
  {
    number: 0x180,
    name: 'satp',
    read: () => get64(hart.satp),
    write: (f, value, m) => {
      const mode = f.let(i64.shr_u(value, c64(60)));
      const exists = i32.or(i64.eqz(mode), i32.or(i64.eq(mode, c64(8)), i64.eq(mode, c64(9))));
      f.if(i32.and(exists, i64.ne(value, get64(hart.satp))), () => {
        set(f, hart.satp, value);
        f.do(m.flush);
      });
    },
    forbidden: () =>
      i32.and(i32.eq(get32(hart.privilege), i32.const(PRIVILEGE_S)), any64(get64(hart.mstatus), mstatus.TVM)),
  },

  constant(0xf11, 'mvendorid', 0n),
  constant(0xf12, 'marchid', 0n),
  constant(0xf13, 'mimpid', 0n),
  constant(0xf14, 'mhartid', 0n),
  constant(0xf15, 'mconfigptr', 0n),
  {
    number: 0x300,
    name: 'mstatus',
    read: (f) => i64.or(readStatus(f, MSTATUS), c64(mstatus.UXL | mstatus.SXL)),
    write: (f, value, m) => writeStatus(f, value, MSTATUS, m),
  },
  constant(0x301, 'misa', MISA),
  plain(0x302, 'medeleg', hart.medeleg, 0xb3ffn),
  plain(0x303, 'mideleg', hart.mideleg, SUPERVISOR_INTERRUPTS),
  plain(0x304, 'mie', hart.mie, ALL_INTERRUPTS),
  plain(0x305, 'mtvec', hart.mtvec, ~2n),
  plain(0x306, 'mcounteren', hart.mcounteren, 0xffff_ffffn),
  {
    number: 0x30a,
    name: 'menvcfg',
    read: () => get64(hart.menvcfg),
    write: (f, value) => {
      set(f, hart.menvcfg, mask(value, MENVCFG_STCE | 1n));
      // What software had pending of the timer is gone once stimecmp decides.
      f.if(stceOn(), () => set(f, hart.mipSoftware, mask(get64(hart.mipSoftware), ~0x20n)));
      set(f, hart.exit, i32.const(EXIT_TIMER));
    },
  },
  {
    number: 0x320,
    name: 'mcountinhibit',
    read: () => get64(hart.mcountinhibit),
    write: (f, value) => {
      const old = f.let(get64(hart.mcountinhibit));
      const wanted = f.let(mask(value, 5n));
      const counted = f.let(i64.add(retiredNow(), c64(1)));
      for (const [bit, offset] of [
        [0n, hart.mcycleOffset],
        [2n, hart.minstretOffset],
      ] as const) {
        const was = bit64(old, bit);
        const is = bit64(wanted, bit);
        // +1 on stopping: what was counted becomes the frozen value; -1 on going on.
        set(f, offset, i64.add(get64(offset), i64.mul(i64.sub(is, was), counted)));
      }
      set(f, hart.mcountinhibit, wanted);
    },
  },
  ...range(3, 31).map((i) => zero(0x320 + i, `mhpmevent${i}`)),
  plain(0x340, 'mscratch', hart.mscratch),
  plain(0x341, 'mepc', hart.mepc, ~1n),
  plain(0x342, 'mcause', hart.mcause),
  plain(0x343, 'mtval', hart.mtval),
  {
    number: 0x344,
    name: 'mip',
    read: () => readMip(),
    // SEIP: what the PLIC holds is read but never written back (privileged 1.12, 3.1.9).
    readToModify: () => get64(hart.mipSoftware),
    write: (f, value) => writeMip(f, value, c64(-1)),
  },
  pmpConfig(0x3a0, 'pmpcfg0', hart.pmpcfg0),
  pmpConfig(0x3a2, 'pmpcfg2', hart.pmpcfg2),
  ...[4, 6, 8, 10, 12, 14].map((i) => zero(0x3a0 + i, `pmpcfg${i}`)),
  ...range(0, PMP_ENTRIES - 1).map(pmpAddress),
  ...range(PMP_ENTRIES, 63).map((i) => zero(0x3b0 + i, `pmpaddr${i}`)),
  counter(0xb00, 'mcycle', hart.mcycleOffset, 0n),
  counter(0xb02, 'minstret', hart.minstretOffset, 2n),
  ...range(3, 31).map((i) => zero(0xb00 + i, `mhpmcounter${i}`)),
  zero(0x7a0, 'tselect'),
  zero(0x7a1, 'tdata1'),
  zero(0x7a2, 'tdata2'),
  zero(0x7a3, 'tdata3'),
];

/** Index into `csrs` by CSR number; undefined = no such register. */
export const csrIndex: ReadonlyMap<number, number> = new Map(csrs.map((csr, index) => [csr.number, index]));
