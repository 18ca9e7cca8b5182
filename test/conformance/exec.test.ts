/** `understudy exec` as a person and a test suite meet it: exit statuses, console, signature, trace, and its errors. */
import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { exec as runProgramHere } from '../../src/app/cli/actions/exec.ts';
import { type Outcome, root, runProgram } from '../house/tree.ts';
import { assemble } from './testing/assembler.ts';
import { makeElf } from './testing/elf.ts';

const TOHOST = 0x8000_3000n;

async function programFile(context: TestContext, source: string, symbols = { tohost: TOHOST }): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'understudy-exec-'));
  context.after(() => rm(directory, { recursive: true, force: true }));
  const file = join(directory, 'program.elf');
  await writeFile(file, makeElf(assemble(source), symbols));
  return file;
}

const exec = (...words: string[]): Promise<Outcome> => runProgram(join(root, 'understudy'), ['exec', ...words]);

const end = (value: bigint | string): string => `li t5, ${TOHOST}; li t6, ${value}; sd t6, 0(t5); j .`;

test('a pass is status 0 and silence; test n that failed is status n, at most 255, and is named', async (context) => {
  const passed = await exec(await programFile(context, end(1n)));
  assert.deepEqual(passed, { status: 0, stdout: '', stderr: '' });
  for (const [n, status] of [
    [1n, 1],
    [1337n, 255],
  ] as const) {
    const failed = await exec(await programFile(context, end((n << 1n) | 1n)));
    assert.equal(failed.status, status);
    assert.match(failed.stderr, new RegExp(`program\\.elf: test ${n} failed`));
  }
});

test('two stores of 32 bits to tohost do as well, and the program starts at its entry', async (context) => {
  const source = `j .; _start: li t5, ${TOHOST}; li t6, 7; sw t6, 0(t5); sw zero, 4(t5); j .`;
  assert.equal((await exec(await programFile(context, source))).status, 3);
});

test('characters come out by HTIF and by the UART, also those without a newline', async (context) => {
  const put = [...'Hé\n'].map((c) => `li t6, ${(0x0101n << 48n) | BigInt(c.charCodeAt(0))}; sd t6, 0(t5)`);
  const uart = [...'end'].map((c) => `li t6, ${c.charCodeAt(0)}; sb t6, 0(t4)`);
  const source = [`li t5, ${TOHOST}; li t4, 0x10000000`, ...put, ...uart, end(1n)].join('\n');
  const { status, stdout } = await exec(await programFile(context, source));
  assert.equal(status, 0);
  assert.equal(stdout, 'H\ufffd\nend');
});

test('the signature is the memory between the symbols, a little-endian word a line', async (context) => {
  const source = `
    la t0, begin_signature; li t1, 0x0123456789abcdef; sd t1, 0(t0)
    ${end(1n)}
    .align 4
    begin_signature: .dword 0, 0xdeadbeef
    end_signature: .dword -1`;
  const file = await programFile(context, source);
  const signature = `${file}.signature`;
  assert.equal((await exec('--signature', signature, file)).status, 0);
  assert.equal(await readFile(signature, 'latin1'), '89abcdef\n01234567\ndeadbeef\n00000000\n');
  const none = await exec('--signature', signature, await programFile(context, end(1n)));
  assert.equal(none.status, 1);
  assert.match(none.stderr, /has no symbol begin_signature\n {2}\S/);
});

