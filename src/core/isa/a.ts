/**
 * Atomics (RISC-V unprivileged specification, chapter "A"). The ordering bits aq and rl are accepted and mean nothing more
 * to one hart, whose accesses all happen in program order.
 */
import type { I32, I64 } from '../wasm/expression.ts';
import { i64 } from '../wasm/expression.ts';
import { formats } from './formats.ts';
import { type FixedFields, type Operation, opcode, operation } from './instruction.ts';
import { signExtendWord } from './values.ts';

type Size = 4 | 8;
const suffix = (size: Size): string => (size === 4 ? 'w' : 'd');
const fixed = (size: Size, funct5: number): FixedFields => ({
  opcode: opcode.AMO,
  funct3: size === 4 ? 2 : 3,
  funct5,
});

const loadReserved = (size: Size): Operation =>
  operation(`lr.${suffix(size)}`, { ...fixed(size, 0b00010), rs2: 0 }, formats.unary, ['rd', '(rs1)'], 'atomic', (c) =>
    c.rd(c.loadReserved(size, c.rs1)),
  );

const storeConditional = (size: Size): Operation =>
  operation(`sc.${suffix(size)}`, fixed(size, 0b00011), formats.R, ['rd', 'rs2', '(rs1)'], 'atomic', (c) =>
    c.rd(c.storeConditional(size, c.rs1, c.rs2)),
  );

/** Both operands of `update` are bound, and sign-extended words in the word form. */
const amo = (name: string, size: Size, funct5: number, update: (old: I64, operand: I64) => I64): Operation =>
  operation(`${name}.${suffix(size)}`, fixed(size, funct5), formats.R, ['rd', 'rs2', '(rs1)'], 'atomic', (c) => {
    const operand = c.let(size === 4 ? signExtendWord(c.rs2) : c.rs2);
    c.rd(c.amo(size, c.rs1, (old) => update(c.let(old), operand)));
  });

/** Sign extension keeps the order of words, the unsigned one too: so 64-bit comparisons do for both sizes. */
const choose =
  (first: (a: I64, b: I64) => I32) =>
  (old: I64, operand: I64): I64 =>
    i64.select(old, operand, first(old, operand));

const forms = (size: Size): readonly Operation[] => [
  loadReserved(size),
  storeConditional(size),
  amo('amoswap', size, 0b00001, (_old, operand) => operand),
  amo('amoadd', size, 0b00000, i64.add),
  amo('amoxor', size, 0b00100, i64.xor),
  amo('amoand', size, 0b01100, i64.and),
  amo('amoor', size, 0b01000, i64.or),
  amo('amomin', size, 0b10000, choose(i64.lt_s)),
  amo('amomax', size, 0b10100, choose(i64.gt_s)),
  amo('amominu', size, 0b11000, choose(i64.lt_u)),
  amo('amomaxu', size, 0b11100, choose(i64.gt_u)),
];

export const a: readonly Operation[] = [...forms(4), ...forms(8)];
