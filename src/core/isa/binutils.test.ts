/**
 * Decoder and disassembler against GNU binutils, which share nothing with them: every 16-bit word and many 32-bit ones must
 * be legal, and read the same, to both; and what the disassembler writes must assemble to the bits that it came from.
 * Where binutils for RISC-V are not installed the tests are skipped, except in CI.
 */
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { csrNames } from './csr-names.ts';
import { decode } from './decoder.ts';
import { disassemble, disassembleDecoded } from './disassembler.ts';
import { type Entry, entries } from './table.ts';

const prefix = 'riscv64-linux-gnu-';
const march = '-march=rv64gc_zba_zbb_zbs_zicsr_zifencei_zihintpause';
const hint = 'binutils for RISC-V are not installed (on Debian: apt install binutils-riscv64-linux-gnu)';
const installed = spawnSync(`${prefix}as`, ['--version']).status === 0;
const skip = !installed && process.env.CI !== 'true' ? hint : false;

let directory = '';
before(() => {
  assert.ok(installed || skip, hint);
  directory = mkdtempSync(join(tmpdir(), 'understudy-isa-'));
});
after(() => rmSync(directory, { recursive: true, force: true }));

const inDirectory = (name: string): string => join(directory, name);
const tool = (name: string, args: readonly string[]): string =>
  execFileSync(prefix + name, args, { encoding: 'utf8', maxBuffer: 1 << 28 });

/** A repeatable sequence of 32-bit numbers (xorshift32). */
function numbers(seed: number): () => number {
  let state = seed;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return state >>> 0;
  };
}

/** A word that the entry matches; its other bits are random. */
function wordOf(entry: Entry, next: () => number): number {
  for (;;) {
    const free = entry.length === 4 ? next() : next() & 0xffff;
    const word = (entry.match | (free & ~entry.mask)) >>> 0;
    if (entry.nonzero.every((field) => (word & field) !== 0) && decode(word)?.entry === entry) return word;
  }
}

function encode(words: readonly number[]): Buffer {
  const bytes = Buffer.alloc(words.length * 4);
  let length = 0;
  for (const word of words) {
    length = (word & 3) === 3 ? bytes.writeUInt32LE(word, length) : bytes.writeUInt16LE(word, length);
  }
  return bytes.subarray(0, length);
}

