/** The softfloat as generated code calls it: (operation, single?, rounding mode, a, b, c) → bits; flags accrue in fcsr. */
import { hart } from '../machine/hart.ts';
import { F32, F64, type Format, type RoundingMode } from '../softfloat/format.ts';
import { Softfloat } from '../softfloat/softfloat.ts';
import { floatOperations } from './float.ts';

type Compute = (format: Format, rm: RoundingMode, a: bigint, b: bigint, c: bigint) => bigint;

export function softfloatImport(memory: WebAssembly.Memory) {
  const softfloat = new Softfloat();
  const fcsr = new Uint8Array(memory.buffer, hart.fcsr.offset, 1);
  const s = softfloat;
  const table: Record<(typeof floatOperations)[number], Compute> = {
    add: (f, rm, a, b) => s.add(f, a, b, rm),
    sub: (f, rm, a, b) => s.sub(f, a, b, rm),
    mul: (f, rm, a, b) => s.mul(f, a, b, rm),
    div: (f, rm, a, b) => s.div(f, a, b, rm),
    sqrt: (f, rm, a) => s.sqrt(f, a, rm),
    fma: (f, rm, a, b, c) => s.fma(f, a, b, c, rm),
    min: (f, _rm, a, b) => s.min(f, a, b),
    max: (f, _rm, a, b) => s.max(f, a, b),
    eq: (f, _rm, a, b) => BigInt(s.eq(f, a, b)),
    lt: (f, _rm, a, b) => BigInt(s.lt(f, a, b)),
    le: (f, _rm, a, b) => BigInt(s.le(f, a, b)),
    classify: (f, _rm, a) => BigInt(s.classify(f, a)),
    'to-w': (f, rm, a) => s.toInt(f, a, 32, true, rm),
    'to-wu': (f, rm, a) => s.toInt(f, a, 32, false, rm),
    'to-l': (f, rm, a) => s.toInt(f, a, 64, true, rm),
    'to-lu': (f, rm, a) => s.toInt(f, a, 64, false, rm),
    'from-w': (f, rm, a) => s.fromInt(f, a, 32, true, rm),
    'from-wu': (f, rm, a) => s.fromInt(f, a, 32, false, rm),
    'from-l': (f, rm, a) => s.fromInt(f, a, 64, true, rm),
    'from-lu': (f, rm, a) => s.fromInt(f, a, 64, false, rm),
    'to-s': (_f, rm, a) => s.convert(F64, F32, a, rm),
    'to-d': (_f, rm, a) => s.convert(F32, F64, a, rm),
  };
  const byNumber = floatOperations.map((name) => table[name]);
  return (operation: number, single: number, rm: number, a: bigint, b: bigint, c: bigint): bigint => {
    const bits = byNumber[operation](single ? F32 : F64, rm as RoundingMode, a, b, c);
    if (s.flags !== 0) {
      fcsr[0] |= s.flags;
      s.flags = 0;
    }
    return bits;
  };
}
