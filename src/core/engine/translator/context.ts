/**
 * The translator's side of the instruction semantics: operands are constants, registers are locals of the region's function,
 * and whatever cannot be done here at once (a trap, a device, changed code) leaves the region *before* the instruction, which
 * the interpreter then executes: nothing has been committed by then.
 */
import type { Context } from '../../isa/context.ts';
import { CSR_CLEAR, CSR_SET, CSR_WRITE } from '../../machine/csr.ts';
import { csrIndex, csrs } from '../../machine/csr-table.ts';
import { get32, get64, noteTrap, set } from '../../machine/emit.ts';
import { cause, hart, mstatus, PRIVILEGE_S } from '../../machine/hart.ts';
import { pendingInterrupts } from '../../machine/trap.ts';
import { constantOf, f64, type I32, type I64, i32, i64 } from '../../wasm/expression.ts';
import { EngineContext } from '../engine-context.ts';
import type { RegionEmitter } from './emit-region.ts';
import type { Instruction } from './region.ts';
import { type Registers, writesOf } from './registers.ts';

/** What is known at a place of a block because an instruction before it has looked. */
export interface Known {
  /** mstatus.FS is dirty (floating point is on, and nothing has to be marked) and frm is round-to-nearest-even. */
  floatReady: boolean;
}

export interface InstructionPlace {
  readonly region: RegionEmitter;
  /** The index of the block. */
  readonly block: number;
  readonly instruction: Instruction;
  /** How many instructions of the block come behind this one. */
  readonly behind: number;
  /** Registers that may have changed before it. */
  readonly dirty: Registers;
  readonly known: Known;
}

const c32 = i32.const;
const c64 = i64.const;

/** CSRs that programs and kernels touch all the time: their accesses are emitted in line. */
const INLINE_CSRS: ReadonlySet<string> = new Set([
  'fflags',
  'frm',
  'fcsr',
  'cycle',
  'time',
  'instret',
  'sstatus',
  'sscratch',
  'sepc',
  'scause',
  'stval',
]);
/** A write changes neither what interrupts are taken nor how addresses are translated. */
const HARMLESS_CSRS: ReadonlySet<string> = new Set(['fflags', 'frm', 'fcsr', 'sscratch', 'sepc', 'scause', 'stval']);
/** A write changes what addresses mean: satp and PMP. */
const remaps = (number: number): boolean => number === 0x180 || (number >= 0x3a0 && number < 0x3f0);

export class TranslatorContext extends EngineContext implements Context {
  readonly #region: RegionEmitter;
  readonly #place: InstructionPlace;
  readonly #instruction: Instruction;
  /** Registers that may have changed so far. */
  dirty: Registers;
  /** The semantics have jumped for good. */
  ended = false;
  /** A CSR was (perhaps) written by this instruction. */
  #wroteCsr = false;

  constructor(place: InstructionPlace) {
    const { region } = place;
    const { imports } = region;
    super({ f: region.f, tlb: region.tlb, softfloat: imports.softfloat, ramOffset: imports.ramOffset });
    this.#region = region;
    this.#place = place;
    this.#instruction = place.instruction;
    this.dirty = place.dirty;
  }

  /** Leaves the region before this instruction, with its step and those behind it given back. */
  readonly #retry = (): void => this.#region.stopAt(this.#instruction.offset, this.#place.behind + 1);

