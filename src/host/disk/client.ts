/**
 * A disk behind a disk server, as a replica uses it. Opening it with a generation *admits* that generation: the answer comes
 * when no request of a lower one can land any more. Then requests go out at once, many at a time.
 *
 * The server may go away and come back (a restart, a network). The client connects again by itself and sends again, in the
 * order of their submission, the requests that have no answer. That is safe: a request done twice leaves the same bytes,
 * requests that overlap are never outstanding together, and the server ends the old connection of this session, with
 * all that it still had in a queue, before it answers the new one (export-name.ts). The guest sees a slow disk.
 *
 * What the server had answered and not flushed is lost if its host loses power: then flushes fail, as on a disk without
 * its cache, rather than call durable what may be gone.
 *
 * When the server says that a later generation owns the disk, there is nothing to try: `onFenced` is called, once, every
 * request is answered `fenced`, and the replica must halt.
 */
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import type { Socket } from 'node:net';
import { OperatingError } from '../../core/base/error.ts';
import type { BlockRequest } from '../../core/machine/doors.ts';
import { connectTo, formatAddress } from '../net/address.ts';
import type { CredentialSource } from '../tls/credentials.ts';
import { type OpenedExport, openExport } from './client-handshake.ts';
import { type BlockErrorCode, type BlockResult, type Disk, extentOf, failed, isWithin, OK } from './disk.ts';
import type { DiskAddress } from './disk-address.ts';
import { formatExportName } from './export-name.ts';
import { asSupported, checkForeignExport } from './foreign-server.ts';
import { COMMAND, decodeReply, ERROR, EXPORT_FLAG, encodeRequest, MAX_PAYLOAD_BYTES, REPLY_BYTES } from './nbd.ts';
import { OverlapOrder } from './overlap-order.ts';
import type { SocketReader } from './socket-reader.ts';

export type DiskClientErrorCode =
  /** Nobody answers there, or it is no disk server. */
  | 'disk-unreachable'
  /** The server refuses this generation, or has no such disk, for good. */
  | 'disk-refused'
  /** The server cannot ask the arbiter now: try again. */
  | 'disk-unknown';

export type DiskClientOptions = {
  readonly address: DiskAddress;
  readonly vm: string;
  /** The keys to speak TLS with; the server has some too, or neither side has. */
  readonly tls?: CredentialSource | undefined;
  /** The generation to admit and its owner; without them the disk is read-only. */
  readonly writer?: { readonly generation: number; readonly incarnation: string };
  /** A later generation owns the disk; `reason` is the server's. */
  readonly onFenced: (reason: string) => void;
  /** The server was lost or came back; requests wait meanwhile. */
  readonly onState?: (state: 'up' | 'down', reason: string | undefined) => void;
  /** One line for the log for each request that the server could not carry out. */
  readonly onProblem?: (line: string) => void;
  /** How long to wait for a connection and the server's first words. */
  readonly timeoutMs?: number;
  /** So long without any answer while requests wait, and the connection is taken for lost. */
  readonly stallMs?: number;
};

/** Trims and zeroes may be long: their length is a u32. */
const MAX_PLAIN_BYTES = 1024 * 1024 * 1024;
const FIRST_RETRY_MS = 20;
const LAST_RETRY_MS = 1000;
const FIRST_STALL_MS = 15_000;
/** A storage that is only slow must get its turn: each stall in a row doubles the patience, up to this. */
const LAST_STALL_MS = 600_000;

/** A piece of a request, short enough for one NBD command. */
type Command = {
  readonly command: number;
  readonly offset: number;
  readonly length: number;
  readonly payload: Uint8Array | undefined;
  /** Where the data of a read goes. */
  readonly into: Uint8Array | undefined;
  readonly answer: (result: BlockResult) => void;
};

/**
 * Connects, admits the generation, and returns the disk. Throws OperatingError<DiskClientErrorCode>; after `disk-unknown`
 * and `disk-unreachable` the caller may try again.
 */
