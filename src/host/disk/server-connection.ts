/**
 * One client of the disk server: the NBD handshake, which settles what the client may do, then its requests. Requests
 * are carried out in parallel and answered as they end. What a client has outstanding is bounded in bytes: a client
 * that asks faster than it reads the answers is simply not read from for a while.
 */
import type { Socket } from 'node:net';
import type { BlockRequest } from '../../core/machine/doors.ts';
import type { CredentialSource } from '../tls/credentials.ts';
import type { TlsError } from '../tls/failure.ts';
import { acceptSecure, type TlsPeer } from '../tls/secure.ts';
import { type BlockErrorCode, type BlockResult, extentOf, failed, OK } from './disk.ts';
import { type ExportName, parseExportName } from './export-name.ts';
import type { Admission, Fence } from './fence.ts';
import type { ImageFile } from './image-file.ts';
import {
  COMMAND,
  COMMAND_FORCE_UNIT_ACCESS,
  decodeGo,
  decodeRequest,
  ERROR,
  EXPORT_FLAG,
  encodeBlockSizeInfo,
  encodeDescriptionInfo,
  encodeExportInfo,
  encodeOptionReply,
  encodeReply,
  FIXED_NEWSTYLE,
  INFO,
  MAX_NAME_BYTES,
  MAX_OPTION_BYTES,
  MAX_PAYLOAD_BYTES,
  NBD_MAGIC,
  type NbdRequest,
  NO_ZEROES,
  OPTION,
  OPTION_HEADER_BYTES,
  OPTION_MAGIC,
  OPTION_REPLY,
  REQUEST_BYTES,
} from './nbd.ts';
import type { OverlapOrder } from './overlap-order.ts';
import { SocketReader } from './socket-reader.ts';

/** What all connections of a server share. */
export type ServedDisk = {
  readonly vm: string;
  readonly image: ImageFile;
  readonly order: OverlapOrder;
  readonly fence: Fence;
  /** Identifies this boot of this host: it shows as the export's description. */
  readonly boot: string;
  readonly onEvent: (line: string) => void;
  /** Clients must begin TLS before all else; undefined: there is none. */
  readonly tls: CredentialSource | undefined;
};

/** Bytes of payloads that one client may have outstanding, answers that it has not read included. */
const MAX_OUTSTANDING_BYTES = 64 * 1024 * 1024;

const READ_FLAGS = EXPORT_FLAG.hasFlags | EXPORT_FLAG.multiConnection | EXPORT_FLAG.flush;
const WRITE_FLAGS = READ_FLAGS | EXPORT_FLAG.forceUnitAccess | EXPORT_FLAG.trim | EXPORT_FLAG.writeZeroes;

/** What a handshake ended with: the right to write, the right to read, or nothing. */
type Opened = { readonly admission: Admission | undefined };

type Settled = { readonly type: number; readonly message: string } | Opened;

export class ServerConnection {
  /** The TCP connection, until TLS is put on it. */
  #socket: Socket;
  #reader: SocketReader;
  #peer: TlsPeer | undefined;
  /** TLS stands, and the client's certificate is not in order: it is told so, and nothing else. */
  #refusal: TlsError | undefined;
  readonly #onIdentified: () => void;
  readonly #disk: ServedDisk;
  readonly #running = new Set<Promise<void>>();
  #outstandingBytes = 0;
  #wake: (() => void) | undefined;

  /** `onIdentified`: the client has named an export, and may have it as far as its certificate goes. */
  constructor(socket: Socket, disk: ServedDisk, onIdentified: () => void = () => {}) {
    this.#socket = socket;
    this.#reader = this.#use(socket);
    this.#disk = disk;
    this.#onIdentified = onIdentified;
  }

  #use(socket: Socket): SocketReader {
    this.#socket = socket;
    socket.on('error', () => {}); // 'close' follows, and says all that is to be known
    socket.on('close', () => this.#wake?.());
    return new SocketReader(socket);
  }

