/** A client of the demo's streaming service: one connection, on which the numbers of the lines must follow one another. */
import { once } from 'node:events';
import net from 'node:net';
import { createInterface } from 'node:readline';
import { Silence } from './silence.ts';

export class StreamClient {
  readonly silence = new Silence();
  /** What was wrong; empty if nothing. */
  readonly problems: string[] = [];
  readonly #socket: net.Socket;
  #lines = 0;
  #waiting: { readonly lines: number; readonly resolve: () => void }[] = [];
  #closed = false;

  private constructor(socket: net.Socket) {
    this.#socket = socket;
    socket.on('error', (error) => this.#ended(error.message));
    socket.on('close', () => this.#ended('closed by the server'));
    createInterface({ input: socket }).on('line', (line) => this.#line(line));
  }

  /** Connects, and waits for the first line. */
  static async open(port: number, host = '127.0.0.1'): Promise<StreamClient> {
    const socket = net.connect({ host, port });
    await once(socket, 'connect');
    const client = new StreamClient(socket);
    await client.hasSeen(1);
    return client;
  }

  get lines(): number {
    return this.#lines;
  }

  /** Resolves when so many lines have come, or none will come any more. */
  async hasSeen(lines: number): Promise<void> {
    if (this.#lines >= lines || this.#closed) return;
    await new Promise<void>((resolve) => this.#waiting.push({ lines, resolve }));
  }

  close(): void {
    this.#closed = true;
    this.#socket.destroy();
  }

  #line(line: string): void {
    this.silence.answered();
    this.#lines++;
    if (line !== `line ${this.#lines}`) this.problems.push(`got '${line}' where 'line ${this.#lines}' was due`);
    for (const { lines, resolve } of this.#waiting) if (this.#lines >= lines) resolve();
    this.#waiting = this.#waiting.filter(({ lines }) => this.#lines < lines);
  }

  #ended(why: string): void {
    if (!this.#closed) this.problems.push(`the streaming connection broke after line ${this.#lines}: ${why}`);
    this.#closed = true;
    for (const { resolve } of this.#waiting.splice(0)) resolve();
  }
}
