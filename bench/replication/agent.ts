/** The benchmark's hand on its agent in the guest (guest-agent.c). */
import { once } from 'node:events';
import net from 'node:net';
import { createInterface, type Interface } from 'node:readline';

/** What the guest saw of its own stops since the look before. */
export interface StopLook {
  /** The longest that a thread of the highest priority was late, in ms, by the guest's clock. */
  readonly longestMs: number;
  /** How often it was late by 10 ms or more, and for how long in all. */
  readonly times: number;
  readonly sumMs: number;
  readonly wakes: number;
}

async function connect(port: number): Promise<net.Socket> {
  const socket = net.connect({ host: '127.0.0.1', port, noDelay: true });
  await once(socket, 'connect');
  return socket;
}

/** Runs a command in the guest's shell; what it printed on either stream. */
export async function runInGuest(port: number, command: string): Promise<string> {
  if (command.includes('\n') || command.length > 4000)
    throw new Error('a command is one line of 4,000 characters at most');
  const socket = await connect(port);
  socket.write(`run ${command}\n`);
  let said = '';
  socket.setEncoding('latin1').on('data', (text: string) => {
    said += text;
  });
  await once(socket, 'close');
  return said;
}

/** Watches, from `open` to `close`, for how long the guest stands still. */
export class StopWatch {
  readonly #socket: net.Socket;
  readonly #lines: Interface;

  private constructor(socket: net.Socket) {
    this.#socket = socket;
    this.#lines = createInterface({ input: socket });
    socket.on('error', () => {});
    this.#lines.on('error', () => {});
  }

  static async open(port: number): Promise<StopWatch> {
    const socket = await connect(port);
    socket.write('watch\n');
    return new StopWatch(socket);
  }

  /** Since the last look, or since it was opened. Rejects when the connection ends. One at a time. */
  async look(): Promise<StopLook> {
    const line = await new Promise<string>((resolve, reject) => {
      const ended = (): void => reject(new Error('the connection to the agent in the guest has ended'));
      if (this.#socket.destroyed) return ended();
      this.#socket.once('close', ended);
      this.#lines.once('line', (text) => {
        this.#socket.off('close', ended);
        resolve(text);
      });
      this.#socket.write('?');
    });
    const [longestUs, times, sumUs, wakes] = line.split(' ').map(Number);
    return { longestMs: longestUs! / 1000, times: times!, sumMs: sumUs! / 1000, wakes: wakes! };
  }

  close(): void {
    this.#socket.destroy();
  }
}
