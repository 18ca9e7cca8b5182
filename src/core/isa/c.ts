/**
 * Compressed instructions of RV64DC (RISC-V unprivileged specification, chapter "C"). Each stands for a base instruction
 * with the operands that its format gives. Reserved encodings match nothing: that is what `nonzero` is for. HINTs (such
 * as a write to x0, a shift by 0) are legal, and do nothing because their expansions do nothing.
 */
import type { Format } from './formats.ts';
import { formatsC } from './formats-c.ts';
import type { Expansion, Operand } from './instruction.ts';

/** Which fields must not be 0. */
const RD = 0x0f80;
const RS2 = 0x007c;
const IMMEDIATE = 0x107c;
const IMMEDIATE_ADDI4SPN = 0x1fe0;

/** Fixed fields beyond quadrant and funct3, and what may not be 0. */
interface Shape {
  readonly match?: number;
  readonly mask?: number;
  readonly nonzero?: readonly number[];
}

function compressed(
  name: string,
  quadrant: number,
  funct3: number,
  format: Format,
  operands: readonly Operand[],
  expandsTo: string,
  shape: Shape = {},
): Expansion {
  return {
    name,
    length: 2,
    match: (funct3 << 13) | (shape.match ?? 0) | quadrant,
    mask: 0xe003 | (shape.mask ?? 0),
    nonzero: shape.nonzero ?? [],
    format,
    operands,
    expandsTo,
  };
}

const f = formatsC;

/** rd' = rd' op rs2': bits 12:10 and 6:5 say which. */
const arithmetic = (name: string, bit12: number, which: number, expandsTo: string): Expansion =>
  compressed(name, 1, 4, f.arithmetic, ['rd', 'rs2'], expandsTo, {
    match: (bit12 << 12) | (3 << 10) | (which << 5),
    mask: 0x1c60,
  });

/** rd' = rd' op immediate: bits 11:10 say which. */
const shortForm = (name: string, which: number, format: Format, operand: Operand, expandsTo: string): Expansion =>
  compressed(name, 1, 4, format, ['rd', operand], expandsTo, { match: which << 10, mask: 0x0c00 });

const quadrant0: readonly Expansion[] = [
  compressed('c.addi4spn', 0, 0, f.addi4spn, ['rd', 'rs1', 'imm'], 'addi', { nonzero: [IMMEDIATE_ADDI4SPN] }),
  compressed('c.fld', 0, 1, f.loadDouble, ['fd', 'imm(rs1)'], 'fld'),
  compressed('c.lw', 0, 2, f.loadWord, ['rd', 'imm(rs1)'], 'lw'),
  compressed('c.ld', 0, 3, f.loadDouble, ['rd', 'imm(rs1)'], 'ld'),
  compressed('c.fsd', 0, 5, f.storeDouble, ['fs2', 'imm(rs1)'], 'fsd'),
  compressed('c.sw', 0, 6, f.storeWord, ['rs2', 'imm(rs1)'], 'sw'),
  compressed('c.sd', 0, 7, f.storeDouble, ['rs2', 'imm(rs1)'], 'sd'),
];

const quadrant1: readonly Expansion[] = [
  compressed('c.nop', 1, 0, f.immediate, [], 'addi', { mask: RD | IMMEDIATE }),
  compressed('c.nop', 1, 0, f.immediate, ['imm'], 'addi', { mask: RD, nonzero: [IMMEDIATE] }),
  compressed('c.addi', 1, 0, f.immediate, ['rd', 'imm'], 'addi', { nonzero: [RD] }),
  compressed('c.addiw', 1, 1, f.immediate, ['rd', 'imm'], 'addiw', { nonzero: [RD] }),
  compressed('c.li', 1, 2, f.loadImmediate, ['rd', 'imm'], 'addi'),
  compressed('c.addi16sp', 1, 3, f.addi16sp, ['rd', 'imm'], 'addi', {
    match: 2 << 7,
    mask: RD,
    nonzero: [IMMEDIATE],
  }),
  compressed('c.lui', 1, 3, f.upper, ['rd', 'upper'], 'lui', { nonzero: [IMMEDIATE] }),
  shortForm('c.srli', 0, f.shortShift, 'shamt', 'srli'),
  shortForm('c.srai', 1, f.shortShift, 'shamt', 'srai'),
  shortForm('c.andi', 2, f.shortImmediate, 'imm', 'andi'),
  arithmetic('c.sub', 0, 0, 'sub'),
  arithmetic('c.xor', 0, 1, 'xor'),
  arithmetic('c.or', 0, 2, 'or'),
  arithmetic('c.and', 0, 3, 'and'),
  arithmetic('c.subw', 1, 0, 'subw'),
  arithmetic('c.addw', 1, 1, 'addw'),
  compressed('c.j', 1, 5, f.jump, ['target'], 'jal'),
  compressed('c.beqz', 1, 6, f.branch, ['rs1', 'target'], 'beq'),
  compressed('c.bnez', 1, 7, f.branch, ['rs1', 'target'], 'bne'),
];

const quadrant2: readonly Expansion[] = [
  compressed('c.slli', 2, 0, f.shift, ['rd', 'shamt'], 'slli'),
  compressed('c.fldsp', 2, 1, f.loadDoubleSp, ['fd', 'imm(rs1)'], 'fld'),
  compressed('c.lwsp', 2, 2, f.loadWordSp, ['rd', 'imm(rs1)'], 'lw', { nonzero: [RD] }),
  compressed('c.ldsp', 2, 3, f.loadDoubleSp, ['rd', 'imm(rs1)'], 'ld', { nonzero: [RD] }),
  compressed('c.jr', 2, 4, f.jumpRegister, ['rs1'], 'jalr', { mask: 0x1000 | RS2, nonzero: [RD] }),
  compressed('c.mv', 2, 4, f.move, ['rd', 'rs2'], 'add', { mask: 0x1000, nonzero: [RS2] }),
  compressed('c.ebreak', 2, 4, f.ebreak, [], 'ebreak', { match: 0x1000, mask: 0x1000 | RD | RS2 }),
  compressed('c.jalr', 2, 4, f.jumpAndLinkRegister, ['rs1'], 'jalr', {
    match: 0x1000,
    mask: 0x1000 | RS2,
    nonzero: [RD],
  }),
  compressed('c.add', 2, 4, f.add, ['rd', 'rs2'], 'add', { match: 0x1000, mask: 0x1000, nonzero: [RS2] }),
  compressed('c.fsdsp', 2, 5, f.storeDoubleSp, ['fs2', 'imm(rs1)'], 'fsd'),
  compressed('c.swsp', 2, 6, f.storeWordSp, ['rs2', 'imm(rs1)'], 'sw'),
  compressed('c.sdsp', 2, 7, f.storeDoubleSp, ['rs2', 'imm(rs1)'], 'sd'),
];

export const compressedInstructions: readonly Expansion[] = [...quadrant0, ...quadrant1, ...quadrant2];
