/**
 * The semantics against a RISC-V machine that we did not write: a program of all computing instructions, floating point
 * and atomics included, runs in qemu-riscv64, and each result must be that of the table. Floating point is computed by our
 * softfloat here; what is compared is the way there and back: operand order, signs, boxing, widths, flags.
 * Where the tools are not installed the test is skipped, except in CI.
 */
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { decode } from './decoder.ts';
import { disassemble } from './disassembler.ts';
import { type Operation, operations } from './table.ts';
import { isolate, type Operands, type Results } from './testing/isolated.ts';

const hint =
  'qemu-riscv64 or binutils for RISC-V are not installed (on Debian: apt install qemu-user binutils-riscv64-linux-gnu)';
const installed = ['qemu-riscv64', 'riscv64-linux-gnu-as', 'riscv64-linux-gnu-ld'].every(
  (tool) => spawnSync(tool, ['--version']).status === 0,
);
const skip = !installed && process.env.CI !== 'true' ? hint : false;

/** Which registers the instruction under test uses, x and f alike; AMOs have their address in s3. */
const FIRST_SOURCE = 10;
const SECOND_SOURCE = 11;
const DESTINATION = 12;
const THIRD_SOURCE = 13;
const ADDRESS = 19;

interface Case {
  readonly operation: Operation;
  /** The instruction word. */
  readonly bits: number;
  readonly imm: bigint;
  readonly rm: bigint;
}

/** All ways in which an operation is tried: rounding modes, immediates. */
function* casesOf(operation: Operation): Generator<Case> {
  const { operands, match, kind, rounds } = operation;
  const first = kind === 'atomic' ? ADDRESS : FIRST_SOURCE;
  const has = (name: string): boolean => operands.some((operand) => operand === name);
  let registers = DESTINATION << 7;
  if (operation.reads.rs1) registers |= first << 15;
  if (operation.reads.rs2) registers |= SECOND_SOURCE << 20;
  if (operation.reads.rs3) registers |= THIRD_SOURCE << 27;
  const word = (fields: number): number => (match | registers | fields) >>> 0;
  if (rounds) for (let rm = 0; rm <= 4; rm++) yield { operation, bits: word(rm << 12), imm: 0n, rm: BigInt(rm) };
  else if (has('shamt')) {
    for (const imm of operation.format.name === 'shift' ? [0, 1, 31, 32, 63] : [0, 1, 31]) {
      yield { operation, bits: word(imm << 20), imm: BigInt(imm), rm: 0n };
    }
  } else if (has('imm')) {
    for (const imm of [-2048, -1, 0, 1, 2047]) yield { operation, bits: word(imm << 20), imm: BigInt(imm), rm: 0n };
  } else if (kind === 'branch') {
    // Over the next instruction: an offset of 8, where a destination register would be.
    yield { operation, bits: (match | (registers & ~0xf80) | 0x400) >>> 0, imm: 8n, rm: 0n };
  } else yield { operation, bits: word(0), imm: 0n, rm: 0n };
}

const isTried = ({ kind, operands, name }: Operation): boolean =>
  (kind === 'compute' && !operands.includes('upper')) || kind === 'branch' || name.startsWith('amo');

const boxed = (bits: bigint): bigint => BigInt.asIntN(64, bits | (0xffff_ffffn << 32n));

/** Registers' contents that matter to somebody: bounds of integers, floats of all classes, badly boxed singles. */
const pool: readonly bigint[] = [
  ...[0n, 1n, -1n, 7n, 63n, -128n, 0x7fffn, 2n ** 31n - 1n, 2n ** 31n, -(2n ** 31n), 2n ** 32n - 1n, 2n ** 63n - 1n],
  ...[-(2n ** 63n), 0x0102_0304_0506_0708n, 0x00ff_0100_8000_0001n, 0x3f80_0000n],
  ...[0x3ff0_0000_0000_0000n, -0x4010_0000_0000_0000n, 0x7ff0_0000_0000_0000n, -0x0010_0000_0000_0000n],
  ...[0x7ff8_0000_0000_0000n, 0x7ff0_0000_0000_0001n, 0x0000_0000_0000_0003n, 0x41dfffffffe00000n, 0x43e0000000000000n],
  ...[0x3fd5555555555555n, 0x3690_0000_0000_0000n, 0x47f0_0000_0000_0000n, 0xbfe0_0000_0000_0000n].map((bits) =>
    BigInt.asIntN(64, bits),
  ),
  ...[0x0000_0000n, 0x8000_0000n, 0x3f80_0000n, 0xbf80_0000n, 0x7f80_0000n, 0xff80_0000n, 0x7fc0_0000n].map(boxed),
  ...[0x7f80_0001n, 0x0000_0001n, 0x807f_ffffn, 0x3eaa_aaabn, 0x4f00_0000n, 0xcf00_0001n, 0x5f00_0000n].map(boxed),
];

/** Triples of the above, and random ones (xorshift). */
function makeInputs(count: number): readonly (readonly [bigint, bigint, bigint])[] {
  let state = 88172645463325252n;
  const next = (): bigint => {
    state ^= BigInt.asUintN(64, state << 13n);
    state ^= state >> 7n;
    state ^= BigInt.asUintN(64, state << 17n);
    return state;
  };
  const value = (): bigint => {
    const choice = next() % 8n;
    if (choice === 0n) return BigInt.asIntN(64, next());
    if (choice === 1n) return boxed(next() & 0xffff_ffffn);
    return pool[Number(next() % BigInt(pool.length))];
  };
  return Array.from({ length: count }, () => [value(), value(), value()] as const);
}

