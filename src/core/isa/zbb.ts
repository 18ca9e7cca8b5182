/** Basic bit manipulation (RISC-V bit-manipulation specification, chapter "Zbb"). */
import type { I32, I64 } from '../wasm/expression.ts';
import { i32, i64 } from '../wasm/expression.ts';
import type { Context } from './context.ts';
import {
  type Operation,
  opcode,
  registerRegister,
  type Semantics,
  shiftImmediate,
  shiftImmediateWord,
  unary,
} from './instruction.ts';
import { immediate, registers, word, wordImmediate, wordRegisters } from './values.ts';

const { OP, OP_32, OP_IMM, OP_IMM_32 } = opcode;

const not = (a: I64): I64 => i64.xor(a, i64.const(-1));

const ofRegister =
  (operator: (a: I64) => I64): Semantics =>
  (c) =>
    c.rd(operator(c.rs1));
/** Counts in a word: 0 to 32, so the extension does not matter. */
const countInWord =
  (operator: (a: I32) => I32): Semantics =>
  (c) =>
    c.rd(i64.extend_i32_u(operator(word(c.rs1))));

const choose =
  (first: (a: I64, b: I64) => I32): Semantics =>
  (c) => {
    const a = c.let(c.rs1);
    const b = c.let(c.rs2);
    c.rd(i64.select(a, b, first(a, b)));
  };

/** Each byte becomes 0xff unless it is 0: bit 7 of every byte gathers "some bit is set" (no carry leaves a byte), then spreads. */
function orCombineBytes(c: Context): void {
  const a = c.let(c.rs1);
  const low = i64.const(0x7f7f_7f7f_7f7f_7f7fn);
  const high = i64.const(0x8080_8080_8080_8080n);
  const set = i64.and(i64.or(i64.add(i64.and(a, low), low), a), high);
  c.rd(i64.mul(i64.shr_u(set, i64.const(7)), i64.const(0xff)));
}

/** Bytes in reverse order: neighbours change places, then pairs, then halves. */
function reverseBytes(c: Context): void {
  const swap = (a: I64, distance: bigint, mask: bigint): I64 =>
    i64.or(
      i64.and(i64.shr_u(a, i64.const(distance)), i64.const(mask)),
      i64.shl(i64.and(a, i64.const(mask)), i64.const(distance)),
    );
  const bytes = c.let(swap(c.let(c.rs1), 8n, 0x00ff_00ff_00ff_00ffn));
  c.rd(i64.rotl(swap(bytes, 16n, 0x0000_ffff_0000_ffffn), i64.const(32)));
}

export const zbb: readonly Operation[] = [
  registerRegister(
    'andn',
    OP,
    7,
    0b0100000,
    registers((a, b) => i64.and(a, not(b))),
  ),
  registerRegister(
    'orn',
    OP,
    6,
    0b0100000,
    registers((a, b) => i64.or(a, not(b))),
  ),
  registerRegister(
    'xnor',
    OP,
    4,
    0b0100000,
    registers((a, b) => not(i64.xor(a, b))),
  ),
  unary('clz', OP_IMM, 1, 0x600, ofRegister(i64.clz)),
  unary('clzw', OP_IMM_32, 1, 0x600, countInWord(i32.clz)),
  unary('ctz', OP_IMM, 1, 0x601, ofRegister(i64.ctz)),
  unary('ctzw', OP_IMM_32, 1, 0x601, countInWord(i32.ctz)),
  unary('cpop', OP_IMM, 1, 0x602, ofRegister(i64.popcnt)),
  unary('cpopw', OP_IMM_32, 1, 0x602, countInWord(i32.popcnt)),
  registerRegister('max', OP, 6, 0b0000101, choose(i64.gt_s)),
  registerRegister('maxu', OP, 7, 0b0000101, choose(i64.gt_u)),
  registerRegister('min', OP, 4, 0b0000101, choose(i64.lt_s)),
  registerRegister('minu', OP, 5, 0b0000101, choose(i64.lt_u)),
  unary('sext.b', OP_IMM, 1, 0x604, ofRegister(i64.extend8_s)),
  unary('sext.h', OP_IMM, 1, 0x605, ofRegister(i64.extend16_s)),
  unary(
    'zext.h',
    OP_32,
    4,
    0x080,
    ofRegister((a) => i64.and(a, i64.const(0xffff))),
  ),
  registerRegister('rol', OP, 1, 0b0110000, registers(i64.rotl)),
  registerRegister('rolw', OP_32, 1, 0b0110000, wordRegisters(i32.rotl)),
  registerRegister('ror', OP, 5, 0b0110000, registers(i64.rotr)),
  shiftImmediate('rori', OP_IMM, 5, 0b011000, immediate(i64.rotr)),
  shiftImmediateWord('roriw', 5, 0b0110000, wordImmediate(i32.rotr)),
  registerRegister('rorw', OP_32, 5, 0b0110000, wordRegisters(i32.rotr)),
  unary('orc.b', OP_IMM, 5, 0x287, orCombineBytes),
  unary('rev8', OP_IMM, 5, 0x6b8, reverseBytes),
];