  /** What comes after the semantics. */
  finish(): void {
    const writes = writesOf(this.#instruction);
    this.dirty = { x: this.dirty.x | writes.x, f: this.dirty.f | writes.f };
    if (this.#wroteCsr) this.#afterCsrWrite();
    if (this.#instruction.operation.kind === 'atomic') this.#afterAtomic();
  }

  readonly #stopAround = (): void => this.#region.stopAround(this.#instruction.offset, this.#after, this.#place.behind);

  /** Its store may have gone into page tables. */
  #afterAtomic(): void {
    this.f.if(
      get32(hart.refetch),
      () => {
        this.f.do(this.#region.imports.storedTables);
        this.f.if(get32(hart.event), this.#stopAround, undefined, false);
      },
      undefined,
      false,
    );
  }

  // ---- operands -------------------------------------------------------------------------------------------------------
  #read(register: number): I64 {
    return register === 0 ? c64(0) : this.#region.x(register);
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
  get #after(): number {
    return this.#instruction.offset + this.#instruction.length;
  }
  get pc(): I64 {
    return i64.add(this.#region.pageVirtual, c64(this.#instruction.offset));
  }
  get nextPc(): I64 {
    return i64.add(this.#region.pageVirtual, c64(this.#after));
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
    const { rd } = this.#instruction;
    if (rd === 0) return;
    this.f.set(this.#region.x(rd), value);
    this.dirty = { ...this.dirty, x: this.dirty.x | (1 << rd) };
  }
  branch(condition: I32): void {
    const { offset, imm } = this.#instruction;
    this.f.if(condition, () => this.#region.goto(this.#place.block, offset + imm, this.dirty));
  }
  jumpImmediate(): void {
    const { offset, imm } = this.#instruction;
    this.#region.goto(this.#place.block, offset + imm, this.dirty);
    this.ended = true;
  }
  jump(target: I64): void {
    this.#region.jumpTo(target, this.dirty);
    this.ended = true;
  }

  // ---- memory ---------------------------------------------------------------------------------------------------------
  // A miss of the TLB leaves: the interpreter makes the access and fills the TLB in. A call here, though rarely made, would
  // cost more by what V8 has to keep out of registers around it.
  protected override loadSlow(): I64 {
    this.#retry();
    return c64(0);
  }

  protected override storeSlow(): void {
    this.#retry();
  }

  // Other than a load or store it does not leave: kernels change page tables by atomics, and those never have a write tag.
  protected override atomicHost(size: 4 | 8, address: I64, access: 0 | 1): I32 {
    const { f } = this;
    const at = f.let(address);
    const host = f.local('i32');
    const slow = (): void => {
      f.set(host, f.call<'i32'>(this.#region.imports.atomicHost, at, c32(size), c32(access)));
      f.if(i32.or(i32.eqz(host), get32(hart.event)), this.#retry, undefined, false);
    };
    this.lookUp(access === 0 ? 'read' : 'write', size, at, (known) => f.set(host, known), slow);
    return host;
  }

  // ---- control --------------------------------------------------------------------------------------------------------
  override illegalIf(condition: I32): void {
    this.f.if(condition, this.#retry, undefined, false);
  }

  csr(operation: 'rw' | 'rs' | 'rc', source: I64, writes: I32): I64 {
    const { f } = this;
    const { imports, remaining } = this.#region;
    const index = csrIndex.get(this.#instruction.imm)!;
    this.#wroteCsr = constantOf(writes) !== 0;
    set(f, hart.remaining, i32.add(remaining, c32(this.#place.behind)));
    if (INLINE_CSRS.has(csrs[index].name)) return this.#inlineCsr(index, operation, source);
    const how = { rw: CSR_WRITE, rs: CSR_SET, rc: CSR_CLEAR }[operation];
    const old = f.call<'i64'>(imports.csr, c32(index), c32(how), source, writes);
    f.if(get32(hart.event), this.#retry, undefined, false);
    return old;
  }

  #inlineCsr(index: number, operation: 'rw' | 'rs' | 'rc', source: I64): I64 {
    const { f } = this;
    const csr = csrs[index];
    const level = (csr.number >> 8) & 3;
    if (level > 0) f.if(i32.lt_u(get32(hart.privilege), c32(level)), this.#retry, undefined, false);
    const readOnly = csr.number >> 10 === 3;
    if (readOnly && this.#wroteCsr) this.#retry();
    if (csr.forbidden) f.if(csr.forbidden(f), this.#retry, undefined, false);
    const old = f.let(csr.read(f));
    if (this.#wroteCsr && !readOnly && csr.write) {
      const inverse = i64.xor(source, c64(-1));
      const value = { rw: () => source, rs: () => i64.or(old, source), rc: () => i64.and(old, inverse) }[operation]();
      csr.write(f, f.let(value), this.#region.imports);
    }
    return old;
  }

  /** Interrupts are looked at before the step behind (MACHINE.md, 8); timers and mappings may have changed. */
  #afterCsrWrite(): void {
    const { number, name } = csrs[csrIndex.get(this.#instruction.imm)!];
    this.#place.known.floatReady = false;
    if (HARMLESS_CSRS.has(name)) return;
    const mustStop = remaps(number) ? c32(1) : this.#mustStop();
    this.f.if(mustStop, () => this.#region.stopAt(this.#after, this.#place.behind));
    this.#region.reload();
  }

  #mustStop(): I32 {
    return i32.or(get32(hart.exit), i64.ne(pendingInterrupts(), c64(0)));
  }

  system(operation: Parameters<Context['system']>[0]): void {
    const { f } = this;
    const { imports } = this.#region;
    const privilege = get32(hart.privilege);
    const isS = i32.eq(privilege, c32(PRIVILEGE_S));
    switch (operation) {
      case 'ecall':
        // Calls of the host's SBI end the slice: the interpreter's.
        f.if(i32.and(isS, get32(hart.firmware)), this.#retry, undefined, false);
        set(f, hart.pc, this.pc);
        noteTrap(f, i64.add(c64(cause.ecallU), i64.extend_i32_u(privilege)), c64(0));
        f.do(imports.takeTrap);
        break;
      case 'sret':
        this.illegalIf(this.forbiddenBelowM(mstatus.TSR));
        f.do(imports.sret);
        break;
      case 'sfence.vma':
        // Translations are coherent with the page tables at all times: nothing to do.
        this.illegalIf(this.forbiddenBelowM(mstatus.TVM));
        return;
      case 'fence.i':
        return;
      default:
        this.#retry();
        this.ended = true;
        return;
    }
    this.#region.leaveAround(this.#mustStop(), this.dirty);
    this.ended = true;
  }

  // ---- floating point ---------------------------------------------------------------------------------------------------
  /** Only with FS dirty and the usual rounding mode: in any other state the interpreter goes on. */
  override requireFloat(): void {
    const { known } = this.#place;
    if (known.floatReady) return;
    const off = i64.ne(i64.and(get64(hart.mstatus), c64(mstatus.FS)), c64(mstatus.FS));
    const rounds = i64.ne(i64.and(get64(hart.fcsr), c64(0xe0)), c64(0));
    this.f.if(i32.or(off, rounds), this.#retry, undefined, false);
    known.floatReady = true;
  }
  protected override markFloatDirty(): void {}

  get fs1(): I64 {
    return i64.reinterpret_f64(this.#region.float(this.#instruction.rs1));
  }
  get fs2(): I64 {
    return i64.reinterpret_f64(this.#region.float(this.#instruction.rs2));
  }
  get fs3(): I64 {
    return i64.reinterpret_f64(this.#region.float(this.#instruction.rs3));
  }
  fd(bits: I64): void {
    const { rd } = this.#instruction;
    this.f.set(this.#region.float(rd), f64.reinterpret_i64(bits));
    this.dirty = { ...this.dirty, f: this.dirty.f | (1 << rd) };
  }
  protected override rounding(): I32 {
    const { operation, rm } = this.#instruction;
    if (!operation.rounds) return c32(0);
    if (rm === 7) return c32(0);
    if (rm <= 4) return c32(rm);
    this.#retry();
    return c32(0);
  }
}
