/**
 * The way to one remote VXLAN end point: a UDP socket connected to it, so that the kernel reports here, and for this remote
 * only, what it learns about the way (no route, "port unreachable"). A socket that could not be connected, as with no route
 * at all, is made anew when there is next something to send, at most once an interval.
 */
import dgram, { type Socket, type SocketType } from 'node:dgram';
import { performance } from 'node:perf_hooks';
import { errorCode } from './address.ts';

export type VtepSocketOptions = {
  readonly type: SocketType;
  readonly address: string;
  readonly port: number;
  readonly local: string | undefined;
  /** The way is lost, with the reason in words. Called for each such error. */
  readonly onLost: (why: string) => void;
};

/** Bytes that may wait for the kernel; more datagrams are dropped. */
const MAX_QUEUED_BYTES = 8 * 1024 * 1024;
const SOCKET_BUFFER_BYTES = 4 * 1024 * 1024;
const REOPEN_AFTER_MS = 50;

/** Errors of the way. Others (a full buffer, a datagram that is too long) cost a frame and say nothing about the link. */
const LOST: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'answers that nobody has this UDP port',
  ENETUNREACH: 'cannot be reached: no route',
  EHOSTUNREACH: 'cannot be reached: no such host',
  ENETDOWN: 'cannot be reached: the interface is down',
  EADDRNOTAVAIL: "cannot be reached: 'local' is no address of this host",
  EINVAL: "cannot be reached from the 'local' address",
};

export class VtepSocket {
  readonly #options: VtepSocketOptions;
  #socket: Socket | undefined;
  #connected = false;
  #openedMs = Number.NEGATIVE_INFINITY;
  #closed = false;

  constructor(options: VtepSocketOptions) {
    this.#options = options;
    this.#open();
  }

  /** Sends, or drops: the answer says which, as far as it is known at once. `datagram` must not be reused. */
  send(datagram: Buffer): boolean {
    if (this.#closed) return false;
    if (this.#socket === undefined && performance.now() - this.#openedMs >= REOPEN_AFTER_MS) this.#open();
    if (this.#socket === undefined || !this.#connected) return false;
    if (this.#socket.getSendQueueSize() > MAX_QUEUED_BYTES) return false;
    this.#socket.send(datagram, (error) => {
      if (error !== null) this.#tell(error);
    });
    return true;
  }

  close(): void {
    this.#closed = true;
    this.#abandon();
  }

  #open(): void {
    const { type, address, port, local } = this.#options;
    this.#openedMs = performance.now();
    const socket = dgram.createSocket({ type, sendBufferSize: SOCKET_BUFFER_BYTES });
    this.#socket = socket;
    const failed = (error: Error): void => {
      if (this.#socket !== socket) return;
      if (!this.#connected) this.#abandon();
      this.#tell(error);
    };
    socket.on('error', failed);
    // The types do not say that the callback is also told why it could not be connected.
    const connected = (error?: Error | null): void => {
      if (error) failed(error);
      else this.#connected = this.#socket === socket;
    };
    const connect = (): void => {
      if (this.#socket === socket) socket.connect(port, address, connected);
    };
    if (local === undefined) connect();
    else socket.bind({ address: local, port: 0, exclusive: true }, connect);
  }

  #abandon(): void {
    this.#socket?.close();
    this.#socket = undefined;
    this.#connected = false;
  }

  #tell(error: Error): void {
    const why = LOST[errorCode(error)];
    const { address, port, onLost } = this.#options;
    if (!this.#closed && why !== undefined) onLost(`${address} (UDP port ${port}) ${why}`);
  }
}
