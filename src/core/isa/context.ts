/**
 * What an instruction's semantics may say: the small builder interface against which the ISA table is written, once.
 * Each engine implements it. In the interpreter an operand is read at run time through the predecoded record; in the
 * translator it is a constant. Expressions fold what is constant, so one text serves both.
 *
 * Rule (two phases): read, check and probe first, then commit. Nothing traps after the first commit; so `rd`, `fd`,
 * `jump` come after every `load`, `store`, `amo`, `trap`. (A `store` is itself a commit: it is the last thing that traps.)
 */
import type { Expr, I32, I64, Type } from '../wasm/expression.ts';

export type FloatFormat = 's' | 'd';

/** Floating-point operations that the context computes, exact in result and flags. The order gives each its number in generated code. */
export const floatOperations = [
  'add',
  'sub',
  'mul',
  'div',
  'sqrt',
  'fma',
  'min',
  'max',
  'eq',
  'lt',
  'le',
  'classify',
  'to-w',
  'to-wu',
  'to-l',
  'to-lu',
  'from-w',
  'from-wu',
  'from-l',
  'from-lu',
  'to-s',
  'to-d',
] as const;
export type FloatOperation = (typeof floatOperations)[number];

export interface Context {
  // ---- operands (x0 reads 0) -------------------------------------------------------------------------------------
  readonly rs1: I64;
  readonly rs2: I64;
  /** The immediate of the format, sign-extended; a shift's amount; a CSR's number. */
  readonly imm: I64;
  /** The instruction's own virtual address, and that of the one behind it (pc + length). */
  readonly pc: I64;
  readonly nextPc: I64;
  /** 1 where the field names x0 (static in the translator). */
  readonly rs1IsX0: I32;
  readonly rdIsX0: I32;

  // ---- values ----------------------------------------------------------------------------------------------------
  /** Evaluates once, here; the result may be used many times. */
  let<T extends Type>(e: Expr<T>): Expr<T>;
  if(condition: I32, then: () => void, otherwise?: () => void): void;

  // ---- commits ---------------------------------------------------------------------------------------------------
  rd(value: I64): void;
  /** Goes to pc + imm if the condition holds. Ends the instruction. */
  branch(condition: I32): void;
  /** Goes to pc + imm (jal) or to the address (jalr; bit 0 is already cleared). Ends the instruction. */
  jumpImmediate(): void;
  jump(target: I64): void;

  // ---- memory (virtual addresses, current data mode; each may trap) -------------------------------------------------
  /** Sign- or zero-extended value of 1, 2, 4 or 8 bytes. Misaligned works. Bound already: use it as often as you like. */
  load(size: 1 | 2 | 4 | 8, signed: boolean, address: I64): I64;
  store(size: 1 | 2 | 4 | 8, address: I64, value: I64): void;
  /** LR: loads (sign-extended) and reserves. Misaligned traps. */
  loadReserved(size: 4 | 8, address: I64): I64;
  /** SC: 0 on success, 1 on failure; the reservation is gone either way. Misaligned traps. */
  storeConditional(size: 4 | 8, address: I64, value: I64): I64;
  /** Atomically: old (sign-extended) = memory; memory = update(old); gives old. Misaligned traps; faults are store faults. */
  amo(size: 4 | 8, address: I64, update: (old: I64) => I64): I64;

  // ---- control ---------------------------------------------------------------------------------------------------
  /** Illegal-instruction trap if the condition holds (stval = the instruction's bits). */
  illegalIf(condition: I32): void;
  /** CSR access with its checks (existence, privilege, read-only): `rw`, `rs`, `rc`; gives the old value.
   *  `writes` false (static or dynamic) = no write and no write check; `reads` false = rd is x0 in csrrw. */
  csr(operation: 'rw' | 'rs' | 'rc', source: I64, writes: I32): I64;
  /** The 5-bit zimm of csrrwi and friends, zero-extended. */
  readonly zimm: I64;
  /** ecall, ebreak, mret, sret, wfi, sfence.vma, fence.i: the machine's own business, by name. Ends the instruction. */
  system(operation: 'ecall' | 'ebreak' | 'mret' | 'sret' | 'wfi' | 'sfence.vma' | 'fence.i'): void;

  // ---- floating point ----------------------------------------------------------------------------------------------
  /** Illegal if mstatus.FS is off. Every F/D instruction calls it first (loads and stores too). */
  requireFloat(): void;
  /** Raw 64-bit register contents. */
  readonly fs1: I64;
  readonly fs2: I64;
  readonly fs3: I64;
  /** Writes a register raw (f32 results must be NaN-boxed: see `box`); marks FS dirty. */
  fd(bits: I64): void;
  /** NaN-boxes a 32-bit pattern (in the low half); and its reverse: improperly boxed gives the canonical NaN (zero-extended). */
  box(bits: I64): I64;
  unbox(bits: I64): I64;
  /**
   * Computes with the instruction's rounding mode (dynamic ones checked: illegal if reserved), raises flags in fcsr, marks FS
   * dirty, and gives the result's bits: 's' results zero-extended (not yet boxed), integers sign-extended as RISC-V says.
   * Operands as bits: 's' operands already unboxed. May trap (rm) before any commit.
   */
  float(operation: FloatOperation, format: FloatFormat, a: I64, b?: I64, c?: I64): I64;
}
