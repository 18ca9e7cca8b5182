/**
 * One instruction's semantics as a WebAssembly function of its operands: no memory management, no traps, no machine. It
 * implements the context as engines do, but results land in a record. Operands are parameters, as in an interpreter, or
 * constants, as in a translator. For the tests of this folder.
 */
import { assert } from '../../base/assert.ts';
import { F32, F64, type RoundingMode } from '../../softfloat/format.ts';
import { Softfloat } from '../../softfloat/softfloat.ts';
import type { Expr, F32 as F32Expr, F64 as F64Expr, I32, I64, Type } from '../../wasm/expression.ts';
import { f32, f64, i32, i64 } from '../../wasm/expression.ts';
import type { Callee, FunctionBuilder } from '../../wasm/function.ts';
import { ModuleBuilder } from '../../wasm/module.ts';
import { type Context, type FloatFormat, type FloatOperation, floatOperations } from '../context.ts';
import type { Operation } from '../instruction.ts';

/** What an instruction may read: registers by their role, and `memory`, the doubleword that an AMO works on. */
export interface Operands {
  readonly rs1: bigint;
  readonly rs2: bigint;
  readonly fs1: bigint;
  readonly fs2: bigint;
  readonly fs3: bigint;
  readonly imm: bigint;
  readonly pc: bigint;
  readonly rm: bigint;
  readonly memory: bigint;
}

const names = ['rs1', 'rs2', 'fs1', 'fs2', 'fs3', 'imm', 'pc', 'rm', 'memory'] as const;
export const noOperands: Operands = {
  rs1: 0n,
  rs2: 0n,
  fs1: 0n,
  fs2: 0n,
  fs3: 0n,
  imm: 0n,
  pc: 0n,
  rm: 0n,
  memory: 0n,
};

/** What it may write; 0 where it did not. Signed 64-bit numbers. `jump` is the target, `taken` a branch's decision. */
export interface Results {
  rd: bigint;
  fd: bigint;
  memory: bigint;
  jump: bigint;
  taken: bigint;
  /** csr: whether it wants to write. */
  writes: bigint;
  /** Flags raised. */
  flags: bigint;
}

const slots = ['rd', 'fd', 'memory', 'jump', 'taken', 'writes'] as const;
type Slot = (typeof slots)[number];

class IsolatedContext implements Context {
  readonly #builder: FunctionBuilder;
  readonly #softfloat: Callee;
  readonly #operand: (name: keyof Operands) => I64;

  constructor(builder: FunctionBuilder, softfloat: Callee, operand: (name: keyof Operands) => I64) {
    this.#builder = builder;
    this.#softfloat = softfloat;
    this.#operand = operand;
  }

  #put(slot: Slot, value: I64): void {
    this.#builder.store('i64.store', i32.const(slots.indexOf(slot) * 8), value);
  }
  #unsupported(what: string): never {
    throw new Error(`${what} needs a machine`);
  }

  get rs1(): I64 {
    return this.#operand('rs1');
  }
  get rs2(): I64 {
    return this.#operand('rs2');
  }
  get imm(): I64 {
    return this.#operand('imm');
  }
  /** The immediate forms have rs1 = zimm in their encoding. */
  get zimm(): I64 {
    return this.#operand('rs1');
  }
  get pc(): I64 {
    return this.#operand('pc');
  }
  get nextPc(): I64 {
    return i64.add(this.pc, i64.const(4));
  }
  get rs1IsX0(): I32 {
    return i32.const(0);
  }
  get rdIsX0(): I32 {
    return i32.const(0);
  }

  let<T extends Type>(e: Expr<T>): Expr<T> {
    return this.#builder.let(e);
  }
  if(condition: I32, then: () => void, otherwise?: () => void): void {
    this.#builder.if(condition, then, otherwise);
  }

  rd(value: I64): void {
    this.#put('rd', value);
  }
  branch(condition: I32): void {
    this.#put('taken', i64.extend_i32_u(condition));
  }
  jumpImmediate(): void {
    this.#put('jump', i64.add(this.pc, this.imm));
  }
  jump(target: I64): void {
    this.#put('jump', target);
  }

  load(): I64 {
    return this.#unsupported('load');
  }
  store(): void {
    this.#unsupported('store');
  }
  loadReserved(): I64 {
    return this.#unsupported('loadReserved');
  }
  storeConditional(): I64 {
    return this.#unsupported('storeConditional');
  }
  amo(size: 4 | 8, _address: I64, update: (old: I64) => I64): I64 {
    const memory = this.#operand('memory');
    const old = this.let(size === 4 ? i64.extend32_s(memory) : memory);
    const low = i64.const(0xffff_ffffn);
    const merged = (value: I64): I64 =>
      size === 8 ? value : i64.or(i64.and(value, low), i64.and(memory, i64.xor(low, i64.const(-1))));
    this.#put('memory', merged(update(old)));
    return old;
  }

  illegalIf(): void {
    this.#unsupported('illegalIf');
  }
  csr(_operation: 'rw' | 'rs' | 'rc', _source: I64, writes: I32): I64 {
    this.#put('writes', i64.extend_i32_u(writes));
    return i64.const(0);
  }
  system(): void {
    this.#unsupported('system');
  }

  requireFloat(): void {}
  get fs1(): I64 {
    return this.#operand('fs1');
  }
  get fs2(): I64 {
    return this.#operand('fs2');
  }
  get fs3(): I64 {
    return this.#operand('fs3');
  }
  fd(bits: I64): void {
    this.#put('fd', bits);
  }
  box(bits: I64): I64 {
    return i64.or(bits, i64.const(-1n << 32n));
  }
  unbox(bits: I64): I64 {
    const raw = this.let(bits);
    const boxed = i64.eq(i64.shr_u(raw, i64.const(32)), i64.const(0xffff_ffffn));
    return i64.select(i64.and(raw, i64.const(0xffff_ffffn)), i64.const(0x7fc0_0000), boxed);
  }
  float(operation: FloatOperation, format: FloatFormat, a: I64, b = i64.const(0), c = i64.const(0)): I64 {
    const code = i32.const(floatOperations.indexOf(operation));
    const double = i32.const(format === 'd' ? 1 : 0);
    return this.#builder.call(this.#softfloat, code, double, i32.wrap_i64(this.#operand('rm')), a, b, c);
  }
  readonly asF64 = (bits: I64): F64Expr => f64.reinterpret_i64(bits);
  readonly asF32 = (bits: I64): F32Expr => f32.reinterpret_i32(i32.wrap_i64(bits));
}

