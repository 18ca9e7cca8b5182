/** Address generation (RISC-V bit-manipulation specification, chapter "Zba"): shift and add, with 64- or 32-bit indices. */
import type { I64 } from '../wasm/expression.ts';
import { i64 } from '../wasm/expression.ts';
import { type Operation, opcode, registerRegister, type Semantics, shiftImmediate } from './instruction.ts';
import { zeroExtendWord } from './values.ts';

const { OP, OP_32, OP_IMM_32 } = opcode;

const shiftAndAdd =
  (shift: number, index: (rs1: I64) => I64): Semantics =>
  (c) =>
    c.rd(i64.add(c.rs2, i64.shl(index(c.rs1), i64.const(shift))));
const whole = (a: I64): I64 => a;

export const zba: readonly Operation[] = [
  registerRegister('add.uw', OP_32, 0, 0b0000100, shiftAndAdd(0, zeroExtendWord)),
  registerRegister('sh1add', OP, 2, 0b0010000, shiftAndAdd(1, whole)),
  registerRegister('sh2add', OP, 4, 0b0010000, shiftAndAdd(2, whole)),
  registerRegister('sh3add', OP, 6, 0b0010000, shiftAndAdd(3, whole)),
  registerRegister('sh1add.uw', OP_32, 2, 0b0010000, shiftAndAdd(1, zeroExtendWord)),
  registerRegister('sh2add.uw', OP_32, 4, 0b0010000, shiftAndAdd(2, zeroExtendWord)),
  registerRegister('sh3add.uw', OP_32, 6, 0b0010000, shiftAndAdd(3, zeroExtendWord)),
  shiftImmediate('slli.uw', OP_IMM_32, 1, 0b000010, (c) => c.rd(i64.shl(zeroExtendWord(c.rs1), c.imm))),
];
