/** Single instructions that compute: every one of the ISA table, compressed forms, all rounding modes. */
import { floatRegisterNames } from '../../src/core/isa/disassembler.ts';
import type { Operand } from '../../src/core/isa/instruction.ts';
import { type Entry, entries, operations } from '../../src/core/isa/table.ts';
import type { Draw } from './draw.ts';
import { free } from './layout.ts';
import type { Part } from './part.ts';

const long = (test: (entry: Entry) => boolean): readonly Entry[] => entries.filter((e) => e.length === 4 && test(e));
export const kindOf = (e: Entry): string => operations[e.operation].kind;
export const isFloat = (e: Entry): boolean => operations[e.operation].float;

/** QEMU before 8.0 counts wrongly in ctzw when the word is 0. */
const wrongInQemu = new Set(['ctzw']);
const integer = long((e) => kindOf(e) === 'compute' && !isFloat(e));
const portableInteger = integer.filter((e) => !wrongInQemu.has(e.name));
const floating = long((e) => kindOf(e) === 'compute' && isFloat(e));
const compressed = entries.filter((e) => e.length === 2 && kindOf(e) === 'compute');
const roundings = ['rne', 'rtz', 'rdn', 'rup', 'rmm', 'dyn', 'dyn', 'dyn', 'dyn'];
const narrow = /^c\.(srli|srai|andi|sub|xor|or|and|subw|addw|addi4spn)$/;

export function integerLine(d: Draw): string {
  return line(d, d.pick(d.features.portable ? portableInteger : integer));
}

export function floatLine(d: Draw): string {
  return line(d, d.pick(floating));
}

function line(d: Draw, { name, operands, format }: Entry): string {
  const text = (operand: Operand): string => {
    switch (operand) {
      case 'rd':
        return d.destination();
      case 'rs1':
      case 'rs2':
        return d.source();
      case 'fd':
      case 'fs1':
      case 'fs2':
      case 'fs3':
        return d.pick(floatRegisterNames);
      case 'imm':
        return String(d.between(-2048, 2047));
      case 'shamt':
        return String(d.below(format.name === 'shift' ? 64 : 32));
      case 'upper':
        return String(d.below(1 << 20));
      case 'rm':
        return d.chance(99) ? d.pick(roundings) : d.pick(['rm5', 'rm6']);
      default:
        throw new Error(`${name} has an operand ${operand}`);
    }
  };
  return `${name} ${operands.map(text).join(', ')}`;
}

/** Sums and products of fresh numbers of like size, as in numerical code: the usual case of everything in it. */
export function numbers(d: Draw): Part {
  const [a, b, c] = [d, d, d].map((from) => from.pick(floatRegisterNames));
  const [load, format] = d.pick([
    ['fld', 'd'],
    ['flw', 's'],
  ] as const);
  const operation = (): string => {
    const mode = d.chance(70) ? '' : `, ${d.pick(roundings)}`;
    if (d.chance(30))
      return `${d.pick(['fmadd', 'fmsub', 'fnmadd', 'fnmsub'])}.${format} ${c}, ${a}, ${b}, ${c}${mode}`;
    const from = d.pick([a, b, c]);
    return `${d.pick(['fadd', 'fsub', 'fmul', 'fdiv'])}.${format} ${d.pick([b, c])}, ${from}, ${a}${mode}`;
  };
  return [
    ...[a, b].map((register): Part => [`${load} ${register}, ${d.below(256) * 8}(s0)`]),
    ...Array.from({ length: d.between(1, 4) }, (): Part => [operation()]),
  ];
}

export function compressedLine(d: Draw): string {
  const { name, operands } = d.pick(compressed);
  if (name === 'c.nop') return 'c.nop';
  if (name === 'c.addi16sp') {
    const by = d.pick([16, 32, -64, 496]);
    return `c.addi16sp sp, ${by}; c.addi16sp sp, ${-by}`;
  }
  const isNarrow = narrow.test(name);
  const register = (): string => (isNarrow ? d.short() : d.pick(free));
  const text = (operand: Operand): string => {
    switch (operand) {
      case 'rd':
      case 'rs2':
        return register();
      case 'rs1':
        return 'sp';
      case 'imm':
        return String(name === 'c.addi4spn' ? d.between(1, 255) * 4 : d.between(-32, 31));
      case 'shamt':
        return String(d.between(1, 63));
      case 'upper':
        return String(d.between(1, 31));
      default:
        throw new Error(`${name} has an operand ${operand}`);
    }
  };
  return `${name} ${operands.map(text).join(', ')}`;
}
