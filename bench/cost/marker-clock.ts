/**
 * Times the lines that the guest's init prints around each program (bench/guest/init), as they arrive, and reads at each of them what the
 * processes' threads have used of the processors. All programs run several times, pass after pass; a program may run several times in a pass:
 * its seconds are added up.
 */
import { readdirSync, readFileSync } from 'node:fs';

/** Seconds on a core: of all threads that live, and of the one that runs the machine; and ready without a core. */
export interface ProcessUse {
  readonly cpuSeconds: number;
  readonly cpuThreadSeconds: number;
  readonly waitedSeconds: number;
}

export interface ProgramFigure {
  readonly runs: number;
  readonly wallSeconds: number;
  /** By the name of the process: 'alone', or 'primary' and 'backup'. */
  readonly use: Readonly<Record<string, ProcessUse>>;
  /** What the program found; equal in all its runs. */
  readonly result: string;
}

interface Thread {
  readonly name: string;
  readonly cpuSeconds: number;
  readonly waitedSeconds: number;
}

function threadsOf(pid: number): Map<string, Thread> {
  const threads = new Map<string, Thread>();
  for (const id of readdirSync(`/proc/${pid}/task`)) {
    try {
      const name = readFileSync(`/proc/${pid}/task/${id}/comm`, 'utf8').trim();
      const [ran, waited] = readFileSync(`/proc/${pid}/task/${id}/schedstat`, 'utf8').split(' ').map(Number);
      threads.set(id, { name, cpuSeconds: ran / 1e9, waitedSeconds: waited / 1e9 });
    } catch {
      // It has just ended.
    }
  }
  return threads;
}

/** Once the guest has booted, no other worker has run as long as the one that runs it. */
export function machineThread(pid: number): string | undefined {
  const workers = [...threadsOf(pid)].filter(([, { name }]) => !/^(V8|libuv|node|Main|.*compil)/i.test(name));
  return workers.sort(([, a], [, b]) => b.cpuSeconds - a.cpuSeconds)[0]?.[0];
}

export function useOf(pid: number, machine: string | undefined): ProcessUse {
  const threads = threadsOf(pid);
  let cpuSeconds = 0;
  let waitedSeconds = 0;
  for (const thread of threads.values()) {
    cpuSeconds += thread.cpuSeconds;
    waitedSeconds += thread.waitedSeconds;
  }
  const cpuThreadSeconds = (machine === undefined ? undefined : threads.get(machine)?.cpuSeconds) ?? 0;
  return { cpuSeconds, waitedSeconds, cpuThreadSeconds };
}

const NOTHING: ProcessUse = { cpuSeconds: 0, cpuThreadSeconds: 0, waitedSeconds: 0 };

const plus = (sum: ProcessUse, sign: 1 | -1, part: ProcessUse): ProcessUse => ({
  cpuSeconds: sum.cpuSeconds + sign * part.cpuSeconds,
  cpuThreadSeconds: sum.cpuThreadSeconds + sign * part.cpuThreadSeconds,
  waitedSeconds: sum.waitedSeconds + sign * part.waitedSeconds,
});

interface Instant {
  readonly wallSeconds: number;
  readonly use: Readonly<Record<string, ProcessUse>>;
}

export type PassFigures = Record<string, ProgramFigure>;

export class MarkerClock {
  readonly passes: PassFigures[] = [];
  done = false;
  /** The last that the console has said, for complaints. */
  tail = '';
  readonly #pids: () => Readonly<Record<string, number>>;
  #line = '';
  #machines: Readonly<Record<string, string | undefined>> = {};
  #begun: Instant | undefined;
  readonly #runsInPass: number;
  #runs = 0;

  /** So many programs make a pass; `pids` is asked at each marker. */
  constructor(runsInPass: number, pids: () => Readonly<Record<string, number>>) {
    this.#runsInPass = runsInPass;
    this.#pids = pids;
  }

  /** Throws when a program found another result than in its first run. */
  heard(text: string): void {
    this.tail = (this.tail + text).slice(-2000);
    this.#line += text;
    for (let end = this.#line.indexOf('\n'); end >= 0; end = this.#line.indexOf('\n')) {
      const [, what, name, result] = /^bench: (\w+) ?(\S*) ?(.*)$/.exec(this.#line.slice(0, end).trim()) ?? [];
      this.#line = this.#line.slice(end + 1);
      if (what !== undefined) this.#marker(what, name, result);
    }
  }

  #instant(): Instant {
    const wallSeconds = performance.now() / 1000;
    const uses = Object.entries(this.#pids()).map(([name, pid]) => [name, useOf(pid, this.#machines[name])] as const);
    return { wallSeconds, use: Object.fromEntries(uses) };
  }

  #marker(what: string, name: string, result: string): void {
    if (what === 'userland') {
      const machines = Object.entries(this.#pids()).map(([of, pid]) => [of, machineThread(pid)] as const);
      this.#machines = Object.fromEntries(machines);
    } else if (what === 'begin') this.#begun = this.#instant();
    else if (what === 'end' && this.#begun !== undefined) this.#add(name, this.#begun, this.#instant());
    else if (what === 'result') this.#check(name, result);
    else if (what === 'done') this.done = true;
  }

  #add(name: string, begun: Instant, ended: Instant): void {
    if (this.#runs++ % this.#runsInPass === 0) this.passes.push({});
    const programs = this.passes.at(-1)!;
    const before = programs[name] ?? { runs: 0, wallSeconds: 0, use: {}, result: '' };
    const use = Object.entries(ended.use).map(([of, end]) => {
      const taken = plus(end, -1, begun.use[of] ?? NOTHING);
      return [of, plus(before.use[of] ?? NOTHING, 1, taken)] as const;
    });
    programs[name] = {
      runs: before.runs + 1,
      wallSeconds: before.wallSeconds + ended.wallSeconds - begun.wallSeconds,
      use: Object.fromEntries(use),
      result: before.result,
    };
  }

  #check(name: string, result: string): void {
    const known = this.passes.map((programs) => programs[name]?.result).find((found) => found);
    if (known !== undefined && known !== result) throw new Error(`${name} gave ${known} and then ${result}`);
    const programs = this.passes.at(-1)!;
    programs[name] = { ...programs[name], result };
  }
}
