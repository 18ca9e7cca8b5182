/**
 * Floating-point operations as generated code: the host's arithmetic where it is exact in result and flags, the softfloat
 * elsewhere. The host is exact when rounding is to nearest-even, NX is already set (flags are sticky), and the result is
 * strictly between the smallest normal and infinity in magnitude: then nothing else can be owed (not UF, OF, DZ or NV).
 */
import type { FloatFormat, FloatOperation } from '../isa/context.ts';
import { get64 } from '../machine/emit.ts';
import { hart } from '../machine/hart.ts';
import { type F32, type F64, f32, f64, type I32, type I64, i32, i64 } from '../wasm/expression.ts';
import type { Callee, FunctionBuilder } from '../wasm/function.ts';

/** The order gives each operation its number in calls of the softfloat import. */
export const floatOperations: readonly FloatOperation[] = [
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
];

const c64 = i64.const;
const dOf = (bits: I64): F64 => f64.reinterpret_i64(bits);
const sOf = (bits: I64): F32 => f32.reinterpret_i32(i32.wrap_i64(bits));
const dBits = (value: F64): I64 => i64.reinterpret_f64(value);
const sBits = (value: F32): I64 => i64.extend_i32_u(i32.reinterpret_f32(value));

/** min_normal < |value| < infinity */
function strictlyNormal(bits: I64, format: FloatFormat): I32 {
  const minNormal = format === 'd' ? 0x0010_0000_0000_0000n : 0x0080_0000n;
  const infinity = format === 'd' ? 0x7ff0_0000_0000_0000n : 0x7f80_0000n;
  const magnitude = i64.and(bits, c64(format === 'd' ? 0x7fff_ffff_ffff_ffffn : 0x7fff_ffffn));
  return i64.lt_u(i64.sub(magnitude, c64(minNormal + 1n)), c64(infinity - minNormal - 1n));
}

/** Rounding to nearest-even, and an inexact result owes nothing. */
function hostRounds(rounding: I32): I32 {
  return i32.and(i32.eqz(rounding), i32.wrap_i64(i64.and(get64(hart.fcsr), c64(1))));
}

const arithmetic = {
  add: { d: f64.add, s: f32.add },
  sub: { d: f64.sub, s: f32.sub },
  mul: { d: f64.mul, s: f32.mul },
  div: { d: f64.div, s: f32.div },
} as const;
const comparison = {
  eq: { d: f64.eq, s: f32.eq },
  lt: { d: f64.lt, s: f32.lt },
  le: { d: f64.le, s: f32.le },
} as const;

/** Gives the result's bits in a local; operands are bound. `rounding` is valid (0 to 4). */
export function emitFloat(
  f: FunctionBuilder,
  softfloat: Callee,
  operation: FloatOperation,
  format: FloatFormat,
  rounding: I32,
  a: I64,
  b: I64,
  c: I64,
): I64 {
  const result = f.local('i64');
  f.block((done) => {
    const take = (condition: I32, bits: I64): void =>
      f.if(condition, () => {
        f.set(result, bits);
        f.br(done);
      });
    const isNumber = (bits: I64): I32 => (format === 'd' ? f64.eq(dOf(bits), dOf(bits)) : f32.eq(sOf(bits), sOf(bits)));
    switch (operation) {
      case 'add':
      case 'sub':
      case 'mul':
      case 'div':
      case 'sqrt':
        f.if(hostRounds(rounding), () => {
          const value =
            operation === 'sqrt'
              ? format === 'd'
                ? dBits(f64.sqrt(dOf(a)))
                : sBits(f32.sqrt(sOf(a)))
              : format === 'd'
                ? dBits(arithmetic[operation].d(dOf(a), dOf(b)))
                : sBits(arithmetic[operation].s(sOf(a), sOf(b)));
          const bits = f.let(value);
          take(strictlyNormal(bits, format), bits);
        });
        break;
      case 'eq':
      case 'lt':
      case 'le': {
        const truth =
          format === 'd' ? comparison[operation].d(dOf(a), dOf(b)) : comparison[operation].s(sOf(a), sOf(b));
        take(i32.and(isNumber(a), isNumber(b)), i64.extend_i32_u(truth));
        break;
      }
      case 'from-w':
        if (format === 'd') take(i32.const(1), dBits(f64.convert_i64_s(a)));
        else take(hostRounds(rounding), sBits(f32.convert_i64_s(a)));
        break;
      case 'from-wu':
        if (format === 'd') take(i32.const(1), dBits(f64.convert_i64_u(a)));
        else take(hostRounds(rounding), sBits(f32.convert_i64_u(a)));
        break;
      case 'from-l':
        take(hostRounds(rounding), format === 'd' ? dBits(f64.convert_i64_s(a)) : sBits(f32.convert_i64_s(a)));
        break;
      case 'from-lu':
        take(hostRounds(rounding), format === 'd' ? dBits(f64.convert_i64_u(a)) : sBits(f32.convert_i64_u(a)));
        break;
      case 'to-d':
        take(isNumber(a), dBits(f64.promote_f32(sOf(a))));
        break;
      case 'to-s':
        f.if(hostRounds(rounding), () => {
          const bits = f.let(sBits(f32.demote_f64(dOf(a))));
          take(strictlyNormal(bits, 's'), bits);
        });
        break;
      case 'to-w':
      case 'to-l':
        if (format === 'd') {
          const limit = f64.const(operation === 'to-w' ? 2 ** 31 - 1 : 2 ** 62);
          const whole = f64.trunc(dOf(a));
          const inRange = i32.and(f64.lt(f64.abs(dOf(a)), limit), i32.const(1));
          const inexactIsFine = i32.and(
            i32.eq(rounding, i32.const(1)),
            i32.wrap_i64(i64.and(get64(hart.fcsr), c64(1))),
          );
          const exact = f64.eq(whole, dOf(a));
          f.if(i32.and(inRange, i32.or(inexactIsFine, exact)), () => {
            f.set(result, i64.trunc_f64_s(whole));
            f.br(done);
          });
        }
        break;
      default:
        break;
    }
    const number = i32.const(floatOperations.indexOf(operation));
    const single = i32.const(format === 's' ? 1 : 0);
    f.set(result, f.call<'i64'>(softfloat, number, single, rounding, a, b, c));
  });
  return result;
}
