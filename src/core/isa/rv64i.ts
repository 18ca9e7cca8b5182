/**
 * The base: RV64I and Zifencei (RISC-V unprivileged specification, chapters "RV32I", "RV64I" and "Zifencei").
 * Shift amounts need no mask of their own: WebAssembly takes them modulo 64 (and 32), as RISC-V does.
 */
import type { I32, I64 } from '../wasm/expression.ts';
import { i32, i64 } from '../wasm/expression.ts';
import type { Context } from './context.ts';
import { formats } from './formats.ts';
import {
  type Expansion,
  type Operation,
  opcode,
  operation,
  pattern,
  registerRegister,
  type Semantics,
  shiftImmediate,
  shiftImmediateWord,
} from './instruction.ts';
import { fromBoolean, immediate, registers, wordImmediate, wordRegisters } from './values.ts';

const { OP, OP_32, OP_IMM, OP_IMM_32 } = opcode;

const address = (c: Context): I64 => i64.add(c.rs1, c.imm);

const lessThan = (a: I64, b: I64): I64 => fromBoolean(i64.lt_s(a, b));
const lessThanUnsigned = (a: I64, b: I64): I64 => fromBoolean(i64.lt_u(a, b));

const upper = (name: string, major: number, semantics: Semantics): Operation =>
  operation(name, { opcode: major }, formats.U, ['rd', 'upper'], 'compute', semantics);

const registerImmediate = (name: string, major: number, funct3: number, semantics: Semantics): Operation =>
  operation(name, { opcode: major, funct3 }, formats.I, ['rd', 'rs1', 'imm'], 'compute', semantics);

const branch = (name: string, funct3: number, condition: (a: I64, b: I64) => I32): Operation =>
  operation(name, { opcode: opcode.BRANCH, funct3 }, formats.B, ['rs1', 'rs2', 'target'], 'branch', (c) =>
    c.branch(condition(c.rs1, c.rs2)),
  );

const load = (name: string, funct3: number, size: 1 | 2 | 4 | 8, signed: boolean): Operation =>
  operation(name, { opcode: opcode.LOAD, funct3 }, formats.I, ['rd', 'imm(rs1)'], 'load', (c) =>
    c.rd(c.load(size, signed, address(c))),
  );

const store = (name: string, funct3: number, size: 1 | 2 | 4 | 8): Operation =>
  operation(name, { opcode: opcode.STORE, funct3 }, formats.S, ['rs2', 'imm(rs1)'], 'store', (c) =>
    c.store(size, address(c), c.rs2),
  );

/** One hart, all accesses in program order: a fence has nothing to do. Its reserved fields are ignored, as the chapter asks. */
const fenceSemantics: Semantics = () => {};

export const rv64i: readonly Operation[] = [
  upper('lui', opcode.LUI, (c) => c.rd(c.imm)),
  upper('auipc', opcode.AUIPC, (c) => c.rd(i64.add(c.pc, c.imm))),
  operation('jal', { opcode: opcode.JAL }, formats.J, ['rd', 'target'], 'jump', (c) => {
    c.rd(c.nextPc);
    c.jumpImmediate();
  }),
  operation('jalr', { opcode: opcode.JALR, funct3: 0 }, formats.I, ['rd', 'imm(rs1)'], 'jump', (c) => {
    const target = c.let(i64.and(address(c), i64.const(-2)));
    c.rd(c.nextPc);
    c.jump(target);
  }),
  branch('beq', 0, i64.eq),
  branch('bne', 1, i64.ne),
  branch('blt', 4, i64.lt_s),
  branch('bge', 5, i64.ge_s),
  branch('bltu', 6, i64.lt_u),
  branch('bgeu', 7, i64.ge_u),
  load('lb', 0, 1, true),
  load('lh', 1, 2, true),
  load('lw', 2, 4, true),
  load('ld', 3, 8, true),
  load('lbu', 4, 1, false),
  load('lhu', 5, 2, false),
  load('lwu', 6, 4, false),
  store('sb', 0, 1),
  store('sh', 1, 2),
  store('sw', 2, 4),
  store('sd', 3, 8),
  registerImmediate('addi', OP_IMM, 0, immediate(i64.add)),
  registerImmediate('slti', OP_IMM, 2, immediate(lessThan)),
  registerImmediate('sltiu', OP_IMM, 3, immediate(lessThanUnsigned)),
  registerImmediate('xori', OP_IMM, 4, immediate(i64.xor)),
  registerImmediate('ori', OP_IMM, 6, immediate(i64.or)),
  registerImmediate('andi', OP_IMM, 7, immediate(i64.and)),
  shiftImmediate('slli', OP_IMM, 1, 0b000000, immediate(i64.shl)),
  shiftImmediate('srli', OP_IMM, 5, 0b000000, immediate(i64.shr_u)),
  shiftImmediate('srai', OP_IMM, 5, 0b010000, immediate(i64.shr_s)),
  registerRegister('add', OP, 0, 0b0000000, registers(i64.add)),
  registerRegister('sub', OP, 0, 0b0100000, registers(i64.sub)),
  registerRegister('sll', OP, 1, 0b0000000, registers(i64.shl)),
  registerRegister('slt', OP, 2, 0b0000000, registers(lessThan)),
  registerRegister('sltu', OP, 3, 0b0000000, registers(lessThanUnsigned)),
  registerRegister('xor', OP, 4, 0b0000000, registers(i64.xor)),
  registerRegister('srl', OP, 5, 0b0000000, registers(i64.shr_u)),
  registerRegister('sra', OP, 5, 0b0100000, registers(i64.shr_s)),
  registerRegister('or', OP, 6, 0b0000000, registers(i64.or)),
  registerRegister('and', OP, 7, 0b0000000, registers(i64.and)),
  registerImmediate('addiw', OP_IMM_32, 0, wordImmediate(i32.add)),
  shiftImmediateWord('slliw', 1, 0b0000000, wordImmediate(i32.shl)),
  shiftImmediateWord('srliw', 5, 0b0000000, wordImmediate(i32.shr_u)),
  shiftImmediateWord('sraiw', 5, 0b0100000, wordImmediate(i32.shr_s)),
  registerRegister('addw', OP_32, 0, 0b0000000, wordRegisters(i32.add)),
  registerRegister('subw', OP_32, 0, 0b0100000, wordRegisters(i32.sub)),
  registerRegister('sllw', OP_32, 1, 0b0000000, wordRegisters(i32.shl)),
  registerRegister('srlw', OP_32, 5, 0b0000000, wordRegisters(i32.shr_u)),
  registerRegister('sraw', OP_32, 5, 0b0100000, wordRegisters(i32.shr_s)),
  operation('fence', { opcode: opcode.MISC_MEM, funct3: 0 }, formats.fence, ['fence'], 'fence', fenceSemantics),
  operation('fence.i', { opcode: opcode.MISC_MEM, funct3: 1 }, formats.fence, [], 'system', (c) => c.system('fence.i')),
];

/** Fences with a name of their own. */
export const namedFences: readonly Expansion[] = [
  fenceNamed('fence.tso', 0b1000_0011_0011),
  fenceNamed('pause', 0b0000_0001_0000),
];

function fenceNamed(name: string, funct12: number): Expansion {
  const fields = { opcode: opcode.MISC_MEM, rd: 0, funct3: 0, rs1: 0, funct12 };
  return { name, length: 4, ...pattern(fields), nonzero: [], format: formats.fence, operands: [], expandsTo: 'fence' };
}
