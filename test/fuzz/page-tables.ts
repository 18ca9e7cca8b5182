/**
 * The two trees of page tables that programs live in, as words in memory. They differ in which user data page is which
 * physical page, and in one page of code, so a switch of satp shows. In both, two user pages are one physical page, and the
 * last data page can only be executed.
 */
import { ALIAS, layout, RAM, tree } from './layout.ts';

export interface Word {
  readonly address: bigint;
  readonly value: bigint;
  /** Nothing that the program needs to run: numbers to compute with. */
  readonly isData?: boolean;
}

const V = 1n;
const R = 2n;
const W = 4n;
const X = 8n;
const U = 16n;
const G = 32n;
const A = 64n;
const D = 128n;

const entry = (physical: bigint, bits: bigint): bigint => ((physical >> 12n) << 10n) | bits | V;

export const satpOf = (paging: 'bare' | 'sv39' | 'sv48', which: 0 | 1): bigint => {
  if (paging === 'bare') return 0n;
  const base = layout.tables + BigInt(which) * layout.treeBytes;
  const root = paging === 'sv39' ? base + tree.root : base + tree.top;
  return ((paging === 'sv39' ? 8n : 9n) << 60n) | (BigInt(which) << 44n) | (root >> 12n);
};

/** Whether code may be written is the program's business. `global`: some entries are. */
export function pageTables(writableCode: boolean): Word[] {
  const words: Word[] = [];
  for (const place of [layout.tables, layout.backup]) {
    for (const which of [0n, 1n]) words.push(...oneTree(place + which * layout.treeBytes, which, writableCode));
  }
  return words;
}

function oneTree(at: bigint, which: bigint, writableCode: boolean): Word[] {
  const words: Word[] = [];
  // Upper entries always lead into the tree that is used, never into its backup.
  const inUse = layout.tables + which * layout.treeBytes;
  const put = (table: bigint, index: bigint, value: bigint): void => {
    words.push({ address: at + table + index * 8n, value });
  };
  const down = (table: bigint): bigint => entry(inUse + table, 0n);
  put(tree.top, 0n, down(tree.root));
  put(tree.top, 511n, down(tree.root));
  put(tree.root, 0n, down(tree.devices));
  put(tree.root, 2n, down(tree.ram));
  put(tree.root, 3n, down(tree.user));
  put(tree.root, 511n, down(tree.ram));
  for (const device of [0x0200_0000n, 0x0c00_0000n, 0x0c20_0000n, 0x1000_0000n]) {
    put(tree.devices, device >> 21n, entry(device, R | W | A | D));
  }
  // All of RAM in one leaf; an entry with reserved bits; a superpage that is not aligned.
  put(tree.root, 4n, entry(RAM, R | W));
  put(tree.root, 5n, entry(RAM, R | W) | (1n << 54n));
  put(tree.ram, 4n, entry(layout.data, R | W | A | D));
  const upper = { [tree.ram.toString()]: tree.ramPages, [tree.user.toString()]: tree.userPages };
  for (const [table, leaves] of Object.entries(upper)) {
    const user = BigInt(table) === tree.user ? U : 0n;
    put(BigInt(table), 0n, down(leaves));
    put(BigInt(table), 1n, entry(layout.superpage, R | W | X | user));
    put(BigInt(table), ALIAS >> 21n, down(leaves));
    put(BigInt(table), (ALIAS >> 21n) + 1n, entry(layout.superpage, R | W | (user ^ U) | G));
  }
  const leaf = (table: bigint, physical: bigint, bits: bigint, virtual = physical): void =>
    put(table, (virtual - RAM) >> 12n, entry(physical, bits));
  leaf(tree.ramPages, layout.supervisor, R | X | A);
  const code = R | X | (writableCode ? W | D : 0n);
  for (let i = 0n; i < layout.codePages; i++) {
    // Some have been accessed and some have not.
    leaf(tree.ramPages, layout.code + (i << 12n), code | (i & 1n ? A : 0n));
    leaf(tree.userPages, layout.code + (i << 12n), code | U | (i & 2n ? A : 0n));
  }
  for (let i = 0n; i < layout.dataPages; i++) {
    const virtual = layout.data + (i << 12n);
    const last = i === layout.dataPages - 1n;
    leaf(tree.ramPages, virtual, last ? X : R | W | (i & 1n ? A | D : 0n));
    // Pages 5 and 4 are one; in the other tree 2 and 3 change places.
    const page = i === 5n ? 4n : which === 1n && (i === 2n || i === 3n) ? 5n - i : i;
    leaf(tree.userPages, layout.data + (page << 12n), (last ? X : R | W) | U | (i & 2n ? A : 0n), virtual);
  }
  for (const [table, user] of [
    [tree.ramPages, 0n],
    [tree.userPages, U],
  ] as const) {
    leaf(table, layout.twins + which * 0x1000n, R | X | user, layout.twins);
  }
  for (let i = 0n; i < 16n; i++) leaf(tree.ramPages, layout.tables + (i << 12n), R | W | A | D);
  // What handlers and the end of the program use; U sees none of it.
  const state = (layout.supervisorLog + layout.logBytes - layout.state) >> 12n;
  for (let i = 0n; i < 16n; i++) leaf(tree.ramPages, layout.backup + (i << 12n), R | A);
  for (let i = 0n; i < state; i++) leaf(tree.ramPages, layout.state + (i << 12n), R | W | A | D);
  return words;
}

/** Code pages whose leaves programs edit, among others. */
const EDITED_CODE_PAGES = 8n;

/** Entries to copy back from the backup, as offsets from the tables: of leaves, or of all that programs may edit. */
export function repairs(everything: boolean): readonly (readonly [from: bigint, to: bigint])[] {
  const ranges: (readonly [bigint, bigint])[] = [];
  for (const base of [0n, layout.treeBytes]) {
    const leaves = (table: bigint, from: bigint, pages: bigint): void => {
      const at = base + table + ((from - RAM) >> 12n) * 8n;
      ranges.push([at, at + pages * 8n]);
    };
    for (const table of [tree.ramPages, tree.userPages]) {
      leaves(table, layout.data, layout.dataPages);
      leaves(table, layout.code, EDITED_CODE_PAGES);
    }
    if (!everything) continue;
    for (const table of [tree.ram, tree.user]) ranges.push([base + table, base + table + 32n]);
    ranges.push([base + tree.root, base + tree.root + 32n]);
  }
  return ranges;
}
