/**
 * The programs that are timed inside the guest, in the order in which they run there. Each takes about a second on QEMU. The C sources and
 * scripts are in bench/guest; gzip, sha256sum, dash and python3 are Debian's.
 */
export interface Program {
  readonly name: string;
  readonly label: string;
  /** `compute` stays in user mode nearly all the time; `system` is about the kernel; `tool` is a program of Debian's. */
  readonly kind: 'compute' | 'system' | 'tool';
  /** Lines for the guest's shell: what is timed, and what comes before and after it. `run` or `check` prints the result. */
  readonly prepare?: string;
  readonly run: string;
  readonly check?: string;
}

export const PROGRAMS: readonly Program[] = [
  { name: 'sieve', label: 'sieve of Eratosthenes', kind: 'compute', run: 'sieve 12' },
  { name: 'sort', label: 'quicksort through a function pointer', kind: 'compute', run: 'sort 450000' },
  { name: 'xorshift', label: 'xorshift', kind: 'compute', run: 'xorshift 400000000' },
  { name: 'chase', label: 'pointer chase', kind: 'compute', run: 'chase 2000000' },
  { name: 'stream', label: 'memory streaming', kind: 'compute', run: 'stream 4' },
  { name: 'nbody', label: 'n-body (double)', kind: 'compute', run: 'nbody 350000' },
  { name: 'mandelbrot', label: 'Mandelbrot (double)', kind: 'compute', run: 'mandelbrot 800' },
  { name: 'bytecode', label: 'bytecode interpreter', kind: 'compute', run: 'bytecode 70000' },
  { name: 'syscalls', label: 'system calls (getppid)', kind: 'system', run: 'syscalls 800000' },
  { name: 'faults', label: 'page faults (mmap, touch, munmap)', kind: 'system', run: 'faults 8' },
  { name: 'forks', label: 'fork, exit, wait', kind: 'system', run: 'forks 450' },
  {
    name: 'gzip',
    label: 'gzip',
    kind: 'tool',
    prepare: 'text 4096 >text',
    run: 'gzip -nc text >text.gz',
    check: 'sha256sum text.gz',
  },
  {
    name: 'gunzip',
    label: 'gunzip',
    kind: 'tool',
    prepare: '[ -e text.gz ] || { text 4096 >text; gzip -nc text >text.gz; }',
    run: 'for i in 1 2 3 4; do gzip -dc text.gz >out; done',
    check: 'sha256sum out',
  },
  {
    name: 'sha256',
    label: 'sha256sum',
    kind: 'tool',
    prepare: 'text 4096 >text',
    run: 'sha256sum text text text text text',
  },
  { name: 'shell', label: 'shell loop (dash)', kind: 'tool', run: 'dash /bench/loop.sh 15000' },
  { name: 'python', label: 'Python loop', kind: 'tool', run: 'python3 -S -E /bench/loop.py 500' },
];

export type ProgramName = string;

/** The programs of these names, in the guest's order. Throws for a name that there is not. */
export function programsNamed(names: readonly string[]): Program[] {
  const unknown = names.filter((name) => !PROGRAMS.some((program) => program.name === name));
  if (unknown.length > 0) {
    throw new Error(
      `there is no program ${unknown.join(', ')}: choose from ${PROGRAMS.map(({ name }) => name).join(', ')}`,
    );
  }
  return PROGRAMS.filter(({ name }) => names.includes(name));
}