export async function connectDisk(options: DiskClientOptions): Promise<Disk> {
  const client = new DiskClient(options);
  await client.start();
  return client;
}

class DiskClient implements Disk {
  readonly description: string;
  sizeBytes = 0;
  readonly #options: DiskClientOptions;
  readonly #exportName: string;
  readonly #order = new OverlapOrder();
  /** Commands without an answer, by cookie: a Map keeps them in the order of their submission. */
  readonly #unanswered = new Map<bigint, Command>();
  readonly #running = new Set<Promise<BlockResult>>();
  #nextCookie = 1n;
  #socket: Socket | undefined;
  #state: 'open' | 'closing' | 'closed' | 'fenced' = 'open';
  /** What the server can do. */
  #flags = 0;
  /** Which boot of the server's host this is: what it had not flushed is gone with it. */
  #boot = '';
  #writesAnswered = 0;
  /** Of these, the first so many are durable. */
  #writesFlushed = 0;
  #lostWrites = false;
  #retryMs = FIRST_RETRY_MS;
  #timer: NodeJS.Timeout | undefined;
  #stallMs: number;
  #stallTimer: NodeJS.Timeout | undefined;

  constructor(options: DiskClientOptions) {
    this.#options = options;
    this.#stallMs = options.stallMs ?? FIRST_STALL_MS;
    const session = randomBytes(16).toString('hex');
    const writer = options.writer === undefined ? undefined : { ...options.writer, session };
    this.#exportName = options.address.foreignExport ?? formatExportName({ vm: options.vm, writer });
    this.description = `the disk of ${options.vm} at ${formatAddress(options.address)}`;
  }

  async start(): Promise<void> {
    const connected = await this.#connect();
    this.sizeBytes = connected.sizeBytes;
    this.#boot = connected.boot;
    this.#use(connected);
  }

