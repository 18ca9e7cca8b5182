/** Single bits (RISC-V bit-manipulation specification, chapter "Zbs"): the bit's number is taken modulo 64. */
import type { I64 } from '../wasm/expression.ts';
import { i64 } from '../wasm/expression.ts';
import { type Operation, opcode, registerRegister, shiftImmediate } from './instruction.ts';
import { immediate, registers } from './values.ts';

const { OP, OP_IMM } = opcode;

const one = i64.const(1);
const bit = (index: I64): I64 => i64.shl(one, index);
/** All ones but that bit: a 0 in the rotated -2. */
const clear = (a: I64, index: I64): I64 => i64.and(a, i64.rotl(i64.const(-2), index));
const extract = (a: I64, index: I64): I64 => i64.and(i64.shr_u(a, index), one);
const invert = (a: I64, index: I64): I64 => i64.xor(a, bit(index));
const set = (a: I64, index: I64): I64 => i64.or(a, bit(index));

export const zbs: readonly Operation[] = [
  registerRegister('bclr', OP, 1, 0b0100100, registers(clear)),
  shiftImmediate('bclri', OP_IMM, 1, 0b010010, immediate(clear)),
  registerRegister('bext', OP, 5, 0b0100100, registers(extract)),
  shiftImmediate('bexti', OP_IMM, 5, 0b010010, immediate(extract)),
  registerRegister('binv', OP, 1, 0b0110100, registers(invert)),
  shiftImmediate('binvi', OP_IMM, 1, 0b011010, immediate(invert)),
  registerRegister('bset', OP, 1, 0b0010100, registers(set)),
  shiftImmediate('bseti', OP_IMM, 1, 0b001010, immediate(set)),
];
