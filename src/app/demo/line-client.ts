/**
 * A client of the guest's streaming service: one connection, opened once, that must bring "line 1", "line 2", ... with none
 * missing and none twice. The service numbers the lines of each connection by itself, so a replica that had lost the
 * connection could not go on where it was.
 */
import { once } from 'node:events';
import net, { type Socket } from 'node:net';
import { createInterface } from 'node:readline';
import { Intervals } from './intervals.ts';

export interface LineClientOptions {
  readonly port: number;
  readonly onLine: (number: number, atMs: number) => void;
  /** The connection is broken, or a line was lost or came twice: said once, in words. */
  readonly onFault: (fault: string) => void;
}

export class LineClient {
  /** Number of the last line, 0 before the first. */
  last = 0;
  lastMs: number | undefined;
  fault: string | undefined;
  /** Between the arrivals of two lines. */
  readonly silences = new Intervals();
  readonly #options: LineClientOptions;
  readonly #socket: Socket;
  #closing = false;

  private constructor(socket: Socket, options: LineClientOptions) {
    this.#socket = socket;
    this.#options = options;
    // It repeats the errors of its socket.
    const lines = createInterface({ input: socket }).on('error', () => {});
    lines.on('line', (line) => this.#line(line));
    socket.on('error', (error) => this.#fail(`the connection broke: ${error.message}`));
    socket.on('close', () => this.#fail('the connection was closed'));
  }

  /** Rejects if nobody listens there. */
  static async connect(options: LineClientOptions): Promise<LineClient> {
    const socket = net.connect({ host: '127.0.0.1', port: options.port });
    await once(socket, 'connect');
    return new LineClient(socket, options);
  }

  close(): void {
    this.#closing = true;
    this.#socket.destroy();
  }

  #line(line: string): void {
    if (this.#closing) return;
    const nowMs = performance.now();
    const expected = this.last + 1;
    const number = Number(/^line (\d+)$/.exec(line)?.[1]);
    if (number !== expected) return this.#fail(`line ${expected} was due, and "${line}" came`);
    this.last = number;
    if (this.lastMs !== undefined) this.silences.add(this.lastMs, nowMs);
    this.lastMs = nowMs;
    this.#options.onLine(number, nowMs);
  }

  #fail(fault: string): void {
    if (this.#closing || this.fault !== undefined) return;
    this.fault = fault;
    this.#socket.destroy();
    this.#options.onFault(fault);
  }
}
