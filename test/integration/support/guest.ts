/**
 * A guest behind a process whose standard input and output are its console: understudy, or QEMU. Everything waits for what the
 * console says, never for a time to pass.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const MAIN = fileURLToPath(new URL('../../../src/app/cli/main.ts', import.meta.url));

/** The console says this when all services of the demo image listen; a prompt follows. */
export const READY = 'understudy: ready';
const PROMPT = 'root@understudy:~# ';

export interface GuestEnd {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

export class Guest {
  readonly pid: number;
  /** All that the console has said. */
  console = '';
  /** All that the process itself has said to people. */
  complaints = '';
  readonly ended: Promise<GuestEnd>;
  readonly #process: ChildProcess;
  #end: GuestEnd | undefined;
  #listeners: (() => void)[] = [];
  #commands = 0;

  constructor(program: string, words: readonly string[]) {
    const child = spawn(program, words, { stdio: ['pipe', 'pipe', 'pipe'] });
    this.#process = child;
    this.pid = child.pid as number;
    child.stdout.setEncoding('latin1').on('data', (text: string) => {
      this.console += text;
      this.#changed();
    });
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      this.complaints += text;
      this.#changed();
    });
    child.stdin.on('error', () => {});
    this.ended = new Promise((resolve, reject) => {
      child.once('error', reject);
      child.once('close', (code, signal) => {
        this.#end = { code, signal };
        resolve(this.#end);
        this.#changed();
      });
    });
    this.ended.catch(() => {});
  }

  #changed(): void {
    const listeners = this.#listeners;
    this.#listeners = [];
    for (const listener of listeners) listener();
  }

  /** Until `found` gives something, looked at after each word of the console. Rejects when the process ends before. */
  async until<Found>(what: string, found: () => Found | undefined): Promise<Found> {
    for (;;) {
      const result = found();
      if (result !== undefined) return result;
      if (this.#end !== undefined) {
        const said = `${this.console.slice(-600)}\n${this.complaints.slice(-600)}`;
        throw new Error(`the guest ended (${this.#end.signal ?? this.#end.code}) before ${what}:\n${said}`);
      }
      await new Promise<void>((resolve) => this.#listeners.push(resolve));
    }
  }

  /** Until the console has said `text`, after its first `from` characters. */
  async says(text: string, from = 0): Promise<void> {
    await this.until(`"${text}"`, () => (this.console.includes(text, from) ? true : undefined));
  }

  /** Until the guest has booted and its shell has prompted. */
  async ready(): Promise<void> {
    await this.says(READY);
    await this.says(PROMPT, this.console.indexOf(READY));
  }

  type(text: string): void {
    this.#process.stdin?.write(text);
  }

  /** A command (that fits on a line) in the guest's shell: what it printed, and its exit status. */
  async shell(command: string): Promise<{ readonly output: string; readonly status: number }> {
    const from = this.console.length;
    const mark = `mark${++this.#commands}`;
    // The terminal echoes the command; only the shell itself makes ":0:" of it.
    this.type(`${command}; echo ${mark}:$?:\n`);
    const end = new RegExp(`${mark}:(\\d+):\\r?\\n`);
    const match = await this.until(`the end of "${command}"`, () => end.exec(this.console.slice(from)) ?? undefined);
    // What is typed before the prompt is there would be echoed twice: by the terminal, and again by the shell.
    await this.says(PROMPT, from + match.index);
    const text = this.console.slice(from, from + match.index);
    return { output: text.slice(text.indexOf('\n') + 1).replaceAll('\r', ''), status: Number(match[1]) };
  }

  /** The shell's poweroff, and how the process ended. */
  powerOff(): Promise<GuestEnd> {
    this.type('poweroff\n');
    return this.ended;
  }

  async kill(): Promise<void> {
    this.#process.kill('SIGKILL');
    await this.ended;
  }
}

/** `understudy <words>`. */
export function startUnderstudy(words: readonly string[]): Guest {
  return new Guest(process.execPath, [MAIN, ...words]);
}