  request(request: BlockRequest): Promise<BlockResult> {
    if (this.#state !== 'open') return Promise.resolve(failed(this.#state === 'fenced' ? 'fenced' : 'closed'));
    const extent = extentOf(request);
    if (!isWithin(extent, this.sizeBytes)) return Promise.resolve(failed('out-of-range'));
    const answer = this.#order.run(extent, () => this.#submit(request));
    this.#running.add(answer);
    void answer.then(() => this.#running.delete(answer));
    return answer;
  }

  async close(): Promise<void> {
    if (this.#state !== 'open' && this.#state !== 'fenced') return;
    clearTimeout(this.#timer);
    const socket = this.#socket;
    if (this.#state === 'open' && socket !== undefined) {
      this.#state = 'closing';
      await Promise.race([Promise.all(this.#running), once(socket, 'close')]);
    }
    this.#state = 'closed';
    this.#answerAll('closed'); // while the server is away, what is under way does not end
    if (socket === undefined || socket.destroyed) return;
    const gone = once(socket, 'close');
    socket.end(encodeRequest({ flags: 0, command: COMMAND.disconnect, cookie: 0n, offset: 0, length: 0 }));
    await gone;
  }

  async #connect(): Promise<OpenedExport> {
    const socket = connectTo(this.#options.address);
    socket.setKeepAlive(true, 5000);
    try {
      const { tls, address, timeoutMs = 10_000 } = this.#options;
      const serverName = 'path' in address ? undefined : address.host;
      const foreign = address.foreignExport !== undefined;
      const secure = tls === undefined || foreign ? undefined : { credentials: tls, serverName };
      const what = this.description;
      const opened = await openExport(socket, { name: this.#exportName, what, timeoutMs, secure });
      this.#flags = opened.flags;
      if (!foreign) return opened;
      checkForeignExport(opened.flags, { what, writes: this.#options.writer !== undefined });
      return { ...opened, boot: randomBytes(16).toString('hex') }; // whether it is still the same process, nobody tells
    } catch (error) {
      socket.destroy();
      throw error;
    }
  }

  /** Sends all that has no answer, and reads answers until the connection ends. */
  #use({ socket, reader }: OpenedExport): void {
    this.#socket = socket;
    this.#retryMs = FIRST_RETRY_MS;
    let reason = 'the disk server closed the connection';
    socket.on('error', (error) => {
      reason = error.message;
    });
    for (const [cookie, command] of this.#unanswered) this.#send(socket, cookie, command);
    this.#watchForStall();
    void this.#readAnswers(reader).then(() => {
      socket.destroy();
      this.#socket = undefined;
      clearTimeout(this.#stallTimer);
      if (this.#state !== 'open') return;
      this.#options.onState?.('down', reason);
      this.#retryLater();
    });
  }

  /** TCP itself takes many minutes to notice that the server's host is gone while requests wait for answers. */
  #watchForStall(): void {
    clearTimeout(this.#stallTimer);
    const socket = this.#socket;
    if (socket === undefined || this.#unanswered.size === 0) return;
    this.#stallTimer = setTimeout(() => {
      const waited = this.#stallMs;
      this.#stallMs = Math.min(waited * 2, LAST_STALL_MS);
      socket.destroy(new Error(`no answer from the disk server for ${waited} ms`));
    }, this.#stallMs);
  }

  #retryLater(): void {
    if (this.#state !== 'open') return;
    this.#timer = setTimeout(() => void this.#retry(), this.#retryMs);
    this.#retryMs = Math.min(this.#retryMs * 2, LAST_RETRY_MS);
  }

  async #retry(): Promise<void> {
    try {
      const connected = await this.#connect();
      const { socket, sizeBytes, boot } = connected;
      if (this.#state !== 'open') return void socket.destroy();
      if (sizeBytes !== this.sizeBytes)
        return this.#fence(`the disk has ${sizeBytes} bytes now, and had ${this.sizeBytes}`, socket);
      this.#noteBoot(boot);
      this.#use(connected);
      this.#options.onState?.('up', undefined);
    } catch (error) {
      if (error instanceof OperatingError && error.code === 'disk-refused') this.#fence(error.message, undefined);
      else this.#retryLater();
    }
  }

  /**
   * The server's host has booted anew while writes were answered and not flushed: they may be lost, and no later flush could
   * say truly that they are durable. So every flush fails from now on, as it does on a disk that lost its cache.
   */
  #noteBoot(boot: string): void {
    if (boot !== this.#boot && this.#writesAnswered > this.#writesFlushed) {
      this.#lostWrites = true;
      this.#options.onProblem?.(`${this.description}: it was restarted, and writes that were not flushed may be lost`);
    }
    this.#boot = boot;
    if (!this.#lostWrites) return;
    for (const [cookie, command] of this.#unanswered) {
      if (command.command !== COMMAND.flush) continue;
      this.#unanswered.delete(cookie);
      command.answer(failed('io'));
    }
  }

  #fence(reason: string, socket: Socket | undefined): void {
    if (this.#state !== 'open') return;
    this.#state = 'fenced';
    socket?.destroy();
    this.#socket?.destroy();
    this.#answerAll('fenced');
    this.#options.onFenced(reason);
  }

  #answerAll(error: BlockErrorCode): void {
    const commands = [...this.#unanswered.values()];
    this.#unanswered.clear();
    for (const command of commands) command.answer(failed(error));
  }

  async #submit(request: BlockRequest): Promise<BlockResult> {
    if (this.#state === 'fenced' || this.#state === 'closed') return failed(this.#state);
    if (request.type === 'flush' && this.#lostWrites) return failed('io');
    if (request.type === 'discard' && (this.#flags & EXPORT_FLAG.trim) === 0) return OK; // it is only a hint
    const answeredBefore = this.#writesAnswered;
    const data = request.type === 'read' ? new Uint8Array(request.length) : undefined;
    const supported = asSupported(request, this.#flags);
    const results = await Promise.all(piecesOf(supported, data).map((piece) => this.#submitPiece(piece)));
    const bad = results.find((result) => !result.ok);
    if (bad !== undefined) {
      if (!bad.ok && (bad.error === 'io' || bad.error === 'no-space')) {
        this.#options.onProblem?.(`${this.description}: ${request.type} failed: ${bad.error}`);
      }
      return bad;
    }
    if (extentOf(request)?.writes) this.#writesAnswered++;
    if (request.type === 'flush') this.#writesFlushed = Math.max(this.#writesFlushed, answeredBefore);
    return data === undefined ? OK : { ok: true, data };
  }

  #submitPiece(piece: Omit<Command, 'answer'>): Promise<BlockResult> {
    return new Promise((answer) => {
      const cookie = this.#nextCookie++;
      const command: Command = { ...piece, answer };
      this.#unanswered.set(cookie, command);
      if (this.#unanswered.size === 1) this.#watchForStall();
      if (this.#socket !== undefined) this.#send(this.#socket, cookie, command);
    });
  }

  #send(socket: Socket, cookie: bigint, { command, offset, length, payload }: Command): void {
    if (!socket.writable) return; // it is sent again on the next connection
    socket.cork();
    socket.write(encodeRequest({ flags: 0, command, cookie, offset, length }));
    if (payload !== undefined) socket.write(payload);
    socket.uncork();
  }

  async #readAnswers(reader: SocketReader): Promise<void> {
    for (;;) {
      const header = await reader.read(REPLY_BYTES);
      const reply = header === undefined ? undefined : decodeReply(header);
      const command = reply === undefined ? undefined : this.#unanswered.get(reply.cookie);
      if (reply === undefined || command === undefined) return;
      if (reply.error === ERROR.shutdown && this.#options.address.foreignExport !== undefined) return;
      if (reply.error === ERROR.shutdown) return this.#fence('a later generation owns the disk', undefined);
      if (reply.error === 0 && command.into !== undefined) {
        const data = await reader.read(command.length);
        if (data === undefined) return;
        command.into.set(data);
      }
      this.#unanswered.delete(reply.cookie);
      this.#stallMs = this.#options.stallMs ?? FIRST_STALL_MS;
      this.#watchForStall();
      command.answer(reply.error === 0 ? OK : failed(errorOf(reply.error)));
    }
  }
}

/** Cuts a request into NBD commands: one, unless it is very long. */
function piecesOf(request: BlockRequest, into: Uint8Array | undefined): Omit<Command, 'answer'>[] {
  if (request.type === 'flush') {
    return [{ command: COMMAND.flush, offset: 0, length: 0, payload: undefined, into: undefined }];
  }
  const carries = request.type === 'read' || request.type === 'write';
  const total = request.type === 'write' ? request.data.length : request.length;
  const step = carries ? MAX_PAYLOAD_BYTES : MAX_PLAIN_BYTES;
  const pieces: Omit<Command, 'answer'>[] = [];
  for (let done = 0; done < total; done += step) {
    const length = Math.min(step, total - done);
    pieces.push({
      command: COMMAND_OF[request.type],
      offset: request.offset + done,
      length,
      payload: request.type === 'write' ? request.data.subarray(done, done + length) : undefined,
      into: into?.subarray(done, done + length),
    });
  }
  return pieces;
}

const COMMAND_OF = {
  read: COMMAND.read,
  write: COMMAND.write,
  discard: COMMAND.trim,
  'write-zeroes': COMMAND.writeZeroes,
} as const;

function errorOf(number: number): BlockErrorCode {
  switch (number) {
    case ERROR.permission:
      return 'read-only';
    case ERROR.noSpace:
      return 'no-space';
    case ERROR.invalid:
      return 'out-of-range';
    default:
      return 'io';
  }
}
