/**
 * The logging channel's transport: whole messages over one TCP connection (or a unix socket), in order, each as a
 * big-endian u32 length and its bytes. What the messages mean, the `hello` included, is the protocol's affair
 * (core/replication).
 *
 * Three properties that the protocol leans on:
 *  - The socket is read all the time, whatever the receiver thinks of it (PROTOCOL.md, 9: flow control is by credit; a side
 *    that stops reading looks dead to itself). There is no pause here to call.
 *  - Messages that the kernel has received are delivered before the end of the channel is, also when the peer was
 *    killed: a backup reads the log to its last byte before it thinks of a claim.
 *  - Nothing waits: Nagle's algorithm is off, each message is one write, and `bufferedBytes` tells what the peer's
 *    kernel has not taken. A peer that takes nothing at all costs bounded memory and then the channel.
 *
 * With keys the connection is TLS 1.3, and each side knows the other by its certificate (secure-channel.ts).
 */
import net, { type Socket } from 'node:net';
import { assert } from '../../core/base/assert.ts';
import { OperatingError } from '../../core/base/error.ts';
import { connectTo, formatAddress, listenOn, type StreamAddress } from '../net/address.ts';
import { encodeFrame, FrameDecoder, FrameLengthError, HEADER_BYTES } from '../net/framing.ts';
import type { Secured, TlsPeer } from '../tls/secure.ts';
import { WaitingRoom } from '../tls/waiting-room.ts';
import { acceptSecureChannel, type ChannelTls, connectSecureChannel } from './secure-channel.ts';

export type ChannelCloseKind =
  /** This side closed it. */
  | 'local'
  /** The peer closed it: its process ended, or it wanted to. */
  | 'peer'
  /** The network or the peer's host broke it. */
  | 'lost'
  /** The peer sent a length that cannot be. */
  | 'bad-message'
  /** The peer has taken nothing for so long that the outgoing buffer is full. */
  | 'overflow';

export type ChannelClosed = { readonly kind: ChannelCloseKind; readonly detail: string };

export type ChannelEvents = {
  /** Called synchronously, in order; the bytes are never written again. */
  readonly onMessage: (message: Uint8Array) => void;
  /** Called once, after the last message. After `close()` no message comes. */
  readonly onClose: (reason: ChannelClosed) => void;
};

export type ChannelOptions = {
  /** Longest message, in bytes, both ways. */
  readonly maxMessageBytes?: number;
  /** Outgoing bytes that may wait; more end the channel with `overflow`. */
  readonly maxBufferedBytes?: number;
  /** Both sides have keys, or neither. */
  readonly tls?: ChannelTls | undefined;
};

export type ListenOptions = ChannelOptions & {
  /** Somebody has connected and got no channel; a line for the log. */
  readonly onRefused?: (reason: OperatingError) => void;
};

export interface Channel {
  /** The peer's address in words, for messages to people. */
  readonly peer: string;
  /** Who the peer is, by its certificate; undefined without TLS. */
  readonly identity: TlsPeer | undefined;
  /** The fingerprint of the certificate that this side has shown; undefined without TLS. */
  readonly ownFingerprint: string | undefined;
  /** Bytes given to `send` that the kernel has not taken yet. */
  readonly bufferedBytes: number;
  readonly open: boolean;
  /** Queues a message; the caller may reuse `message` at once. On a channel that has ended it does nothing. */
  send(message: Uint8Array): void;
  /** Sends what is queued, then ends the channel; the peer has a second to take it. */
  close(): void;
  /** Ends the channel at once; queued messages are lost. */
  abort(): void;
}

export interface ChannelListener {
  /** Where it listens, with the port that was really bound. */
  readonly address: StreamAddress;
  /** Stops listening; channels that are open stay open. */
  close(): Promise<void>;
}

export const DEFAULT_MAX_MESSAGE_BYTES = 16 * 1024 * 1024;
export const DEFAULT_MAX_BUFFERED_BYTES = 64 * 1024 * 1024;
const CLOSE_GRACE_MS = 1000;
/** Channels of one listener at a time. A replica has one or two; the rest is room for those that are just ending. */
const MAX_CHANNELS = 128;

/**
 * Connects to a listener. Throws OperatingError `cannot-connect` when nobody answers within `timeoutMs`, and TlsError
 * where there is no secure connection; trying again is the caller's decision.
 */
export async function connectChannel(
  address: StreamAddress,
  events: ChannelEvents,
  options: ChannelOptions & { readonly timeoutMs?: number } = {},
): Promise<Channel> {
  const timeoutMs = options.timeoutMs ?? 5000;
  const socket = connectTo(address);
  await new Promise<void>((resolve, reject) => {
    const fail = (why: string) => {
      clearTimeout(timer);
      socket.destroy();
      reject(connectError(address, why));
    };
    const timer = setTimeout(() => fail(`no answer within ${timeoutMs} ms`), timeoutMs);
    socket.once('error', (error) => fail(error.message));
    socket.once('connect', () => {
      clearTimeout(timer);
      socket.removeAllListeners('error');
      resolve();
    });
  });
  const peer = formatAddress(address);
  if (options.tls === undefined) return new SocketChannel(socket, { peer }, () => events, options);
  const serverName = 'path' in address ? undefined : address.host;
  const secured = await connectSecureChannel(socket, options.tls, peer, serverName, timeoutMs);
  return new SocketChannel(secured.socket, { peer, secured }, () => events, options);
}

/**
 * Listens for channels. `accept` gets each new one, and its answer says where the messages go.
 * Throws OperatingError `address-in-use` or `cannot-listen`.
 */
