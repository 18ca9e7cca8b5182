/**
 * The guest's console in the user's terminal: raw mode, so that every key reaches the guest, with an escape as in QEMU's
 * (Ctrl-A x quits, Ctrl-A Ctrl-A sends a Ctrl-A). On a pipe the console is standard input and output, with no escape.
 */
const ESCAPE = 0x01;

export interface TerminalEvents {
  readonly onInput: (data: Uint8Array) => void;
  /** The user wants to quit. */
  readonly onQuit: () => void;
}

export class Terminal {
  readonly #events: TerminalEvents;
  #escaped = false;
  readonly #listen = (data: Buffer): void => this.#typed(data);

  constructor(events: TerminalEvents) {
    this.#events = events;
  }

  open(): void {
    if (process.stdin.isTTY) process.stdin.setRawMode(true);
    process.stdin.on('data', this.#listen);
    process.stdin.on('error', () => {});
  }

  write(data: Uint8Array): void {
    process.stdout.write(data);
  }

  /** Gives the terminal back as it was. */
  close(): void {
    process.stdin.off('data', this.#listen);
    if (process.stdin.isTTY) process.stdin.setRawMode(false);
    process.stdin.pause();
  }

  #typed(data: Buffer): void {
    if (!process.stdin.isTTY) return this.#events.onInput(data);
    const plain: number[] = [];
    for (const byte of data) {
      if (this.#escaped) {
        this.#escaped = false;
        if (byte === 0x78 || byte === 0x58) return this.#events.onQuit();
        if (byte === ESCAPE) plain.push(byte);
        else plain.push(ESCAPE, byte);
      } else if (byte === ESCAPE) this.#escaped = true;
      else plain.push(byte);
    }
    if (plain.length > 0) this.#events.onInput(Uint8Array.from(plain));
  }
}
