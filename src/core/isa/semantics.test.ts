/**
 * The semantics of integer instructions against the specification's formulas, written once more with integers of any
 * size. Each case runs twice: with operands known at run time only, and with constants, which the expressions fold.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { operationId, operations } from './table.ts';
import { type Case, isolate, noOperands, type Operands } from './testing/isolated.ts';

const s64 = (a: bigint): bigint => BigInt.asIntN(64, a);
const u64 = (a: bigint): bigint => BigInt.asUintN(64, a);
const s32 = (a: bigint): bigint => BigInt.asIntN(32, a);
const u32 = (a: bigint): bigint => BigInt.asUintN(32, a);

type Formula = (a: bigint, b: bigint) => bigint | boolean;

const bitsOf = (a: bigint, width: number): string => BigInt.asUintN(width, a).toString(2).padStart(width, '0');
const leadingZeros = (bits: string): bigint => BigInt(bits.indexOf('1') < 0 ? bits.length : bits.indexOf('1'));
const reversed = (bits: string): string => [...bits].reverse().join('');
const ones = (bits: string): bigint => BigInt(bits.replaceAll('0', '').length);
const rotateLeft = (a: bigint, by: bigint, width: number): bigint => {
  const value = BigInt.asUintN(width, a);
  return (value << by) | (value >> (BigInt(width) - by));
};
const mapBytes = (a: bigint, map: (bytes: bigint[]) => bigint[]): bigint => {
  const bytes = Array.from({ length: 8 }, (_, i) => (u64(a) >> BigInt(8 * i)) & 0xffn);
  return map(bytes).reduce((sum, byte, i) => sum | (byte << BigInt(8 * i)), 0n);
};

/** Arguments are signed 64-bit numbers; results are truncated to that. */
const formulas: Record<string, Formula> = {
  add: (a, b) => a + b,
  sub: (a, b) => a - b,
  sll: (a, b) => a << (b & 63n),
  slt: (a, b) => a < b,
  sltu: (a, b) => u64(a) < u64(b),
  xor: (a, b) => a ^ b,
  srl: (a, b) => u64(a) >> (b & 63n),
  sra: (a, b) => a >> (b & 63n),
  or: (a, b) => a | b,
  and: (a, b) => a & b,
  addw: (a, b) => s32(a + b),
  subw: (a, b) => s32(a - b),
  sllw: (a, b) => s32(a << (b & 31n)),
  srlw: (a, b) => s32(u32(a) >> (b & 31n)),
  sraw: (a, b) => s32(a) >> (b & 31n),
  mul: (a, b) => a * b,
  mulh: (a, b) => (a * b) >> 64n,
  mulhsu: (a, b) => (a * u64(b)) >> 64n,
  mulhu: (a, b) => (u64(a) * u64(b)) >> 64n,
  div: (a, b) => (b === 0n ? -1n : a / b),
  divu: (a, b) => (b === 0n ? -1n : u64(a) / u64(b)),
  rem: (a, b) => (b === 0n ? a : a % b),
  remu: (a, b) => (b === 0n ? a : u64(a) % u64(b)),
  mulw: (a, b) => s32(a * b),
  divw: (a, b) => (u32(b) === 0n ? -1n : s32(s32(a) / s32(b))),
  divuw: (a, b) => (u32(b) === 0n ? -1n : s32(u32(a) / u32(b))),
  remw: (a, b) => (u32(b) === 0n ? s32(a) : s32(a) % s32(b)),
  remuw: (a, b) => (u32(b) === 0n ? s32(a) : s32(u32(a) % u32(b))),
  'add.uw': (a, b) => u32(a) + b,
  sh1add: (a, b) => (a << 1n) + b,
  sh2add: (a, b) => (a << 2n) + b,
  sh3add: (a, b) => (a << 3n) + b,
  'sh1add.uw': (a, b) => (u32(a) << 1n) + b,
  'sh2add.uw': (a, b) => (u32(a) << 2n) + b,
  'sh3add.uw': (a, b) => (u32(a) << 3n) + b,
  'slli.uw': (a, b) => u32(a) << b,
  andn: (a, b) => a & ~b,
  orn: (a, b) => a | ~b,
  xnor: (a, b) => ~(a ^ b),
  clz: (a) => leadingZeros(bitsOf(a, 64)),
  clzw: (a) => leadingZeros(bitsOf(a, 32)),
  ctz: (a) => leadingZeros(reversed(bitsOf(a, 64))),
  ctzw: (a) => leadingZeros(reversed(bitsOf(a, 32))),
  cpop: (a) => ones(bitsOf(a, 64)),
  cpopw: (a) => ones(bitsOf(a, 32)),
  max: (a, b) => (a > b ? a : b),
  maxu: (a, b) => (u64(a) > u64(b) ? a : b),
  min: (a, b) => (a < b ? a : b),
  minu: (a, b) => (u64(a) < u64(b) ? a : b),
  'sext.b': (a) => BigInt.asIntN(8, a),
  'sext.h': (a) => BigInt.asIntN(16, a),
  'zext.h': (a) => BigInt.asUintN(16, a),
  rol: (a, b) => rotateLeft(a, b & 63n, 64),
  rolw: (a, b) => s32(rotateLeft(a, b & 31n, 32)),
  ror: (a, b) => rotateLeft(a, -b & 63n, 64),
  rorw: (a, b) => s32(rotateLeft(a, -b & 31n, 32)),
  'orc.b': (a) => mapBytes(a, (bytes) => bytes.map((byte) => (byte === 0n ? 0n : 0xffn))),
  rev8: (a) => mapBytes(a, (bytes) => bytes.reverse()),
  bclr: (a, b) => a & ~(1n << (b & 63n)),
  bext: (a, b) => (a >> (b & 63n)) & 1n,
  binv: (a, b) => a ^ (1n << (b & 63n)),
  bset: (a, b) => a | (1n << (b & 63n)),
  beq: (a, b) => a === b,
  bne: (a, b) => a !== b,
  blt: (a, b) => a < b,
  bge: (a, b) => a >= b,
  bltu: (a, b) => u64(a) < u64(b),
  bgeu: (a, b) => u64(a) >= u64(b),
};

