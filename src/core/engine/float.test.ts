/**
 * The emitted floating point against the softfloat: results and flags must be equal bit by bit, inline code and float unit,
 * with NX clear and set, in each way of giving a rounding mode, built for a host that fuses multiply-add and for one that
 * does not (the first only where this host does).
 *
 * More than the usual cases: UNDERSTUDY_FLOAT_CASES=10000000 UNDERSTUDY_SEED=7 node --test src/core/engine/float.test.ts
 */
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { type FloatOperation, floatOperations } from '../isa/context.ts';
import { hart } from '../machine/hart.ts';
import { F32, F64, type Format, type RoundingMode } from '../softfloat/format.ts';
import { Softfloat } from '../softfloat/softfloat.ts';
import { readRecord, recordBytes } from '../softfloat/testing/case.ts';
import { Operands } from '../softfloat/testing/operands.ts';
import { i32 } from '../wasm/expression.ts';
import { ModuleBuilder } from '../wasm/module.ts';
import { hostFuses } from './float/fusion.ts';
import { buildFloatUnit, FLOAT_UNIT } from './float/unit.ts';
import { emitFloat } from './float.ts';

const seed = Number(process.env.UNDERSTUDY_SEED ?? 1);
const cases = Number(process.env.UNDERSTUDY_FLOAT_CASES ?? 60_000);

interface Case {
  readonly operation: FloatOperation;
  readonly letter: 's' | 'd';
  readonly rm: number;
  readonly a: bigint;
  readonly b: bigint;
  readonly c: bigint;
}

// ---- what the softfloat says ---------------------------------------------------------------------------------------------

type Perform = (s: Softfloat, format: Format, rm: RoundingMode, a: bigint, b: bigint, c: bigint) => bigint;
const reference: Readonly<Record<FloatOperation, Perform>> = {
  add: (s, f, rm, a, b) => s.add(f, a, b, rm),
  sub: (s, f, rm, a, b) => s.sub(f, a, b, rm),
  mul: (s, f, rm, a, b) => s.mul(f, a, b, rm),
  div: (s, f, rm, a, b) => s.div(f, a, b, rm),
  sqrt: (s, f, rm, a) => s.sqrt(f, a, rm),
  fma: (s, f, rm, a, b, c) => s.fma(f, a, b, c, rm),
  min: (s, f, _rm, a, b) => s.min(f, a, b),
  max: (s, f, _rm, a, b) => s.max(f, a, b),
  eq: (s, f, _rm, a, b) => BigInt(s.eq(f, a, b)),
  lt: (s, f, _rm, a, b) => BigInt(s.lt(f, a, b)),
  le: (s, f, _rm, a, b) => BigInt(s.le(f, a, b)),
  classify: (s, f, _rm, a) => BigInt(s.classify(f, a)),
  'to-w': (s, f, rm, a) => s.toInt(f, a, 32, true, rm),
  'to-wu': (s, f, rm, a) => s.toInt(f, a, 32, false, rm),
  'to-l': (s, f, rm, a) => s.toInt(f, a, 64, true, rm),
  'to-lu': (s, f, rm, a) => s.toInt(f, a, 64, false, rm),
  'from-w': (s, f, rm, a) => s.fromInt(f, a, 32, true, rm),
  'from-wu': (s, f, rm, a) => s.fromInt(f, a, 32, false, rm),
  'from-l': (s, f, rm, a) => s.fromInt(f, a, 64, true, rm),
  'from-lu': (s, f, rm, a) => s.fromInt(f, a, 64, false, rm),
  'to-s': (s, _f, rm, a) => s.convert(F64, F32, a, rm),
  'to-d': (s, _f, rm, a) => s.convert(F32, F64, a, rm),
};

// ---- what is emitted ------------------------------------------------------------------------------------------------------

/** (rounding mode, a, b, c) → bits */
type Emitted = (rm: number, a: bigint, b: bigint, c: bigint) => bigint;

const limits = { initialPages: 1, maximumPages: 1, shared: true } as const;
const memory = new WebAssembly.Memory({ initial: 1, maximum: 1, shared: true });
const fcsr = new BigUint64Array(memory.buffer, hart.fcsr.offset, 1);
const unit = new WebAssembly.Instance(new WebAssembly.Module(buildFloatUnit(limits)), { env: { memory } });
const builds = hostFuses() ? [true, false] : [false];
const letters = ['s', 'd'] as const;
/** Known when the code runs, and known before. */
const waysOfRounding = ['runtime', 0, 1, 2, 3, 4] as const;
type WayOfRounding = 'runtime' | number;

const key = (operation: FloatOperation, letter: 's' | 'd', way: WayOfRounding, fuses: boolean): string =>
  `${operation}.${letter} ${way}${fuses ? ' fused' : ''}`;

