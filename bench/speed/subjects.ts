/** What is compared: ways to run the benchmark's guest, each a process whose standard output is the guest's console. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { benchGuest } from './guest.ts';

const MAIN = fileURLToPath(new URL('../../src/app/cli/main.ts', import.meta.url));

export const SUBJECTS = ['translator', 'interpreter', 'qemu-7.2'] as const;
export type SubjectName = (typeof SUBJECTS)[number];

export const LABELS: Readonly<Record<SubjectName, string>> = {
  translator: 'Understudy',
  interpreter: 'Understudy, interpreter',
  'qemu-7.2': 'QEMU 7.2',
};

/** How a subject is started. */
export interface Launch {
  readonly program: string;
  readonly words: readonly string[];
}

export interface LaunchWishes {
  readonly programs: readonly string[];
  /** Where the run may leave files; a replay finds there what its recording has left. */
  readonly directory: string;
  /** Options of node, such as --cpu-prof. */
  readonly nodeOptions: readonly string[];
}

/** `quiet`: a message of the kernel must not fall into the middle of a timed line. */
const commandLine = (programs: readonly string[]): string => `console=ttyS0 quiet programs=${programs.join(',')}`;

/** The command that runs these programs on a subject. Builds the guest if need be. */
export async function launch(subject: SubjectName, wishes: LaunchWishes): Promise<Launch> {
  switch (subject) {
    case 'translator':
    case 'interpreter':
      return understudy(wishes, 'run', '--engine', subject);
    case 'qemu-7.2':
      return qemu('qemu-system-riscv64', wishes);
  }
}

async function understudy(wishes: LaunchWishes, verb: string, ...options: string[]): Promise<Launch> {
  const { kernel, initramfs } = await benchGuest('riscv64');
  const description = join(wishes.directory, 'machine.yaml');
  const machine = { name: 'bench', memory: '512M', kernel, initramfs, commandLine: commandLine(wishes.programs) };
  // JSON is YAML.
  await writeFile(description, JSON.stringify(machine, undefined, 2));
  return { program: process.execPath, words: [...wishes.nodeOptions, MAIN, verb, description, ...options] };
}

async function qemu(program: string, { programs }: LaunchWishes): Promise<Launch> {
  const { kernel, initramfs } = await benchGuest('riscv64');
  return {
    program,
    words: [
      ...['-M', 'virt', '-m', '512', '-smp', '1', '-nographic', '-monitor', 'none', '-serial', 'stdio'],
      ...['-accel', 'tcg,thread=single', '-kernel', kernel, '-initrd', initramfs],
      ...['-append', commandLine(programs)],
    ],
  };
}