export async function listenForChannels(
  address: StreamAddress,
  accept: (channel: Channel) => ChannelEvents,
  options: ListenOptions = {},
): Promise<ChannelListener> {
  const { tls } = options;
  const room = new WaitingRoom();
  const open = async (socket: Socket) => {
    const peer = peerOf(socket, address);
    if (tls === undefined) return new SocketChannel(socket, { peer }, accept, options);
    room.enter(socket);
    try {
      const secured = await acceptSecureChannel(socket, tls, peer);
      room.leave(socket);
      new SocketChannel(secured.socket, { peer, secured }, accept, options);
    } catch (error) {
      if (!(error instanceof OperatingError)) throw error;
      options.onRefused?.(error);
    }
  };
  const server = net.createServer({ noDelay: true }, (socket) => void open(socket));
  server.maxConnections = MAX_CHANNELS;
  const bound = await listenOn(server, address);
  const close = async () => {
    server.close();
    room.clear();
  };
  return { address: bound, close };
}

function peerOf(socket: Socket, address: StreamAddress): string {
  return socket.remotePort === undefined ? formatAddress(address) : `${socket.remoteAddress}:${socket.remotePort}`;
}

class SocketChannel implements Channel {
  readonly peer: string;
  readonly identity: TlsPeer | undefined;
  readonly ownFingerprint: string | undefined;
  readonly #socket: Socket;
  readonly #limits: { minLength: number; maxLength: number };
  readonly #maxBufferedBytes: number;
  readonly #decoder: FrameDecoder;
  #received = false;
  /** Why the channel ends: the first cause counts. */
  #reason: ChannelClosed | undefined;
  #grace: NodeJS.Timeout | undefined;

  constructor(
    socket: Socket,
    who: { readonly peer: string; readonly secured?: Secured },
    accept: (channel: Channel) => ChannelEvents,
    options: ChannelOptions,
  ) {
    this.peer = who.peer;
    this.identity = who.secured?.peer;
    this.ownFingerprint = who.secured?.own;
    this.#socket = socket;
    this.#limits = { minLength: 1, maxLength: options.maxMessageBytes ?? DEFAULT_MAX_MESSAGE_BYTES };
    this.#maxBufferedBytes = options.maxBufferedBytes ?? DEFAULT_MAX_BUFFERED_BYTES;
    const events = accept(this);
    this.#decoder = new FrameDecoder(this.#limits, (message) => {
      this.#received = true;
      if (this.open) events.onMessage(message);
    });
    socket.on('data', (chunk: Buffer) => this.#read(chunk));
    socket.on('end', () => this.#endedByPeer());
    socket.on('error', (error) => {
      this.#reason ??= { kind: 'lost', detail: error.message };
    });
    socket.on('close', () => {
      clearTimeout(this.#grace);
      events.onClose(this.#reason ?? { kind: 'lost', detail: 'the connection was lost' });
    });
    socket.resume(); // a handshake may have left it paused
  }

  get bufferedBytes(): number {
    return this.#socket.writableLength;
  }

  get open(): boolean {
    return this.#reason === undefined && !this.#socket.destroyed;
  }

  send(message: Uint8Array): void {
    assert(message.length >= this.#limits.minLength, 'a message is not empty');
    assert(message.length <= this.#limits.maxLength, 'a message is not longer than the channel allows');
    if (!this.open || !this.#socket.writable) return;
    if (this.bufferedBytes + message.length + HEADER_BYTES > this.#maxBufferedBytes) {
      this.#end({ kind: 'overflow', detail: `the peer has left ${this.bufferedBytes} bytes untaken` });
      return;
    }
    // All that is said in one turn is one write to the host.
    if (this.#socket.writableCorked === 0) {
      this.#socket.cork();
      process.nextTick(() => this.#socket.uncork());
    }
    this.#socket.write(encodeFrame(message, this.#limits));
  }

  close(): void {
    if (this.#reason !== undefined) return;
    this.#reason = { kind: 'local', detail: 'closed by this side' };
    this.#socket.end();
    this.#grace = setTimeout(() => this.#socket.destroy(), CLOSE_GRACE_MS);
    this.#grace.unref();
  }

  abort(): void {
    this.#end({ kind: 'local', detail: 'aborted by this side' });
  }

  #read(chunk: Buffer): void {
    if (!this.open) return; // closing: read on, so that the peer can write on, but deliver nothing
    try {
      this.#decoder.push(chunk);
    } catch (error) {
      if (!(error instanceof FrameLengthError)) throw error;
      this.#end({ kind: 'bad-message', detail: isTlsRecord(error.length) ? PEER_HAS_TLS : error.message });
    }
  }

  #endedByPeer(): void {
    const cut = this.#decoder.pendingBytes > 0 ? ', in the middle of a message' : '';
    // A TLS server gives no answer to plain text that a plain side could read.
    const silent = this.#received || this.identity !== undefined ? '' : ' without a message; it may want TLS';
    this.#end({ kind: 'peer', detail: `the peer closed the connection${cut || silent}` });
  }

  #end(reason: ChannelClosed): void {
    this.#reason ??= reason;
    this.#socket.destroy();
  }
}

const PEER_HAS_TLS =
  'the peer speaks TLS, and this side does not: give both --tls-certificate, --tls-key and --tls-authority, or neither';

/** A TLS record begins with its type (21 alert, 22 handshake) and version 3.x, which here look like a length. */
function isTlsRecord(length: number): boolean {
  return [0x1503, 0x1603].includes(length >>> 16);
}

function connectError(address: StreamAddress, why: string): OperatingError<'cannot-connect'> {
  return new OperatingError(
    'cannot-connect',
    `cannot reach ${formatAddress(address)}: ${why}`,
    'Check that the other side is running, the address, and what is between (a firewall).',
  );
}
