/**
 * Where the programs of the fuzzer keep their things. RAM is 4 MiB; code, data and tables share the first 2 MiB, which a
 * level-0 table maps, and the second 2 MiB is one superpage.
 *
 * S and M see RAM at its own addresses, U sees it `USER` higher, on pages of its own; both have aliases. So an address is
 * of M and S without that bit, of U with it, and means the same bytes.
 */
export const RAM = 0x8000_0000n;
export const USER = 0x4000_0000n;

export const layout = {
  /** The trap handler of S: one page. */
  supervisor: 0x8000_3000n,
  code: 0x8001_0000n,
  codePages: 32n,
  /** Two pages of code: which of them stands at the first one's address depends on the page tables. */
  twins: 0x8005_0000n,
  /** Eight pages. The second half of page 1 holds constants and is rarely written. */
  data: 0x8010_0000n,
  dataPages: 8n,
  constants: 0x8010_1800n,
  constantWords: 256,
  /** Page tables, seven pages a tree; then what they are repaired from. */
  tables: 0x8018_0000n,
  treeBytes: 0x8000n,
  backup: 0x801a_0000n,
  /** What the handlers remember: M's, and a page for S's. */
  state: 0x801c_0000n,
  supervisorState: 0x801c_1000n,
  /** x1 .. x31, f0 .. f31, fcsr and CSRs at the end. */
  dump: 0x801c_2000n,
  dumpWords: 31 + 32 + 6,
  /** Traps to M: (cause, epc, tval, status) each; the same for S. */
  log: 0x801d_0000n,
  logBytes: 0x2000n,
  supervisorLog: 0x801d_2000n,
  superpage: 0x8020_0000n,
} as const;

/** Offsets in a tree of page tables. */
export const tree = {
  root: 0x0000n,
  devices: 0x1000n,
  ram: 0x2000n,
  user: 0x3000n,
  ramPages: 0x4000n,
  userPages: 0x5000n,
  /** The root of Sv48, above `root`. */
  top: 0x6000n,
} as const;

/** Virtual addresses that lead to RAM again: a second upper entry, and one at the top of the address space. */
export const ALIAS = 0x40_0000n;
export const HIGH = 0xffff_ffff_c000_0000n - RAM;

export const devices = {
  software: 0x0200_0000n,
  timer: 0x0200_4000n,
  time: 0x0200_bff8n,
  plic: 0x0c00_0000n,
  contexts: 0x0c20_0000n,
  uart: 0x1000_0000n,
} as const;

/** Registers with a job. The others are free for arithmetic. */
export const jobs = {
  /** Links of calls: of functions, and of leaves that functions call. */
  links: ['ra', 't0'],
  /** Into the data: in the middle of a page, at a page's end, and the stack. */
  bases: ['s0', 's1', 'sp'],
  /** Into the page tables: leaves of S and of U, in the middle. */
  leaves: ['s2', 's5'],
  /** The bit between an address of S and the same of U. */
  user: 's6',
  counters: ['s8', 's9', 's10'],
  /** Where a jump to nowhere comes back. */
  resume: 's11',
  rounds: 'tp',
  scratch: ['t5', 't6'],
} as const;

export const free = [
  ...['gp', 't1', 't2', 's3', 's4', 's7', 'a0', 'a1', 'a2', 'a3', 'a4', 'a5', 'a6', 'a7', 't3', 't4'],
] as const;
