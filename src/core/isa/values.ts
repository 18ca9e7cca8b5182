/**
 * Small ways to say what many integer instructions do: a 64-bit operator on two registers, a 32-bit one whose result is
 * sign-extended, a comparison as 0 or 1.
 */
import type { I32, I64 } from '../wasm/expression.ts';
import { i32, i64 } from '../wasm/expression.ts';
import type { Semantics } from './instruction.ts';

type Binary64 = (a: I64, b: I64) => I64;
type Binary32 = (a: I32, b: I32) => I32;

/** The low word as i32; the sign-extended and the zero-extended low word. */
export const word = (a: I64): I32 => i32.wrap_i64(a);
export const signExtendWord = (a: I64): I64 => i64.extend32_s(a);
export const zeroExtendWord = (a: I64): I64 => i64.and(a, i64.const(0xffff_ffffn));
export const fromWord = (a: I32): I64 => i64.extend_i32_s(a);
export const fromBoolean = (a: I32): I64 => i64.extend_i32_u(a);

/** rd = rs1 op rs2, and with the immediate as second operand */
export const registers =
  (operator: Binary64): Semantics =>
  (c) =>
    c.rd(operator(c.rs1, c.rs2));
export const immediate =
  (operator: Binary64): Semantics =>
  (c) =>
    c.rd(operator(c.rs1, c.imm));

/** The same on the low words, with a sign-extended result */
export const wordRegisters =
  (operator: Binary32): Semantics =>
  (c) =>
    c.rd(fromWord(operator(word(c.rs1), word(c.rs2))));
export const wordImmediate =
  (operator: Binary32): Semantics =>
  (c) =>
    c.rd(fromWord(operator(word(c.rs1), word(c.imm))));
