/**
 * The translator's side of the instruction semantics: operands are constants, integer registers are locals of the region's
 * function, and whatever cannot be done here at once (a trap, a device, changed code) leaves the region *before* the
 * instruction, which the interpreter then executes: nothing has been committed by then.
 */
import type { Context } from '../../isa/context.ts';
import { get32, get64 } from '../../machine/emit.ts';
import { F, hart } from '../../machine/hart.ts';
import { type I32, type I64, i32, i64 } from '../../wasm/expression.ts';
import type { Callee, FunctionBuilder } from '../../wasm/function.ts';
import { type AccessSize, EngineContext, type TlbState } from '../engine-context.ts';
import type { Instruction } from './region.ts';

/** What all instructions of a region share. */
export interface RegionEmitter {
  readonly f: FunctionBuilder;
  /** Virtual address of the page. */
  readonly pageVirtual: I64;
  /** Copies of what the fast path of an access reads; `reload` after each slow path. */
  readonly tlb: TlbState;
  readonly reload: () => void;
  readonly loadQuick: Callee;
  readonly storeQuick: Callee;
  readonly atomicHost: Callee;
  readonly softfloat: Callee;
  readonly ramOffset: number;
  /** The local that holds an integer register (1 to 31). */
  readonly register: (number: number) => I64;
  readonly assign: (number: number, value: I64) => void;
  /** Goes to the block at that offset of the page, or leaves the region for it. */
  readonly goto: (offset: number) => void;
  /** Leaves the region for a virtual address. */
  readonly leave: (target: I64) => void;
}

const c32 = i32.const;
const c64 = i64.const;

export class TranslatorContext extends EngineContext implements Context {
  readonly #region: RegionEmitter;
  readonly #instruction: Instruction;
  /** Leaves the region before this instruction, with its step and those behind it given back. */
  readonly #retry: () => void;
  /** The semantics have jumped for good. */
  ended = false;

  constructor(region: RegionEmitter, instruction: Instruction, retry: () => void) {
    super(region);
    this.#region = region;
    this.#instruction = instruction;
    this.#retry = retry;
  }

  // ---- operands -------------------------------------------------------------------------------------------------------
  #read(register: number): I64 {
    return register === 0 ? c64(0) : this.#region.register(register);
  }
  get rs1(): I64 {
    return this.#read(this.#instruction.rs1);
  }
  get rs2(): I64 {
    return this.#read(this.#instruction.rs2);
  }
  get imm(): I64 {
    return c64(this.#instruction.imm);
  }
  get pc(): I64 {
    return i64.add(this.#region.pageVirtual, c64(this.#instruction.offset));
  }
  get nextPc(): I64 {
    return i64.add(this.#region.pageVirtual, c64(this.#instruction.offset + this.#instruction.length));
  }
  get rs1IsX0(): I32 {
    return c32(this.#instruction.rs1 === 0 ? 1 : 0);
  }
  get rdIsX0(): I32 {
    return c32(this.#instruction.rd === 0 ? 1 : 0);
  }
  get zimm(): I64 {
    return c64(this.#instruction.rs1);
  }

  // ---- commits --------------------------------------------------------------------------------------------------------
  rd(value: I64): void {
    if (this.#instruction.rd !== 0) this.#region.assign(this.#instruction.rd, value);
  }
  branch(condition: I32): void {
    const { offset, imm } = this.#instruction;
    this.f.if(condition, () => this.#region.goto(offset + imm));
  }
  jumpImmediate(): void {
    const { offset, imm } = this.#instruction;
    this.#region.goto(offset + imm);
    this.ended = true;
  }
  jump(target: I64): void {
    this.#region.leave(target);
    this.ended = true;
  }

  // ---- memory ---------------------------------------------------------------------------------------------------------
  #checkSlow(): void {
    this.#region.reload();
    this.f.if(i32.or(get32(hart.event), get32(hart.refetch)), this.#retry);
  }

  protected override loadSlow(size: AccessSize, address: I64): I64 {
    const value = this.f.call<'i64'>(this.#region.loadQuick, address, c32(size));
    this.#checkSlow();
    return value;
  }

  protected override storeSlow(size: AccessSize, address: I64, value: I64): void {
    // If it would change code or a translation it has not been done: the interpreter does it.
    this.f.do(this.#region.storeQuick, address, c32(size), value);
    this.#checkSlow();
  }

  protected override atomicHost(size: 4 | 8, address: I64, access: number): I32 {
    const host = this.f.call<'i32'>(this.#region.atomicHost, address, c32(size), c32(access));
    this.#region.reload();
    this.f.if(i32.or(i32.eqz(host), i32.or(get32(hart.event), get32(hart.refetch))), this.#retry);
    return host;
  }

  // ---- control --------------------------------------------------------------------------------------------------------
  override illegalIf(condition: I32): void {
    this.f.if(condition, this.#retry);
  }
  csr(): I64 {
    throw new Error('CSR instructions are left to the interpreter');
  }
  system(): void {
    throw new Error('system instructions are left to the interpreter');
  }

  // ---- floating point ---------------------------------------------------------------------------------------------------
  #float(register: number): I64 {
    return i64.load(c32(F), register * 8);
  }
  get fs1(): I64 {
    return this.#float(this.#instruction.rs1);
  }
  get fs2(): I64 {
    return this.#float(this.#instruction.rs2);
  }
  get fs3(): I64 {
    return this.#float(this.#instruction.rs3);
  }
  fd(bits: I64): void {
    this.f.store('i64.store', c32(F), bits, this.#instruction.rd * 8);
    this.markFloatDirty();
  }
  protected override rounding(): I32 {
    const { operation, rm } = this.#instruction;
    if (!operation.rounds) return c32(0);
    const mode = rm === 7 ? this.f.let(i32.and(i32.wrap_i64(i64.shr_u(get64(hart.fcsr), c64(5))), c32(7))) : c32(rm);
    this.illegalIf(i32.gt_u(mode, c32(4)));
    return mode;
  }
}
