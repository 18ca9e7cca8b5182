/**
 * Floating-point operations as generated code. Inline is what the host computes right away with nothing owed but, perhaps, an
 * NX that is set already (flags are sticky); one test decides, and whatever fails it takes a call to the float unit, which
 * is exact in everything. What is owed, by operation, when rounding is to nearest-even:
 *
 * - a sum or a root that is finite: NX at most. (A tiny sum is exact; a root is never tiny.)
 * - another result: NX at most if it is normal and not the very least normal number, which may owe UF.
 * - a comparison, minimum, maximum or promotion of numbers: nothing.
 * - a conversion to an integer in range, and one from an integer: NX at most, and nothing if it is exact.
 */
import { type FloatFormat, type FloatOperation, floatOperations } from '../isa/context.ts';
import { hart } from '../machine/hart.ts';
import { type Format, Rounding } from '../softfloat/format.ts';
import { constantOf, type F64, f64, type I32, type I64, i32, i64 } from '../wasm/expression.ts';
import type { Callee, FunctionBuilder } from '../wasm/function.ts';
import { hostFuses } from './float/fusion.ts';
import { demote, type Host, hosts, promote } from './float/host.ts';

const c32 = i32.const;
const c64 = i64.const;

/** What to take as the result, in a local, and whether it may be taken: 0 or 1. */
interface Guess {
  readonly bits: I64;
  readonly good: I32;
}

/**
 * Gives the result's bits in a local; operands are bound. `rounding` is a valid mode (0 to 4), better known than not. Singles have
 * zeros above; words to convert come extended. `fuses` says whether the host that will run the code fuses multiply-add.
 */
export function emitFloat(
  f: FunctionBuilder,
  unit: Callee,
  operation: FloatOperation,
  format: FloatFormat,
  rounding: I32,
  a: I64,
  b: I64,
  c: I64,
  fuses = hostFuses(),
): I64 {
  const ask = (): I64 => {
    const number = c32(floatOperations.indexOf(operation));
    return f.call<'i64'>(unit, number, c32(format === 's' ? 1 : 0), rounding, a, b, c);
  };
  const guess = guessOf(f, operation, hosts[format], rounding, a, b, c, fuses);
  if (guess === undefined) return ask();
  const result = guess.bits;
  f.if(i32.eqz(guess.good), () => f.set(result, ask()), undefined, false);
  return result;
}

/** 0 or 1: the mode is the wanted one, and an inexact result owes nothing, since NX is set. */
function isFree(rounding: I32, wanted: number): I32 {
  const flags = i32.load8_u(c32(0), hart.fcsr.offset);
  const known = constantOf(rounding);
  if (known === undefined) return i32.and(i32.eq(rounding, c32(wanted)), flags);
  return known === wanted ? i32.and(flags, c32(1)) : c32(0);
}

function guessOf(
  f: FunctionBuilder,
  operation: FloatOperation,
  host: Host,
  rounding: I32,
  a: I64,
  b: I64,
  c: I64,
  fuses: boolean,
): Guess | undefined {
  const { format } = host;
  const nearest = (bits: I64, accept: (format: Format, bits: I64) => I32, of: Format = format): Guess => {
    const bound = f.let(bits);
    return { bits: bound, good: i32.and(accept(of, bound), isFree(rounding, Rounding.RNE)) };
  };
  switch (operation) {
    case 'add':
    case 'sub':
      return nearest(host[operation](a, b), isBelowInfinity);
    case 'sqrt':
      return nearest(host.sqrt(a), isBelowInfinity);
    case 'mul':
    case 'div':
      return nearest(host[operation](a, b), isSafelyNormal);
    case 'fma':
      return fuses ? nearest(host.multiplyAdd(a, b, c), isSafelyNormal) : undefined;
    case 'to-s':
      return nearest(demote(a), isSafelyNormal, hosts.s.format);
    case 'to-d':
      return { bits: f.let(promote(a)), good: host.eq(a, a) };
    case 'min':
    case 'max': {
      const bits = f.let(host[operation](a, b));
      return { bits, good: host.eq(bits, bits) };
    }
    case 'eq':
    case 'lt':
    case 'le':
      return comparison(f, operation, host, a, b);
    case 'classify':
      return undefined;
    case 'from-w':
    case 'from-l':
    case 'from-wu':
    case 'from-lu':
      return fromInteger(f, operation, host, rounding, a);
    default:
      return toInteger(f, operation, f.let(host.toDouble(a)), rounding);
  }
}

