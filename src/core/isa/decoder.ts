/**
 * From instruction bits to an operation and its operands. Every decision that depends on the table alone is made at
 * start-up: a 16-bit word is looked up directly, a 32-bit word by opcode, funct3 and funct7, which leaves one candidate
 * nearly always. Nothing is allocated when an instruction is decoded.
 */
import type { Fields } from './formats.ts';
import { type Entry, entries } from './table.ts';

export interface Decoded extends Fields {
  /** Id of the operation (index into `operations`). */
  operation: number;
  /** What was really written: a compressed instruction's own entry, for the disassembler. */
  entry: Entry;
  length: 2 | 4;
  /** The instruction as fetched, unsigned: 16 or 32 bits. */
  bits: number;
}

/** A record to be filled by `decodeInto`. */
export function makeDecoded(): Decoded {
  return { operation: 0, entry: entries[0], length: 4, rd: 0, rs1: 0, rs2: 0, rs3: 0, imm: 0, rm: 0, bits: 0 };
}

/** Calls `visit` with each value of the bits that `free` selects, the others 0. */
function eachSubset(free: number, visit: (value: number) => void): void {
  let value = 0;
  do {
    visit(value);
    value = (value - free) & free;
  } while (value !== 0);
}

const fixedBits = (entry: Entry): number => {
  let count = 0;
  for (let mask = entry.mask; mask !== 0; mask &= mask - 1) count++;
  return count;
};

/** The most specific first: c.addi16sp before c.lui. */
const bySpecificity: readonly Entry[] = entries.toSorted((a, b) => fixedBits(b) - fixedBits(a));

/** For each 16-bit word its entry, or undefined. */
const compressed: readonly (Entry | undefined)[] = (() => {
  const table = new Array<Entry | undefined>(0x10000).fill(undefined);
  for (const entry of bySpecificity) {
    if (entry.length !== 2) continue;
    eachSubset(0xffff & ~entry.mask, (free) => {
      const word = entry.match | free;
      if (entry.nonzero.every((field) => (word & field) !== 0)) table[word] ??= entry;
    });
  }
  return table;
})();

/** opcode (without its two low bits), funct3 and funct7 packed into 15 bits. */
const bucketOf = (bits: number): number => ((bits & 0x7c) << 8) | ((bits >>> 5) & 0x380) | (bits >>> 25);

/** The bits that `bucketOf` looks at. */
const BUCKET_BITS = 0xfe00_707c;

interface Candidate {
  readonly entry: Entry;
  /** Signed, as the operators of JavaScript see them. */
  readonly match: number;
  readonly mask: number;
}

const buckets: readonly (readonly Candidate[])[] = (() => {
  const none: readonly Candidate[] = [];
  const table = new Array<readonly Candidate[]>(0x8000).fill(none);
  for (const entry of bySpecificity) {
    if (entry.length !== 4) continue;
    const candidate = { entry, match: entry.match | 0, mask: entry.mask | 0 };
    eachSubset(BUCKET_BITS & ~entry.mask, (free) => {
      const bucket = bucketOf(entry.match | free);
      table[bucket] = [...table[bucket], candidate];
    });
  }
  return table;
})();

function find(bits: number): Entry | undefined {
  for (const { entry, match, mask } of buckets[bucketOf(bits)]) {
    if ((bits & mask) === match) return entry;
  }
  return undefined;
}

/**
 * Decodes the instruction in `bits` (32 bits, signed or unsigned; the upper half is ignored if the lower one is a
 * compressed instruction) into `out`. False: it is illegal, and only `length` and `bits` of `out` mean something.
 * Reserved rounding modes are no concern of this function: they depend on frm.
 */
export function decodeInto(bits: number, out: Decoded): boolean {
  const long = (bits & 3) === 3;
  const entry = long ? find(bits) : compressed[bits & 0xffff];
  out.length = long ? 4 : 2;
  out.bits = long ? bits >>> 0 : bits & 0xffff;
  if (entry === undefined) return false;
  out.entry = entry;
  out.operation = entry.operation;
  entry.format.extract(bits, out);
  return true;
}

/** The same into a new record; undefined if the instruction is illegal. */
export function decode(bits: number): Decoded | undefined {
  const out = makeDecoded();
  return decodeInto(bits, out) ? out : undefined;
}
