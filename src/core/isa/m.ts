/**
 * Multiplication and division (RISC-V unprivileged specification, chapter "M"). Division never traps in RISC-V, and does in
 * WebAssembly (by zero, and the most negative number by -1): a harmless divisor is selected first.
 */
import type { I32, I64 } from '../wasm/expression.ts';
import { i32, i64 } from '../wasm/expression.ts';
import type { Context } from './context.ts';
import { type Operation, opcode, registerRegister, type Semantics } from './instruction.ts';
import { fromWord, registers, word, wordRegisters, zeroExtendWord } from './values.ts';

const { OP, OP_32 } = opcode;
const MULDIV = 0b0000001;

/**
 * The upper half of a 128-bit product, from four 32-bit products (Knuth's algorithm M, two digits; signed digits as in
 * Hacker's Delight, 8-2). No intermediate sum overflows: a product of two 32-bit digits leaves room for a third digit.
 */
function multiplyHigh(signedA: boolean, signedB: boolean): Semantics {
  const upperA = signedA ? i64.shr_s : i64.shr_u;
  const upperB = signedB ? i64.shr_s : i64.shr_u;
  return (c) => {
    const digit = i64.const(32);
    const a = c.let(c.rs1);
    const b = c.let(c.rs2);
    const a0 = c.let(zeroExtendWord(a));
    const b0 = c.let(zeroExtendWord(b));
    const a1 = c.let(upperA(a, digit));
    const b1 = c.let(upperB(b, digit));
    const low = i64.shr_u(i64.mul(a0, b0), digit);
    const middle = c.let(i64.add(i64.mul(a1, b0), low));
    const carry = upperB(i64.add(i64.mul(a0, b1), zeroExtendWord(middle)), digit);
    c.rd(i64.add(i64.add(i64.mul(a1, b1), upperA(middle, digit)), carry));
  };
}

/** Quotient: all ones by zero; on overflow the dividend, which is what the divisor 1 gives. */
function divideSigned(c: Context): void {
  const a = c.let(c.rs1);
  const b = c.let(c.rs2);
  const byZero = c.let(i64.eqz(b));
  const overflows = i32.and(i64.eq(a, i64.const(-(2n ** 63n))), i64.eq(b, i64.const(-1)));
  const quotient = i64.div_s(a, i64.select(i64.const(1), b, i32.or(byZero, overflows)));
  c.rd(i64.select(i64.const(-1), quotient, byZero));
}

function divideSignedWord(c: Context): void {
  const a = c.let(word(c.rs1));
  const b = c.let(word(c.rs2));
  const byZero = c.let(i32.eqz(b));
  const overflows = i32.and(i32.eq(a, i32.const(-(2 ** 31))), i32.eq(b, i32.const(-1)));
  const quotient = i32.div_s(a, i32.select(i32.const(1), b, i32.or(byZero, overflows)));
  c.rd(fromWord(i32.select(i32.const(-1), quotient, byZero)));
}

function divideUnsigned(c: Context): void {
  const b = c.let(c.rs2);
  const byZero = c.let(i64.eqz(b));
  c.rd(i64.select(i64.const(-1), i64.div_u(c.rs1, i64.select(i64.const(1), b, byZero)), byZero));
}

function divideUnsignedWord(c: Context): void {
  const b = c.let(word(c.rs2));
  const byZero = c.let(i32.eqz(b));
  c.rd(fromWord(i32.select(i32.const(-1), i32.div_u(word(c.rs1), i32.select(i32.const(1), b, byZero)), byZero)));
}

/** Remainder: the dividend by zero. WebAssembly's signed remainder by -1 is 0 without a trap, as RISC-V wants it. */
const remainder =
  (operator: (a: I64, b: I64) => I64): Semantics =>
  (c) => {
    const a = c.let(c.rs1);
    const b = c.let(c.rs2);
    const byZero = c.let(i64.eqz(b));
    c.rd(i64.select(a, operator(a, i64.select(i64.const(1), b, byZero)), byZero));
  };

const remainderWord =
  (operator: (a: I32, b: I32) => I32): Semantics =>
  (c) => {
    const a = c.let(word(c.rs1));
    const b = c.let(word(c.rs2));
    const byZero = c.let(i32.eqz(b));
    c.rd(fromWord(i32.select(a, operator(a, i32.select(i32.const(1), b, byZero)), byZero)));
  };

export const m: readonly Operation[] = [
  registerRegister('mul', OP, 0, MULDIV, registers(i64.mul)),
  registerRegister('mulh', OP, 1, MULDIV, multiplyHigh(true, true)),
  registerRegister('mulhsu', OP, 2, MULDIV, multiplyHigh(true, false)),
  registerRegister('mulhu', OP, 3, MULDIV, multiplyHigh(false, false)),
  registerRegister('div', OP, 4, MULDIV, divideSigned),
  registerRegister('divu', OP, 5, MULDIV, divideUnsigned),
  registerRegister('rem', OP, 6, MULDIV, remainder(i64.rem_s)),
  registerRegister('remu', OP, 7, MULDIV, remainder(i64.rem_u)),
  registerRegister('mulw', OP_32, 0, MULDIV, wordRegisters(i32.mul)),
  registerRegister('divw', OP_32, 4, MULDIV, divideSignedWord),
  registerRegister('divuw', OP_32, 5, MULDIV, divideUnsignedWord),
  registerRegister('remw', OP_32, 6, MULDIV, remainderWord(i32.rem_s)),
  registerRegister('remuw', OP_32, 7, MULDIV, remainderWord(i32.rem_u)),
];
