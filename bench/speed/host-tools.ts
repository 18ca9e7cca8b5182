/** What the speed benchmark needs of this host: ordinary Debian packages, all named at once if they are missing. */
import { access } from 'node:fs/promises';
import path from 'node:path';
import { FACTS, type SubjectName } from './subjects.ts';

interface Need {
  readonly package: string;
  /** A program in PATH, or an absolute path. */
  readonly file: string;
}

const ALWAYS: readonly Need[] = [
  { package: 'gcc-riscv64-linux-gnu', file: 'riscv64-linux-gnu-gcc' },
  { package: 'libc6-dev-riscv64-cross', file: '/usr/riscv64-linux-gnu/lib/libc.a' },
];
const FOR_QEMU: readonly Need[] = [{ package: 'qemu-system-misc', file: 'qemu-system-riscv64' }];
const FOR_V86: readonly Need[] = [
  { package: 'gcc-i686-linux-gnu', file: 'i686-linux-gnu-gcc' },
  { package: 'libc6-dev-i386-cross', file: '/usr/i686-linux-gnu/lib/libc.a' },
  { package: 'seabios', file: '/usr/share/seabios/bios.bin' },
];
const FOR_REDIS: readonly Need[] = [
  { package: 'redis-tools', file: 'redis-benchmark' },
  { package: 'passt', file: 'passt' },
];

async function isThere({ file }: Need): Promise<boolean> {
  const candidates = (process.env.PATH ?? '').split(':').map((directory) => path.join(directory, file));
  for (const candidate of path.isAbsolute(file) ? [file] : candidates) {
    try {
      await access(candidate);
      return true;
    } catch {
      // Perhaps in the next directory.
    }
  }
  return false;
}

/** Throws an error that names every missing package. */
export async function checkBenchTools(subjects: readonly SubjectName[], redis: boolean): Promise<void> {
  const needs = [
    ...ALWAYS,
    ...(subjects.some((name) => FACTS[name].qemu === 'host') ? FOR_QEMU : []),
    ...(subjects.includes('v86') ? FOR_V86 : []),
    ...(redis ? FOR_REDIS : []),
  ];
  const missing: string[] = [];
  for (const need of needs) if (!(await isThere(need))) missing.push(need.package);
  if (missing.length > 0) {
    throw new Error(`the benchmark needs Debian packages that are not here: apt-get install ${missing.join(' ')}`);
  }
}
