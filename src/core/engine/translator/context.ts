/**
 * The translator's side of the instruction semantics: operands are constants, integer registers are locals of the region's
 * function, and whatever cannot be done here at once (a trap, a device, changed code) leaves the region *before* the
 * instruction, which the interpreter then executes: nothing has been committed by then.
 */
import type { Context, FloatFormat, FloatOperation } from '../../isa/context.ts';
import { get32, get64, set } from '../../machine/emit.ts';
import { F, hart, mstatus } from '../../machine/hart.ts';
import { DATA_TLB_ENTRIES, RAM_BASE, tlbEntry } from '../../machine/memory-map.ts';
import {
  type Expr,
  type F32,
  type F64,
  f32,
  f64,
  type I32,
  type I64,
  i32,
  i64,
  type Type,
} from '../../wasm/expression.ts';
import type { Callee, FunctionBuilder } from '../../wasm/function.ts';
import { emitFloat } from '../float.ts';
import type { Instruction } from './region.ts';

/** What all instructions of a region share. */
export interface RegionEmitter {
  readonly f: FunctionBuilder;
  /** Virtual address of the page. */
  readonly pageVirtual: I64;
  /** Copies of what the fast path of an access reads; `reload` after each slow path. */
  readonly dataTlb: I32;
  readonly readGeneration: I64;
  readonly writeGeneration: I64;
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

export class TranslatorContext implements Context {
  readonly #region: RegionEmitter;
  readonly #instruction: Instruction;
  readonly #f: FunctionBuilder;
  /** Leaves the region before this instruction, with its step and those behind it given back. */
  readonly #retry: () => void;
  /** The semantics have jumped for good. */
  ended = false;

  constructor(region: RegionEmitter, instruction: Instruction, retry: () => void) {
    this.#region = region;
    this.#instruction = instruction;
    this.#f = region.f;
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

  // ---- values ---------------------------------------------------------------------------------------------------------
  let<T extends Type>(e: Expr<T>): Expr<T> {
    return this.#f.let(e);
  }
  if(condition: I32, then: () => void, otherwise?: () => void): void {
    this.#f.if(condition, then, otherwise);
  }

  // ---- commits --------------------------------------------------------------------------------------------------------
  rd(value: I64): void {
    if (this.#instruction.rd !== 0) this.#region.assign(this.#instruction.rd, value);
  }
  branch(condition: I32): void {
    const { offset, imm } = this.#instruction;
    this.#f.if(condition, () => this.#region.goto(offset + imm));
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
  #entry(address: I64): I32 {
    const index = i32.and(i32.wrap_i64(i64.shr_u(address, c64(12))), c32(DATA_TLB_ENTRIES - 1));
    return this.#f.let(i32.add(this.#region.dataTlb, i32.shl(index, c32(5))));
  }
  #tag(address: I64, size: number, generation: I64): I64 {
    return i64.or(i64.and(address, c64(BigInt(-4096 | (size - 1)))), generation);
  }
  #checkSlow(): void {
    this.#region.reload();
    this.#f.if(i32.or(get32(hart.event), get32(hart.refetch)), this.#retry);
  }