/** Immediate forms of the above. */
const immediateForms: Record<string, string> = {
  addi: 'add',
  slti: 'slt',
  sltiu: 'sltu',
  xori: 'xor',
  ori: 'or',
  andi: 'and',
  slli: 'sll',
  srli: 'srl',
  srai: 'sra',
  addiw: 'addw',
  slliw: 'sllw',
  srliw: 'srlw',
  sraiw: 'sraw',
  rori: 'ror',
  roriw: 'rorw',
  bclri: 'bclr',
  bexti: 'bext',
  binvi: 'binv',
  bseti: 'bset',
};

/** The new memory of an AMO, from the old one (a) and rs2. */
const atomicFormulas: Record<string, (a: bigint, b: bigint) => bigint> = {
  amoswap: (_a, b) => b,
  amoadd: (a, b) => a + b,
  amoxor: (a, b) => a ^ b,
  amoand: (a, b) => a & b,
  amoor: (a, b) => a | b,
  amomin: (a, b) => (a < b ? a : b),
  amomax: (a, b) => (a > b ? a : b),
  amominu: (a, b) => (u64(a) < u64(b) ? a : b),
  amomaxu: (a, b) => (u64(a) > u64(b) ? a : b),
};

const interesting: readonly bigint[] = [
  0n,
  1n,
  -1n,
  63n,
  -2n,
  0x80n,
  0x7fffn,
  2n ** 31n - 1n,
  2n ** 31n,
  -(2n ** 31n),
  2n ** 32n - 1n,
  2n ** 32n,
  2n ** 63n - 1n,
  -(2n ** 63n),
  0x0102_0304_0506_0708n,
  s64(0xfedc_ba98_7654_3210n),
  s64(0xffff_ffff_8000_0000n),
  0x00ff_0100_8000_0001n,
];
const pairs = interesting.flatMap((a) => interesting.map((b) => [a, b] as const));

interface Expected {
  readonly operation: string;
  readonly operands: Operands;
  readonly result: 'rd' | 'taken' | 'memory';
  readonly value: bigint;
}

const truncated = (value: bigint | boolean): bigint => s64(BigInt(value));

