/**
 * The float unit: a WebAssembly module that computes whatever the engines' inline code leaves, exact in result and flags for all
 * operands, rounding modes and hosts. It is one function, (operation, single?, rounding mode, a, b, c) → bits, which
 * accrues flags in fcsr; interpreter and translations import it. softfloat/ says the same for people, and the tests compare.
 */
import { type FloatOperation, floatOperations } from '../../isa/context.ts';
import { F32, F64 } from '../../softfloat/format.ts';
import { type I32, type I64, i32, i64 } from '../../wasm/expression.ts';
import type { Callee, FunctionBuilder, Label } from '../../wasm/function.ts';
import { type MemoryLimits, ModuleBuilder } from '../../wasm/module.ts';
import { emitAdd, emitDiv, emitMul, emitSqrt } from './arithmetic.ts';
import {
  emitClassify,
  emitCompare,
  emitFromInteger,
  emitPick,
  emitToDouble,
  emitToInteger,
  emitToSingle,
} from './conversions.ts';
import { emitFmaDouble, emitFmaSingle } from './fma.ts';
import { hosts, promote } from './host.ts';
import { emitRound } from './number.ts';

/** The type of the unit's function. */
export const FLOAT_UNIT = { params: ['i32', 'i32', 'i32', 'i64', 'i64', 'i64'], results: ['i64'] } as const;

const c64 = i64.const;

interface Operands {
  readonly a: I64;
  readonly b: I64;
  readonly c: I64;
  readonly rm: I32;
}

/** An operation in one precision, as an expression that is evaluated where it is built. */
type Perform = (f: FunctionBuilder, operands: Operands) => I64;
type Precision = Record<FloatOperation, Perform>;

/** The module: it imports the memory, and exports the function as `compute`. */
export function buildFloatUnit(memory: MemoryLimits): Uint8Array<ArrayBuffer> {
  const m = new ModuleBuilder(memory);
  const roundSingle = emitRound(m, 'round_s', F32);
  const shared = { toSingle: emitToSingle(m, roundSingle), toDouble: emitToDouble(m), toInteger: emitToInteger(m) };
  const single = emitPrecision(m, 's', roundSingle, shared);
  const double = emitPrecision(m, 'd', emitRound(m, 'round_d', F64), shared);
  emitCompute(
    m,
    floatOperations.flatMap((operation) => [double[operation], single[operation]]),
  );
  return m.encode();
}

interface Shared {
  readonly toSingle: Callee;
  readonly toDouble: Callee;
  readonly toInteger: Callee;
}

function emitPrecision(m: ModuleBuilder, letter: 's' | 'd', round: Callee, shared: Shared): Precision {
  const host = hosts[letter];
  const name = (operation: string): string => `${operation}_${letter}`;
  const call = (callee: Callee, pick: (operands: Operands) => readonly (I64 | I32)[]): Perform => {
    return (f, operands) => f.call<'i64'>(callee, ...pick(operands));
  };
  const add = emitAdd(m, name('add'), host, round);
  const fma = letter === 'd' ? emitFmaDouble(m, round, add) : emitFmaSingle(m, shared.toSingle);
  const fromInteger = emitFromInteger(m, name('from_integer'), round);
  const compare = (what: 'eq' | 'lt' | 'le'): Perform =>
    call(emitCompare(m, name(what), host, what), ({ a, b }) => [a, b]);
  const pick = (what: 'min' | 'max'): Perform => call(emitPick(m, name(what), host, what), ({ a, b }) => [a, b]);
  const toInteger = (width: 32 | 64, largest: bigint, largestNegative: bigint): Perform => {
    return (f, { a, rm }) => {
      const wide = letter === 'd' ? a : promote(a);
      const value = f.call<'i64'>(shared.toInteger, wide, rm, c64(largest), c64(largestNegative));
      return width === 32 ? i64.extend32_s(value) : value;
    };
  };
  const fromSigned: Perform = (f, { a, rm }) => {
    const sign = f.let(i64.shr_s(a, c64(63)));
    return f.call<'i64'>(fromInteger, i64.sub(i64.xor(a, sign), sign), i64.sub(c64(0), sign), rm);
  };
  const fromUnsigned = call(fromInteger, ({ a, rm }) => [a, c64(0), rm]);
  return {
    add: call(add, ({ a, b, rm }) => [a, b, rm]),
    sub: call(add, ({ a, b, rm }) => [a, i64.xor(b, c64(host.format.signBit)), rm]),
    mul: call(emitMul(m, name('mul'), host, round), ({ a, b, rm }) => [a, b, rm]),
    div: call(emitDiv(m, name('div'), host, round), ({ a, b, rm }) => [a, b, rm]),
    sqrt: call(emitSqrt(m, name('sqrt'), host, round), ({ a, rm }) => [a, rm]),
    fma: call(fma, ({ a, b, c, rm }) => [a, b, c, rm]),
    min: pick('min'),
    max: pick('max'),
    eq: compare('eq'),
    lt: compare('lt'),
    le: compare('le'),
    classify: call(emitClassify(m, name('classify'), host), ({ a }) => [a]),
    'to-w': toInteger(32, 2n ** 31n - 1n, 2n ** 31n),
    'to-wu': toInteger(32, 2n ** 32n - 1n, 0n),
    'to-l': toInteger(64, 2n ** 63n - 1n, 2n ** 63n),
    'to-lu': toInteger(64, 2n ** 64n - 1n, 0n),
    // Words come extended by their sign, or by zeros.
    'from-w': fromSigned,
    'from-wu': fromUnsigned,
    'from-l': fromSigned,
    'from-lu': fromUnsigned,
    'to-s': call(shared.toSingle, ({ a, rm }) => [a, rm]),
    'to-d': call(shared.toDouble, ({ a }) => [a]),
  };
}

/** The dispatch: case 2 * operation + single. */
function emitCompute(m: ModuleBuilder, cases: readonly Perform[]): void {
  const f = m.function('compute', FLOAT_UNIT.params, FLOAT_UNIT.results);
  const index = i32.add(i32.shl(f.param<'i32'>(0), i32.const(1)), f.param(1));
  const operands = { rm: f.param<'i32'>(2), a: f.param<'i64'>(3), b: f.param<'i64'>(4), c: f.param<'i64'>(5) };
  const labels: Label[] = [];
  const nest = (i: number): void => {
    if (i < 0) return f.brTable(labels, labels[0], index);
    f.block((label) => {
      labels[i] = label;
      nest(i - 1);
    });
    f.scope(() => f.return(cases[i](f, operands)));
  };
  nest(cases.length - 1);
  f.unreachable();
  m.export(f);
}
