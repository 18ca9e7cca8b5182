/**
 * An assembler for the programs of these tests, over the ISA table: what GNU as would accept of RV64, as far as tests need
 * it, so that no test of the machine needs binutils. Two passes; the size of everything is known in the first.
 *
 *     labels         name:   1: with 1b and 1f       numbers   decimal or 0x, symbols, sums and differences of them
 *     directives     .org address   .align log2   .byte .half .word .dword values   .zero bytes
 *     pseudo         li la mv not neg nop ret j jr call beqz bnez bgez bltz csrr csrw csrs csrc csrwi csrsi csrci fmv.d ...
 *
 * Lines end at a newline or a semicolon; `#` begins a comment. The ISA table's own tests hold it against binutils.
 */
import assert from 'node:assert/strict';
import { csrNames } from '../../../src/core/isa/csr-names.ts';
import { decode } from '../../../src/core/isa/decoder.ts';
import { floatRegisterNames, registerNames } from '../../../src/core/isa/disassembler.ts';
import type { Operand } from '../../../src/core/isa/instruction.ts';
import { type Entry, entries } from '../../../src/core/isa/table.ts';

export interface Assembled {
  readonly origin: bigint;
  readonly bytes: Uint8Array;
  readonly symbols: ReadonlyMap<string, bigint>;
}

const registers = new Map<string, number>([
  ...registerNames.flatMap((name, i): [string, number][] => [
    [name, i],
    [`x${i}`, i],
  ]),
  ['fp', 8],
]);
const floatRegisters = new Map<string, number>(
  floatRegisterNames.flatMap((name, i): [string, number][] => [
    [name, i],
    [`f${i}`, i],
  ]),
);
const csrNumbers = new Map([...csrNames].map(([number, name]) => [name, number]));
const roundingModes = ['rne', 'rtz', 'rdn', 'rup', 'rmm', 'rm5', 'rm6', 'dyn'];
const DYNAMIC = 7;
const longEntries = new Map(entries.filter(({ length }) => length === 4).map((entry) => [entry.name, entry]));

interface Item {
  readonly address: bigint;
  readonly text: string;
  readonly emit: (address: bigint) => Uint8Array;
}

export function assemble(source: string, origin = 0x8000_0000n): Assembled {
  return new Assembler(origin).run(source);
}

class Assembler {
  readonly #origin: bigint;
  readonly #symbols = new Map<string, bigint>();
  /** Addresses of each numeric label, in order. */
  readonly #locals = new Map<string, bigint[]>();
  readonly #items: Item[] = [];
  #address: bigint;
  #end: bigint;
  /** The line at hand, for messages. */
  #text = '';

  constructor(origin: bigint) {
    this.#origin = origin;
    this.#address = origin;
    this.#end = origin;
  }

