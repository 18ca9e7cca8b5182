/**
 * Softfloat against arithmetic that we did not write: the host's floating-point unit, through C and <fenv.h>, and the
 * RISC-V instructions, through QEMU. testing/oracle.c makes the cases and the answers. Where no compiler or no emulator is
 * installed, the test says so and is skipped; vectors.test.ts holds answers of both for every machine.
 *
 * More than the usual cases: SOFTFLOAT_CASES=10000000 node --test src/core/softfloat/oracle.test.ts
 */
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { F32, F64, Flag } from './format.ts';
import { Softfloat } from './softfloat.ts';
import { type Case, formatCase, perform, readRecord, recordBytes, resultFormat } from './testing/case.ts';

const batch = 100_000;
const cases = Number(process.env.SOFTFLOAT_CASES ?? batch);
const firstSeed = Number(process.env.SOFTFLOAT_SEED ?? 1);
const directory = mkdtempSync(join(tmpdir(), 'softfloat-'));
after(() => rmSync(directory, { recursive: true }));

function missing(...commands: string[]): string | false {
  for (const command of commands) {
    if (spawnSync(command, ['--version']).status !== 0) return `${command} is not installed`;
  }
  return false;
}

/** Compiles oracle.c; the program's path. */
function compile(compiler: string, ...options: string[]): string {
  const program = join(directory, compiler);
  const source = fileURLToPath(new URL('testing/oracle.c', import.meta.url));
  execFileSync(compiler, ['-O1', '-frounding-math', '-ffp-contract=off', ...options, '-o', program, source, '-lm']);
  return program;
}

/** Asks the oracle batch by batch, and compares what `agree` says must be equal. */
function compare(command: string[], agree: (expected: Case, result: bigint, flags: number) => boolean): void {
  const softfloat = new Softfloat();
  for (let done = 0, seed = firstSeed; done < cases; done += batch, seed++) {
    const [program, ...options] = command;
    const output = execFileSync(program, [...options, `${seed}`, `${batch}`], { maxBuffer: batch * recordBytes });
    assert.equal(output.length, batch * recordBytes);
    const view = new DataView(output.buffer, output.byteOffset, output.length);
    for (let offset = 0; offset < output.length; offset += recordBytes) {
      const expected = readRecord(view, offset);
      const result = perform(softfloat, expected);
      if (!agree(expected, result, softfloat.flags)) {
        assert.fail(`${formatCase(expected)}\nbut softfloat says ${result.toString(16)} ${softfloat.flags}`);
      }
    }
  }
}

test('the RISC-V instructions give the same results and the same flags, all modes and operations', {
  skip: missing('riscv64-linux-gnu-gcc', 'qemu-riscv64'),
}, () => {
  const program = compile('riscv64-linux-gnu-gcc', '-static');
  compare(['qemu-riscv64', program], (expected, result, flags) => {
    return result === expected.result && flags === expected.flags;
  });
});

test("the host's floating-point unit gives the same results and the same flags", { skip: missing('cc') }, () => {
  // Other hosts may detect tininess before rounding, which IEEE 754 allows and RISC-V does not.
  const comparable = process.arch === 'x64' ? 31 : 31 & ~Flag.UF;
  compare([compile('cc')], (expected, result, flags) => {
    let mask = comparable;
    // infinity * 0 + a quiet NaN: IEEE 754 leaves NV to the implementation, and RISC-V raises it.
    if (expected.operation === 'fma' && isNaNPattern(expected, expected.c)) mask &= ~Flag.NV;
    if ((flags & mask) !== (expected.flags & mask)) return false;
    return canonical(expected) === result;
  });
});

function isNaNPattern({ wide }: Case, bits: bigint): boolean {
  const { infinity, signBit } = wide ? F64 : F32;
  return (bits & ~signBit) > infinity;
}

/** The host's NaNs have signs and payloads; ours have not. */
function canonical(expected: Case): bigint {
  const format = resultFormat(expected);
  if (format === undefined) return expected.result;
  return (expected.result & ~format.signBit) > format.infinity ? format.canonicalNaN : expected.result;
}
