/**
 * The interpreter's side of the instruction semantics: operands come from the predecoded record at `ip`, at run time.
 * One context serves one case of the dispatch while it is generated.
 */
import type { Context } from '../../isa/context.ts';
import type { Operation } from '../../isa/table.ts';
import { CSR_CLEAR, CSR_SET, CSR_WRITE } from '../../machine/csr.ts';
import { get32, get64, noteTrap, set } from '../../machine/emit.ts';
import {
  cause,
  EVENT_TRAP,
  EXIT_SBI,
  EXIT_WAITING,
  F,
  hart,
  mstatus,
  PRIVILEGE_M,
  PRIVILEGE_S,
  SINK,
  X,
} from '../../machine/hart.ts';
import { RECORD_BYTES, SLOTS } from '../../machine/memory-map.ts';
import type { Mmu } from '../../machine/mmu.ts';
import { pendingInterrupts, type Traps } from '../../machine/trap.ts';
import { type I32, type I64, i32, i64 } from '../../wasm/expression.ts';
import type { Callee, FunctionBuilder, Label } from '../../wasm/function.ts';
import { type AccessSize, EngineContext } from '../engine-context.ts';
import { record } from './record.ts';

/** What all cases of the dispatch share. */
export interface Loop {
  readonly f: FunctionBuilder;
  readonly ip: I32;
  readonly base: I32;
  readonly pageVirtual: I64;
  readonly remaining: I32;
  readonly mmu: Mmu;
  readonly traps: Traps;
  readonly csr: Callee;
  readonly softfloat: Callee;
  readonly ramOffset: number;
  /** The next step; interrupts and a new page first; the trap noted; an illegal instruction; out of the function. */
  readonly labels: {
    readonly step: Label;
    /** The next step after a jump within the page: the place to count, and to enter translations. */
    readonly jumped: Label;
    readonly check: Label;
    readonly trap: Label;
    readonly illegal: Label;
    readonly out: Label;
  };
}

const c32 = i32.const;
const c64 = i64.const;

export function pcNow(loop: Loop): I64 {
  return i64.add(loop.pageVirtual, i64.extend_i32_u(i32.shr_u(i32.sub(loop.ip, loop.base), c32(3))));
}

export class InterpreterContext extends EngineContext implements Context {
  readonly #loop: Loop;
  readonly #operation: Operation;
  /** The semantics have left the case themselves (jump, system). */
  #ended = false;

  constructor(loop: Loop, operation: Operation) {
    const tlb = {
      table: get32(hart.dataTlb),
      readGeneration: get64(hart.readGeneration),
      writeGeneration: get64(hart.writeGeneration),
    };
    super({ ...loop, tlb });
    this.#loop = loop;
    this.#operation = operation;
  }

