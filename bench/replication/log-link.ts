/**
 * The link between two replicas, as a relay between their sockets: it counts what passes, keeps the log for as long as it is told to, and can be made
 * slow. The delay is for each direction, by a timer of this process, because not every kernel has netem: what it comes to is measured, not
 * assumed (`measureRoundTrip`).
 */
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import net from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Message } from '../../src/core/replication/message.ts';
import { decodeMessage, MAX_MESSAGE_BYTES } from '../../src/core/replication/message-codec.ts';
import { connectTo, type StreamAddress } from '../../src/host/net/address.ts';
import { FrameDecoder } from '../../src/host/net/framing.ts';

export type LogMessage = Message & { readonly type: 'log' };

/** What has passed, framing included; what the sockets below add to it is not. */
export interface Passed {
  /** From the primary, and from the backup. */
  readonly sentBytes: number;
  readonly backBytes: number;
}

/** A timer that is this early is due: the next one would be late by most of a millisecond. */
const EARLY_MS = 0.3;

export class LogLink {
  /** For each direction. What is under way keeps the delay that it began with. */
  delayMs = 0;
  #sentBytes = 0;
  #backBytes = 0;
  #kept: LogMessage[] | undefined;
  readonly #target: StreamAddress;
  readonly #server: net.Server;
  readonly #sockets = new Set<net.Socket>();
  readonly #decodes: boolean;

  private constructor(target: StreamAddress, decodes: boolean) {
    this.#target = target;
    this.#decodes = decodes;
    this.#server = net.createServer({ noDelay: true }, (backup) => this.#join(backup));
  }

  /** `decodes: false`: what passes is no log. */
  static async open(listen: StreamAddress, target: StreamAddress, decodes = true): Promise<LogLink> {
    const link = new LogLink(target, decodes);
    link.#server.listen(listen);
    await once(link.#server, 'listening');
    return link;
  }

  get passed(): Passed {
    return { sentBytes: this.#sentBytes, backBytes: this.#backBytes };
  }

  /** From now on the log is kept, until `take`. */
  keep(): void {
    this.#kept = [];
  }

  take(): LogMessage[] {
    const kept = this.#kept ?? [];
    this.#kept = undefined;
    return kept;
  }

  close(): void {
    this.#server.close();
    for (const socket of this.#sockets) socket.destroy();
  }

  #join(backup: net.Socket): void {
    const primary = connectTo(this.#target);
    const decoder = new FrameDecoder({ minLength: 1, maxLength: MAX_MESSAGE_BYTES }, (frame) => this.#heard(frame));
    this.#pipe(primary, backup, (chunk) => {
      this.#sentBytes += chunk.length;
      if (this.#decodes) decoder.push(chunk);
    });
    this.#pipe(backup, primary, (chunk) => {
      this.#backBytes += chunk.length;
    });
  }

  #heard(frame: Uint8Array): void {
    if (this.#kept === undefined) return;
    const message = decodeMessage(frame);
    if (message.type === 'log') this.#kept.push({ ...message, bytes: message.bytes.slice() });
  }

  #pipe(from: net.Socket, to: net.Socket, count: (chunk: Buffer) => void): void {
    const later = new Later(() => this.delayMs);
    this.#sockets.add(from);
    from.on('data', (chunk: Buffer) => {
      count(chunk);
      later.add(() => to.writable && to.write(chunk));
    });
    from.on('error', () => {});
    from.on('close', () => {
      this.#sockets.delete(from);
      later.add(() => to.end());
    });
  }
}

/** Does things after a delay, in their order; at once while there is none. */
class Later {
  readonly #delayMs: () => number;
  readonly #due: { readonly atMs: number; readonly act: () => void }[] = [];
  #timer: NodeJS.Timeout | undefined;

  constructor(delayMs: () => number) {
    this.#delayMs = delayMs;
  }

  add(act: () => void): void {
    const delayMs = this.#delayMs();
    if (delayMs === 0 && this.#due.length === 0) return act();
    this.#due.push({ atMs: performance.now() + delayMs, act });
    if (this.#timer === undefined) this.#wait();
  }

  #wait(): void {
    const next = this.#due[0];
    this.#timer = undefined;
    if (next === undefined) return;
    this.#timer = setTimeout(
      () => {
        const nowMs = performance.now() + EARLY_MS;
        while (this.#due[0] !== undefined && this.#due[0].atMs <= nowMs) this.#due.shift()!.act();
        this.#wait();
      },
      Math.max(0, next.atMs - performance.now()),
    );
  }
}

/** The round trips of single bytes through such a link, one after the other, in ms. */
export async function measureRoundTrip(delayMs: number, times: number): Promise<number[]> {
  const directory = await mkdtemp(join(tmpdir(), 'understudy-link-'));
  const echo = net.createServer((socket) => {
    socket.on('error', () => {});
    socket.pipe(socket);
  });
  const [service, entrance] = ['echo', 'link'].map((name) => ({ path: join(directory, name) }));
  echo.listen(service);
  await once(echo, 'listening');
  const link = await LogLink.open(entrance!, service!, false);
  link.delayMs = delayMs;
  const socket = connectTo(entrance!);
  try {
    const trips: number[] = [];
    for (let i = 0; i < times; i++) {
      const beganMs = performance.now();
      socket.write('?');
      await once(socket, 'data');
      trips.push(performance.now() - beganMs);
    }
    return trips;
  } finally {
    socket.destroy();
    link.close();
    echo.close();
    await rm(directory, { recursive: true, force: true });
  }
}