  load(size: 1 | 2 | 4 | 8, signed: boolean, address: I64): I64 {
    const f = this.#f;
    const at = f.let(address);
    const entry = this.#entry(at);
    const value = f.local('i64');
    f.if(
      i64.eq(i64.load(entry, tlbEntry.readTag), this.#tag(at, size, this.#region.readGeneration)),
      () => {
        const host = i32.add(i32.wrap_i64(at), i32.load(entry, tlbEntry.addend));
        const loaded = signed
          ? { 1: i64.load8_s, 2: i64.load16_s, 4: i64.load32_s, 8: i64.load }[size](host)
          : { 1: i64.load8_u, 2: i64.load16_u, 4: i64.load32_u, 8: i64.load }[size](host);
        f.set(value, loaded);
      },
      () => {
        f.set(value, f.call<'i64'>(this.#region.loadQuick, at, c32(size)));
        this.#checkSlow();
        if (signed && size < 8) {
          f.set(value, { 1: i64.extend8_s, 2: i64.extend16_s, 4: i64.extend32_s }[size as 1 | 2 | 4](value));
        }
      },
    );
    return value;
  }

  store(size: 1 | 2 | 4 | 8, address: I64, value: I64): void {
    const f = this.#f;
    const at = f.let(address);
    const entry = this.#entry(at);
    f.if(
      i64.eq(i64.load(entry, tlbEntry.writeTag), this.#tag(at, size, this.#region.writeGeneration)),
      () => {
        const host = i32.add(i32.wrap_i64(at), i32.load(entry, tlbEntry.addend));
        f.store(({ 1: 'i64.store8', 2: 'i64.store16', 4: 'i64.store32', 8: 'i64.store' } as const)[size], host, value);
      },
      () => {
        // If it would change code or a translation it has not been done: the interpreter does it.
        f.do(this.#region.storeQuick, at, c32(size), value);
        this.#checkSlow();
      },
    );
  }

  #atomic(size: 4 | 8, address: I64, access: number): I32 {
    const f = this.#f;
    const host = f.call<'i32'>(this.#region.atomicHost, address, c32(size), c32(access));
    this.#region.reload();
    f.if(i32.or(i32.eqz(host), i32.or(get32(hart.event), get32(hart.refetch))), this.#retry);
    return host;
  }
  #physicalOf(host: I32): I64 {
    return i64.add(i64.extend_i32_u(i32.sub(host, c32(this.#region.ramOffset))), c64(RAM_BASE));
  }

  loadReserved(size: 4 | 8, address: I64): I64 {
    const f = this.#f;
    const host = this.#atomic(size, address, 0);
    const value = f.let(size === 4 ? i64.load32_s(host) : i64.load(host));
    set(f, hart.reservationAddress, this.#physicalOf(host));
    set(f, hart.reservationSize, c32(size));
    return value;
  }

  storeConditional(size: 4 | 8, address: I64, value: I64): I64 {
    const f = this.#f;
    const host = this.#atomic(size, address, 1);
    const reserved = i32.and(
      i32.eq(get32(hart.reservationSize), c32(size)),
      i64.eq(get64(hart.reservationAddress), this.#physicalOf(host)),
    );
    const failed = f.let(i64.extend_i32_u(i32.eqz(reserved)));
    f.if(i64.eqz(failed), () => f.store(size === 4 ? 'i64.store32' : 'i64.store', host, value));
    set(f, hart.reservationSize, c32(0));
    return failed;
  }

  amo(size: 4 | 8, address: I64, update: (old: I64) => I64): I64 {
    const f = this.#f;
    const host = this.#atomic(size, address, 1);
    const old = f.let(size === 4 ? i64.load32_s(host) : i64.load(host));
    f.store(size === 4 ? 'i64.store32' : 'i64.store', host, update(old));
    return old;
  }

  // ---- control --------------------------------------------------------------------------------------------------------
  illegalIf(condition: I32): void {
    this.#f.if(condition, this.#retry);
  }
  csr(): I64 {
    throw new Error('CSR instructions are left to the interpreter');
  }
  system(): void {
    throw new Error('system instructions are left to the interpreter');
  }

  // ---- floating point ---------------------------------------------------------------------------------------------------
  requireFloat(): void {
    this.illegalIf(i64.eqz(i64.and(get64(hart.mstatus), c64(mstatus.FS))));
  }
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
    this.#f.store('i64.store', c32(F), bits, this.#instruction.rd * 8);
    this.#markFloatDirty();
  }
  #markFloatDirty(): void {
    const at = hart.mstatus.offset + 1;
    this.#f.store('i32.store8', c32(0), i32.or(i32.load8_u(c32(0), at), c32(0x60)), at);
  }
  box(bits: I64): I64 {
    return i64.or(bits, c64(0xffff_ffff_0000_0000n));
  }
  unbox(register: I64): I64 {
    const bits = this.#f.let(register);
    const boxed = i64.eq(i64.shr_u(bits, c64(32)), c64(0xffff_ffff));
    return this.#f.let(i64.select(i64.and(bits, c64(0xffff_ffff)), c64(0x7fc0_0000), boxed));
  }
  float(operation: FloatOperation, format: FloatFormat, a: I64, b: I64 = c64(0), c: I64 = c64(0)): I64 {
    const f = this.#f;
    let rounding: I32 = c32(0);
    if (this.#instruction.operation.rounds) {
      if (this.#instruction.rm === 7) {
        rounding = f.let(i32.and(i32.wrap_i64(i64.shr_u(get64(hart.fcsr), c64(5))), c32(7)));
      } else rounding = c32(this.#instruction.rm);
      this.illegalIf(i32.gt_u(rounding, c32(4)));
    }
    const result = emitFloat(f, this.#region.softfloat, operation, format, rounding, f.let(a), f.let(b), f.let(c));
    this.#markFloatDirty();
    return result;
  }
  readonly asF64 = (bits: I64): F64 => f64.reinterpret_i64(bits);
  readonly asF32 = (bits: I64): F32 => f32.reinterpret_i32(i32.wrap_i64(bits));
}