// ---- results ---------------------------------------------------------------------------------------------------------

const fieldOf = (format: Format, bits: I64): I32 =>
  i32.and(i32.wrap_i64(i64.shr_u(bits, c64(format.fractionShift))), c32(format.maxField));

const isBelowInfinity = (format: Format, bits: I64): I32 => i32.ne(fieldOf(format, bits), c32(format.maxField));

/** Twice the least normal number or more, and finite. */
const isSafelyNormal = (format: Format, bits: I64): I32 =>
  i32.lt_u(i32.sub(fieldOf(format, bits), c32(2)), c32(format.maxField - 2));

/** Of numbers, one of two opposite comparisons holds. */
function comparison(f: FunctionBuilder, what: 'eq' | 'lt' | 'le', host: Host, a: I64, b: I64): Guess {
  const truth = f.let(host[what](a, b));
  const opposite = { eq: () => i32.or(host.lt(a, b), host.gt(a, b)), lt: () => host.ge(a, b), le: () => host.gt(a, b) };
  return { bits: f.let(i64.extend_i32_u(truth)), good: i32.or(truth, opposite[what]()) };
}

// ---- integers --------------------------------------------------------------------------------------------------------

function fromInteger(
  f: FunctionBuilder,
  operation: 'from-w' | 'from-l' | 'from-wu' | 'from-lu',
  host: Host,
  rounding: I32,
  a: I64,
): Guess {
  const { precision } = host.format;
  const signed = operation === 'from-w' || operation === 'from-l';
  const bits = f.let(signed ? host.fromSigned(a) : host.fromUnsigned(a));
  if (precision > 32 && (operation === 'from-w' || operation === 'from-wu')) return { bits, good: c32(1) };
  const largest = 1n << BigInt(precision);
  const exact = signed ? i64.le_u(i64.add(a, c64(largest)), c64(2n * largest)) : i64.le_u(a, c64(largest));
  return { bits, good: i32.or(exact, isFree(rounding, Rounding.RNE)) };
}

const integral = [f64.nearest, f64.trunc, f64.floor, f64.ceil] as const;
type ToInteger = 'to-w' | 'to-wu' | 'to-l' | 'to-lu';
/** Above all results, or above those for which the host needs no care. */
const limits: Readonly<Record<ToInteger, number>> = {
  'to-w': 2 ** 31,
  'to-wu': 2 ** 32,
  'to-l': 2 ** 63,
  'to-lu': 2 ** 63,
};

function toInteger(f: FunctionBuilder, operation: ToInteger, value: F64, rounding: I32): Guess {
  const known = constantOf(rounding);
  const mode = known === undefined || known === Rounding.RMM ? Rounding.RTZ : Number(known);
  const whole = f.let(integral[mode](value));
  const limit = f64.const(limits[operation]);
  const signed = operation === 'to-w' || operation === 'to-l';
  const inRange = signed ? f64.lt(f64.abs(whole), limit) : i32.and(f64.ge(whole, f64.const(0)), f64.lt(whole, limit));
  const exact = f64.eq(whole, value);
  const bits = i64.trunc_sat_f64_s(whole);
  return {
    bits: f.let(operation === 'to-wu' ? i64.extend32_s(bits) : bits),
    good: i32.and(inRange, i32.or(exact, isFree(rounding, mode))),
  };
}