/** What objdump makes of the words: [address, bits, text] of each. */
function objdump(words: readonly number[]): [bigint, number, string][] {
  // An object file of our architecture whose code is replaced: the assembler would refuse half of the words.
  writeFileSync(inDirectory('shell.s'), 'nop\n');
  writeFileSync(inDirectory('words'), encode(words));
  tool('as', [march, '-o', inDirectory('shell.o'), inDirectory('shell.s')]);
  tool('objcopy', [
    '--update-section',
    `.text=${inDirectory('words')}`,
    inDirectory('shell.o'),
    inDirectory('words.o'),
  ]);
  const listing = tool('objdump', ['-d', '-z', '-M', 'no-aliases,priv-spec=1.12', inDirectory('words.o')]);
  return [...listing.matchAll(/^ +([0-9a-f]+):\t([0-9a-f]+) +\t([^<#\n]*)/gm)].map(([, address, bits, text]) => [
    BigInt(`0x${address}`),
    Number.parseInt(bits, 16),
    oldSpelling(text.trimEnd()),
  ]);
}

/** Binutils 2.41 and later write what is no instruction as `.insn 2, 0x0004`; before that it was `.2byte 0x4`. */
function oldSpelling(text: string): string {
  const unknown = /^[.]insn\t([24]), 0x0*([0-9a-f]+)$/.exec(text);
  return unknown === null ? text : `.${unknown[1]}byte\t0x${unknown[2]}`;
}

/** Rounding modes other than 0 of exact conversions: binutils 2.40 does not know that they exist. */
const isExactConversion = (bits: number): boolean =>
  (bits & 0xfff0007f) >>> 0 === 0x42000053 || (bits & 0xffe0007f) >>> 0 === 0xd2000053;

/** Where we differ from binutils (2.40) knowingly. Gives what binutils would say if it were as we are. */
function reconcile(bits: number, ours: string, theirs: string): string {
  const name = theirs.split('\t')[0];
  // Reserved fields of fences are ignored by the specification; binutils wants them to be 0.
  if (/^fence/.test(ours) && name === '.4byte') return ours;
  if (isExactConversion(bits) && name === '.4byte') return ours;
  // c.nop is c.addi zero,0 to binutils, and c.nop with an immediate is a HINT.
  if (name === 'c.addi' && theirs.includes('zero,'))
    return theirs.replace('c.addi\tzero,', 'c.nop\t').replace(/\t0$/, '');
  // Shifts by 0 are HINTs in RV64 and other instructions in RV128, for which binutils has names.
  if (/^c\.(slli|srli|srai)64$/.test(name)) return `${theirs.replace('64', '')},0x0`;
  // c.addi16sp with immediate 0 is reserved. 0x0000 has a name. The others left RISC-V before it was ratified, or came later.
  if (bits === 0x6101 || bits === 0) return `.2byte\t0x${bits.toString(16)}`;
  if (/^(uret|hret|sfence\.vm)$/.test(name)) return `.4byte\t0x${bits.toString(16)}`;
  // CSRs that no hart of ours has.
  const csr = bits >>> 20;
  if (/^csrr/.test(name) && !csrNames.has(csr)) return theirs.replace(/,[a-z]\w*,/, `,0x${csr.toString(16)},`);
  return theirs;
}

function compare(words: readonly number[]): void {
  const listing = objdump(words);
  assert.equal(listing.length, words.length);
  for (const [i, [address, bits, theirs]] of listing.entries()) {
    assert.equal(bits, words[i]);
    const ours = disassemble(bits, address);
    assert.equal(ours, reconcile(bits, ours, theirs), `${bits.toString(16)}: binutils says ${theirs}`);
  }
}

test('all 16-bit words are legal and read the same to us and to objdump', { skip }, () => {
  const words: number[] = [];
  for (let word = 0; word <= 0xffff; word++) if ((word & 3) !== 3) words.push(word);
  compare(words);
});

test('random 32-bit words, many of them a bit away from an instruction, are legal and read the same', { skip }, () => {
  const wide = entries.filter(({ length }) => length === 4);
  const next = numbers(0x5eed);
  const words: number[] = [];
  while (words.length < 200_000) {
    const legal = wordOf(wide[next() % wide.length], next);
    for (const word of [legal, (legal ^ (1 << (2 + (next() % 30)))) >>> 0, (next() | 3) >>> 0]) {
      // Longer encodings (unprivileged specification, 1.5) would take the words behind them along.
      if ((word & 0x1f) !== 0x1f) words.push(word);
    }
  }
  compare(words);
});

function readWords(file: string): number[] {
  const bytes = readFileSync(file);
  const words: number[] = [];
  for (let at = 0; at < bytes.length; at += (bytes[at] & 3) === 3 ? 4 : 2) {
    words.push((bytes[at] & 3) === 3 ? bytes.readUInt32LE(at) : bytes.readUInt16LE(at));
  }
  return words;
}

/** Encodings that the disassembler shows and the assembler (2.40) does not take. */
function isUnwritable(entry: Entry, bits: number): boolean {
  const text = disassemble(bits, 0n);
  return (
    text.includes('unknown') ||
    (isExactConversion(bits) && (bits & 0x7000) !== 0) ||
    // HINTs that have other names.
    /^c\.s..i\t.*,0x0$/.test(text) ||
    // Reserved fields are not shown.
    (entry.name === 'fence' && (bits & 0xf00fff80) !== 0) ||
    (entry.name === 'fence.i' && (bits & 0xffff8f80) !== 0)
  );
}

/** `.option` keeps the assembler from choosing another encoding; targets are written from where we are. */
function sourceLine(entry: Entry, bits: number): string {
  const decoded = decode(bits);
  assert.ok(decoded);
  const text = disassembleDecoded(decoded, 0n);
  const source = entry.operands.includes('target') ? text.replace(/[0-9a-f]+$/, `.+${decoded.imm}`) : text;
  return `.option ${entry.length === 2 ? 'rvc' : 'norvc'}\n${source}\n`;
}

test('what the disassembler writes assembles to the same bits, for every entry of the table', { skip }, () => {
  const next = numbers(1);
  const words: number[] = [];
  const written = new Set<Entry>();
  let source = '';
  for (const entry of entries) {
    for (let i = 0; i < 40; i++) {
      const bits = wordOf(entry, next);
      if (isUnwritable(entry, bits)) continue;
      written.add(entry);
      words.push(bits);
      source += sourceLine(entry, bits);
    }
  }
  writeFileSync(inDirectory('round.s'), source);
  tool('as', [march, '-mno-arch-attr', '-o', inDirectory('round.o'), inDirectory('round.s')]);
  tool('objcopy', ['-O', 'binary', '-j', '.text', inDirectory('round.o'), inDirectory('round')]);
  assert.deepEqual(readWords(inDirectory('round')), words);
  // Random fences have reserved fields; the sweep above compares them.
  const missing = entries.filter((entry) => !written.has(entry)).map(({ name }) => name);
  assert.deepEqual(missing, ['fence', 'fence.i']);
});
