/**
 * The uplink: how a machine's network card, or the hub, reaches a layer-2 segment. `StreamUplink` is the one over a stream
 * socket in QEMU's framing, to the hub, to QEMU, passt, gvproxy or socket_vmnet. The far end may not be there yet or may go
 * away: the uplink says `down`, tries again with growing pauses, and says `up` when it is there. Meanwhile frames are
 * dropped, as on a cable that is not plugged in.
 */
import type { Socket } from 'node:net';
import { connectTo, type StreamAddress } from './address.ts';
import { DEFAULT_MAX_QUEUED_BYTES, FramePort, type PortCounters } from './frame-port.ts';

export type LinkState = 'up' | 'down';

export type UplinkEvents = {
  /** A frame has arrived. Called synchronously, in order; the bytes are never written again. */
  readonly onFrame: (frame: Uint8Array) => void;
  /** The link came up or went down; an uplink begins as down. `reason` says why it is down. */
  readonly onState: (state: LinkState, reason: string | undefined) => void;
};

export interface Uplink {
  readonly state: LinkState;
  /** Since the uplink was opened, over all connections. */
  readonly counters: Readonly<PortCounters>;
  /** Sends a frame, or drops it as a wire would; never waits, never throws. The caller may reuse `frame` at once. */
  send(frame: Uint8Array): void;
  /** Gives the link up for good; no event follows. */
  close(): Promise<void>;
}

export type StreamUplinkOptions = {
  readonly address: StreamAddress;
  /** Bytes that may wait for a far end that does not read; more frames are dropped. */
  readonly maxQueuedBytes?: number;
  readonly firstRetryMs?: number;
  readonly lastRetryMs?: number;
};

/** Starts to connect and returns at once. */
export function openStreamUplink(options: StreamUplinkOptions, events: UplinkEvents): Uplink {
  return new StreamUplink(options, events);
}

class StreamUplink implements Uplink {
  readonly counters: PortCounters = { framesIn: 0, framesOut: 0, framesDropped: 0 };
  state: LinkState = 'down';
  readonly #address: StreamAddress;
  readonly #maxQueuedBytes: number;
  readonly #firstRetryMs: number;
  readonly #lastRetryMs: number;
  readonly #events: UplinkEvents;
  #retryMs: number;
  #timer: NodeJS.Timeout | undefined;
  #socket: Socket | undefined;
  #port: FramePort | undefined;
  #closed = false;

  constructor(options: StreamUplinkOptions, events: UplinkEvents) {
    this.#address = options.address;
    this.#maxQueuedBytes = options.maxQueuedBytes ?? DEFAULT_MAX_QUEUED_BYTES;
    this.#firstRetryMs = options.firstRetryMs ?? 20;
    this.#lastRetryMs = options.lastRetryMs ?? 1000;
    this.#retryMs = this.#firstRetryMs;
    this.#events = events;
    this.#connect();
  }

  send(frame: Uint8Array): void {
    if (this.#port?.send(frame)) this.counters.framesOut++;
    else this.counters.framesDropped++;
  }

  async close(): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#timer);
    const socket = this.#socket;
    if (socket === undefined || socket.closed) return;
    await new Promise<void>((resolve) => {
      socket.once('close', () => resolve());
      socket.destroy();
    });
  }

  #connect(): void {
    const socket = connectTo(this.#address);
    this.#socket = socket;
    const failed = () => this.#retry();
    socket.once('error', failed);
    socket.once('connect', () => {
      socket.off('error', failed);
      this.#connected(socket);
    });
  }

  #connected(socket: Socket): void {
    const onFrame = (frame: Uint8Array) => {
      if (this.#closed) return;
      this.counters.framesIn++;
      this.#events.onFrame(frame);
    };
    const onClose = (error: Error | undefined) => {
      if (this.#closed) return;
      this.#port = undefined;
      this.state = 'down';
      const reason = error?.message ?? 'the far end closed the connection';
      this.#events.onState('down', reason);
      if (!this.#closed) this.#retry();
    };
    this.#port = new FramePort(socket, { onFrame, onClose }, this.#maxQueuedBytes);
    this.#retryMs = this.#firstRetryMs;
    this.state = 'up';
    this.#events.onState('up', undefined);
  }

  #retry(): void {
    if (this.#closed) return;
    this.#timer = setTimeout(() => this.#connect(), this.#retryMs);
    this.#retryMs = Math.min(this.#retryMs * 2, this.#lastRetryMs);
  }
}
