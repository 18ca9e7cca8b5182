/**
 * Child processes of our own command line: the hub, the disk server, the replicas of a pair. A child's standard input is
 * its lifeline (net/lifeline.ts), its first line on standard output says that it is ready, and if it ends before that, what
 * it wrote to standard error is the reason.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { OperatingError } from '../core/base/error.ts';

const MAIN = fileURLToPath(
  new URL(import.meta.url.endsWith('.ts') ? '../app/cli/main.ts' : '../app/cli/main.js', import.meta.url),
);

/** As our command itself is started (`understudy`, `bin/understudy.js`), which say why. */
const ENVIRONMENT = { MALLOC_ARENA_MAX: '2', ...process.env };

const KILL_AFTER_MS = 5000;

export interface Child {
  readonly process: ChildProcess;
  readonly pid: number;
  /** Its first line. */
  readonly greeting: string;
  /** Resolves when it has ended. */
  readonly ended: Promise<{ readonly code: number | null; readonly signal: NodeJS.Signals | null }>;
  /** SIGTERM, waits for the end, and after some seconds SIGKILL: a stopped process takes nothing else. */
  stop(): Promise<void>;
}

export interface ChildOptions {
  /** Each further line that it writes to standard output. */
  readonly onLine?: (line: string) => void;
  readonly onError?: (line: string) => void;
}

/** Runs `understudy <words>`. Throws OperatingError if it ends before it is ready. */
export async function startChild(words: readonly string[], options: ChildOptions = {}): Promise<Child> {
  const child = spawn(process.execPath, [...process.execArgv, MAIN, ...words], {
    stdio: ['pipe', 'pipe', 'pipe'],
    env: ENVIRONMENT,
  });
  const ended = new Promise<{ code: number | null; signal: NodeJS.Signals | null }>((resolve) => {
    child.once('close', (code, signal) => resolve({ code, signal }));
  });
  const complaints: string[] = [];
  createInterface({ input: child.stderr }).on('line', (line) => {
    if (complaints.length < 40) complaints.push(line);
    options.onError?.(line);
  });
  const lines = createInterface({ input: child.stdout });
  const greeting = await new Promise<string>((resolve, reject) => {
    lines.once('line', (first) => {
      resolve(first);
      lines.on('line', (line) => options.onLine?.(line));
    });
    void ended.then(() => reject(failure(words[0], complaints)));
    child.once('error', (error) =>
      reject(new OperatingError('child-failed', `cannot start a process: ${error.message}`)),
    );
  });
  return {
    process: child,
    pid: child.pid as number,
    greeting,
    ended,
    stop: async () => {
      child.kill('SIGTERM');
      const timer = setTimeout(() => child.kill('SIGKILL'), KILL_AFTER_MS);
      await ended;
      clearTimeout(timer);
    },
  };
}

/**
 * Runs `understudy <words>` so that it outlives this process and its terminal: it has no lifeline, and what it writes goes to
 * the file `log`. By descriptor 3 it says once, in a line, how its start went. Resolves with that line; undefined if it ended
 * without one.
 */
export async function startDetached(words: readonly string[], log: string): Promise<string | undefined> {
  const file = openSync(log, 'a', 0o600);
  const child = spawn(process.execPath, [...process.execArgv, MAIN, ...words], {
    stdio: ['ignore', file, file, 'pipe'],
    env: ENVIRONMENT,
    detached: true,
  });
  closeSync(file);
  const report = child.stdio[3] as Readable;
  try {
    return await new Promise<string | undefined>((resolve, reject) => {
      child.once('error', (error) =>
        reject(new OperatingError('child-failed', `cannot start a process: ${error.message}`)),
      );
      createInterface({ input: report })
        .once('line', resolve)
        .once('close', () => resolve(undefined));
    });
  } finally {
    report.destroy();
    child.unref();
  }
}

/** What the child said is what the person needs: its own prefix is taken off. */
function failure(verb: string, complaints: readonly string[]): OperatingError {
  const [first = `"understudy ${verb}" ended without a word`, ...rest] = complaints;
  const advice = rest.map((line) => line.trim()).join(' ');
  return new OperatingError('child-failed', first.replace(/^understudy: /, ''), advice === '' ? undefined : advice);
}
