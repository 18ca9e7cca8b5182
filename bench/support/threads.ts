/**
 * What each thread of some processes and their children has used of the processors, from /proc: seconds on a core, and seconds
 * that it was ready to run and had none (proc(5), schedstat). The latter is what other work on the machine took away.
 */
import { readdirSync, readFileSync } from 'node:fs';

export interface Use {
  readonly cpuSeconds: number;
  readonly waitedSeconds: number;
}

/** By role, such as 'run, CPU thread' or 'passt'. */
export type Uses = Readonly<Record<string, Use>>;

function read(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}

function children(pid: number): number[] {
  return read(`/proc/${pid}/task/${pid}/children`)
    .split(' ')
    .filter((word) => word !== '')
    .map(Number);
}

function family(pids: readonly number[]): number[] {
  return pids.flatMap((pid) => [pid, ...family(children(pid))]);
}

/** A process of this project by its verb, any other by its name. */
function processRole(pid: number): string {
  const words = read(`/proc/${pid}/cmdline`).split('\0');
  const main = words.findIndex((word) => word.endsWith('app/cli/main.ts'));
  return main >= 0 ? words[main + 1] : read(`/proc/${pid}/comm`).trim().replace(/\..*/, '');
}

function threadRole(process: string, comm: string): string {
  if (comm === 'WorkerThread') return `${process}, CPU thread`;
  if (comm === 'MainThread') return `${process}, main thread`;
  return /V8|libuv|node/.test(comm) ? `${process}, helpers of node` : process;
}

/** Since the start of each thread. Threads of one role are added up; those that have ended are not there. */
export function threadUse(pids: readonly number[]): Uses {
  const uses: Record<string, Use> = {};
  for (const pid of family(pids)) {
    let threads: string[];
    try {
      threads = readdirSync(`/proc/${pid}/task`);
    } catch {
      continue;
    }
    const process = processRole(pid);
    for (const thread of threads) {
      const path = `/proc/${pid}/task/${thread}`;
      const role = threadRole(process, read(`${path}/comm`).trim());
      const [ran = 0, waited = 0] = read(`${path}/schedstat`).split(' ').map(Number);
      const before = uses[role];
      uses[role] = {
        cpuSeconds: ran / 1e9 + (before?.cpuSeconds ?? 0),
        waitedSeconds: waited / 1e9 + (before?.waitedSeconds ?? 0),
      };
    }
  }
  return uses;
}

export function useBetween(before: Uses, after: Uses): Uses {
  return Object.fromEntries(
    Object.entries(after).map(([role, use]) => {
      const old = before[role] ?? { cpuSeconds: 0, waitedSeconds: 0 };
      const cpuSeconds = use.cpuSeconds - old.cpuSeconds;
      return [role, { cpuSeconds, waitedSeconds: use.waitedSeconds - old.waitedSeconds }];
    }),
  );
}