function emitAll(): ReadonlyMap<string, Emitted> {
  const m = new ModuleBuilder(limits);
  const compute = m.importFunction('compute', FLOAT_UNIT.params, FLOAT_UNIT.results);
  for (const operation of floatOperations) {
    for (const letter of letters) {
      for (const way of waysOfRounding) {
        for (const fuses of builds) {
          const f = m.function(key(operation, letter, way, fuses), ['i32', 'i64', 'i64', 'i64'], ['i64']);
          const mode = way === 'runtime' ? f.param<'i32'>(0) : i32.const(way);
          const [a, b, c] = [1, 2, 3].map((index) => f.param<'i64'>(index));
          f.return(emitFloat(f, compute, operation, letter, mode, a, b, c, fuses));
          m.export(f);
        }
      }
    }
  }
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(m.encode()), {
    env: { memory, ...unit.exports },
  });
  return new Map(Object.entries(exports) as [string, Emitted][]);
}

const emitted = emitAll();
const softfloat = new Softfloat();

/** The emitted code in every way, with NX clear, set, and set with all others. */
function check({ operation, letter, rm, a, b, c }: Case, expected: bigint, flags: number): void {
  const frm = BigInt(rm) << 5n;
  for (const way of ['runtime', rm] as const) {
    for (const fuses of builds) {
      const run = emitted.get(key(operation, letter, way, fuses));
      assert(run);
      for (const before of [0n, 1n, 31n]) {
        fcsr[0] = frm | before;
        const result = BigInt.asUintN(64, run(rm, a, b, c));
        if (result === expected && fcsr[0] === (frm | before | BigInt(flags))) continue;
        const operands = [a, b, c].map((bits) => bits.toString(16)).join(' ');
        const is = `${result.toString(16)} fcsr ${fcsr[0].toString(16)}`;
        const wanted = `${expected.toString(16)} flags ${flags.toString(16)}`;
        assert.fail(
          `${key(operation, letter, way, fuses)} rm ${rm} before ${before} of ${operands}: ${is}, not ${wanted}`,
        );
      }
    }
  }
}

function checkAgainstSoftfloat(one: Case): void {
  const { operation, letter, rm, a, b, c } = one;
  softfloat.flags = 0;
  const expected = reference[operation](softfloat, letter === 'd' ? F64 : F32, rm as RoundingMode, a, b, c);
  check(one, expected, softfloat.flags);
}

const formatOf = (letter: 's' | 'd'): Format => (letter === 'd' ? F64 : F32);
const isUnary = (operation: FloatOperation): boolean => /sqrt|classify|to-|from-/.test(operation);
/** `to-s` and `to-d` have one precision. */
const exists = (operation: FloatOperation, letter: 's' | 'd'): boolean =>
  operation === 'to-s' ? letter === 'd' : operation === 'to-d' ? letter === 's' : true;
/** The context extends words before it has them converted. */
function extended(operation: FloatOperation, a: bigint): bigint {
  if (operation === 'from-w') return BigInt.asUintN(64, BigInt.asIntN(32, a));
  return operation === 'from-wu' ? BigInt.asUintN(32, a) : a;
}

/** Numbers at which something changes: zeros, ends of ranges, ones, halves, powers of two around the precision, NaNs. */
function edges(format: Format): readonly bigint[] {
  const { implicitBit, infinity, canonicalNaN, signBit, maxField, precision } = format;
  const power = (exponent: number): bigint => BigInt((maxField >> 1) + exponent) << format.fractionShift;
  const powers = [0, -1, 1, precision - 1, precision, -precision, 31, 32, 63, 64];
  const magnitudes = [
    ...[0n, 1n, 2n, 3n, implicitBit >> 1n, implicitBit - 1n, implicitBit, implicitBit + 1n, 2n * implicitBit],
    ...powers.flatMap((exponent) => [power(exponent) - 1n, power(exponent), power(exponent) + 1n]),
    ...[power(0) | (implicitBit >> 1n), power(1) | (implicitBit >> 1n), power(-(maxField >> 2)), power(maxField >> 2)],
    ...[
      infinity - 1n,
      infinity - implicitBit,
      infinity,
      canonicalNaN,
      canonicalNaN + 1n,
      infinity + 1n,
      canonicalNaN - 1n,
    ],
  ];
  return magnitudes.flatMap((magnitude) => [magnitude, magnitude | signBit]);
}

test('one and two operands at the edges, in all rounding modes', () => {
  for (const operation of floatOperations.filter((name) => name !== 'fma' && !name.startsWith('from'))) {
    for (const letter of letters.filter((one) => exists(operation, one))) {
      const values = edges(formatOf(letter));
      for (const a of values) {
        for (const b of isUnary(operation) ? [0n] : values) {
          // All modes in turn for pairs; the random cases below have them all.
          const modes = isUnary(operation) ? [0, 1, 2, 3, 4] : [0, Number((a + b) % 5n)];
          for (const rm of modes) checkAgainstSoftfloat({ operation, letter, rm, a, b, c: 0n });
        }
      }
    }
  }
});

test('a result of the least normal number owes UF if it was rounded up to it from below', () => {
  const [a, b] = [0x3fef_ffff_ffff_ffffn, 0x0010_0000_0000_0000n];
  fcsr[0] = 1n;
  assert.equal(emitted.get('mul.d 0')?.(0, a, b, 0n), 0x0010_0000_0000_0000n);
  assert.equal(fcsr[0], 3n);
});