function* expectations(): Generator<Expected> {
  for (const [a, b] of pairs) {
    for (const [operation, formula] of Object.entries(formulas)) {
      const branch = operations[operationId(operation)].kind === 'branch';
      if (operation === 'slli.uw' && (b < 0n || b > 63n)) continue;
      const operands = { ...noOperands, rs1: a, ...(operation === 'slli.uw' ? { imm: b } : { rs2: b }) };
      yield { operation, operands, result: branch ? 'taken' : 'rd', value: truncated(formula(a, b)) };
    }
    for (const [operation, form] of Object.entries(immediateForms)) {
      const shift = operations[operationId(operation)].operands.includes('shamt');
      const imm = shift ? b & (operation.endsWith('w') ? 31n : 63n) : BigInt.asIntN(12, b);
      const operands = { ...noOperands, rs1: a, imm };
      yield { operation, operands, result: 'rd', value: truncated(formulas[form](a, imm)) };
    }
    for (const [operation, formula] of Object.entries(atomicFormulas)) {
      const operands = { ...noOperands, rs2: b, memory: a };
      const word = (a & ~0xffff_ffffn) | u32(formula(s32(a), s32(b)));
      yield { operation: `${operation}.d`, operands, result: 'memory', value: s64(formula(a, b)) };
      yield { operation: `${operation}.w`, operands, result: 'memory', value: s64(word) };
      yield { operation: `${operation}.d`, operands, result: 'rd', value: a };
      yield { operation: `${operation}.w`, operands, result: 'rd', value: s32(a) };
    }
  }
}

function check(all: readonly Expected[], cases: readonly Case[], indexOf: (e: Expected, i: number) => number): void {
  const run = isolate(cases);
  for (const [i, expected] of all.entries()) {
    const actual = run(indexOf(expected, i), expected.operands)[expected.result];
    if (actual !== expected.value) {
      const { rs1, rs2, imm, memory } = expected.operands;
      assert.fail(
        `${expected.operation} of rs1=${rs1} rs2=${rs2} imm=${imm} memory=${memory}: ` +
          `${expected.result} is ${actual}, not ${expected.value}`,
      );
    }
  }
}

test('integer instructions compute what the specification says, on operands known at run time', () => {
  const all = [...expectations()];
  const cases = operations.map((operation) => ({ operation, constant: {} }));
  const tested = new Set(all.map(({ operation }) => operation));
  const usable = cases.filter(({ operation }) => tested.has(operation.name));
  const indexes = new Map(usable.map(({ operation }, i) => [operation.name, i]));
  check(all, usable, ({ operation }) => indexes.get(operation) ?? -1);
  const untested = operations.filter(
    ({ name, float, kind }) => !tested.has(name) && !float && /compute|branch/.test(kind),
  );
  assert.deepEqual(
    untested.map(({ name }) => name),
    ['lui', 'auipc'],
    'every integer instruction has a formula',
  );
});

test('they compute the same on constants', () => {
  const all = [...expectations()].filter((_e, i) => i % 7 === 0);
  const cases = all.map(({ operation, operands }) => ({
    operation: operations[operationId(operation)],
    constant: operands,
  }));
  check(all, cases, (_e, i) => i);
});

test('the other ways to use immediate and pc', () => {
  const names = ['lui', 'auipc', 'jal', 'jalr'];
  const run = isolate(names.map((name) => ({ operation: operations[operationId(name)], constant: {} })));
  const of = (name: string, operands: Partial<Operands>) => run(names.indexOf(name), { ...noOperands, ...operands });
  assert.equal(of('lui', { imm: -4096n }).rd, -4096n);
  assert.equal(of('auipc', { imm: -4096n, pc: 0x8000_0004n }).rd, 0x7fff_f004n);
  const jal = of('jal', { imm: -8n, pc: 0x8000_0004n });
  assert.deepEqual([jal.rd, jal.jump], [0x8000_0008n, 0x7fff_fffcn]);
  const jalr = of('jalr', { rs1: 0x1000n, imm: -1n, pc: 0x8000_0004n });
  assert.deepEqual([jalr.rd, jalr.jump], [0x8000_0008n, 0xffen]);
});

test('csrrsi and csrrci write unless their immediate is 0, csrrwi always', () => {
  const names = ['csrrwi', 'csrrsi', 'csrrci'];
  const run = isolate(names.map((name) => ({ operation: operations[operationId(name)], constant: {} })));
  const writes = (rs1: bigint) => names.map((_name, i) => run(i, { ...noOperands, rs1 }).writes);
  assert.deepEqual(writes(0n), [1n, 0n, 0n]);
  assert.deepEqual(writes(16n), [1n, 1n, 1n]);
});
