/**
 * The formats of 16-bit instructions (RISC-V unprivileged specification, chapter "C", table "Compressed 16-bit RVC
 * instruction formats"). Each gives the operands of the instruction that it expands to, so what comes behind the decoder
 * sees base instructions only. Nearly every opcode scrambles its immediate in its own way: hence one format for each way.
 */
import { type Format, fill } from './formats.ts';

const SP = 2;
const RA = 1;

/** The full register fields, and the three-bit ones that name x8 to x15. */
const rd = (bits: number): number => (bits >>> 7) & 31;
const rs2 = (bits: number): number => (bits >>> 2) & 31;
const short7 = (bits: number): number => 8 + ((bits >>> 7) & 7);
const short2 = (bits: number): number => 8 + ((bits >>> 2) & 7);

/** Bits from..from-count+1 of the encoding, put at bit `to` and upwards. */
const field = (bits: number, low: number, count: number, to: number): number =>
  ((bits >>> low) & ((1 << count) - 1)) << to;
/** -1 or 0 by bit 12, where all signed immediates keep their sign. */
const sign = (bits: number): number => (bits << 19) >> 31;

const immediate6 = (bits: number): number => (sign(bits) << 5) | field(bits, 2, 5, 0);
const shamt = (bits: number): number => field(bits, 12, 1, 5) | field(bits, 2, 5, 0);
const immediateAddi16sp = (bits: number): number =>
  (sign(bits) << 9) | field(bits, 6, 1, 4) | field(bits, 5, 1, 6) | field(bits, 3, 2, 7) | field(bits, 2, 1, 5);
const immediateAddi4spn = (bits: number): number =>
  field(bits, 11, 2, 4) | field(bits, 7, 4, 6) | field(bits, 6, 1, 2) | field(bits, 5, 1, 3);
const offsetWord = (bits: number): number => field(bits, 10, 3, 3) | field(bits, 6, 1, 2) | field(bits, 5, 1, 6);
const offsetDouble = (bits: number): number => field(bits, 10, 3, 3) | field(bits, 5, 2, 6);
const offsetLwsp = (bits: number): number => field(bits, 12, 1, 5) | field(bits, 4, 3, 2) | field(bits, 2, 2, 6);
const offsetLdsp = (bits: number): number => field(bits, 12, 1, 5) | field(bits, 5, 2, 3) | field(bits, 2, 3, 6);
const offsetSwsp = (bits: number): number => field(bits, 9, 4, 2) | field(bits, 7, 2, 6);
const offsetSdsp = (bits: number): number => field(bits, 10, 3, 3) | field(bits, 7, 3, 6);
const offsetBranch = (bits: number): number =>
  (sign(bits) << 8) | field(bits, 10, 2, 3) | field(bits, 5, 2, 6) | field(bits, 3, 2, 1) | field(bits, 2, 1, 5);
const offsetJump = (bits: number): number =>
  (sign(bits) << 11) |
  field(bits, 11, 1, 4) |
  field(bits, 9, 2, 8) |
  field(bits, 8, 1, 10) |
  field(bits, 7, 1, 6) |
  field(bits, 6, 1, 7) |
  field(bits, 3, 3, 1) |
  field(bits, 2, 1, 5);

const format = (name: string, extract: Format['extract']): Format => ({ name, extract });

export const formatsC = {
  // ---- quadrant 0 --------------------------------------------------------------------------------------------------
  addi4spn: format('CIW', (bits, out) => fill(out, short2(bits), SP, 0, immediateAddi4spn(bits))),
  loadWord: format('CL.w', (bits, out) => fill(out, short2(bits), short7(bits), 0, offsetWord(bits))),
  loadDouble: format('CL.d', (bits, out) => fill(out, short2(bits), short7(bits), 0, offsetDouble(bits))),
  storeWord: format('CS.w', (bits, out) => fill(out, 0, short7(bits), short2(bits), offsetWord(bits))),
  storeDouble: format('CS.d', (bits, out) => fill(out, 0, short7(bits), short2(bits), offsetDouble(bits))),

  // ---- quadrant 1 --------------------------------------------------------------------------------------------------
  /** rd = rd op imm */
  immediate: format('CI', (bits, out) => fill(out, rd(bits), rd(bits), 0, immediate6(bits))),
  loadImmediate: format('CI.li', (bits, out) => fill(out, rd(bits), 0, 0, immediate6(bits))),
  addi16sp: format('CI.16sp', (bits, out) => fill(out, SP, SP, 0, immediateAddi16sp(bits))),
  upper: format('CI.lui', (bits, out) => fill(out, rd(bits), 0, 0, immediate6(bits) << 12)),
  shortShift: format('CB.shamt', (bits, out) => fill(out, short7(bits), short7(bits), 0, shamt(bits))),
  shortImmediate: format('CB.imm', (bits, out) => fill(out, short7(bits), short7(bits), 0, immediate6(bits))),
  arithmetic: format('CA', (bits, out) => fill(out, short7(bits), short7(bits), short2(bits), 0)),
  jump: format('CJ', (bits, out) => fill(out, 0, 0, 0, offsetJump(bits))),
  branch: format('CB', (bits, out) => fill(out, 0, short7(bits), 0, offsetBranch(bits))),

  // ---- quadrant 2 --------------------------------------------------------------------------------------------------
  shift: format('CI.shamt', (bits, out) => fill(out, rd(bits), rd(bits), 0, shamt(bits))),
  loadWordSp: format('CI.lwsp', (bits, out) => fill(out, rd(bits), SP, 0, offsetLwsp(bits))),
  loadDoubleSp: format('CI.ldsp', (bits, out) => fill(out, rd(bits), SP, 0, offsetLdsp(bits))),
  storeWordSp: format('CSS.w', (bits, out) => fill(out, 0, SP, rs2(bits), offsetSwsp(bits))),
  storeDoubleSp: format('CSS.d', (bits, out) => fill(out, 0, SP, rs2(bits), offsetSdsp(bits))),
  move: format('CR.mv', (bits, out) => fill(out, rd(bits), 0, rs2(bits), 0)),
  add: format('CR.add', (bits, out) => fill(out, rd(bits), rd(bits), rs2(bits), 0)),
  ebreak: format('CR.ebreak', (_bits, out) => fill(out, 0, 0, 0, 0)),
  jumpRegister: format('CR.jr', (bits, out) => fill(out, 0, rd(bits), 0, 0)),
  jumpAndLinkRegister: format('CR.jalr', (bits, out) => fill(out, RA, rd(bits), 0, 0)),
} as const;