/** What `Context.float` computes, by softfloat. */
function compute(
  s: Softfloat,
  what: FloatOperation,
  double: boolean,
  rm: RoundingMode,
  a: bigint,
  b: bigint,
  c: bigint,
) {
  const format = double ? F64 : F32;
  switch (what) {
    case 'add':
    case 'sub':
    case 'mul':
    case 'div':
      return s[what](format, a, b, rm);
    case 'sqrt':
      return s.sqrt(format, a, rm);
    case 'fma':
      return s.fma(format, a, b, c, rm);
    case 'min':
    case 'max':
    case 'eq':
    case 'lt':
    case 'le':
      return BigInt(s[what](format, a, b));
    case 'classify':
      return BigInt(s.classify(format, a));
    case 'to-w':
    case 'to-wu':
    case 'to-l':
    case 'to-lu':
      return s.toInt(format, a, what.includes('w') ? 32 : 64, !what.endsWith('u'), rm);
    case 'from-w':
    case 'from-wu':
    case 'from-l':
    case 'from-lu':
      return s.fromInt(format, a, what.includes('w') ? 32 : 64, !what.endsWith('u'), rm);
    case 'to-s':
    case 'to-d':
      return s.convert(format, what === 'to-d' ? F64 : F32, a, rm);
  }
}

export interface Case {
  readonly operation: Operation;
  /** Operands that are constants in the function; the others are parameters. */
  readonly constant: Partial<Operands>;
}

/** Compiles all cases into one module. Calling `run(i, operands)` executes case i. */
export function isolate(cases: readonly Case[]): (index: number, operands: Operands) => Results {
  const module = new ModuleBuilder({ initialPages: 1, maximumPages: 1, shared: false });
  const importTypes: readonly Type[] = ['i32', 'i32', 'i32', 'i64', 'i64', 'i64'];
  const floatCallee = module.importFunction('float', importTypes, ['i64']);
  for (const [index, { operation, constant }] of cases.entries()) {
    const builder = module.function(
      `${index}`,
      names.map(() => 'i64'),
      [],
    );
    const operand = (name: keyof Operands): I64 => {
      const value = constant[name];
      return value === undefined ? builder.param<'i64'>(names.indexOf(name)) : i64.const(value);
    };
    operation.semantics(new IsolatedContext(builder, floatCallee, operand));
    module.export(builder);
  }
  const softfloat = new Softfloat();
  const float = (code: number, double: number, rm: RoundingMode, a: bigint, b: bigint, c: bigint): bigint =>
    compute(softfloat, floatOperations[code], double === 1, rm, a, b, c);
  const memory = new WebAssembly.Memory({ initial: 1, maximum: 1 });
  const instance = new WebAssembly.Instance(new WebAssembly.Module(module.encode()), { env: { memory, float } });
  const slotValues = new BigInt64Array(memory.buffer, 0, slots.length);
  return (index, operands) => {
    const run = instance.exports[`${index}`];
    assert(typeof run === 'function', `case ${index} exists`);
    slotValues.fill(0n);
    softfloat.flags = 0;
    run(...names.map((name) => operands[name]));
    const [rd, fd, stored, jump, taken, writes] = slotValues;
    return { rd, fd, memory: stored, jump, taken, writes, flags: BigInt(softfloat.flags) };
  };
}
