/**
 * What a replica tells whoever watches it (`--status`): one line of JSON a piece, over a stream socket. Watching is
 * optional and never holds the replica up: lines are dropped while nobody reads.
 */
import type { Socket } from 'node:net';
import type { TransferProgress } from '../../core/replication/transfer.ts';
import { connectTo, type StreamAddress } from '../net/address.ts';
import type { CpuThreadState } from '../runner/cpu-thread.ts';

/** Positions are decimal strings: they can exceed what JSON numbers hold. */
export type StatusLine =
  | {
      readonly type: 'status';
      readonly pid: number;
      readonly role: 'primary' | 'backup';
      readonly phase: string;
      readonly generation: number;
      readonly position: string;
      readonly peerPosition: string | undefined;
      readonly lagMs: number;
      readonly logBytes: number;
      readonly heldOutputs: number;
      readonly speed: number;
      /** While a copy of the machine is under way. */
      readonly transfer?: TransferProgress | undefined;
      /** Of the process, in bytes. */
      readonly residentBytes: number;
      /** Of the thread that runs the machine. */
      readonly cpu: CpuThreadState | undefined;
    }
  | {
      readonly type: 'phase';
      readonly pid: number;
      readonly phase: string;
      readonly generation: number;
      readonly why: string;
    }
  | { readonly type: 'console'; readonly pid: number; readonly data: string }
  | { readonly type: 'halt'; readonly pid: number; readonly code: string; readonly message: string };

const MAX_WAITING_BYTES = 1024 * 1024;

export class StatusReporter {
  readonly #socket: Socket | undefined;
  #usable = false;

  constructor(address: StreamAddress | undefined) {
    if (address === undefined) return;
    this.#socket = connectTo(address);
    this.#socket.on('connect', () => {
      this.#usable = true;
    });
    this.#socket.on('error', () => {
      this.#usable = false;
    });
    this.#socket.unref();
  }

  report(line: StatusLine): void {
    if (!this.#usable || this.#socket === undefined || this.#socket.writableLength > MAX_WAITING_BYTES) return;
    this.#socket.write(`${JSON.stringify(line)}\n`);
  }

  /** Gives the last lines a moment to leave. */
  async close(): Promise<void> {
    const socket = this.#socket;
    if (socket === undefined || !this.#usable) return;
    await new Promise<void>((resolve) => {
      socket.once('close', () => resolve());
      socket.end(() => socket.destroy());
    });
  }
}
