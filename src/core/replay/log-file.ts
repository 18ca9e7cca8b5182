/**
 * A log file: what machine it is of, and its entries, each in a frame that shows whether it is whole.
 *
 *     header   8 bytes  magic
 *              u32      format version
 *              u64      position at which the log starts (0: the machine's beginning)
 *              u32      length of the description, at most 1 MiB
 *              ...      the machine's description: canonical JSON, UTF-8
 *              32 bytes SHA-256 of the description
 *              u32      CRC-32C of all of the above
 *     frame    u32      length of the entry
 *              u16      check of the length
 *              ...      the entry (log-entry.ts)
 *              u32      CRC-32C of the entry, continued from the frame (or header) before it
 *
 * Integers are little-endian. The length has a check of its own, so that a damaged length is never taken for a file that
 * was cut: a log that ends inside a frame was cut short, and is good up to the frame before; everything else that does not
 * fit is damage. The checksums are chained, so that an entry that was lost or moved shows as damage too.
 */
import { ByteReader, MalformedError } from '../base/byte-reader.ts';
import { ByteWriter } from '../base/byte-writer.ts';
import { crc32c } from '../base/crc32c.ts';
import { sha256 } from '../base/sha256.ts';
import { decodeEntry, type EndReason, encodeEntry, type LogEntry, MAX_ENTRY_BYTES } from './log-entry.ts';
import { LogError } from './log-error.ts';

export const LOG_FORMAT_VERSION = 1;

/** 0x89 so that no text begins like it, and both line ends so that a conversion of them shows. */
const MAGIC = new Uint8Array([0x89, 0x55, 0x53, 0x4c, 0x4f, 0x47, 0x0d, 0x0a]);
const FIXED_HEADER_BYTES = 24;
const MAX_DESCRIPTION_BYTES = 1024 * 1024;
const FRAME_HEAD_BYTES = 6;
const FRAME_TAIL_BYTES = 4;

export interface LogHeader {
  /** The machine's description as canonical JSON: equal machines have equal texts. */
  readonly description: string;
  readonly startPosition: bigint;
}

/** What was found at the end of the bytes. */
export interface LogFileEnd {
  /** The log's own end entry, if it has one. Without it the recorder was killed, or the file was cut. */
  readonly end: EndReason | undefined;
  /** Bytes from the start of the file to the end of the last whole entry. */
  readonly wholeBytes: number;
  /** Bytes after it, of an entry that was not written to its end. */
  readonly cutBytes: number;
}

/** Makes the bytes of a log; the caller takes them and writes them wherever it likes, in order. */
export class LogFileWriter {
  readonly #writer = new ByteWriter(64 * 1024);
  readonly #entry = new ByteWriter(4096);
  #position: bigint;
  #chain: number;

  constructor(header: LogHeader) {
    const bytes = encodeHeader(header);
    this.#writer.raw(bytes);
    this.#chain = new DataView(bytes.buffer).getUint32(bytes.length - 4, true);
    this.#position = header.startPosition;
  }

  append(entry: LogEntry): void {
    this.#entry.clear();
    encodeEntry(this.#entry, entry, this.#position);
    this.#position = entry.position;
    const bytes = this.#entry.peek();
    this.#chain = crc32c(bytes, this.#chain);
    this.#writer.u32(bytes.length);
    this.#writer.u16(lengthCheck(bytes.length));
    this.#writer.raw(bytes);
    this.#writer.u32(this.#chain);
  }

  /** Bytes that `take` would give. */
  get pendingBytes(): number {
    return this.#writer.length;
  }

  /** The bytes since the last `take`; the first ones hold the header. */
  take(): Uint8Array<ArrayBuffer> {
    return this.#writer.take();
  }
}

function encodeHeader(header: LogHeader): Uint8Array<ArrayBuffer> {
  const description = new TextEncoder().encode(header.description);
  const writer = new ByteWriter(description.length + 128);
  writer.raw(MAGIC);
  writer.u32(LOG_FORMAT_VERSION);
  writer.u64(header.startPosition);
  writer.u32(description.length);
  writer.raw(description);
  writer.raw(sha256(description));
  writer.u32(crc32c(writer.peek()));
  return writer.take();
}

function lengthCheck(length: number): number {
  const crc = crc32c(Uint8Array.of(length, length >>> 8, length >>> 16, length >>> 24));
  return (crc ^ (crc >>> 16)) & 0xffff;
}

/** Reads the bytes of a log in chunks of any size. The first bad entry makes it throw a `LogError`, then and ever after. */
export class LogFileReader {
  #pending: Uint8Array = new Uint8Array(0);
  /** The file offset of `#pending[0]`. */
  #offset = 0;
  #header: LogHeader | undefined;
  #position = 0n;
  #chain = 0;
  #end: EndReason | undefined;
  #error: LogError | undefined;

  /** Known once its bytes have been pushed. */
  get header(): LogHeader | undefined {
    return this.#header;
  }

  /** Bytes from the start of the file to the end of the last whole entry read. */
  get wholeBytes(): number {
    return this.#offset;
  }

