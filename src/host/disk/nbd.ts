/**
 * The NBD protocol's numbers and messages, as far as a fixed-newstyle server with simple replies and its client need them
 * (the NBD specification, doc/proto.md of the reference implementation). Pure.
 */

export const NBD_MAGIC = 0x4e42444d41474943n; // NBDMAGIC
export const OPTION_MAGIC = 0x49484156454f5054n; // IHAVEOPT
export const OPTION_REPLY_MAGIC = 0x0003e889045565a9n;
export const REQUEST_MAGIC = 0x25609513;
export const REPLY_MAGIC = 0x67446698;

/** Handshake flags; the client answers with the same bits. */
export const FIXED_NEWSTYLE = 1;
export const NO_ZEROES = 2;

export const OPTION = { exportName: 1, abort: 2, list: 3, startTls: 5, info: 6, go: 7 } as const;

export const OPTION_REPLY = {
  ack: 1,
  server: 2,
  info: 3,
  /** Not supported by this server. */
  errorUnsupported: 0x8000_0001,
  /** Not allowed: here, a generation that the server refuses for good. */
  errorPolicy: 0x8000_0002,
  errorInvalid: 0x8000_0003,
  /** Not without TLS, and here also not with such a certificate. */
  errorTlsRequired: 0x8000_0005,
  /** There is no such export. */
  errorUnknown: 0x8000_0006,
  /** The server cannot serve now: here, the arbiter's answer is unknown; ask again. */
  errorShutdown: 0x8000_0007,
} as const;

export const INFO = { export: 0, description: 2, blockSize: 3 } as const;

export const EXPORT_FLAG = {
  hasFlags: 1,
  readOnly: 2,
  flush: 4,
  forceUnitAccess: 8,
  trim: 32,
  writeZeroes: 64,
  multiConnection: 256,
} as const;

export const COMMAND = { read: 0, write: 1, disconnect: 2, flush: 3, trim: 4, writeZeroes: 6 } as const;
export const COMMAND_FORCE_UNIT_ACCESS = 1;

/** Errors of replies: Linux's numbers. */
export const ERROR = { permission: 1, io: 5, invalid: 22, noSpace: 28, shutdown: 108 } as const;

/** Longest payload of a read or a write. */
export const MAX_PAYLOAD_BYTES = 32 * 1024 * 1024;
/** Longest export name, and longest data of an option. */
export const MAX_NAME_BYTES = 4096;
export const MAX_OPTION_BYTES = 64 * 1024;

export const REQUEST_BYTES = 28;
export const REPLY_BYTES = 16;
export const OPTION_HEADER_BYTES = 16;
export const OPTION_REPLY_HEADER_BYTES = 20;

export type NbdRequest = {
  readonly flags: number;
  readonly command: number;
  readonly cookie: bigint;
  readonly offset: number;
  readonly length: number;
};

/** Undefined where the magic number is wrong: the stream is out of step. */
export function decodeRequest(bytes: Buffer): NbdRequest | undefined {
  if (bytes.readUInt32BE(0) !== REQUEST_MAGIC) return undefined;
  return {
    flags: bytes.readUInt16BE(4),
    command: bytes.readUInt16BE(6),
    cookie: bytes.readBigUInt64BE(8),
    offset: Number(bytes.readBigUInt64BE(16)), // beyond 2^53 it is rounded, and beyond any disk
    length: bytes.readUInt32BE(24),
  };
}

export function encodeRequest(request: NbdRequest): Buffer {
  const bytes = Buffer.allocUnsafe(REQUEST_BYTES);
  bytes.writeUInt32BE(REQUEST_MAGIC, 0);
  bytes.writeUInt16BE(request.flags, 4);
  bytes.writeUInt16BE(request.command, 6);
  bytes.writeBigUInt64BE(request.cookie, 8);
  bytes.writeBigUInt64BE(BigInt(request.offset), 16);
  bytes.writeUInt32BE(request.length, 24);
  return bytes;
}

