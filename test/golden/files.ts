/** Where the programs and their golden files are. */
import { spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';

const directory = join(import.meta.dirname, 'programs');

export const goldenPrograms = (): string[] =>
  readdirSync(directory)
    .filter((name) => name.endsWith('.s'))
    .map((name) => name.slice(0, -2))
    .sort();

export const sourceFile = (name: string): string => join(directory, `${name}.s`);
export const goldenFile = (name: string): string => join(directory, `${name}.wat`);

/** Whether there is an assembler for RISC-V. */
export const assembler: boolean = spawnSync('riscv64-linux-gnu-as', ['--version']).status === 0;
export const assemblerHint =
  'binutils for RISC-V are not installed (on Debian: apt install binutils-riscv64-linux-gnu)';
