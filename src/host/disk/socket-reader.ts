/**
 * Reads a socket on demand: "the next 28 bytes", whenever they are there. What is not asked for stays in the kernel in the
 * end, so a side that does not read slows the other down.
 */
import type { Socket } from 'node:net';

export class SocketReader {
  readonly #socket: Socket;
  #wake: (() => void) | undefined;

  /** From now on nobody else may read `socket`. */
  constructor(socket: Socket) {
    this.#socket = socket;
    // One listener for good: a new one is told at once of bytes that are there already, enough or not, and would spin.
    const wake = () => this.#wake?.();
    for (const event of ['readable', 'end', 'close']) socket.on(event, wake);
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
