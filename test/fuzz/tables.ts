/** Edits of page tables, with their fence or without; switches of the address space; the superpages. */
import type { Draw } from './draw.ts';
import { ALIAS, jobs, layout, USER } from './layout.ts';
import { satpOf } from './page-tables.ts';
import type { Part } from './part.ts';

/** An edit and its fence. In a portable program the fence belongs to the edit, and nobody may take one without the other. */
function withFence(d: Draw, ...lines: readonly string[]): Part {
  if (d.features.portable) return [...lines, 'sfence.vma'];
  const fence = d.pick(['sfence.vma', 'sfence.vma', 'sfence.vma s0, zero', 'sfence.vma zero, a0']);
  return [...lines, d.chance(d.features.fences) ? [fence] : []];
}

export function tablePart(d: Draw): Part {
  const base = d.pick(jobs.leaves);
  const flip = (offset: number, bit: number): Part =>
    withFence(d, `ld t5, ${offset}(${base})`, `xori t5, t5, ${bit}`, `sd t5, ${offset}(${base})`);
  switch (d.below(d.features.wildEdits ? 11 : 7)) {
    case 0:
      return swapTrees(d);
    case 1: {
      // Two user pages change places.
      const [a, b] = [dataLeaf(d), dataLeaf(d)];
      return withFence(d, `ld t5, ${a}(s5)`, `ld t6, ${b}(s5)`, `sd t6, ${a}(s5)`, `sd t5, ${b}(s5)`);
    }
    case 6: {
      // A page of code.
      const offset = (16 + d.below(6)) * 8 - 0x400;
      if (!d.features.portable) return flip(offset, d.pick([0x40, 0x40, 0x80, 2, 4, 8, 0x10, 1]));
      // In M, which does not stand in it. The handler of S reads instructions there: R stays.
      const edit = [`ld t5, ${offset}(${base})`, 'xori t5, t5, 8', `sd t5, ${offset}(${base})`, 'sfence.vma'];
      return ['li a7, 3', 'ecall', ...edit, `li a7, ${d.below(2)}`, 'ecall'];
    }
    case 7:
      return upperEdit(d);
    case 8: {
      // A write that changes nothing.
      const offset = dataLeaf(d);
      return [`lw t5, ${offset}(${base})`, `sw t5, ${offset}(${base})`];
    }
    case 9:
    case 10: {
      const bit = d.pick([1, 2, 4, 0x40, 0x80]);
      return withFence(d, `addi t6, ${base}, ${dataLeaf(d)}`, `li t5, ${bit}`, 'amoxor.d t5, t5, (t6)');
    }
    default:
      return flip(dataLeaf(d), d.pick([0x40, 0x40, 0x80, 0x80, 1, 4, 6, 0x10]));
  }
}

/** Offset of a data page's leaf from s2 and s5. What atomics use stays where it is in portable programs. */
const dataLeaf = (d: Draw): number => (d.features.portable ? d.between(2, 7) : d.below(8)) * 8 + 0x400;

/** The other tree; the same code is there, with the data elsewhere. */
function swapTrees(d: Draw): Part {
  const { paging } = d.features;
  const delta = satpOf(paging, 0) ^ satpOf(paging, 1);
  return withFence(d, 'csrr t5, satp', `li t6, ${delta}`, 'xor t5, t5, t6', 'csrw satp, t5');
}

/**
 * A page of code in two versions, callable with t0: it switches to the other tree under its own feet. For S; in U nothing
 * changes.
 */
export function twins(d: Draw, label: string): Part {
  const { paging } = d.features;
  const delta = satpOf(paging, 0) ^ satpOf(paging, 1);
  const work = Array.from({ length: 8 }, () => d.pick(['a0', 'a1', 'a2', 's3', 't1']));
  const line = (i: number, which: bigint): string =>
    `addi ${work[i]}, ${work[(i + 1) % 8]}, ${i * 16 + Number(which) * 7}`;
  const version = (which: bigint): string[] => [
    ...[`.org ${layout.twins + which * 0x1000n}`, which === 0n ? `${label}:` : '', line(0, which), line(1, which)],
    ...['csrr t5, satp', `li t6, ${delta}`, 'xor t5, t5, t6', line(2, which), 'csrw satp, t5'],
    ...[line(3, which), line(4, which), `c.addi a3, ${1 + Number(which)}`, line(5, which)],
    ...['csrr t5, satp', 'xor t5, t5, t6', 'csrw satp, t5', line(6, which), 'csrr t6, sscratch', 'jr t0'],
  ];
  return [...version(0n), ...version(1n)];
}

/** A bit of an upper entry, or of a superpage. */
function upperEdit(d: Draw): Part {
  const table = layout.tables + d.pick([0x2000n, 0x3000n]);
  const [index, bit] = d.pick([
    [1, 0x40],
    [1, 0x80],
    [1, 4],
    [2, 1],
    [3, 0x80],
    [3, 1],
  ] as const);
  return withFence(d, `li t6, ${table + BigInt(index) * 8n}`, `li t5, ${bit}`, 'amoxor.d t5, t5, (t6)');
}

/** What the superpages map. */
export function superpagePart(d: Draw): Part {
  const base = layout.superpage + d.pick([0n, USER, ALIAS, USER + ALIAS]) + BigInt(d.below(4)) * 0x1_0000n;
  const at = (): string => `${d.between(0, 200)}(t6)`;
  return [`li t6, ${base}`, [`sd ${d.source()}, ${at()}`], [`ld ${d.destination()}, ${at()}`]];
}