  /**
   * Takes the next bytes of the file and returns the entries that they complete. Payloads are views of the chunks, so a
   * chunk must not be used again for other bytes. Throws `LogError` at the first entry that is damaged; the good entries
   * before it in the same chunk are lost with it unless the caller gives `into`, which they are appended to.
   */
  push(chunk: Uint8Array, into: LogEntry[] = []): LogEntry[] {
    if (this.#error !== undefined) throw this.#error;
    this.#pending = this.#pending.length === 0 ? chunk : concat(this.#pending, chunk);
    try {
      if (this.#header === undefined && !this.#readHeader()) return into;
      for (let entry = this.#readFrame(); entry !== undefined; entry = this.#readFrame()) into.push(entry);
    } catch (error) {
      if (error instanceof LogError) this.#error = error;
      throw error;
    }
    return into;
  }

  /** The file ends here. Throws `LogError` if not even its header is whole. */
  finish(): LogFileEnd {
    if (this.#error !== undefined) throw this.#error;
    if (this.#header === undefined) {
      throw new LogError(
        'log-not-a-log',
        this.#offset + this.#pending.length,
        `the log ends at byte ${this.#pending.length}, inside its header`,
        'Record it again: it holds no entry that could be replayed.',
      );
    }
    return { end: this.#end, wholeBytes: this.#offset, cutBytes: this.#pending.length };
  }

  #readHeader(): boolean {
    const bytes = this.#pending;
    const known = Math.min(bytes.length, MAGIC.length);
    if (MAGIC.subarray(0, known).some((byte, index) => byte !== bytes[index])) {
      throw new LogError(
        'log-not-a-log',
        0,
        'this is not a log of understudy',
        'Give a file made by understudy record.',
      );
    }
    if (bytes.length < 12) return false;
    const reader = new ByteReader(bytes);
    reader.raw(MAGIC.length);
    const version = reader.u32();
    if (version !== LOG_FORMAT_VERSION) throw otherVersion(version);
    if (bytes.length < FIXED_HEADER_BYTES) return false;
    const startPosition = reader.u64();
    const descriptionBytes = reader.u32();
    if (descriptionBytes > MAX_DESCRIPTION_BYTES) throw damaged(20, 'its header gives an impossible length');
    const total = FIXED_HEADER_BYTES + descriptionBytes + 36;
    if (bytes.length < total) return false;
    const description = reader.raw(descriptionBytes);
    const digest = reader.raw(32);
    const sum = reader.u32();
    const intact =
      sum === crc32c(bytes.subarray(0, total - 4)) &&
      sha256(description).every((byte, index) => byte === digest[index]);
    if (!intact) throw damaged(0, 'its header does not match its checksum');
    this.#header = { description: decodeText(description), startPosition };
    this.#position = startPosition;
    this.#chain = sum;
    this.#consume(total);
    return true;
  }

  #readFrame(): LogEntry | undefined {
    const bytes = this.#pending;
    if (bytes.length === 0) return undefined;
    if (this.#end !== undefined) throw damaged(this.#offset, 'there are bytes after its end entry');
    if (bytes.length < FRAME_HEAD_BYTES) return undefined;
    const reader = new ByteReader(bytes);
    const length = reader.u32();
    if (reader.u16() !== lengthCheck(length) || length === 0 || length > MAX_ENTRY_BYTES) {
      throw damaged(this.#offset, 'the length of the entry there does not match its check');
    }
    if (reader.left < length + FRAME_TAIL_BYTES) return undefined;
    const body = reader.raw(length);
    const chain = crc32c(body, this.#chain);
    if (reader.u32() !== chain) throw damaged(this.#offset, 'the entry there does not match its checksum');
    const entry = this.#decode(body);
    this.#position = entry.position;
    this.#chain = chain;
    if (entry.kind === 'end') this.#end = entry.reason;
    this.#consume(FRAME_HEAD_BYTES + length + FRAME_TAIL_BYTES);
    return entry;
  }

  #decode(body: Uint8Array): LogEntry {
    const reader = new ByteReader(body);
    try {
      const entry = decodeEntry(reader, this.#position);
      reader.end();
      return entry;
    } catch (error) {
      if (error instanceof MalformedError)
        throw damaged(this.#offset, `the entry there makes no sense: ${error.message}`);
      throw error;
    }
  }

  #consume(bytes: number): void {
    this.#pending = this.#pending.subarray(bytes);
    this.#offset += bytes;
  }
}

/** Throws unless the log is of the machine with this description (canonical JSON). */
export function requireSameMachine(header: LogHeader, description: string): void {
  if (header.description === description) return;
  throw new LogError(
    'log-other-machine',
    FIXED_HEADER_BYTES,
    `the log is of another machine: it says ${header.description}, the machine at hand is ${description}`,
    'Replay it with the description, kernel, initramfs and disk that it was recorded with.',
  );
}

function damaged(offset: number, what: string): LogError {
  return new LogError(
    'log-corrupt',
    offset,
    `the log is damaged at byte ${offset}: ${what}`,
    'What comes before that byte is good; what comes after cannot be trusted. Take the log from a sound copy.',
  );
}

function otherVersion(version: number): LogError {
  return new LogError(
    'log-other-version',
    MAGIC.length,
    `the log has format version ${version}; this understudy reads version ${LOG_FORMAT_VERSION}`,
    'Replay it with the version of understudy that recorded it.',
  );
}

function decodeText(bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    throw damaged(FIXED_HEADER_BYTES, 'its description is not UTF-8');
  }
}

function concat(one: Uint8Array, other: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(one.length + other.length);
  bytes.set(one);
  bytes.set(other, one.length);
  return bytes;
}
