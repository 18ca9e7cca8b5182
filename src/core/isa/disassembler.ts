/**
 * Instructions as text, as `objdump -d -M no-aliases` of GNU binutils writes them (ABI register names, targets as absolute
 * addresses in hexadecimal), so that a trace can be held against a listing line by line. Exceptions: c.nop is called c.nop
 * (binutils: c.addi zero,0), and CSRs that no hart of ours has are numbers.
 */
import { csrNames } from './csr-names.ts';
import { type Decoded, decode } from './decoder.ts';
import type { Operand } from './instruction.ts';
import { operations } from './table.ts';

/** ABI names of x0 to x31 and f0 to f31 (RISC-V ELF psABI, "Register convention"). */
export const registerNames: readonly string[] =
  'zero ra sp gp tp t0 t1 t2 s0 s1 a0 a1 a2 a3 a4 a5 a6 a7 s2 s3 s4 s5 s6 s7 s8 s9 s10 s11 t3 t4 t5 t6'.split(' ');
export const floatRegisterNames: readonly string[] =
  'ft0 ft1 ft2 ft3 ft4 ft5 ft6 ft7 fs0 fs1 fa0 fa1 fa2 fa3 fa4 fa5 fa6 fa7 fs2 fs3 fs4 fs5 fs6 fs7 fs8 fs9 fs10 fs11 ft8 ft9 ft10 ft11'.split(
    ' ',
  );

const roundingModes = ['rne', 'rtz', 'rdn', 'rup', 'rmm', 'unknown', 'unknown', 'dyn'] as const;
const DYNAMIC = 7;

/** Conversions that are always exact: binutils leaves out their rounding mode when the field is 0. */
const exactConversions: ReadonlySet<string> = new Set(['fcvt.d.s', 'fcvt.d.w', 'fcvt.d.wu']);

const hex = (value: number): string => `0x${value.toString(16)}`;

/** The sets of a fence: device input and output, memory reads and writes. */
function fenceSet(bits: number): string {
  const set = [...'iorw'].filter((_letter, i) => ((bits >> (3 - i)) & 1) !== 0).join('');
  return set === '' ? 'unknown' : set;
}

/** An operand's text; undefined if it is left out. */
function operandText(d: Decoded, operand: Operand, pc: bigint): string | undefined {
  switch (operand) {
    case 'rd':
      return registerNames[d.rd];
    case 'rs1':
      return registerNames[d.rs1];
    case 'rs2':
      return registerNames[d.rs2];
    case 'fd':
      return floatRegisterNames[d.rd];
    case 'fs1':
      return floatRegisterNames[d.rs1];
    case 'fs2':
      return floatRegisterNames[d.rs2];
    case 'fs3':
      return floatRegisterNames[d.rs3];
    case 'imm':
      return String(d.imm);
    case 'imm(rs1)':
      return `${d.imm}(${registerNames[d.rs1]})`;
    case '(rs1)':
      return `(${registerNames[d.rs1]})`;
    case 'upper':
      return hex(d.imm >>> 12);
    case 'shamt':
      return hex(d.imm);
    case 'target':
      return BigInt.asUintN(64, pc + BigInt(d.imm)).toString(16);
    case 'csr':
      return csrNames.get(d.imm) ?? hex(d.imm);
    case 'zimm':
      return String(d.rs1);
    case 'rm':
      if (d.rm === (exactConversions.has(d.entry.name) ? 0 : DYNAMIC)) return undefined;
      return roundingModes[d.rm];
    case 'fence':
      return `${fenceSet(d.imm >> 4)},${fenceSet(d.imm)}`;
  }
}

const ordering = ['', '.rl', '.aq', '.aqrl'] as const;

/** The text of a decoded instruction at virtual address `pc`, e.g. `addi\tsp,sp,-16`: name, tab, operands. */
export function disassembleDecoded(decoded: Decoded, pc: bigint): string {
  const { entry, bits } = decoded;
  const suffix = operations[entry.operation].kind === 'atomic' ? ordering[(bits >>> 25) & 3] : '';
  const operands = entry.operands
    .map((operand) => operandText(decoded, operand, pc))
    .filter((text) => text !== undefined);
  return operands.length === 0 ? entry.name : `${entry.name}${suffix}\t${operands.join(',')}`;
}

/** The text of the instruction in `bits`, also of illegal ones: `.2byte\t0x0`. */
export function disassemble(bits: number, pc: bigint): string {
  const decoded = decode(bits);
  if (decoded !== undefined) return disassembleDecoded(decoded, pc);
  return (bits & 3) === 3 ? `.4byte\t${hex(bits >>> 0)}` : `.2byte\t${hex(bits & 0xffff)}`;
}
