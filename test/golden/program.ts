/**
 * The guest programs of the golden files. Each is written for GNU as (`programs/*.s`); what the assembler makes of it heads
 * the golden file as a listing, so that a machine without an assembler for RISC-V can do all but compare the two.
 *
 * A program is one page. It is entered at the label `entry` and at those that are global; nobody has been seen at a label
 * whose name begins with `cold_`.
 */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { disassemble } from '../../src/core/isa/disassembler.ts';
import { PAGE_BYTES } from '../../src/core/machine/memory-map.ts';

export interface Label {
  readonly name: string;
  readonly offset: number;
  readonly role: 'entered' | 'cold' | 'inner';
}

export interface Program {
  /** What it shows: the comment that the source begins with, by lines. */
  readonly purpose: readonly string[];
  /** In the order of their places. */
  readonly labels: readonly Label[];
  /** The page, and 2 bytes of the next one. */
  readonly image: Uint8Array<ArrayBuffer>;
}

const IMAGE_BYTES = PAGE_BYTES + 2;
const prefix = 'riscv64-linux-gnu-';
const march = '-march=rv64g_zba_zbb_zbs';

export function assembleProgram(source: string): Program {
  const directory = mkdtempSync(join(tmpdir(), 'understudy-golden-'));
  const file = (name: string): string => join(directory, name);
  const tool = (name: string, ...args: string[]): string => execFileSync(prefix + name, args, { encoding: 'utf8' });
  try {
    tool('as', march, '-mno-relax', '-o', file('object'), source);
    tool('objcopy', '-O', 'binary', '-j', '.text', file('object'), file('image'));
    const image = new Uint8Array(IMAGE_BYTES);
    image.set(readFileSync(file('image')).subarray(0, IMAGE_BYTES));
    const purpose = /^(#.*\n)*/.exec(readFileSync(source, 'utf8'))?.[0].trimEnd().split('\n') ?? [];
    const symbols = tool('nm', '--numeric-sort', file('object')).trimEnd().split('\n');
    return { purpose: purpose.map((line) => line.slice(2)), labels: symbols.map(labelOf), image };
  } finally {
    rmSync(directory, { recursive: true });
  }
}

/** From a line of `nm`: value, type (upper case for global symbols), name. */
function labelOf(line: string): Label {
  const [value, type, name] = line.split(' ');
  const isEntered = type === 'T' || name === 'entry';
  const role = isEntered ? 'entered' : name.startsWith('cold_') ? 'cold' : 'inner';
  return { name, offset: Number.parseInt(value, 16), role };
}

const remarks = { entered: '  ; entered from outside', cold: '  ; not reached so far', inner: '' } as const;

/** The program as it heads a golden file, in comments of the text format. */
export function listingOf({ purpose, labels, image }: Program): string {
  const lines = [...purpose, ''];
  const view = new DataView(image.buffer);
  for (let offset = 0; offset < PAGE_BYTES; ) {
    for (const label of labels) if (label.offset === offset) lines.push(`${label.name}:${remarks[label.role]}`);
    const low = view.getUint16(offset, true);
    const length = (low & 3) === 3 ? 4 : 2;
    const word = length === 4 ? view.getUint32(offset, true) : low;
    if (word !== 0) {
      const text = disassemble(word, BigInt(offset)).replace('\t', ' ');
      lines.push(`  ${hex(offset, 3)}  ${hex(word, length * 2).padEnd(8)}  ${text}`);
    }
    offset += length;
  }
  return lines.map((line) => `;; ${line}`.trimEnd().concat('\n')).join('');
}

const hex = (value: number, digits: number): string => value.toString(16).padStart(digits, '0');

/** The program whose listing a golden file begins with. */
export function readListing(golden: string): Program {
  const listing = golden.slice(0, golden.indexOf('(module')).split('\n');
  const empty = listing.indexOf(';;');
  assert.ok(empty > 0, 'a golden file begins with what it shows, an empty comment, and a listing');
  const image = new Uint8Array(IMAGE_BYTES);
  const view = new DataView(image.buffer);
  const labels: Label[] = [];
  let named: Omit<Label, 'offset'>[] = [];
  for (const line of listing.slice(empty + 1)) {
    const label = /^;; (\w+):(.*)$/.exec(line);
    if (label) {
      const [, name, remark] = label;
      named.push({ name, role: remark === remarks.entered ? 'entered' : remark === remarks.cold ? 'cold' : 'inner' });
    }
    const code = /^;; {3}([0-9a-f]{3}) {2}([0-9a-f]+) /.exec(line);
    if (!code) continue;
    const offset = Number.parseInt(code[1], 16);
    if (code[2].length === 8) view.setUint32(offset, Number.parseInt(code[2], 16), true);
    else view.setUint16(offset, Number.parseInt(code[2], 16), true);
    labels.push(...named.map((each) => ({ ...each, offset })));
    named = [];
  }
  return { purpose: listing.slice(0, empty).map((line) => line.slice(3)), labels, image };
}
