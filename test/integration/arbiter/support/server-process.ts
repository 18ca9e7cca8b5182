/** A server program of a test: started on the loopback, killed, stopped and continued by the test, always gone at its end. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import net from 'node:net';

/** What the tests do to a real server, whatever its kind. */
export interface ArbiterServer {
  readonly port: number;
  /** Its version in its own words. */
  readonly version: string;
  /** The address of a store of its own in this server, seen through `port` (of a proxy). */
  newStore(): Promise<{ addressAt(port: number): string; clear(): Promise<void> }>;
  /** `kill -9`, and waits for its end. */
  kill(): Promise<void>;
  /** Starts it again on the same port and data. */
  restart(): Promise<void>;
  /** SIGSTOP, for all its processes. */
  pause(): void;
  resume(): void;
  remove(): Promise<void>;
}

export class ServerProcess {
  readonly #child: ChildProcess;
  #output = '';

  constructor(command: string, words: readonly string[]) {
    this.#child = spawn(command, words, { stdio: ['ignore', 'pipe', 'pipe'] });
    const keep = (text: Buffer): void => {
      this.#output = (this.#output + text.toString()).slice(-4000);
    };
    this.#child.stdout!.on('data', keep);
    this.#child.stderr!.on('data', keep);
    this.#child.on('error', (error) => keep(Buffer.from(String(error))));
  }

  /** Stops the server, then its children (PostgreSQL's each have a session of their own, so a group would not do). */
  pause(): void {
    this.#signal('SIGSTOP', this.#child.pid!);
    for (const pid of this.#children()) this.#signal('SIGSTOP', pid);
  }

  resume(): void {
    for (const pid of this.#children()) this.#signal('SIGCONT', pid);
    this.#signal('SIGCONT', this.#child.pid!);
  }

  /** `kill -9` of all of it at one instant, and waits for the end. */
  async kill(): Promise<void> {
    if (!this.#runs()) return;
    const exited = once(this.#child, 'exit');
    this.pause();
    for (const pid of this.#children()) this.#signal('SIGKILL', pid);
    this.#signal('SIGKILL', this.#child.pid!);
    await exited;
  }

  #runs(): boolean {
    return this.#child.pid !== undefined && this.#child.exitCode === null && this.#child.signalCode === null;
  }

  #children(): number[] {
    const { pid } = this.#child;
    return this.#runs()
      ? readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').split(' ').filter(Boolean).map(Number)
      : [];
  }

  #signal(name: NodeJS.Signals, pid: number): void {
    if (!this.#runs()) return;
    try {
      process.kill(pid, name);
    } catch {
      // A child that has just ended.
    }
  }

  /** Asks `isReady` again and again until it is true. Throws with the server's output if it ends, or takes 30 s. */
  async ready(isReady: () => Promise<boolean>): Promise<void> {
    const deadlineMs = performance.now() + 30_000;
    while (!(await isReady().catch(() => false))) {
      if (this.#child.exitCode !== null || this.#child.pid === undefined || performance.now() > deadlineMs) {
        throw new Error(`the server did not start: ${this.#output}`);
      }
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }
}

/** A port of the loopback that is free now. */
export async function freePort(): Promise<number> {
  const server = net.createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as net.AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}
