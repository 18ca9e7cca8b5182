/**
 * What is compared: ways to run the benchmark's guest, each a process whose standard output is the guest's console. All QEMUs
 * emulate one hart of `virt` with 512 MB and Debian's default CPU model, translating on one thread.
 */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { benchGuest } from './guest.ts';
import { newestQemu } from './newest-qemu.ts';

export const MAIN = fileURLToPath(new URL('../../src/app/cli/main.ts', import.meta.url));
const V86_GUEST = fileURLToPath(new URL('./v86-guest.ts', import.meta.url));

interface SubjectFacts {
  /** `host`: the qemu-system-riscv64 of this host; `newest`: see newest-qemu.ts. */
  readonly qemu?: 'host' | 'newest';
  /** Subjects that must have run before it in the same round: a replay needs its recording. */
  readonly after?: SubjectName;
  /** Not more rounds than this, because it is slow and nothing is compared with it but itself. */
  readonly mostRounds?: number;
  /** The same for redis; 0: no redis. */
  readonly mostRedisRounds?: number;
  readonly what: string;
}

/** In the order in which they run in a round. */
export const SUBJECTS = [
  'translator',
  'qemu',
  'qemu-newest',
  'record',
  'replay',
  'qemu-rr-record',
  'qemu-rr-replay',
  'newest-rr-record',
  'newest-rr-replay',
  'v86',
  'interpreter',
] as const;
export type SubjectName = (typeof SUBJECTS)[number];

export const FACTS: Readonly<Record<SubjectName, SubjectFacts>> = {
  translator: { what: '`understudy run --engine translator`' },
  interpreter: { what: '`understudy run --engine interpreter`', mostRounds: 1, mostRedisRounds: 0 },
  record: { what: '`understudy record --engine translator`' },
  replay: { what: '`understudy replay --engine translator` of that recording', after: 'record' },
  qemu: { what: 'Debian’s qemu-system-riscv64 on this host, plain TCG', qemu: 'host' },
  'qemu-newest': { what: 'the newest QEMU in Debian (unstable), plain TCG', qemu: 'newest' },
  // Its replay of a recording with a network card stops at the guest's first frames (7.2), so it has no redis.
  'qemu-rr-record': {
    what: 'the host’s QEMU, `-icount shift=auto,rr=record`',
    qemu: 'host',
    mostRedisRounds: 0,
  },
  'qemu-rr-replay': {
    what: 'its `rr=replay` of that recording',
    qemu: 'host',
    after: 'qemu-rr-record',
    mostRedisRounds: 0,
  },
  // A redis run takes more than a minute here, most of it waiting, whatever the guest does.
  'newest-rr-record': {
    what: 'the newest QEMU, `-icount shift=auto,rr=record`; with redis also its replay filters of network and disk',
    qemu: 'newest',
    mostRedisRounds: 1,
  },
  'newest-rr-replay': {
    what: 'its `rr=replay` of that recording',
    qemu: 'newest',
    after: 'newest-rr-record',
    mostRedisRounds: 1,
  },
  // Its guest has another architecture, and there is no such image for it.
  v86: { what: 'v86 from npm with an i386 guest, same Node and same C sources', mostRedisRounds: 0 },
};

/** The subjects of these names, in the order of a round. Throws for one that there is not. */
export function subjectsNamed(names: readonly string[]): SubjectName[] {
  const unknown = names.filter((name) => !SUBJECTS.some((subject) => subject === name));
  if (unknown.length > 0)
    throw new Error(`there is no subject ${unknown.join(', ')}: choose from ${SUBJECTS.join(', ')}`);
  for (const name of names) {
    const { after } = FACTS[name as SubjectName];
    if (after !== undefined && !names.includes(after))
      throw new Error(`${name} replays what ${after} has recorded: name both`);
  }
  return SUBJECTS.filter((name) => names.includes(name));
}

/** How a subject is started. */
export interface Launch {
  readonly program: string;
  readonly words: readonly string[];
}

