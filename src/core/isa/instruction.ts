/**
 * What an entry of the ISA table is, and the few functions that make one. The encodings are written field by field, as
 * in the specification's listings (chapter "RV32/64G instruction set listings"); match and mask follow from them.
 */
import type { Context } from './context.ts';
import type { Format } from './formats.ts';
import { formats } from './formats.ts';

export type Semantics = (c: Context) => void;

/** Operands as the assembler writes them, in its order. f-names are floating-point registers. */
export type Operand =
  | 'rd'
  | 'rs1'
  | 'rs2'
  | 'fd'
  | 'fs1'
  | 'fs2'
  | 'fs3'
  | 'imm'
  | 'imm(rs1)'
  | '(rs1)'
  | 'upper'
  | 'shamt'
  | 'target'
  | 'csr'
  | 'zimm'
  | 'rm'
  | 'fence';

/** What an instruction does to the flow of things; engines and analysers group instructions by it. */
export type Kind = 'compute' | 'load' | 'store' | 'atomic' | 'branch' | 'jump' | 'csr' | 'fence' | 'system';

export type RegisterFile = 'x' | 'f' | undefined;

export interface Encoding {
  /** As GNU binutils spells it, e.g. `fcvt.w.s`, `c.addi`. */
  readonly name: string;
  readonly length: 2 | 4;
  /** An instruction word is this one if `(word & mask) === match` and each of `nonzero` selects some bit; unsigned. */
  readonly match: number;
  readonly mask: number;
  readonly nonzero: readonly number[];
  readonly format: Format;
  readonly operands: readonly Operand[];
}

/** An instruction with semantics of its own. */
export interface Operation extends Encoding {
  readonly kind: Kind;
  readonly semantics: Semantics;
  /** Which register file each register operand belongs to; undefined = there is no such operand. */
  readonly writes: RegisterFile;
  readonly reads: { readonly rs1: RegisterFile; readonly rs2: RegisterFile; readonly rs3: RegisterFile };
  /** Needs mstatus.FS: all of F and D, their loads and stores too. */
  readonly float: boolean;
  /** Has a rounding mode field that counts. */
  readonly rounds: boolean;
  /** Nothing behind it runs before the machine has looked around: branches, jumps, CSR accesses, traps, fence.i. */
  readonly endsBlock: boolean;
}

/** An encoding that stands for another instruction with these operands: all compressed ones. */
export interface Expansion extends Encoding {
  readonly expandsTo: string;
}

// ---- encodings -------------------------------------------------------------------------------------------------------

/** Major opcodes (table "RISC-V base opcode map"). */
export const opcode = {
  LOAD: 0x03,
  LOAD_FP: 0x07,
  MISC_MEM: 0x0f,
  OP_IMM: 0x13,
  AUIPC: 0x17,
  OP_IMM_32: 0x1b,
  STORE: 0x23,
  STORE_FP: 0x27,
  AMO: 0x2f,
  OP: 0x33,
  LUI: 0x37,
  OP_32: 0x3b,
  MADD: 0x43,
  MSUB: 0x47,
  NMSUB: 0x4b,
  NMADD: 0x4f,
  OP_FP: 0x53,
  BRANCH: 0x63,
  JALR: 0x67,
  JAL: 0x6f,
  SYSTEM: 0x73,
} as const;

/** Where the fixed fields stand: lowest bit and width. */
const positions = {
  opcode: [0, 7],
  rd: [7, 5],
  funct3: [12, 3],
  rs1: [15, 5],
  rs2: [20, 5],
  funct2: [25, 2],
  funct7: [25, 7],
  funct6: [26, 6],
  funct5: [27, 5],
  funct12: [20, 12],
} as const;

export type FixedFields = { readonly [field in keyof typeof positions]?: number };

export function pattern(fields: FixedFields): { readonly match: number; readonly mask: number } {
  let match = 0;
  let mask = 0;
  for (const [field, value] of Object.entries(fields)) {
    const [low, width] = positions[field as keyof FixedFields];
    match |= value << low;
    mask |= ((1 << width) - 1) << low;
  }
  return { match: match >>> 0, mask: mask >>> 0 };
}

const has = (operands: readonly Operand[], ...some: readonly Operand[]): boolean =>
  some.some((operand) => operands.includes(operand));

function fileOf(operands: readonly Operand[], x: readonly Operand[], f: Operand): RegisterFile {
  if (has(operands, f)) return 'f';
  return has(operands, ...x) ? 'x' : undefined;
}

/** Makes a 32-bit entry; which registers it reads and writes follows from its operands. */
export function operation(
  name: string,
  fields: FixedFields,
  format: Format,
  operands: readonly Operand[],
  kind: Kind,
  semantics: Semantics,
): Operation {
  return {
    name,
    length: 4,
    ...pattern(fields),
    nonzero: [],
    format,
    operands,
    kind,
    semantics,
    writes: fileOf(operands, ['rd'], 'fd'),
    reads: {
      rs1: fileOf(operands, ['rs1', 'imm(rs1)', '(rs1)'], 'fs1'),
      rs2: fileOf(operands, ['rs2'], 'fs2'),
      rs3: fileOf(operands, [], 'fs3'),
    },
    float: has(operands, 'fd', 'fs1', 'fs2', 'fs3'),
    rounds: has(operands, 'rm'),
    endsBlock: kind === 'branch' || kind === 'jump' || kind === 'csr' || kind === 'system',
  };
}

// ---- the shapes that several extensions share ------------------------------------------------------------------------

/** rd = rs1 op rs2 */
export const registerRegister = (
  name: string,
  major: number,
  funct3: number,
  funct7: number,
  semantics: Semantics,
): Operation =>
  operation(name, { opcode: major, funct3, funct7 }, formats.R, ['rd', 'rs1', 'rs2'], 'compute', semantics);

/** rd = op rs1, where the other twelve bits say which */
export const unary = (name: string, major: number, funct3: number, funct12: number, semantics: Semantics): Operation =>
  operation(name, { opcode: major, funct3, funct12 }, formats.unary, ['rd', 'rs1'], 'compute', semantics);

/** rd = rs1 op shamt, six bits wide */
export const shiftImmediate = (
  name: string,
  major: number,
  funct3: number,
  funct6: number,
  semantics: Semantics,
): Operation =>
  operation(name, { opcode: major, funct3, funct6 }, formats.shift, ['rd', 'rs1', 'shamt'], 'compute', semantics);

/** rd = rs1 op shamt, five bits wide: the word forms */
export const shiftImmediateWord = (name: string, funct3: number, funct7: number, semantics: Semantics): Operation =>
  operation(
    name,
    { opcode: opcode.OP_IMM_32, funct3, funct7 },
    formats.shiftWord,
    ['rd', 'rs1', 'shamt'],
    'compute',
    semantics,
  );
