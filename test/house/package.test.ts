import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, test } from 'node:test';

const root = path.resolve(import.meta.dirname, '../..');
const directory = mkdtempSync(path.join(tmpdir(), 'understudy-package-'));
after(() => rmSync(directory, { recursive: true, force: true }));

/** A RISC-V ELF that asks the SBI for a power-off at once. */
function powerOffElf(): Uint8Array {
  const file = new Uint8Array(0x1020);
  const view = new DataView(file.buffer);
  file.set([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1]);
  view.setUint16(16, 2, true);
  view.setUint16(18, 243, true);
  view.setBigUint64(24, 0x8020_0000n, true);
  view.setBigUint64(32, 64n, true);
  view.setUint16(54, 56, true);
  view.setUint16(56, 1, true);
  view.setUint32(64, 1, true);
  view.setBigUint64(72, 0x1000n, true);
  view.setBigUint64(80, 0x8020_0000n, true);
  view.setBigUint64(88, 0x8020_0000n, true);
  view.setBigUint64(96, 0x20n, true);
  view.setBigUint64(104, 0x20n, true);
  // lui a7, 0x53525; addi a7, a7, 0x354 ("SRST"); li a6, 0; li a0, 0; ecall
  const code = [0x535258b7, 0x35488893, 0x00000813, 0x00000513, 0x00000073];
  for (const [i, word] of code.entries()) view.setUint32(0x1000 + 4 * i, word, true);
  return file;
}

test('the packed package is compiled, and runs a machine without the sources', () => {
  execFileSync('npm', ['pack', '--silent', '--pack-destination', directory], { cwd: root, stdio: 'pipe' });
  const archive = readdirSync(directory).find((name) => name.endsWith('.tgz'));
  assert.ok(archive, 'npm pack made an archive');
  execFileSync('tar', ['-xzf', archive], { cwd: directory });
  symlinkSync(path.join(root, 'node_modules'), path.join(directory, 'package', 'node_modules'));
  const kernel = path.join(directory, 'off.elf');
  writeFileSync(kernel, powerOffElf());
  const program = path.join(directory, 'package', 'bin', 'understudy.js');
  const run = (...words: string[]): string => execFileSync(process.execPath, [program, ...words], { encoding: 'utf8' });
  assert.match(run('version'), /understudy/);
  // Status 0: the guest's thread was found, the guest ran and powered off.
  run('run', '--kernel', kernel, '--memory', '32M');
});
