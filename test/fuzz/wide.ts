/**
 * Much code: thousands of pages with a few instructions each, so that the caches of decoded and translated code have to give
 * some up and make them again.
 */
import type { Draw } from './draw.ts';
import { encode } from './encode.ts';
import { layout, RAM } from './layout.ts';
import type { Word } from './page-tables.ts';
import type { Part } from './part.ts';

/** More than the machine keeps decoded. */
const PAGES = 2300;
const START = RAM + 0x40_0000n;
export const WIDE_RAM_BYTES = 16 * 1024 * 1024;
/** Behind the last one. */
export const wideEnd: bigint = START + BigInt(PAGES) * 4096n;

/** Each page: a0 gets its number, a1 counts, and back by t0. */
export function wideWords(): Word[] {
  const tail = BigInt(encode('c.addi a1, 1')) | (BigInt(encode('c.jr t0')) << 16n);
  return Array.from({ length: PAGES }, (_, i) => {
    const add = BigInt(encode(`addi a0, a0, ${(i * 7) % 2048}`));
    return { address: START + BigInt(i) * 4096n, value: add | (tail << 32n) };
  });
}

/** Calls pages one after the other; most often all of them, or a few again and again. */
export function widePart(d: Draw): Part {
  const count = d.chance(50) ? PAGES : d.between(5, 40);
  const first = d.below(PAGES - count + 1);
  const [label, counter] = [d.label(), d.pick(['s3', 's4', 's7'])];
  return [
    ...[`li t6, ${START + BigInt(first) * 4096n}`, `li ${counter}, ${count}`, `${label}:`, 'jalr t0, 0(t6)'],
    ...['lui t5, 1', 'add t6, t6, t5', `addi ${counter}, ${counter}, -1`, `bnez ${counter}, ${label}`],
  ];
}

/** Where the image of a program ends. */
export const imageEnd = (wide: boolean): bigint => (wide ? wideEnd : layout.superpage + 0x1000n);
