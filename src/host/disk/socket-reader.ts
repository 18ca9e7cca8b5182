/**
 * Reads a socket on demand: "the next 28 bytes", whenever they are there. What is not asked for stays in the kernel in the
 * end, so a side that does not read slows the other down.
 */
import type { Socket } from 'node:net';

const EVENTS = ['readable', 'end', 'close'];

export class SocketReader {
  readonly #socket: Socket;
  readonly #onEvent = () => this.#wake?.();
  #wake: (() => void) | undefined;

  /** From now on nobody else may read `socket`. */
  constructor(socket: Socket) {
    this.#socket = socket;
    // One listener for good: a new one is told at once of bytes that are there already, enough or not, and would spin.
    for (const event of EVENTS) socket.on(event, this.#onEvent);
  }

  /** Lets go of the socket, with what it holds unread: TLS begins here. */
  detach(): void {
    for (const event of EVENTS) this.#socket.off(event, this.#onEvent);
  }

  /** The next `length` bytes; undefined where the stream ends before. One call at a time. */
  async read(length: number): Promise<Buffer | undefined> {
    if (length === 0) return Buffer.alloc(0);
    for (;;) {
      const bytes = this.#socket.read(length) as Buffer | null;
      if (bytes !== null) return bytes.length === length ? bytes : undefined;
      if (this.#socket.readableEnded || this.#socket.destroyed) return undefined;
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }
}