export function decodeReply(bytes: Buffer): { error: number; cookie: bigint } | undefined {
  if (bytes.readUInt32BE(0) !== REPLY_MAGIC) return undefined;
  return { error: bytes.readUInt32BE(4), cookie: bytes.readBigUInt64BE(8) };
}

export function encodeReply(error: number, cookie: bigint): Buffer {
  const bytes = Buffer.allocUnsafe(REPLY_BYTES);
  bytes.writeUInt32BE(REPLY_MAGIC, 0);
  bytes.writeUInt32BE(error, 4);
  bytes.writeBigUInt64BE(cookie, 8);
  return bytes;
}

export function encodeOption(option: number, data: Uint8Array): Buffer {
  const bytes = Buffer.alloc(OPTION_HEADER_BYTES + data.length);
  bytes.writeBigUInt64BE(OPTION_MAGIC, 0);
  bytes.writeUInt32BE(option, 8);
  bytes.writeUInt32BE(data.length, 12);
  bytes.set(data, OPTION_HEADER_BYTES);
  return bytes;
}

export function encodeOptionReply(option: number, type: number, data: Uint8Array = new Uint8Array(0)): Buffer {
  const bytes = Buffer.alloc(OPTION_REPLY_HEADER_BYTES + data.length);
  bytes.writeBigUInt64BE(OPTION_REPLY_MAGIC, 0);
  bytes.writeUInt32BE(option, 8);
  bytes.writeUInt32BE(type, 12);
  bytes.writeUInt32BE(data.length, 16);
  bytes.set(data, OPTION_REPLY_HEADER_BYTES);
  return bytes;
}

/** The data of NBD_OPT_GO and NBD_OPT_INFO: a name and the kinds of information wanted beside those that must be sent. */
export function encodeGo(name: string, wanted: readonly number[]): Buffer {
  const text = Buffer.from(name);
  const bytes = Buffer.alloc(4 + text.length + 2 + 2 * wanted.length);
  bytes.writeUInt32BE(text.length, 0);
  bytes.set(text, 4);
  bytes.writeUInt16BE(wanted.length, 4 + text.length);
  wanted.forEach((kind, index) => {
    bytes.writeUInt16BE(kind, 4 + text.length + 2 + 2 * index);
  });
  return bytes;
}

/** The name in such data and what is wanted, or undefined where it is malformed. */
export function decodeGo(data: Buffer): { name: string; wanted: number[] } | undefined {
  if (data.length < 6) return undefined;
  const length = data.readUInt32BE(0);
  if (length > MAX_NAME_BYTES || data.length < 4 + length + 2) return undefined;
  const count = data.readUInt16BE(4 + length);
  const start = 4 + length + 2;
  if (data.length !== start + 2 * count) return undefined;
  const wanted = Array.from({ length: count }, (_, index) => data.readUInt16BE(start + 2 * index));
  return { name: data.toString('utf8', 4, 4 + length), wanted };
}

/** NBD_INFO_DESCRIPTION: a text. */
export function encodeDescriptionInfo(text: string): Buffer {
  const bytes = Buffer.concat([Buffer.alloc(2), Buffer.from(text)]);
  bytes.writeUInt16BE(INFO.description, 0);
  return bytes;
}

/** NBD_INFO_EXPORT: the size and the flags. */
export function encodeExportInfo(sizeBytes: number, flags: number): Buffer {
  const bytes = Buffer.alloc(12);
  bytes.writeUInt16BE(INFO.export, 0);
  bytes.writeBigUInt64BE(BigInt(sizeBytes), 2);
  bytes.writeUInt16BE(flags, 10);
  return bytes;
}

/** NBD_INFO_BLOCK_SIZE: any byte may be addressed, pages are best, and payloads end at `MAX_PAYLOAD_BYTES`. */
export function encodeBlockSizeInfo(): Buffer {
  const bytes = Buffer.alloc(14);
  bytes.writeUInt16BE(INFO.blockSize, 0);
  bytes.writeUInt32BE(1, 2);
  bytes.writeUInt32BE(4096, 6);
  bytes.writeUInt32BE(MAX_PAYLOAD_BYTES, 10);
  return bytes;
}
