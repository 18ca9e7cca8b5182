/**
 * Runs the guest once and times the lines that its init prints (bench/guest/init), as they arrive here. Beside the wall clock: the
 * processor time of the whole process (all its threads, those that have ended too), and how long its threads were ready and had no core.
 */
import { spawn } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import type { Launch } from './subjects.ts';

/** Of one program, or of the boot. */
export interface Figure {
  readonly wallSeconds: number;
  /** User and system time. Resolution: 10 ms. */
  readonly cpuSeconds: number;
  /** Sum over all threads. */
  readonly waitedSeconds: number;
}

export interface RunFigures {
  /** From the start of the process to the first line of init. */
  readonly boot: Figure;
  readonly programs: Readonly<Record<string, Figure & { readonly result: string }>>;
  /** The whole process, until it ended; its peak resident set. */
  readonly seconds: number;
  readonly peakMib: number;
}

interface Instant {
  readonly wallSeconds: number;
  readonly cpuSeconds: number;
  readonly waitedSeconds: number;
  readonly peakMib: number;
}

const TICKS_PER_SECOND = 100;

function instantOf(pid: number): Instant {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  // proc(5): the fields after the name in parentheses; utime is the 14th of all, stime the 15th.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  let waited = 0;
  for (const thread of readdirSync(`/proc/${pid}/task`)) {
    try {
      waited += Number(readFileSync(`/proc/${pid}/task/${thread}/schedstat`, 'utf8').split(' ')[1]);
    } catch {
      // The thread has just ended.
    }
  }
  const peak = /VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
  return {
    wallSeconds: performance.now() / 1000,
    cpuSeconds: (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND,
    waitedSeconds: waited / 1e9,
    peakMib: Number(peak ?? 0) / 1024,
  };
}

function between(before: Instant, after: Instant): Figure {
  return {
    wallSeconds: after.wallSeconds - before.wallSeconds,
    cpuSeconds: after.cpuSeconds - before.cpuSeconds,
    waitedSeconds: after.waitedSeconds - before.waitedSeconds,
  };
}

/** Rejects when the process ends without having done everything, or takes longer than `timeoutMs`. */
export async function timedRun({ program, words }: Launch, timeoutMs: number): Promise<RunFigures> {
  const begun = performance.now() / 1000;
  const child = spawn(program, words, { stdio: ['ignore', 'pipe', 'pipe'], timeout: timeoutMs, killSignal: 'SIGKILL' });
  const pid = child.pid;
  let all = '';
  let line = '';
  let complaints = '';
  let boot: Figure | undefined;
  let before: Instant | undefined;
  let peakMib = 0;
  let done = false;
  const programs: Record<string, Figure & { result: string }> = {};

  const heard = (text: string): void => {
    const [, what, name, result] = /^bench: (\w+) ?(\S*) ?(.*)$/.exec(text) ?? [];
    if (what === undefined || pid === undefined) return;
    if (what === 'result') {
      programs[name].result = result;
      return;
    }
    const now = instantOf(pid);
    peakMib = now.peakMib;
    if (what === 'userland') {
      boot = { ...now, wallSeconds: now.wallSeconds - begun };
    } else if (what === 'begin') before = now;
    else if (what === 'end' && before !== undefined) programs[name] = { ...between(before, now), result: '' };
    else if (what === 'done') done = true;
  };

  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    complaints += text;
  });
  child.stdout.setEncoding('latin1').on('data', (text: string) => {
    all += text;
    line += text;
    for (let end = line.indexOf('\n'); end >= 0; end = line.indexOf('\n')) {
      heard(line.slice(0, end).trim());
      line = line.slice(end + 1);
    }
  });
  const end = await new Promise<string>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code, signal) => resolve(signal ?? `status ${code}`));
  });
  if (!done || boot === undefined) {
    throw new Error(`${program} ended with ${end} before the guest was done:\n${all.slice(-2000)}\n${complaints}`);
  }
  return { boot, programs, seconds: performance.now() / 1000 - begun, peakMib };
}
