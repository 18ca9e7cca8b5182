/**
 * What the two engines' contexts have in common: memory accesses through the software TLB, atomics, and floating point, as
 * generated code. They differ in where operands and registers are, and in how an instruction that cannot go on is left.
 */
import type { FloatFormat, FloatOperation } from '../isa/context.ts';
import { any64, get32, get64, set } from '../machine/emit.ts';
import { hart, mstatus, PRIVILEGE_S, PRIVILEGE_U } from '../machine/hart.ts';
import { DATA_TLB_ENTRIES, RAM_BASE, tlbEntry } from '../machine/memory-map.ts';
import { type Expr, type I32, type I64, i32, i64, type Type } from '../wasm/expression.ts';
import type { Callee, FunctionBuilder } from '../wasm/function.ts';
import { emitFloat } from './float.ts';

export type AccessSize = 1 | 2 | 4 | 8;

/** What the fast path of an access compares with: the current mode's table, and the generations of its tags. */
export interface TlbState {
  readonly table: I32;
  readonly readGeneration: I64;
  readonly writeGeneration: I64;
}

export interface EngineContextParts {
  readonly f: FunctionBuilder;
  readonly tlb: TlbState;
  readonly softfloat: Callee;
  /** Where RAM begins in linear memory. */
  readonly ramOffset: number;
}

const c32 = i32.const;
const c64 = i64.const;

const signedLoads = { 1: i64.load8_s, 2: i64.load16_s, 4: i64.load32_s, 8: i64.load } as const;
const unsignedLoads = { 1: i64.load8_u, 2: i64.load16_u, 4: i64.load32_u, 8: i64.load } as const;
const stores = { 1: 'i64.store8', 2: 'i64.store16', 4: 'i64.store32', 8: 'i64.store' } as const;
const extensions = { 1: i64.extend8_s, 2: i64.extend16_s, 4: i64.extend32_s } as const;

export abstract class EngineContext {
  protected readonly f: FunctionBuilder;
  readonly #parts: EngineContextParts;

  constructor(parts: EngineContextParts) {
    this.f = parts.f;
    this.#parts = parts;
  }

  /** The slow path of a load, zero-extended. Leaves the instruction if it did not go well. */
  protected abstract loadSlow(size: AccessSize, address: I64): I64;
  protected abstract storeSlow(size: AccessSize, address: I64, value: I64): void;
  /** The offset in linear memory of aligned RAM to read (0) or to modify (1). Leaves the instruction if there is none. */
  protected abstract atomicHost(size: 4 | 8, address: I64, access: 0 | 1): I32;
  /** The instruction's rounding mode, checked; 0 where it has none. */
  protected abstract rounding(): I32;
  abstract illegalIf(condition: I32): void;

  // ---- values ---------------------------------------------------------------------------------------------------------
  let<T extends Type>(e: Expr<T>): Expr<T> {
    return this.f.let(e);
  }
  if(condition: I32, then: () => void, otherwise?: () => void): void {
    this.f.if(condition, then, otherwise);
  }

  // ---- memory ---------------------------------------------------------------------------------------------------------
  #entry(address: I64): I32 {
    // (address >> 12) * 32, in one shift.
    const row = i32.wrap_i64(i64.shr_u(address, c64(7)));
    return this.f.let(i32.add(this.#parts.tlb.table, i32.and(row, c32((DATA_TLB_ENTRIES - 1) << 5))));
  }

  /** A misaligned access has low bits that no tag has: it takes the slow path. */
  #tag(address: I64, size: AccessSize, generation: I64): I64 {
    return i64.or(i64.and(address, c64(BigInt(-4096 | (size - 1)))), generation);
  }