/** Doublewords of a result: rd, fd, fflags, memory. */
const RESULT_WORDS = 4;

/** For each case a loop over the inputs. Everything is loaded and stored each time, whatever the instruction uses. */
function program(cases: readonly Case[], inputs: readonly (readonly bigint[])[]): string {
  const size = cases.length * inputs.length * RESULT_WORDS * 8;
  const lines = ['.option norvc', '.option norelax', '.globl _start', '_start:', 'la s1, results', 'la s3, scratch'];
  for (const { operation, bits } of cases) {
    lines.push(`la s0, inputs`, `li s2, ${inputs.length}`, '1:');
    lines.push('ld a0, 0(s0)', 'ld a1, 8(s0)', 'fld fa0, 0(s0)', 'fld fa1, 8(s0)', 'fld fa3, 16(s0)', 'sd a0, 0(s3)');
    lines.push('li a2, 0', 'fmv.d.x fa2, zero', 'fsflags zero');
    if (operation.kind === 'branch') lines.push('li a2, 1', `.4byte ${bits}`, 'li a2, 0');
    else lines.push(`.4byte ${bits}`);
    lines.push('sd a2, 0(s1)', 'fsd fa2, 8(s1)', 'frflags a2', 'sd a2, 16(s1)', 'ld a2, 0(s3)', 'sd a2, 24(s1)');
    lines.push('addi s0, s0, 24', `addi s1, s1, ${RESULT_WORDS * 8}`, 'addi s2, s2, -1', 'bnez s2, 1b');
  }
  // write(1, results, size) until all is out; exit(0)
  lines.push('la s0, results', `li s2, ${size}`, '2:', 'li a0, 1', 'mv a1, s0', 'mv a2, s2', 'li a7, 64', 'ecall');
  lines.push('add s0, s0, a0', 'sub s2, s2, a0', 'bgtz s2, 2b', 'li a0, 0', 'li a7, 93', 'ecall');
  lines.push('.data', '.balign 8', 'inputs:', ...inputs.map((triple) => `.8byte ${triple.join(', ')}`));
  lines.push('.bss', '.balign 8', 'scratch: .zero 8', `results: .zero ${size}`);
  return `${lines.join('\n')}\n`;
}

function runInQemu(source: string): BigInt64Array {
  const directory = mkdtempSync(join(tmpdir(), 'understudy-qemu-'));
  const file = (name: string): string => join(directory, name);
  try {
    writeFileSync(file('program.s'), source);
    execFileSync('riscv64-linux-gnu-as', ['-march=rv64gc', '-o', file('program.o'), file('program.s')]);
    execFileSync('riscv64-linux-gnu-ld', ['-o', file('program'), file('program.o')]);
    const cpu = 'rv64,zba=true,zbb=true,zbs=true';
    const output = execFileSync('qemu-riscv64', ['-cpu', cpu, file('program')], { maxBuffer: 1 << 28 });
    return new BigInt64Array(new Uint8Array(output).buffer);
  } finally {
    rmSync(directory, { recursive: true });
  }
}

/** Our results in the order of the program's. */
function inOrder({ operation }: Case, { rd, fd, taken, flags, memory }: Results, before: bigint): readonly bigint[] {
  const x = operation.kind === 'branch' ? taken : rd;
  return [x, fd, flags, operation.kind === 'atomic' ? memory : before];
}

/** QEMU 7.2 goes on into the upper word where ctzw finds the lower one empty. The specification says 32. */
const isQemuError = ({ operation }: Case, a: bigint): boolean =>
  operation.name === 'ctzw' && BigInt.asUintN(32, a) === 0n;

test('every computing instruction gives what it gives in QEMU', { skip }, () => {
  assert.ok(installed, hint);
  const cases = operations.filter(isTried).flatMap((operation) => [...casesOf(operation)]);
  for (const { bits, operation } of cases) assert.equal(decode(bits)?.entry.name, operation.name);
  const inputs = makeInputs(600);
  const theirs = runInQemu(program(cases, inputs));
  assert.equal(theirs.length, cases.length * inputs.length * RESULT_WORDS);
  const run = isolate(cases.map(({ operation }) => ({ operation, constant: {} })));
  let at = 0;
  for (const [index, current] of cases.entries()) {
    for (const [a, b, c] of inputs) {
      const { imm, rm } = current;
      const operands: Operands = { rs1: a, rs2: b, fs1: a, fs2: b, fs3: c, imm, rm, pc: 0n, memory: a };
      const ours = inOrder(current, run(index, operands), a);
      const expected = [...theirs.subarray(at, at + RESULT_WORDS)];
      at += RESULT_WORDS;
      if (isQemuError(current, a)) continue;
      if (ours.some((value, i) => value !== expected[i])) {
        const hex = (values: readonly bigint[]): string =>
          values.map((v) => BigInt.asUintN(64, v).toString(16)).join(' ');
        assert.fail(`${disassemble(current.bits, 0n)} of ${hex([a, b, c])}: ours ${hex(ours)}, QEMU ${hex(expected)}`);
      }
    }
  }
});
