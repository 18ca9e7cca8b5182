/** The benchmark's hand on its agent in the guest (guest-agent.c). */
import { once } from 'node:events';
import net from 'node:net';
import { createInterface, type Interface } from 'node:readline';

/** A time that the guest stood still; `endMs` by this host's wall clock. */
export interface GuestStop {
  readonly endMs: number;
  readonly ms: number;
}

/** What the guest saw of its own stops since the look before: what a thread of the highest priority was late by, by the guest's clock. */
export interface StopLook {
  /** Of 2 ms and more, in order. */
  readonly stops: readonly GuestStop[];
  readonly wakes: number;
}

/** The agent's line: guest times in us. It was written at `nowMs`, but for the way to here. */
export function parseLook(line: string, nowMs: number): StopLook {
  const [now, wakes, ...rest] = line.trim().split(' ').map(Number);
  if (wakes === undefined || rest.length % 2 === 1 || [now, wakes, ...rest].some(Number.isNaN))
    throw new Error(`the agent in the guest says: ${line.slice(0, 200)}`);
  const stops: GuestStop[] = [];
  for (let at = 0; at < rest.length; at += 2) {
    stops.push({ endMs: nowMs - (now! - rest[at]!) / 1000, ms: rest[at + 1]! / 1000 });
  }
  return { stops, wakes };
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
    return parseLook(line, Date.now());
  }

  close(): void {
    this.#socket.destroy();
  }
}