  /** Serves the client until it goes. Resolves when nothing of it is under way any more. */
  async serve(): Promise<void> {
    const opened = await this.#handshake();
    if (opened !== undefined) await this.#transmission(opened);
    await Promise.all(this.#running);
    this.#socket.destroySoon();
    if (opened?.admission !== undefined) this.#disk.fence.forget(opened.admission);
  }

  /** Ends the connection at once. */
  close(): void {
    this.#socket.destroy();
  }

  async #handshake(): Promise<Opened | undefined> {
    const greeting = Buffer.alloc(18);
    greeting.writeBigUInt64BE(NBD_MAGIC, 0);
    greeting.writeBigUInt64BE(OPTION_MAGIC, 8);
    greeting.writeUInt16BE(FIXED_NEWSTYLE | NO_ZEROES, 16);
    this.#socket.write(greeting);
    const flags = (await this.#reader.read(4))?.readUInt32BE(0);
    if (flags === undefined || (flags & ~(FIXED_NEWSTYLE | NO_ZEROES)) !== 0) return undefined;
    for (;;) {
      const header = await this.#reader.read(OPTION_HEADER_BYTES);
      if (header === undefined || header.readBigUInt64BE(0) !== OPTION_MAGIC) return undefined;
      const option = header.readUInt32BE(8);
      const length = header.readUInt32BE(12);
      if (length > MAX_OPTION_BYTES) return undefined;
      const data = await this.#reader.read(length);
      if (data === undefined) return undefined;
      const unprotected = this.#disk.tls !== undefined && this.#peer === undefined;
      if (option === OPTION.exportName && unprotected) return undefined; // this option has no reply for errors
      if (option === OPTION.exportName) return this.#openByName(data, (flags & NO_ZEROES) === 0);
      const opened = await (unprotected ? this.#secureFirst(option, data) : this.#negotiate(option, data));
      if (opened === 'end') return undefined;
      if (opened !== undefined) return opened;
    }
  }

  /**
   * NBD's FORCEDTLS: nothing but the start of TLS is answered before it. After STARTTLS both sides forget what was said, and
   * what the client sent too early counts as TLS.
   */
  async #secureFirst(option: number, data: Buffer): Promise<'end' | undefined> {
    const reply = (type: number, words: string) =>
      void this.#socket.write(encodeOptionReply(option, type, Buffer.from(words)));
    if (option === OPTION.abort) {
      reply(OPTION_REPLY.ack, '');
      return 'end';
    }
    if (this.#refusal !== undefined) {
      reply(OPTION_REPLY.errorTlsRequired, this.#refusal.message);
      return 'end';
    }
    if (option !== OPTION.startTls) return reply(OPTION_REPLY.errorTlsRequired, 'this server speaks TLS only');
    if (data.length > 0) return reply(OPTION_REPLY.errorInvalid, 'NBD_OPT_STARTTLS has no data');
    reply(OPTION_REPLY.ack, '');
    return this.#startTls();
  }

  async #startTls(): Promise<'end' | undefined> {
    const raw = this.#socket;
    const who = raw.remoteAddress === undefined ? 'a client on the unix socket' : `client ${raw.remoteAddress}`;
    this.#reader.detach();
    try {
      const accepted = await acceptSecure(raw, { credentials: this.#disk.tls!, who });
      this.#reader = this.#use(accepted.socket);
      if ('peer' in accepted) this.#peer = accepted.peer;
      else this.#refusal = accepted.refusal;
    } catch (error) {
      this.#refusal = error as TlsError;
    }
    if (this.#refusal !== undefined) this.#disk.onEvent(`refused: ${this.#refusal.message}`);
    return this.#socket.destroyed ? 'end' : undefined;
  }

  /** Answers one option; the connection that it opened, 'end', or undefined when the client may go on asking. */
  async #negotiate(option: number, data: Buffer): Promise<Opened | 'end' | undefined> {
    const reply = (type: number, content?: Uint8Array) => this.#socket.write(encodeOptionReply(option, type, content));
    switch (option) {
      case OPTION.abort:
        reply(OPTION_REPLY.ack);
        return 'end';
      case OPTION.list: {
        if (data.length > 0) return void reply(OPTION_REPLY.errorInvalid);
        const name = Buffer.from(this.#disk.vm);
        const length = Buffer.alloc(4);
        length.writeUInt32BE(name.length);
        reply(OPTION_REPLY.server, Buffer.concat([length, name]));
        return void reply(OPTION_REPLY.ack);
      }
      case OPTION.info:
      case OPTION.go: {
        const asked = decodeGo(data);
        if (asked === undefined) return void reply(OPTION_REPLY.errorInvalid);
        const { name, wanted } = asked;
        const settled = await this.#settle(name, option === OPTION.go);
        if ('type' in settled) return void reply(settled.type, Buffer.from(settled.message));
        const writes = parseExportName(name).writer !== undefined;
        reply(OPTION_REPLY.info, encodeExportInfo(this.#disk.image.sizeBytes, flagsOf(writes)));
        reply(OPTION_REPLY.info, encodeBlockSizeInfo());
        if (wanted.includes(INFO.description)) reply(OPTION_REPLY.info, encodeDescriptionInfo(this.#disk.boot));
        reply(OPTION_REPLY.ack);
        return option === OPTION.go ? settled : undefined;
      }
      default:
        return void reply(OPTION_REPLY.errorUnsupported);
    }
  }

  /** NBD_OPT_EXPORT_NAME has no reply for errors: the connection ends. */
  async #openByName(data: Buffer, zeroes: boolean): Promise<Opened | undefined> {
    if (data.length > MAX_NAME_BYTES) return undefined;
    const settled = await this.#settle(data.toString('utf8'), true);
    if ('type' in settled) return undefined;
    const reply = Buffer.alloc(zeroes ? 10 + 124 : 10);
    reply.writeBigUInt64BE(BigInt(this.#disk.image.sizeBytes), 0);
    reply.writeUInt16BE(flagsOf(settled.admission !== undefined), 8);
    this.#socket.write(reply);
    return settled;
  }

  /** Finds the export, and admits its generation if the client means to go on. */
  async #settle(name: string, goOn: boolean): Promise<Settled> {
    let parsed: ExportName;
    try {
      parsed = parseExportName(name);
    } catch (error) {
      return { type: OPTION_REPLY.errorUnknown, message: (error as Error).message };
    }
    const { vm, writer } = parsed;
    if (vm !== '' && vm !== this.#disk.vm) {
      return {
        type: OPTION_REPLY.errorUnknown,
        message: `this server has the disk of '${this.#disk.vm}', not of '${vm}'`,
      };
    }
    if (writer !== undefined && this.#peer !== undefined && this.#peer.role !== 'host') {
      const message = `the certificate of ${this.#peer.name} is no host's, and only hosts write`;
      this.#disk.onEvent(`refused: ${message}`);
      return { type: OPTION_REPLY.errorPolicy, message };
    }
    if (goOn) this.#onIdentified();
    if (writer === undefined || !goOn) return { admission: undefined };
    const { generation, incarnation, session } = writer;
    const outcome = await this.#disk.fence.admit(generation, incarnation, session, this.#peer?.fingerprint);
    const host = this.#peer === undefined ? '' : ` on ${this.#peer.name}`;
    const who = `generation ${generation}, incarnation ${incarnation.slice(0, 8)}${host}`;
    if (outcome.admitted) {
      this.#disk.onEvent(`admitted ${who}`);
      return { admission: outcome.admission };
    }
    this.#disk.onEvent(`refused ${who}: ${outcome.why}`);
    return { type: outcome.forGood ? OPTION_REPLY.errorPolicy : OPTION_REPLY.errorShutdown, message: outcome.why };
  }

  async #transmission(opened: Opened): Promise<void> {
    for (;;) {
      await this.#untilThereIsRoom();
      const header = await this.#reader.read(REQUEST_BYTES);
      const request = header === undefined ? undefined : decodeRequest(header);
      if (request === undefined || request.command === COMMAND.disconnect) return;
      const carries = request.command === COMMAND.write;
      // A payload that is too long cannot be skipped safely: the client is wrong, and the connection ends.
      if (carries && request.length > MAX_PAYLOAD_BYTES) return;
      const payload = carries ? await this.#reader.read(request.length) : undefined;
      if (carries && payload === undefined) return;
      const running = this.#carryOut(opened, request, payload);
      this.#running.add(running);
      void running.then(() => this.#running.delete(running));
    }
  }

  async #carryOut({ admission }: Opened, request: NbdRequest, payload: Buffer | undefined): Promise<void> {
    const block = toBlockRequest(request, payload);
    if (typeof block === 'number') return this.#reply(encodeReply(block, request.cookie), undefined, 0);
    const bytes = block.type === 'read' ? block.length : (payload?.length ?? 0);
    this.#outstandingBytes += bytes;
    const result = await this.#perform(admission, block, (request.flags & COMMAND_FORCE_UNIT_ACCESS) !== 0);
    const error = result.ok ? 0 : nbdErrorOf(result.error);
    await this.#reply(encodeReply(error, request.cookie), result.ok ? result.data : undefined, bytes);
  }

  #perform(admission: Admission | undefined, block: BlockRequest, durable: boolean): Promise<BlockResult> {
    const { image, order } = this.#disk;
    if (admission === undefined) {
      if (block.type === 'flush') return Promise.resolve(OK);
      if (block.type !== 'read') return Promise.resolve(failed('read-only'));
      return order.run(extentOf(block), () => image.perform(block));
    }
    // The admission is asked when the request's turn has come, not when it arrived.
    return order.run(extentOf(block), () => admission.run(failed('fenced'), () => image.perform(block, durable)));
  }

  #reply(header: Buffer, data: Uint8Array | undefined, bytes: number): Promise<void> {
    return new Promise((resolve) => {
      const sent = () => {
        this.#outstandingBytes -= bytes;
        this.#wake?.();
        resolve();
      };
      if (this.#socket.destroyed) return sent();
      this.#socket.cork();
      this.#socket.write(header, data === undefined ? sent : undefined);
      if (data !== undefined) this.#socket.write(data, sent);
      this.#socket.uncork();
    });
  }

  async #untilThereIsRoom(): Promise<void> {
    while (this.#outstandingBytes > MAX_OUTSTANDING_BYTES && !this.#socket.destroyed) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
    this.#wake = undefined;
  }
}

function flagsOf(writes: boolean): number {
  return writes ? WRITE_FLAGS : READ_FLAGS | EXPORT_FLAG.readOnly;
}

/** The request, or the number of the error that answers it at once. */
function toBlockRequest(request: NbdRequest, payload: Buffer | undefined): BlockRequest | number {
  const { command, offset, length } = request;
  switch (command) {
    case COMMAND.read:
      return length > MAX_PAYLOAD_BYTES ? ERROR.invalid : { type: 'read', id: 0, offset, length };
    case COMMAND.write:
      return { type: 'write', id: 0, offset, data: payload! };
    case COMMAND.flush:
      return { type: 'flush', id: 0 };
    case COMMAND.trim:
      return { type: 'discard', id: 0, offset, length };
    case COMMAND.writeZeroes:
      return { type: 'write-zeroes', id: 0, offset, length };
    default:
      return ERROR.invalid;
  }
}

function nbdErrorOf(error: BlockErrorCode): number {
  switch (error) {
    case 'no-space':
      return ERROR.noSpace;
    case 'out-of-range':
      return ERROR.invalid;
    case 'read-only':
      return ERROR.permission;
    case 'fenced':
    case 'closed':
      return ERROR.shutdown;
    case 'io':
      return ERROR.io;
  }
}