  #hostOf(address: I64, entry: I32): I32 {
    return i32.add(i32.wrap_i64(address), i32.load(entry, tlbEntry.addend));
  }

  /** `known`, with the offset in linear memory, if the TLB has the page for this access, which is aligned; else `slow`. */
  protected lookUp(
    access: 'read' | 'write',
    size: AccessSize,
    at: I64,
    known: (host: I32) => void,
    slow: () => void,
  ): void {
    const { tlb } = this.#parts;
    const entry = this.#entry(at);
    const [tag, generation] =
      access === 'read' ? [tlbEntry.readTag, tlb.readGeneration] : [tlbEntry.writeTag, tlb.writeGeneration];
    const hit = i64.eq(i64.load(entry, tag), this.#tag(at, size, generation));
    this.f.if(hit, () => known(this.#hostOf(at, entry)), slow, true);
  }

  load(size: AccessSize, signed: boolean, address: I64): I64 {
    const { f } = this;
    const at = f.let(address);
    const value = f.local('i64');
    const slow = (): void => {
      const found = this.loadSlow(size, at);
      f.set(value, signed && size < 8 ? extensions[size as 1 | 2 | 4](found) : found);
    };
    const known = (host: I32): void => f.set(value, (signed ? signedLoads : unsignedLoads)[size](host));
    this.lookUp('read', size, at, known, slow);
    return value;
  }

  store(size: AccessSize, address: I64, value: I64): void {
    const { f } = this;
    const at = f.let(address);
    const known = (host: I32): void => f.store(stores[size], host, value);
    this.lookUp('write', size, at, known, () => this.storeSlow(size, at, value));
  }

  #physicalOf(host: I32): I64 {
    return i64.add(i64.extend_i32_u(i32.sub(host, c32(this.#parts.ramOffset))), c64(RAM_BASE));
  }

  loadReserved(size: 4 | 8, address: I64): I64 {
    const { f } = this;
    const host = this.atomicHost(size, address, 0);
    const value = f.let(signedLoads[size](host));
    set(f, hart.reservationAddress, this.#physicalOf(host));
    set(f, hart.reservationSize, c32(size));
    return value;
  }

  storeConditional(size: 4 | 8, address: I64, value: I64): I64 {
    const { f } = this;
    const host = this.atomicHost(size, address, 1);
    const reserved = i32.and(
      i32.eq(get32(hart.reservationSize), c32(size)),
      i64.eq(get64(hart.reservationAddress), this.#physicalOf(host)),
    );
    const failed = f.let(i64.extend_i32_u(i32.eqz(reserved)));
    f.if(i64.eqz(failed), () => f.store(stores[size], host, value));
    set(f, hart.reservationSize, c32(0));
    return failed;
  }

  amo(size: 4 | 8, address: I64, update: (old: I64) => I64): I64 {
    const { f } = this;
    const host = this.atomicHost(size, address, 1);
    const old = f.let(signedLoads[size](host));
    f.store(stores[size], host, update(old));
    return old;
  }

  // ---- privilege --------------------------------------------------------------------------------------------------------
  /** Forbidden in U, and in S where the bit of mstatus says so (TVM, TW, TSR). */
  protected forbiddenBelowM(bit: bigint): I32 {
    const privilege = get32(hart.privilege);
    const isS = i32.eq(privilege, c32(PRIVILEGE_S));
    return i32.or(i32.eq(privilege, c32(PRIVILEGE_U)), i32.and(isS, any64(get64(hart.mstatus), bit)));
  }

  // ---- floating point ---------------------------------------------------------------------------------------------------
  requireFloat(): void {
    this.illegalIf(i64.eqz(i64.and(get64(hart.mstatus), c64(mstatus.FS))));
  }
  protected markFloatDirty(): void {
    const at = hart.mstatus.offset + 1;
    this.f.store('i32.store8', c32(0), i32.or(i32.load8_u(c32(0), at), c32(0x60)), at);
  }
  box(bits: I64): I64 {
    return i64.or(bits, c64(0xffff_ffff_0000_0000n));
  }
  unbox(register: I64): I64 {
    const bits = this.f.let(register);
    const boxed = i64.eq(i64.shr_u(bits, c64(32)), c64(0xffff_ffff));
    return this.f.let(i64.select(i64.and(bits, c64(0xffff_ffff)), c64(0x7fc0_0000), boxed));
  }
  float(operation: FloatOperation, format: FloatFormat, a: I64, b: I64 = c64(0), c: I64 = c64(0)): I64 {
    const { f } = this;
    const rounding = this.rounding();
    const { softfloat } = this.#parts;
    const result = emitFloat(f, softfloat, operation, format, rounding, f.let(a), f.let(b), f.let(c));
    this.markFloatDirty();
    return result;
  }
}
