/** A replica of `understudy primary` or `understudy backup` as a child process, and what it says of itself and of its guest. */
import { once } from 'node:events';
import net from 'node:net';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { type Child, startChild } from '../../../src/host/processes.ts';
import type { StatusLine } from '../../../src/host/replica/status.ts';

export class ReplicaChild {
  /** On standard error. */
  readonly said: string[] = [];
  /** Whole lines of the guest's console that it let out. */
  readonly console: string[] = [];
  phase = '';
  /** Of log, made or received. */
  logBytes = 0;
  #partLine = '';
  #child!: Child;
  readonly #server = net.createServer();
  readonly #sockets = new Set<net.Socket>();
  #looks: (() => void)[] = [];

  /** Resolves when it has opened everything. `directory`: for its status socket. */
  static async start(directory: string, words: readonly string[]): Promise<ReplicaChild> {
    const replica = new ReplicaChild();
    await replica.#start(join(directory, `status-${Math.random().toString(36).slice(2)}`), words);
    return replica;
  }

  async #start(status: string, words: readonly string[]): Promise<void> {
    this.#server.on('connection', (socket) => {
      this.#sockets.add(socket);
      socket.on('error', () => {});
      createInterface({ input: socket }).on('line', (line) => this.#status(JSON.parse(line) as StatusLine));
    });
    this.#server.listen(status);
    await once(this.#server, 'listening');
    const onError = (line: string): void => {
      this.said.push(line);
      this.#tell();
    };
    try {
      this.#child = await startChild([...words, '--status', `unix:${status}`], { onError });
    } catch (error) {
      this.#server.close();
      throw error;
    }
  }

  #status(line: StatusLine): void {
    if (line.type === 'phase' || line.type === 'status') this.phase = line.phase;
    if (line.type === 'status') this.logBytes = line.logBytes;
    if (line.type === 'console') {
      const lines = (this.#partLine + line.data).split(/\r*\n/);
      this.#partLine = lines.pop()!;
      this.console.push(...lines);
    }
    this.#tell();
  }

  #tell(): void {
    for (const look of [...this.#looks]) look();
  }

  /** Rejects if the process ends before. The test's own time limit ends a wait in vain. */
  async until(condition: () => boolean): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      const look = (): void => {
        if (!condition()) return;
        this.#looks = this.#looks.filter((other) => other !== look);
        resolve();
      };
      this.#looks.push(look);
      void this.#child.ended.then(({ code, signal }) => {
        if (!condition()) reject(new Error(`ended (${signal ?? code}):\n${this.said.join('\n')}`));
      });
      look();
    });
  }

  async kill(): Promise<void> {
    this.#child.process.kill('SIGKILL');
    await this.#child.ended;
    this.close();
  }

  async ended(): Promise<number | null> {
    return (await this.#child.ended).code;
  }

  close(): void {
    this.#child.process.kill('SIGKILL');
    for (const socket of this.#sockets) socket.destroy();
    this.#server.close();
  }
}
