/**
 * The control socket of a running machine: a unix socket that only its user can open. A wrong request gets an error, and
 * never harms the machine.
 */
import { chmodSync } from 'node:fs';
import { unlink } from 'node:fs/promises';
import net from 'node:net';
import { OperatingError } from '../../core/base/error.ts';
import { listenOn } from '../net/address.ts';
import type { SnapshotProgress, SnapshotResult } from '../snapshot/take.ts';
import { readLines } from './lines.ts';
import { type ControlAnswer, type ControlRequest, requestSchema, type StatusAnswer } from './messages.ts';

export interface ControlHandlers {
  readonly status: () => StatusAnswer;
  /** Throws OperatingError. */
  readonly snapshot: (
    request: { readonly path: string; readonly stop: boolean },
    onProgress: (progress: SnapshotProgress) => void,
  ) => Promise<SnapshotResult>;
}

export class ControlServer {
  readonly #handlers: ControlHandlers;
  readonly #server: net.Server;
  readonly #path: string;
  readonly #sockets = new Set<net.Socket>();
  readonly #active = new Set<Promise<void>>();

  private constructor(path: string, handlers: ControlHandlers) {
    this.#path = path;
    this.#handlers = handlers;
    this.#server = net.createServer((socket) => this.#connected(socket));
  }

  /** Throws OperatingError if the socket cannot be made, or if somebody answers there already. */
  static async start({ path }: { readonly path: string }, handlers: ControlHandlers): Promise<ControlServer> {
    const control = new ControlServer(path, handlers);
    await listenOn(control.#server, { path });
    chmodSync(path, 0o600);
    return control;
  }

  #connected(socket: net.Socket): void {
    this.#sockets.add(socket);
    socket.on('error', () => {});
    socket.on('close', () => this.#sockets.delete(socket));
    const say = (answer: ControlAnswer): void => {
      if (socket.writable) socket.write(`${JSON.stringify(answer)}\n`);
    };
    readLines(
      socket,
      (line) => {
        const work = this.#answer(line, say);
        this.#active.add(work);
        void work.finally(() => this.#active.delete(work));
      },
      () => {
        say({ type: 'error', code: 'control-request', message: 'the request is too long' });
        socket.destroySoon();
      },
    );
  }

  async #answer(line: string, say: (answer: ControlAnswer) => void): Promise<void> {
    try {
      say(await this.#perform(parse(line), say));
    } catch (error) {
      const known = error instanceof OperatingError;
      const message = error instanceof Error ? error.message : String(error);
      const advice = known ? error.advice : undefined;
      say({ type: 'error', code: known ? error.code : 'bug', message, ...(advice === undefined ? {} : { advice }) });
    }
  }

  async #perform(request: ControlRequest, say: (answer: ControlAnswer) => void): Promise<ControlAnswer> {
    if (request.command === 'status') return { type: 'done', status: this.#handlers.status() };
    const result = await this.#handlers.snapshot(request, (progress) => say({ type: 'progress', progress }));
    return { type: 'done', snapshot: { ...result, position: String(result.position) } };
  }

  /** Lets what is being answered be answered. */
  async close(): Promise<void> {
    this.#server.close();
    await Promise.all(this.#active);
    await Promise.all([...this.#sockets].map((socket) => ended(socket)));
    await unlink(this.#path).catch(() => {});
  }
}

function ended(socket: net.Socket): Promise<void> {
  return new Promise((resolve) => {
    socket.once('close', () => resolve());
    socket.destroySoon();
  });
}

function parse(line: string): ControlRequest {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    value = undefined;
  }
  const parsed = requestSchema.safeParse(value);
  if (parsed.success) return parsed.data;
  const why = parsed.error.issues.map((issue) => `${issue.path.join('.') || 'request'}: ${issue.message}`).join('; ');
  throw new OperatingError('control-request', `the request is not understood: ${why}`);
}