const bitsOf = (value: number): bigint => new BigUint64Array(new Float64Array([value]).buffer)[0];

test('the last of 106 bits of a product decides a tie', () => {
  const [a, b] = [7199155462287987, 5634663596278459];
  assert.equal(BigInt(a) * BigInt(b), 2n ** 105n + 1n);
  // The addend's last place is worth 2^106.
  for (const rm of [0, 1, 2, 3, 4]) {
    for (const [x, z] of [
      [a, 2 ** 158],
      [-a, 2 ** 158],
      [a, -(2 ** 158)],
      [-a, -(2 ** 158)],
    ]) {
      const one: Case = { operation: 'fma', letter: 'd', rm, a: bitsOf(x), b: bitsOf(b), c: bitsOf(z) };
      checkAgainstSoftfloat(one);
    }
  }
});

test('a quotient with the least remainder that there is, on either side, is known to be inexact', () => {
  const operands = new Operands(seed);
  let found = 0;
  while (found < 20) {
    const divisor = 2n ** 52n + (operands.bits(50) | 1n);
    // Its inverse modulo 2^52, by Newton's method.
    let inverse = divisor;
    for (let i = 0; i < 6; i++) inverse = BigInt.asUintN(52, inverse * (2n - divisor * inverse));
    for (const remainder of [1n, -1n]) {
      const quotient = 2n ** 52n + BigInt.asUintN(52, -remainder * inverse);
      const dividend = (quotient * divisor + remainder) >> 52n;
      assert.equal(dividend << 52n, quotient * divisor + remainder);
      if (dividend >= 2n ** 53n) continue;
      found++;
      const [a, b] = [bitsOf(Number(dividend)), bitsOf(Number(divisor))];
      for (const rm of [0, 1, 2, 3, 4]) checkAgainstSoftfloat({ operation: 'div', letter: 'd', rm, a, b, c: 0n });
    }
  }
});

function randomCase(operands: Operands): Case {
  for (;;) {
    const operation = floatOperations[operands.below(floatOperations.length)];
    const letter = letters[operands.below(2)];
    if (!exists(operation, letter)) continue;
    const rm = operands.below(2) * operands.below(5);
    const format = formatOf(letter);
    const { a, b, c } = operands.triple(format, operation === 'div');
    const taste = operands.below(4);
    if (operation.startsWith('from'))
      return { operation, letter, rm, a: extended(operation, operands.integer()), b, c };
    if (/to-[wl]/.test(operation) && taste > 0) return { operation, letter, rm, a: operands.nearInteger(format), b, c };
    if (operation === 'to-s' && taste > 0) return { operation, letter, rm, a: operands.nearSingle(), b, c };
    return { operation, letter, rm, a, b, c };
  }
}

test(`random operands give what the softfloat gives (UNDERSTUDY_SEED=${seed})`, () => {
  const operands = new Operands(seed);
  for (let i = 0; i < cases; i++) checkAgainstSoftfloat(randomCase(operands));
});

// ---- an oracle that is not ours --------------------------------------------------------------------------------------------

const directory = mkdtempSync(join(tmpdir(), 'understudy-float-'));
after(() => rmSync(directory, { recursive: true }));
const missing = ['riscv64-linux-gnu-gcc', 'qemu-riscv64'].find((tool) => spawnSync(tool, ['--version']).status !== 0);

test('the RISC-V instructions in QEMU give the same results and flags', {
  skip: missing && `${missing} is not installed`,
}, () => {
  const program = join(directory, 'oracle');
  const source = fileURLToPath(new URL('../softfloat/testing/oracle.c', import.meta.url));
  const options = ['-O1', '-frounding-math', '-ffp-contract=off', '-static', '-o', program, source, '-lm'];
  execFileSync('riscv64-linux-gnu-gcc', options);
  const batch = Math.min(cases, 100_000);
  for (let done = 0, one = seed; done < cases; done += batch, one++) {
    const output = execFileSync('qemu-riscv64', [program, `${one}`, `${batch}`], { maxBuffer: batch * recordBytes });
    const view = new DataView(output.buffer, output.byteOffset, output.length);
    for (let offset = 0; offset < output.length; offset += recordBytes) {
      const { operation, wide, rm, a, b, c, flags, result } = readRecord(view, offset);
      const letter = wide ? 'd' : 's';
      const name = ours(operation, wide);
      check({ operation: name, letter, rm, a: extended(name, a), b, c }, result, flags);
    }
  }
});

/** The oracle's names are those of the softfloat: toW, fromLU, class, convert. */
function ours(name: string, wide: boolean): FloatOperation {
  if (name === 'convert') return wide ? 'to-s' : 'to-d';
  if (name === 'class') return 'classify';
  return name.replace(
    /(to|from)(.*)/,
    (_all, way: string, type: string) => `${way}-${type.toLowerCase()}`,
  ) as FloatOperation;
}
