/**
 * Instruction formats: where the fields of an encoding are, and how they become operands (RISC-V unprivileged
 * specification, 2.2, 2.3 and the chapters of M, A, F, D and Zicsr). A format fills every operand field, with 0 where
 * the instruction has none, so that a reused object never carries something over from the instruction before.
 */
export interface Fields {
  /** Register numbers, of x or f as the instruction says; 0 where it has none. */
  rd: number;
  rs1: number;
  rs2: number;
  rs3: number;
  /** A signed 32-bit number: the sign-extended immediate (already shifted for U), the shift amount, or the CSR's number. */
  imm: number;
  /** The rounding mode field as it stands, reserved values too; 0 where the instruction has none. */
  rm: number;
}

export interface Format {
  readonly name: string;
  readonly extract: (bits: number, out: Fields) => void;
}

/** Fills all fields of an instruction that has no rs3 and no rounding mode. */
export function fill(out: Fields, rd: number, rs1: number, rs2: number, imm: number): void {
  out.rd = rd;
  out.rs1 = rs1;
  out.rs2 = rs2;
  out.rs3 = 0;
  out.imm = imm;
  out.rm = 0;
}

const rd = (bits: number): number => (bits >>> 7) & 31;
const rs1 = (bits: number): number => (bits >>> 15) & 31;
const rs2 = (bits: number): number => (bits >>> 20) & 31;
const funct3 = (bits: number): number => (bits >>> 12) & 7;

const immediateI = (bits: number): number => bits >> 20;
const immediateS = (bits: number): number => ((bits >> 25) << 5) | rd(bits);
const immediateB = (bits: number): number =>
  ((bits >> 31) << 12) | ((bits & 0x80) << 4) | ((bits >>> 20) & 0x7e0) | ((bits >>> 7) & 0x1e);
const immediateJ = (bits: number): number =>
  ((bits >> 31) << 20) | (bits & 0xff000) | ((bits >>> 9) & 0x800) | ((bits >>> 20) & 0x7fe);

const format = (name: string, extract: Format['extract']): Format => ({ name, extract });

export const formats = {
  /** No operand at all: the other bits are fixed, or ignored. */
  none: format('none', (_bits, out) => fill(out, 0, 0, 0, 0)),
  R: format('R', (bits, out) => fill(out, rd(bits), rs1(bits), rs2(bits), 0)),
  /** R with funct3 as the rounding mode. */
  float: format('float', (bits, out) => {
    fill(out, rd(bits), rs1(bits), rs2(bits), 0);
    out.rm = funct3(bits);
  }),
  /** The same with a fixed rs2 field: one source. */
  floatUnary: format('floatUnary', (bits, out) => {
    fill(out, rd(bits), rs1(bits), 0, 0);
    out.rm = funct3(bits);
  }),
  R4: format('R4', (bits, out) => {
    fill(out, rd(bits), rs1(bits), rs2(bits), 0);
    out.rs3 = bits >>> 27;
    out.rm = funct3(bits);
  }),
  /** One source register; rs2's field belongs to the encoding. */
  unary: format('unary', (bits, out) => fill(out, rd(bits), rs1(bits), 0, 0)),
  I: format('I', (bits, out) => fill(out, rd(bits), rs1(bits), 0, immediateI(bits))),
  S: format('S', (bits, out) => fill(out, 0, rs1(bits), rs2(bits), immediateS(bits))),
  B: format('B', (bits, out) => fill(out, 0, rs1(bits), rs2(bits), immediateB(bits))),
  U: format('U', (bits, out) => fill(out, rd(bits), 0, 0, bits & ~0xfff)),
  J: format('J', (bits, out) => fill(out, rd(bits), 0, 0, immediateJ(bits))),
  /** Shift by an immediate: six bits, or five in the word forms. */
  shift: format('shift', (bits, out) => fill(out, rd(bits), rs1(bits), 0, (bits >>> 20) & 63)),
  shiftWord: format('shiftWord', (bits, out) => fill(out, rd(bits), rs1(bits), 0, (bits >>> 20) & 31)),
  /** rs1 is a register, or the five-bit zimm. */
  csr: format('csr', (bits, out) => fill(out, rd(bits), rs1(bits), 0, bits >>> 20)),
  /** fence: predecessor, successor and mode stay in imm; rd and rs1 are reserved and ignored. */
  fence: format('fence', (bits, out) => fill(out, 0, 0, 0, immediateI(bits))),
} as const;
