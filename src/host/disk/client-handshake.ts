/**
 * The client's side of the NBD handshake: greeting, NBD_OPT_GO with the export's name, and the server's verdict, which for
 * a writer comes only when its generation is admitted.
 */
import type { Socket } from 'node:net';
import { OperatingError } from '../../core/base/error.ts';
import type { CredentialSource } from '../tls/credentials.ts';
import { connectSecure } from '../tls/secure.ts';
import type { DiskClientErrorCode } from './client.ts';
import { SECTOR_BYTES } from './disk.ts';
import {
  encodeGo,
  encodeOption,
  FIXED_NEWSTYLE,
  INFO,
  MAX_OPTION_BYTES,
  NBD_MAGIC,
  NO_ZEROES,
  OPTION,
  OPTION_MAGIC,
  OPTION_REPLY,
  OPTION_REPLY_HEADER_BYTES,
  OPTION_REPLY_MAGIC,
} from './nbd.ts';
import { SocketReader } from './socket-reader.ts';

export type OpenedExport = {
  readonly sizeBytes: number;
  /** Identifies one boot of the server's host; empty where the server does not tell. */
  readonly boot: string;
  /** What the export can do: EXPORT_FLAG. */
  readonly flags: number;
  /** What requests go out on: the socket that was given, or TLS on it. */
  readonly socket: Socket;
  readonly reader: SocketReader;
};

export type OpenOptions = {
  /** The export's name. */
  readonly name: string;
  /** Names the disk in errors. */
  readonly what: string;
  /** For the server to greet, and for the TLS handshake. */
  readonly timeoutMs: number;
  /** Put TLS on the connection first (NBD_OPT_STARTTLS); undefined: go on without. */
  readonly secure: { readonly credentials: CredentialSource; readonly serverName: string | undefined } | undefined;
};

/**
 * Opens the export; requests may follow. The admission itself may take as long as requests of lower generations take to
 * land. Throws OperatingError<DiskClientErrorCode>; the caller destroys the socket then.
 */
export async function openExport(raw: Socket, options: OpenOptions): Promise<OpenedExport> {
  const { name, what, timeoutMs } = options;
  let failure: string | undefined;
  const note = (error: Error) => {
    failure ??= error.message;
  };
  const timer = setTimeout(() => raw.destroy(new Error(`no answer within ${timeoutMs} ms`)), timeoutMs);
  let socket = raw;
  socket.on('error', note);
  try {
    const plain = new SocketReader(raw);
    const greeting = await plain.read(18);
    clearTimeout(timer);
    if (greeting === undefined) throw unreachable(what, failure ?? 'the connection was closed');
    checkGreeting(greeting, what);
    const flags = Buffer.alloc(4);
    flags.writeUInt32BE(FIXED_NEWSTYLE | NO_ZEROES);
    raw.write(flags);
    let reader = plain;
    if (options.secure !== undefined) {
      socket = await startTls(raw, plain, options.secure, options);
      socket.on('error', note);
      reader = new SocketReader(socket);
    }
    socket.write(encodeOption(OPTION.go, encodeGo(name, [INFO.description])));
    const opened = await readVerdict(reader, what);
    if (opened === undefined) throw unreachable(what, failure ?? 'the connection was closed');
    const { sizeBytes } = opened;
    if (sizeBytes <= 0 || sizeBytes % SECTOR_BYTES !== 0)
      throw unreachable(what, `its size of ${sizeBytes} bytes makes no sense`);
    return { ...opened, socket, reader };
  } finally {
    clearTimeout(timer);
    for (const one of new Set([raw, socket])) {
      one.off('error', note);
      if (one.destroyed) one.on('error', () => {});
    }
  }
}

async function startTls(
  raw: Socket,
  reader: SocketReader,
  secure: NonNullable<OpenOptions['secure']>,
  { what, timeoutMs }: OpenOptions,
): Promise<Socket> {
  raw.write(encodeOption(OPTION.startTls, new Uint8Array(0)));
  const header = await reader.read(OPTION_REPLY_HEADER_BYTES);
  if (header === undefined) throw unreachable(what, 'the connection was closed');
  if (header.readUInt32BE(12) !== OPTION_REPLY.ack || header.readUInt32BE(16) !== 0) {
    throw unreachable(what, 'the disk server has no TLS, and this side does not go on without it', BOTH_OR_NEITHER);
  }
  reader.detach();
  try {
    return (await connectSecure(raw, { ...secure, who: what, timeoutMs })).socket;
  } catch (error) {
    if (!(error instanceof OperatingError)) throw error;
    throw new OperatingError('disk-unreachable', error.message, error.advice, { cause: error });
  }
}

function checkGreeting(greeting: Buffer, what: string): void {
  const isNbd = greeting.readBigUInt64BE(0) === NBD_MAGIC && greeting.readBigUInt64BE(8) === OPTION_MAGIC;
  if (!isNbd || (greeting.readUInt16BE(16) & FIXED_NEWSTYLE) === 0) {
    throw unreachable(what, 'what answers there is no NBD server (fixed newstyle)');
  }
}

/** Undefined when the connection ended. */
async function readVerdict(
  reader: SocketReader,
  what: string,
): Promise<Pick<OpenedExport, 'sizeBytes' | 'boot' | 'flags'> | undefined> {
  let sizeBytes = 0;
  let boot = '';
  let flags = 0;
  for (;;) {
    const header = await reader.read(OPTION_REPLY_HEADER_BYTES);
    if (header === undefined) return undefined;
    const length = header.readUInt32BE(16);
    if (header.readBigUInt64BE(0) !== OPTION_REPLY_MAGIC || length > MAX_OPTION_BYTES) return undefined;
    const data = await reader.read(length);
    if (data === undefined) return undefined;
    const type = header.readUInt32BE(12);
    if (type === OPTION_REPLY.ack) return { sizeBytes, boot, flags };
    if (type === OPTION_REPLY.info) {
      const info = length >= 2 ? data.readUInt16BE(0) : -1;
      if (info === INFO.export && length >= 12) {
        sizeBytes = Number(data.readBigUInt64BE(2));
        flags = data.readUInt16BE(10);
      }
      if (info === INFO.description) boot = data.toString('utf8', 2);
    } else {
      throw refusal(type, data.toString('utf8').slice(0, 1000), what);
    }
  }
}

function refusal(type: number, message: string, what: string): OperatingError<DiskClientErrorCode> {
  if (type === OPTION_REPLY.errorShutdown) {
    return new OperatingError(
      'disk-unknown',
      `${what} cannot be opened yet: ${message}`,
      'Check that the disk server reaches the arbiter.',
    );
  }
  if (type === OPTION_REPLY.errorTlsRequired) {
    return unreachable(what, message, BOTH_OR_NEITHER);
  }
  const advice = 'Check the name of the machine, and whether another replica has gone on with it.';
  return new OperatingError('disk-refused', `${what} is refused: ${message}`, advice);
}

const BOTH_OR_NEITHER =
  'Give both sides --tls-certificate, --tls-key and --tls-authority, of the same authority, or neither side.';

function unreachable(
  what: string,
  why: string,
  advice = 'Check that the disk server is running, and its address.',
): OperatingError<DiskClientErrorCode> {
  return new OperatingError('disk-unreachable', `${what} cannot be reached: ${why}`, advice);
}