  /** What comes after the semantics: on to the next record. */
  finish(): void {
    if (this.#ended) return;
    const f = this.f;
    const { labels } = this.#loop;
    if (this.#operation.kind === 'csr') {
      set(f, hart.pc, this.nextPc);
      f.brIf(labels.out, get32(hart.exit));
      f.br(labels.check);
      return;
    }
    if (this.#operation.kind === 'atomic') this.#refetch();
    f.set(this.#loop.ip, i32.add(this.#loop.ip, this.#distance()));
    f.br(labels.step);
  }

  /** The last act of a store that changed a translation: where the next instruction stands may have changed. */
  #refetch(): void {
    const f = this.f;
    f.if(get32(hart.refetch), () => {
      set(f, hart.refetch, c32(0));
      set(f, hart.pc, this.nextPc);
      f.br(this.#loop.labels.check);
    });
  }

  // ---- operands -------------------------------------------------------------------------------------------------------
  #register(at: number): I32 {
    return i32.load16_u(this.#loop.ip, at);
  }
  #distance(): I32 {
    return i32.load16_u(this.#loop.ip, record.distance);
  }
  #imm32(): I32 {
    return i32.load(this.#loop.ip, record.imm);
  }
  get rs1(): I64 {
    return i64.load(this.#register(record.rs1), X);
  }
  get rs2(): I64 {
    return i64.load(this.#register(record.rs2), X);
  }
  get imm(): I64 {
    return i64.load32_s(this.#loop.ip, record.imm);
  }
  get pc(): I64 {
    return pcNow(this.#loop);
  }
  get nextPc(): I64 {
    return i64.add(this.pc, i64.extend_i32_u(i32.shr_u(this.#distance(), c32(3))));
  }
  get rs1IsX0(): I32 {
    return i32.eqz(this.#register(record.rs1));
  }
  get rdIsX0(): I32 {
    return i32.eq(this.#register(record.rd), c32(SINK));
  }
  get zimm(): I64 {
    return i64.extend_i32_u(i32.shr_u(this.#register(record.rs1), c32(3)));
  }

  // ---- commits --------------------------------------------------------------------------------------------------------
  rd(value: I64): void {
    this.f.store('i64.store', this.#register(record.rd), value, X);
  }

  branch(condition: I32): void {
    this.f.if(condition, () => this.#goRelative());
  }

  jumpImmediate(): void {
    this.#goRelative();
    this.#ended = true;
  }

  #goRelative(): void {
    const { ip, base, labels } = this.#loop;
    const f = this.f;
    const target = f.let(i32.add(ip, i32.shl(this.#imm32(), c32(3))));
    f.if(i32.lt_u(i32.sub(target, base), c32(SLOTS * RECORD_BYTES)), () => {
      f.set(ip, target);
      f.br(labels.jumped);
    });
    set(f, hart.pc, i64.add(this.pc, this.imm));
    f.br(labels.check);
  }

  jump(target: I64): void {
    const { ip, base, pageVirtual, labels } = this.#loop;
    const f = this.f;
    const to = f.let(target);
    f.if(i64.lt_u(i64.xor(to, pageVirtual), c64(4096)), () => {
      f.set(ip, i32.add(base, i32.shl(i32.and(i32.wrap_i64(to), c32(4094)), c32(3))));
      f.br(labels.jumped);
    });
    set(f, hart.pc, to);
    f.br(labels.check);
    this.#ended = true;
  }

  // ---- memory ---------------------------------------------------------------------------------------------------------
  /** Around a slow path that may reach a device: the steps left go out and come back. */
  #slow(call: () => void): void {
    const f = this.f;
    set(f, hart.remaining, this.#loop.remaining);
    call();
    f.brIf(this.#loop.labels.trap, i32.eq(get32(hart.event), c32(EVENT_TRAP)));
    f.set(this.#loop.remaining, get32(hart.remaining));
  }

  protected override loadSlow(size: AccessSize, address: I64): I64 {
    const value = this.f.local('i64');
    this.#slow(() => this.f.set(value, this.f.call<'i64'>(this.#loop.mmu.loadSlow, address, c32(size))));
    return value;
  }

  protected override storeSlow(size: AccessSize, address: I64, value: I64): void {
    this.#slow(() => this.f.do(this.#loop.mmu.storeSlow, address, c32(size), value));
    this.#refetch();
  }

  protected override atomicHost(size: 4 | 8, address: I64, access: number): I32 {
    const host = this.f.call<'i32'>(this.#loop.mmu.atomicHost, address, c32(size), c32(access));
    this.f.brIf(this.#loop.labels.trap, i32.eqz(host));
    return host;
  }

  // ---- control --------------------------------------------------------------------------------------------------------
  override illegalIf(condition: I32): void {
    this.f.brIf(this.#loop.labels.illegal, condition);
  }

  csr(operation: 'rw' | 'rs' | 'rc', source: I64, writes: I32): I64 {
    const f = this.f;
    const how = { rw: CSR_WRITE, rs: CSR_SET, rc: CSR_CLEAR }[operation];
    set(f, hart.remaining, this.#loop.remaining);
    const old = f.call<'i64'>(this.#loop.csr, this.#imm32(), c32(how), source, writes);
    f.brIf(this.#loop.labels.illegal, i32.eq(get32(hart.event), c32(EVENT_TRAP)));
    return old;
  }

  system(operation: Parameters<Context['system']>[0]): void {
    const f = this.f;
    const { labels, traps } = this.#loop;
    const privilege = get32(hart.privilege);
    const isS = i32.eq(privilege, c32(PRIVILEGE_S));
    switch (operation) {
      case 'ecall':
        f.if(i32.and(isS, get32(hart.firmware)), () => {
          set(f, hart.pc, this.nextPc);
          set(f, hart.exit, c32(EXIT_SBI));
          f.br(labels.out);
        });
        noteTrap(f, i64.add(c64(cause.ecallU), i64.extend_i32_u(privilege)), c64(0));
        f.br(labels.trap);
        break;
      case 'ebreak':
        noteTrap(f, cause.breakpoint, this.pc);
        f.br(labels.trap);
        break;
      case 'mret':
        this.illegalIf(i32.ne(privilege, c32(PRIVILEGE_M)));
        f.do(traps.mret);
        f.br(labels.check);
        break;
      case 'sret':
        this.illegalIf(this.forbiddenBelowM(mstatus.TSR));
        f.do(traps.sret);
        f.br(labels.check);
        break;
      case 'wfi':
        this.illegalIf(this.forbiddenBelowM(mstatus.TW));
        set(f, hart.pc, this.nextPc);
        f.if(i64.eqz(pendingInterrupts()), () => {
          set(f, hart.waiting, c32(1));
          set(f, hart.exit, c32(EXIT_WAITING));
          f.br(labels.out);
        });
        f.br(labels.check);
        break;
      case 'sfence.vma':
        // Translations are coherent with the page tables at all times: nothing to do.
        this.illegalIf(this.forbiddenBelowM(mstatus.TVM));
        return;
      case 'fence.i':
        return;
    }
    this.#ended = true;
  }

  // ---- floating point ---------------------------------------------------------------------------------------------------
  get fs1(): I64 {
    return i64.load(this.#register(record.rs1), F);
  }
  get fs2(): I64 {
    return i64.load(this.#register(record.rs2), F);
  }
  get fs3(): I64 {
    return i64.load(i32.shl(i32.load8_u(this.#loop.ip, record.rs3), c32(3)), F);
  }
  fd(bits: I64): void {
    this.f.store('i64.store', this.#register(record.rd), bits, F);
    this.markFloatDirty();
  }
  protected override rounding(): I32 {
    if (!this.#operation.rounds) return c32(0);
    const mode = this.f.let(i32.load8_u(this.#loop.ip, record.rm));
    const dynamic = i32.wrap_i64(i64.shr_u(get64(hart.fcsr), c64(5)));
    this.f.if(i32.eq(mode, c32(7)), () => this.f.set(mode, i32.and(dynamic, c32(7))));
    this.illegalIf(i32.gt_u(mode, c32(4)));
    return mode;
  }
}