test('a trace has a line a step: position, pc, instruction, register; traps and interrupts too', async (context) => {
  const source = `
    la t0, trap; csrw mtvec, t0
    li t1, 0x2000000; li t2, 8; csrw mie, t2; li t2, 1
    ecall
    sw t2, 0(t1)
    csrsi mstatus, 8
    .align 2
    trap: csrr t3, mcause
    bltz t3, 1f
    csrr t4, mepc; addi t4, t4, 4; csrw mepc, t4; mret
    1: ${end(1n)}`;
  const { status, stderr } = await exec('--trace', '--max-steps', '1000', await programFile(context, source));
  assert.equal(status, 0);
  const lines = stderr.trimEnd().split('\n');
  for (const [i, line] of lines.entries()) assert.match(line, new RegExp(`^${i}\t[0-9a-f]{16} M\t`));
  assert.equal(lines[0], '0\t0000000080000000 M\tauipc\tt0,0x0\tt0=0000000080000000');
  const text = lines.join('\n');
  assert.match(text, /\*\*\* trap: ecall from M, value 0{16}, to M at 0000000080000028\n/);
  assert.match(text, /\tcsrrsi\tzero,mstatus,8\n\d+\t\S+ M\t\*\*\* interrupt: machine software, to M at /);
  assert.match(text, /\tsd\tt6,0\(t5\)$/);
});

test('--max-steps ends what does not end, also a program that only traps', async (context) => {
  for (const source of ['1: addi a0, a0, 1; j 1b', 'la t0, trap; csrw mtvec, t0; .align 2; trap: .word 0']) {
    const { status, stderr } = await exec('--max-steps', '1000', await programFile(context, source));
    assert.equal(status, 1);
    assert.match(stderr, /did not end within 1000 steps: it is at position 1000, pc 0x8000\w+\n {2}Give it more/);
  }
});

test('a program that can be seen never to end is told so', async (context) => {
  const waits = await exec(await programFile(context, 'wfi; j .'));
  assert.equal(waits.status, 1);
  assert.match(waits.stderr, /waits in wfi for an interrupt that cannot come, at position 1, pc 0x80000004/);
  const loops = await exec(await programFile(context, 'nop; j .'));
  assert.equal(loops.status, 1);
  assert.match(loops.stderr, /jumps to itself for ever, at position \d+, pc 0x80000004/);
});

test('without tohost it says what will stop the program', async (context) => {
  const elf = makeElf(assemble('1: addi a0, a0, 1; j 1b'));
  const file = await programFile(context, 'nop');
  await writeFile(file, elf);
  const { status, stderr } = await exec('--max-steps', '1k', file);
  assert.equal(status, 1);
  assert.match(
    stderr,
    /has no symbol "tohost" in its memory: it stops at --max-steps\n.*did not end within 1000 steps/s,
  );
});

test('what is no program is refused with its name and a reason', async (context) => {
  const file = await programFile(context, end(1n));
  const good = await readFile(file);
  const refused = (path: string, message: RegExp): Promise<void> => {
    const engine = 'interpreter';
    const request = {
      file: path,
      engine,
      memoryBytes: 2 ** 22,
      maxSteps: 1n,
      signature: undefined,
      trace: false,
    } as const;
    return assert.rejects(runProgramHere(request), { name: 'OperatingError', message });
  };
  const set = (at: number, value: number) => (bytes: Buffer) => {
    bytes[at] = value;
    return bytes;
  };
  const cases: readonly (readonly [(bytes: Buffer) => Buffer, RegExp])[] = [
    [() => Buffer.from('#!/bin/sh\n'), /program\.elf: the file is not an ELF file/],
    [() => Buffer.alloc(0), /is not an ELF file/],
    [set(4, 1), /not 64-bit little-endian/],
    [set(18, 62), /not for RISC-V/],
    [set(16, 1), /not an executable/],
    [(bytes) => bytes.subarray(0, 40), /damaged: it ends inside the ELF header/],
    [(bytes) => bytes.subarray(0, 200), /damaged/],
    [set(64 + 24 + 3, 0x10), /the segment at 0x10000000 of \d+ bytes does not fit/],
  ];
  for (const [change, message] of cases) {
    await writeFile(file, change(Buffer.from(good)));
    await refused(file, message);
  }
  await refused(tmpdir(), /cannot be read \(EISDIR\)/);
  const missing = await exec(`${file}.missing`);
  assert.equal(missing.status, 1);
  assert.match(missing.stderr, /^understudy: the program .*missing does not exist\n {2}\S/);
});