  run(source: string): Assembled {
    for (const text of source.replaceAll(/#.*/g, '').split(/[\n;]/)) {
      this.#text = text.trim();
      explain(this.#text, () => this.#line(this.#text));
    }
    const bytes = new Uint8Array(Number(this.#end - this.#origin));
    for (const { text, address, emit } of this.#items) {
      explain(text, () => bytes.set(emit(address), Number(address - this.#origin)));
    }
    return { origin: this.#origin, bytes, symbols: this.#symbols };
  }

  #line(text: string): void {
    const label = /^([\w.]+):\s*/.exec(text);
    if (label !== null) {
      const name = label[1];
      if (/^\d+$/.test(name)) this.#locals.set(name, [...(this.#locals.get(name) ?? []), this.#address]);
      else this.#symbols.set(name, this.#address);
      this.#line(text.slice(label[0].length));
      return;
    }
    if (text === '') return;
    const [, name, rest] = /^(\S+)\s*(.*)$/.exec(text) ?? [];
    const args = rest === '' ? [] : rest.split(',').map((arg) => arg.trim());
    if (name.startsWith('.')) this.#directive(name, args);
    else this.#instruction(name, args);
  }

  #add(size: number, emit: (address: bigint) => Uint8Array): void {
    this.#items.push({ address: this.#address, text: this.#text, emit });
    this.#moveTo(this.#address + BigInt(size));
  }

  #moveTo(address: bigint): void {
    assert(address >= this.#origin, 'before the origin');
    this.#address = address;
    if (address > this.#end) this.#end = address;
  }

  #directive(name: string, args: readonly string[]): void {
    const sizes: { readonly [name: string]: number } = { '.byte': 1, '.half': 2, '.word': 4, '.dword': 8 };
    const size = sizes[name];
    if (size !== undefined) {
      for (const arg of args) this.#add(size, (at) => littleEndian(this.#value(arg, at), size));
    } else if (name === '.org') this.#moveTo(number(args[0]));
    else if (name === '.align') {
      const unit = 1n << number(args[0]);
      this.#moveTo(((this.#address + unit - 1n) / unit) * unit);
    } else if (name === '.zero') this.#moveTo(this.#address + number(args[0]));
    else throw new Error(`no directive ${name}`);
  }

  #instruction(name: string, args: readonly string[]): void {
    const pseudo = expand(name, args);
    if (pseudo !== undefined) {
      for (const [real, ...operands] of pseudo) this.#instruction(real, operands);
      return;
    }
    if (name === 'la') {
      this.#add(8, (at) => this.#loadAddress(args, at));
      return;
    }
    if (name.startsWith('c.')) {
      this.#add(2, (at) => littleEndian(BigInt(this.#compressed(name, args, at)), 2));
      return;
    }
    const [base, ordering] = splitOrdering(name);
    const entry = longEntries.get(base);
    if (entry === undefined) throw new Error(`no instruction ${name}`);
    this.#add(4, (at) => littleEndian(BigInt(this.#encode(entry, args, at) | ordering), 4));
  }

  #loadAddress([register, target]: readonly string[], at: bigint): Uint8Array {
    const distance = Number(BigInt.asIntN(32, this.#value(target, at) - at));
    const upper = (distance + 0x800) & ~0xfff;
    const rd = registerNumber(register);
    const auipc = (0x17 | (rd << 7) | upper) >>> 0;
    const addi = (0x13 | (rd << 7) | (rd << 15) | ((distance - upper) << 20)) >>> 0;
    return littleEndian((BigInt(addi) << 32n) | BigInt(auipc), 8);
  }

  #encode(entry: Entry, args: readonly string[], at: bigint): number {
    let bits = entry.match;
    let next = 0;
    for (const operand of entry.operands) {
      const optional = operand === 'rm' || operand === 'fence' || entry.name === 'sfence.vma';
      const arg = args[next];
      if (arg === undefined) {
        assert(optional, `${operand} is missing`);
        if (operand === 'rm') bits |= DYNAMIC << 12;
        else if (operand === 'fence') bits |= 0xff << 20;
        continue;
      }
      next++;
      bits |= this.#field(entry, operand, arg, at);
    }
    assert.equal(next, args.length, 'too many operands');
    return bits >>> 0;
  }

  #field({ format, operands }: Entry, operand: Operand, arg: string, at: bigint): number {
    switch (operand) {
      case 'rd':
        return registerNumber(arg) << 7;
      case 'rs1':
        return registerNumber(arg) << 15;
      case 'rs2':
        return registerNumber(arg) << 20;
      case 'fd':
        return floatNumber(arg) << 7;
      case 'fs1':
        return floatNumber(arg) << 15;
      case 'fs2':
        return floatNumber(arg) << 20;
      case 'fs3':
        return floatNumber(arg) << 27;
      case '(rs1)':
        return registerNumber(/\((\w+)\)$/.exec(arg)?.[1] ?? arg) << 15;
      case 'imm(rs1)': {
        const [, offset, base] = /^(.*)\((\w+)\)$/.exec(arg) ?? [];
        const imm = offset === '' ? 0 : this.#signed(offset, at, 12);
        const isStore = format.name === 'S';
        const field = isStore ? ((imm >> 5) << 25) | ((imm & 31) << 7) : imm << 20;
        return field | (registerNumber(base) << 15);
      }
      case 'imm':
        return this.#signed(arg, at, 12) << 20;
      case 'shamt':
        return Number(this.#value(arg, at)) << 20;
      case 'upper':
        return Number(this.#value(arg, at)) << 12;
      case 'target':
        return (format.name === 'J' ? jumpField : branchField)(this.#offset(arg, at));
      case 'csr':
        return (csrNumbers.get(arg) ?? Number(this.#value(arg, at))) << 20;
      case 'zimm':
        return Number(this.#value(arg, at)) << 15;
      case 'rm':
        return roundingModes.indexOf(arg) << 12;
      case 'fence':
        assert(operands.length === 1);
        return Number(number(arg)) << 20;
    }
  }

  #compressed(name: string, args: readonly string[], at: bigint): number {
    const operands = compressedOperands.get(name);
    if (operands === undefined) throw new Error(`no instruction ${name}`);
    const forms = operands.filter((list) => list.length === args.length);
    for (const list of forms) {
      const word = compressedWords().get(`${name} ${list.map((o, i) => this.#canonical(o, args[i], at)).join(' ')}`);
      if (word !== undefined) return word;
    }
    throw new Error('it cannot be compressed');
  }

  #canonical(operand: Operand, arg: string, at: bigint): string {
    if (operand === 'target') return String(this.#offset(arg, at));
    if (operand === 'imm(rs1)') {
      const [, offset, base] = /^(.*)\((\w+)\)$/.exec(arg) ?? [];
      return `${Number(number(offset || '0'))}(${registerNumber(base)})`;
    }
    if (operand === 'imm' || operand === 'shamt' || operand === 'upper') return String(this.#signed(arg, at, 32));
    return String(operand.startsWith('f') ? floatNumber(arg) : registerNumber(arg));
  }

  #offset(target: string, at: bigint): number {
    return Number(BigInt.asIntN(64, this.#value(target, at) - at));
  }

  #signed(arg: string, at: bigint, width: number): number {
    const value = BigInt.asIntN(64, this.#value(arg, at));
    assert(BigInt.asIntN(width, value) === value, `${arg} does not fit`);
    return Number(value);
  }

  /** A sum of numbers and symbols; `.` is the present address. */
  #value(text: string, at: bigint): bigint {
    let sum = 0n;
    for (const [, sign, term] of text.matchAll(/\s*([+-]?)\s*([\w.]+)/g)) {
      const value = this.#term(term, at);
      sum += sign === '-' ? -value : value;
    }
    return BigInt.asUintN(64, sum);
  }

  #term(term: string, at: bigint): bigint {
    const local = /^(\d+)([bf])$/.exec(term);
    if (local !== null && !term.startsWith('0x')) {
      const places = this.#locals.get(local[1]) ?? [];
      const place = local[2] === 'b' ? places.findLast((place) => place <= at) : places.find((place) => place > at);
      if (place !== undefined) return place;
    }
    if (term === '.') return at;
    if (/^\d/.test(term)) return number(term);
    const symbol = this.#symbols.get(term);
    if (symbol === undefined) throw new Error(`no symbol ${term}`);
    return symbol;
  }
}

function explain(text: string, action: () => void): void {
  try {
    action();
  } catch (error) {
    throw new Error(`cannot assemble "${text}": ${(error as Error).message}`);
  }
}

function number(text: string): bigint {
  return text.startsWith('-') ? -BigInt(text.slice(1)) : BigInt(text);
}

function registerNumber(name: string): number {
  const found = registers.get(name);
  if (found === undefined) throw new Error(`no register ${name}`);
  return found;
}

function floatNumber(name: string): number {
  const found = floatRegisters.get(name);
  if (found === undefined) throw new Error(`no register ${name}`);
  return found;
}

function littleEndian(value: bigint, size: number): Uint8Array {
  return Uint8Array.from({ length: size }, (_, i) => Number((BigInt.asUintN(64, value) >> BigInt(8 * i)) & 255n));
}

function jumpField(offset: number): number {
  assert(offset >= -(2 ** 20) && offset < 2 ** 20 && offset % 2 === 0, 'the target is too far');
  return ((offset & 0x10_0000) << 11) | ((offset & 0x7fe) << 20) | ((offset & 0x800) << 9) | (offset & 0xf_f000);
}

function branchField(offset: number): number {
  assert(offset >= -4096 && offset < 4096 && offset % 2 === 0, 'the target is too far');
  return ((offset & 0x1000) << 19) | ((offset & 0x7e0) << 20) | ((offset & 0x1e) << 7) | ((offset & 0x800) >> 4);
}

function splitOrdering(name: string): [base: string, bits: number] {
  for (const [suffix, bits] of [
    ['.aqrl', 3 << 25],
    ['.aq', 2 << 25],
    ['.rl', 1 << 25],
  ] as const) {
    if (name.endsWith(suffix)) return [name.slice(0, -suffix.length), bits];
  }
  return [name, 0];
}

// ---- compressed instructions: the table backwards ---------------------------------------------------------------------

const compressedOperands = new Map<string, (readonly Operand[])[]>();
for (const { name, length, operands } of entries) {
  if (length === 2) compressedOperands.set(name, [...(compressedOperands.get(name) ?? []), operands]);
}

let words: Map<string, number> | undefined;
function compressedWords(): Map<string, number> {
  if (words !== undefined) return words;
  words = new Map();
  for (let bits = 0; bits < 0x10000; bits++) {
    const d = (bits & 3) === 3 ? undefined : decode(bits);
    if (d === undefined) continue;
    const fields: { readonly [operand in Operand]?: string | number } = {
      rd: d.rd,
      fd: d.rd,
      rs1: d.rs1,
      fs1: d.rs1,
      rs2: d.rs2,
      fs2: d.rs2,
      imm: d.imm,
      shamt: d.imm,
      upper: d.imm >>> 12,
      target: d.imm,
      'imm(rs1)': `${d.imm}(${d.rs1})`,
    };
    const key = `${d.entry.name} ${d.entry.operands.map((operand) => fields[operand]).join(' ')}`;
    if (!words.has(key)) words.set(key, bits);
  }
  return words;
}

// ---- pseudo-instructions ------------------------------------------------------------------------------------------------

type Words = readonly string[];

function expand(name: string, [a, b, c]: readonly string[]): readonly Words[] | undefined {
  switch (name) {
    case 'li':
      return loadImmediate(a, BigInt.asIntN(64, number(b)));
    case 'mv':
      return [['addi', a, b, '0']];
    case 'not':
      return [['xori', a, b, '-1']];
    case 'neg':
      return [['sub', a, 'zero', b]];
    case 'nop':
      return [['addi', 'zero', 'zero', '0']];
    case 'ret':
      return [['jalr', 'zero', '0(ra)']];
    case 'jr':
      return [['jalr', 'zero', `0(${a})`]];
    case 'j':
      return [['jal', 'zero', a]];
    case 'call':
      return [['jal', 'ra', a]];
    case 'beqz':
      return [['beq', a, 'zero', b]];
    case 'bnez':
      return [['bne', a, 'zero', b]];
    case 'bltz':
      return [['blt', a, 'zero', b]];
    case 'bgez':
      return [['bge', a, 'zero', b]];
    case 'csrr':
      return [['csrrs', a, b, 'zero']];
    case 'csrw':
      return [['csrrw', 'zero', a, b]];
    case 'csrs':
      return [['csrrs', 'zero', a, b]];
    case 'csrc':
      return [['csrrc', 'zero', a, b]];
    case 'csrwi':
      return [['csrrwi', 'zero', a, b]];
    case 'csrsi':
      return [['csrrsi', 'zero', a, b]];
    case 'csrci':
      return [['csrrci', 'zero', a, b]];
    case 'fmv.d':
      return [['fsgnj.d', a, b, b]];
    case 'bleu':
      return [['bgeu', b, a, c]];
    case 'bgtu':
      return [['bltu', b, a, c]];
    default:
      return undefined;
  }
}

/** The shortest of the usual sequences is not the point: it is right for every value. */
function loadImmediate(rd: string, value: bigint): readonly Words[] {
  if (BigInt.asIntN(12, value) === value) return [['addi', rd, 'zero', String(value)]];
  const low = BigInt.asIntN(12, value);
  if (BigInt.asIntN(32, value) === value) {
    const upper = BigInt.asUintN(20, (value - low) >> 12n);
    const lui: Words = ['lui', rd, String(upper)];
    return low === 0n ? [lui] : [lui, ['addiw', rd, rd, String(low)]];
  }
  let rest = (value - low) >> 12n;
  let shift = 12n;
  while ((rest & 1n) === 0n) {
    rest >>= 1n;
    shift++;
  }
  const shifted: Words = ['slli', rd, rd, String(shift)];
  const head = [...loadImmediate(rd, BigInt.asIntN(64, rest)), shifted];
  return low === 0n ? head : [...head, ['addi', rd, rd, String(low)]];
}
