/**
 * The hart's state, as it lies in linear memory: one table of fields with their offsets. Generated code reads and writes
 * it there, JavaScript through views. What is marked `state` is the machine's; the rest is scratch and caches' book-keeping
 * and never shows in a hash or a snapshot (MACHINE.md, 20).
 *
 * x0 is a slot that always holds 0; writes to it go to `SINK`, a 33rd slot.
 */

export interface Field {
  readonly offset: number;
  readonly bytes: 4 | 8;
  readonly state: boolean;
}

export const X = 0;
export const SINK = 32 * 8;
export const F = 33 * 8 + 8;

let next = F + 32 * 8;
function field(bytes: 4 | 8, state: boolean): Field {
  next = (next + bytes - 1) & -bytes;
  const f: Field = { offset: next, bytes, state };
  next += bytes;
  return f;
}
const s64 = (): Field => field(8, true);
const s32 = (): Field => field(4, true);
const t64 = (): Field => field(8, false);
const t32 = (): Field => field(4, false);

export const hart = {
  pc: s64(),
  /** 0 = U, 1 = S, 3 = M. */
  privilege: s32(),
  /** 1 after `wfi` with nothing pending: only an input moves the machine on. */
  waiting: s32(),
  /** LR/SC reservation: size in bytes (0 = none) and physical address. */
  reservationSize: s32(),
  /** 0 = none (starts in M), 1 = builtin (SBI by the host, starts in S). */
  firmware: s32(),
  reservationAddress: s64(),

  mstatus: s64(),
  medeleg: s64(),
  mideleg: s64(),
  mie: s64(),
  /** The bits of mip that software wrote (SSIP, STIP without Sstc, SEIP), and those that hardware lines hold. */
  mipSoftware: s64(),
  mipHardware: s64(),
  mtvec: s64(),
  mcounteren: s64(),
  mcountinhibit: s64(),
  mscratch: s64(),
  mepc: s64(),
  mcause: s64(),
  mtval: s64(),
  menvcfg: s64(),
  stvec: s64(),
  scounteren: s64(),
  sscratch: s64(),
  sepc: s64(),
  scause: s64(),
  stval: s64(),
  satp: s64(),
  senvcfg: s64(),
  stimecmp: s64(),
  /** fflags in bits 4:0, frm in bits 7:5. */
  fcsr: s64(),
  pmpcfg0: s64(),
  pmpcfg2: s64(),
  /** Added to what is counted, modulo 2^64; while inhibited it holds the frozen value itself. */
  mcycleOffset: s64(),
  minstretOffset: s64(),

  /** Steps completed when the current slice began. */
  position: s64(),
  /** Of these, steps that retired no instruction (traps and interrupts). */
  unretired: s64(),
  /** `time` = clockTime + (position - clockPosition) * clockSlope / 2^32 (ticks of 100 ns). */
  clockTime: s64(),
  clockPosition: s64(),
  clockSlope: s64(),
  /** ACLINT's mtimecmp. */
  mtimecmp: s64(),

  // ---- scratch: dead between slices ----------------------------------------------------------------------------------
  trapCause: t64(),
  trapValue: t64(),
  /** Set by a slow path: what the instruction must do now (EVENT_*). */
  event: t32(),
  /** Why `run` came back (EXIT_*). */
  exit: t32(),
  /** Steps of this slice not yet taken, when a slow path is called; and the slice's length. */
  remaining: t32(),
  limit: t32(),
  /** Steps given back when a slice ends early after a memory-mapped access. */
  deferred: t32(),
  /** A store changed a translation: the page of the next instruction is looked up again, as it would be in a new slice. */
  refetch: t32(),
  physical: t64(),
  mmioLow: t32(),
  mmioHigh: t32(),

  // ---- caches ------------------------------------------------------------------------------------------------------
  /** Generations, in bits 11:3 of a TLB tag; 0 is never used, so an entry of generation 0 is empty. */
  readGeneration: t64(),
  writeGeneration: t64(),
  /** Counts every bump of readGeneration, never wraps: tells stale page-table flags. */
  epoch: t32(),
  /** The TLB tables of the current data mode and fetch mode (linear-memory offsets). */
  dataTlb: t32(),
  fetchTlb: t32(),
  /** The effective privilege of data accesses. */
  dataPrivilege: t32(),
  /** Where instructions come from: the decoded page (the result of a fetch) and the virtual address of its first byte. */
  decodeBase: t32(),
  decodePageVirtual: t64(),
  /** 1 while translated code runs: devices are not reached from it, and who changes code that it may stand in says so. */
  translated: t32(),
  /** Steps that translated code has taken since the machine was made, and how often it was entered from the interpreter. */
  translatedSteps: t64(),
  translatedEntries: t64(),
  /** 1: translations are not entered (the engine `mixed`). */
  translateOff: t32(),
  /** The decode pool, as offsets in linear memory: its first page that was never used, a page that was given up (0: none), its hand. */
  decodeNext: t32(),
  decodeFree: t32(),
  decodeHand: t32(),
  /** Raw bits of the instruction in the scratch record (a straddling one); 0 = none. */
  straddleBits: t32(),
} as const satisfies Record<string, Field>;

export const pmpaddr0: number = (next + 7) & -8;
export const PMP_ENTRIES = 16;
next = pmpaddr0 + PMP_ENTRIES * 8;
/** Bytes of linear memory that the hart's state takes; it starts at 0. */
export const HART_BYTES = 4096;

export const PRIVILEGE_U = 0;
export const PRIVILEGE_S = 1;
export const PRIVILEGE_M = 3;

/** What a slow path asks of the instruction that called it. */
export const EVENT_TRAP = 1;
/** Translated code must leave before the instruction, which the interpreter then executes. */
export const EVENT_RETRY = 2;
/** Translated code must leave after the instruction: it has changed what its own page is. */
export const EVENT_REFETCH = 3;

/** Why `run` came back. */
export const EXIT_LIMIT = 0;
export const EXIT_WAITING = 1;
/** An `ecall` from S under the builtin firmware: the host's SBI answers; pc is already behind it. */
export const EXIT_SBI = 2;
/** Timers must be computed anew (stimecmp, menvcfg written). */
export const EXIT_TIMER = 3;
/** A trap to M under the builtin firmware, which has no handler: the machine stops with an error. */
export const EXIT_FAULT = 4;

/** mstatus bits (privileged 1.12, 3.1.6). */
export const mstatus = {
  SIE: 1n << 1n,
  MIE: 1n << 3n,
  SPIE: 1n << 5n,
  MPIE: 1n << 7n,
  SPP: 1n << 8n,
  MPP: 3n << 11n,
  FS: 3n << 13n,
  MPRV: 1n << 17n,
  SUM: 1n << 18n,
  MXR: 1n << 19n,
  TVM: 1n << 20n,
  TW: 1n << 21n,
  TSR: 1n << 22n,
  UXL: 2n << 32n,
  SXL: 2n << 34n,
  SD: 1n << 63n,
} as const;

/** Interrupt numbers (bits of mip and mie). */
export const interrupt = { SSI: 1, MSI: 3, STI: 5, MTI: 7, SEI: 9, MEI: 11 } as const;

/** Exception causes (privileged 1.12, table 3.6). */
export const cause = {
  instructionAccess: 1,
  illegalInstruction: 2,
  breakpoint: 3,
  loadMisaligned: 4,
  loadAccess: 5,
  storeMisaligned: 6,
  storeAccess: 7,
  ecallU: 8,
  ecallS: 9,
  ecallM: 11,
  instructionPage: 12,
  loadPage: 13,
  storePage: 15,
} as const;
