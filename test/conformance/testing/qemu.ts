/**
 * QEMU as an oracle that we did not write: runs a bare-metal program on `-M virt` in M mode, which has RAM, UART and ACLINT
 * where our machine has them. The program tells what it did as raw bytes on the UART (`dumpMemory`).
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Assembled } from './assembler.ts';
import { makeElf } from './elf.ts';
import { TOHOST } from './machine.ts';

const installed = spawnSync('qemu-system-riscv64', ['--version']).status === 0;

/** For a test's `skip`: why it cannot run here, or false. In CI it runs, and fails. */
export const qemuMissing =
  !installed && process.env.CI !== 'true'
    ? 'qemu-system-riscv64 is not installed (on Debian: apt install qemu-system-misc)'
    : false;

/** Program text that writes memory ranges to the UART, passes on our machine and powers QEMU off. Uses t0 to t6. */
export function dumpMemory(ranges: readonly { readonly start: bigint; readonly bytes: number }[]): string {
  const lines = ['li t0, 0x10000000'];
  for (const { start, bytes } of ranges) {
    lines.push(`li t1, ${start}`, `li t2, ${start + BigInt(bytes)}`);
    lines.push('1:', 'lbu t3, 5(t0)', 'andi t3, t3, 0x20', 'beqz t3, 1b');
    lines.push('lbu t3, 0(t1)', 'sb t3, 0(t0)', 'addi t1, t1, 1', 'bltu t1, t2, 1b');
  }
  lines.push(`li t1, ${TOHOST}`, 'li t2, 1', 'sd t2, 0(t1)', 'li t1, 0x100000', 'li t2, 0x5555', 'sw t2, 0(t1)', 'j .');
  return lines.join('\n');
}

/** Runs until the program powers the machine off; gives what came out of the UART. */
export function runInQemu(program: Assembled): Uint8Array {
  const directory = mkdtempSync(join(tmpdir(), 'understudy-qemu-'));
  try {
    const file = join(directory, 'program');
    const out = join(directory, 'uart');
    writeFileSync(file, makeElf(program));
    const words = ['-M', 'virt', '-cpu', 'rv64,h=false', '-bios', 'none', '-display', 'none', '-monitor', 'none'];
    const { status, stderr } = spawnSync(
      'qemu-system-riscv64',
      [...words, '-serial', `file:${out}`, '-kernel', file, '-m', '32'],
      { timeout: 60_000 },
    );
    if (status !== 0) throw new Error(`QEMU ended with ${status}: ${stderr}`);
    return readFileSync(out);
  } finally {
    rmSync(directory, { recursive: true });
  }
}