export interface LaunchWishes {
  readonly programs: readonly string[];
  /** Where the runs of a round leave files; a replay finds there what its recording has left. */
  readonly directory: string;
  /** Options of node, such as --cpu-prof. */
  readonly nodeOptions: readonly string[];
}

/** `quiet`: a message of the kernel must not fall into the middle of a timed line. */
const commandLine = (programs: readonly string[]): string => `console=ttyS0 quiet programs=${programs.join(',')}`;

/** The command that runs these programs on a subject. Builds the guest and fetches a QEMU if need be. */
export async function launch(subject: SubjectName, wishes: LaunchWishes): Promise<Launch> {
  const log = join(wishes.directory, 'understudy.log');
  switch (subject) {
    case 'translator':
    case 'interpreter':
      return understudy(wishes, 'run', await describe(wishes), '--engine', subject);
    case 'record':
      return understudy(wishes, 'record', await describe(wishes), '--log', log, '--engine', 'translator');
    case 'replay':
      return understudy(wishes, 'replay', log, '--engine', 'translator');
    case 'v86':
      return v86(wishes);
    default:
      return qemu(subject, wishes);
  }
}

async function describe(wishes: LaunchWishes): Promise<string> {
  const { kernel, initramfs } = await benchGuest('riscv64');
  const file = join(wishes.directory, 'machine.yaml');
  const machine = { name: 'bench', memory: '512M', kernel, initramfs, commandLine: commandLine(wishes.programs) };
  // JSON is YAML.
  await writeFile(file, JSON.stringify(machine, undefined, 2));
  return file;
}

/** As the file `understudy` starts it, without its look at the set-up. The process becomes the command: its number stays. */
export const ourCommand = (words: readonly string[], nodeOptions: readonly string[] = []): Launch => ({
  program: 'env',
  words: ['MALLOC_ARENA_MAX=2', process.execPath, ...nodeOptions, MAIN, ...words],
});

const understudy = (wishes: LaunchWishes, ...words: string[]): Launch => ourCommand(words, wishes.nodeOptions);

async function v86({ programs, nodeOptions }: LaunchWishes): Promise<Launch> {
  const { kernel, initramfs } = await benchGuest('i386');
  return { program: process.execPath, words: [...nodeOptions, V86_GUEST, kernel, initramfs, commandLine(programs)] };
}

async function qemu(subject: SubjectName, { programs, directory }: LaunchWishes): Promise<Launch> {
  const { kernel, initramfs } = await benchGuest('riscv64');
  const { program, words } = await qemuProgram(subject);
  return {
    program,
    words: [
      ...words,
      ...qemuMachine(subject, join(directory, `${FACTS[subject].qemu}.rr`)),
      ...['-kernel', kernel, '-initrd', initramfs, '-append', commandLine(programs)],
    ],
  };
}

/**
 * The QEMU of a subject: a program, and the words that go before all others. Its console is a pipe (and what comes out of it is copied): Node
 * would give it a socket, which takes only some hundred separate bytes at once, and a replay fails where a write of the recording had to wait.
 */
export async function qemuProgram(subject: SubjectName): Promise<Launch> {
  const { program, words } =
    FACTS[subject].qemu === 'newest' ? await newestQemu() : { program: 'qemu-system-riscv64', words: [] };
  return { program: 'bash', words: ['-c', 'exec "$@" > >(exec cat)', 'bash', program, ...words] };
}

/** The bare machine, recording to or replaying from `rrFile` if that is the subject's way. */
export function qemuMachine(subject: SubjectName, rrFile: string): string[] {
  const mode = /-rr-(record|replay)$/.exec(subject)?.[1];
  return [
    ...['-M', 'virt', '-m', '512', '-smp', '1', '-nographic', '-monitor', 'none', '-serial', 'stdio'],
    ...['-accel', 'tcg,thread=single'],
    ...(mode === undefined ? [] : ['-icount', `shift=auto,rr=${mode},rrfile=${rrFile}`]),
  ];
}
