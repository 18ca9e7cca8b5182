/**
 * The file of a snapshot: a magic and a version, then sections of (kind u8, length u32, payload): one header, pieces of
 * memory (core/vm/page-pieces.ts; later ones overwrite earlier ones), the machine's saved state, and an end. Each payload
 * ends with its own CRC-32C; the end holds a sum over all sections, so that none can be missing or stand elsewhere.
 *
 * A file is written beside its place and takes its name when all of it is on the disk: one that has its name is whole.
 */
import { type FileHandle, open, rename, unlink } from 'node:fs/promises';
import { dirname } from 'node:path';
import { crc32c } from '../../core/base/crc32c.ts';
import { OperatingError } from '../../core/base/error.ts';
import type { Plain } from '../../core/devices/device.ts';
import { SavedState } from '../../core/devices/state.ts';
import { MAX_PIECE_BYTES } from '../../core/vm/page-pieces.ts';
import { MAX_SECTION_BYTES, sealSection } from '../../core/vm/plain-codec.ts';
import { sectionOf } from '../../core/vm/saved-machine.ts';
import { errorCode } from '../net/address.ts';

export type SnapshotErrorCode =
  | 'snapshot-exists'
  | 'snapshot-unwritable'
  | 'snapshot-unreadable'
  | 'snapshot-foreign'
  | 'snapshot-version'
  | 'snapshot-damaged'
  | 'snapshot-other-machine';

/** What a snapshot is of. */
export interface SnapshotHeader {
  /** The machine's identity (description/identity.ts), and its digest in hexadecimal. */
  readonly identity: string;
  readonly digest: string;
  readonly ramPages: number;
}

/** Where in its life the machine was. */
export interface SnapshotEnd {
  readonly position: bigint;
  /** Guest time, in ticks of 100 ns. */
  readonly time: bigint;
  /** The hash of the whole machine. */
  readonly hash: bigint;
}

export type SnapshotPart =
  | { readonly kind: 'piece'; readonly bytes: Uint8Array }
  | { readonly kind: 'state'; readonly bytes: Uint8Array }
  | { readonly kind: 'end'; readonly end: SnapshotEnd };

const MAGIC = new TextEncoder().encode('UNDSNAP\n');
const FILE_VERSION = 1;
const START_BYTES = MAGIC.length + 2;
const PREFIX_BYTES = 5;

const HEADER_KIND = 'USHD';
const END_KIND = 'USND';
const SECTION_VERSION = 1;

const tags = { header: 1, piece: 2, state: 3, end: 4 } as const;
type SectionKind = keyof typeof tags;
const kindOf = new Map(Object.entries(tags).map(([kind, tag]) => [tag as number, kind as SectionKind]));
const limits: Record<SectionKind, number> = {
  header: 1024 * 1024,
  piece: MAX_PIECE_BYTES,
  state: MAX_SECTION_BYTES,
  end: 4096,
};

/** Over kinds, lengths and checksums of the sections so far. */
function sumOf(prefix: Uint8Array, payload: Uint8Array, before: number): number {
  return crc32c(payload.subarray(-4), crc32c(prefix, before));
}

function sealedHeader({ identity, digest, ramPages }: SnapshotHeader): Uint8Array {
  return sealSection(HEADER_KIND, SECTION_VERSION, { version: SECTION_VERSION, identity, digest, ramPages });
}

export class SnapshotWriter {
  readonly #path: string;
  readonly #partPath: string;
  readonly #file: FileHandle;
  #sum = 0;
  #bytes = 0;

  private constructor(path: string, partPath: string, file: FileHandle) {
    this.#path = path;
    this.#partPath = partPath;
    this.#file = file;
  }

  /** Begins a file that must not exist yet. Throws OperatingError. */
  static async create(path: string, header: SnapshotHeader): Promise<SnapshotWriter> {
    const there = await open(path).then(
      (file) => file.close().then(() => true),
      (error) => errorCode(error) !== 'ENOENT',
    );
    if (there) {
      const advice = 'Choose another name, or remove it.';
      throw new OperatingError<SnapshotErrorCode>('snapshot-exists', `${path} exists already`, advice);
    }
    const partPath = `${path}.${process.pid}.part`;
    const file = await open(partPath, 'w', 0o600).catch((error: unknown) => {
      throw unwritable(path, error);
    });
    const writer = new SnapshotWriter(path, partPath, file);
    await writer.#guarded(async () => {
      await writer.#put(MAGIC);
      await writer.#put(Uint8Array.of(FILE_VERSION & 255, FILE_VERSION >>> 8));
    });
    await writer.#section('header', sealedHeader(header));
    return writer;
  }

  /** Bytes so far. */
  get bytes(): number {
    return this.#bytes;
  }

  piece(bytes: Uint8Array): Promise<void> {
    return this.#section('piece', bytes);
  }

  state(bytes: Uint8Array): Promise<void> {
    return this.#section('state', bytes);
  }

  /** The file is whole, is on the disk, and has its name. */
  async finish({ position, time, hash }: SnapshotEnd): Promise<void> {
    const value: Plain = { version: SECTION_VERSION, position, time, hash, sum: this.#sum };
    await this.#section('end', sealSection(END_KIND, SECTION_VERSION, value));
    await this.#guarded(async () => {
      await this.#file.sync();
      await this.#file.close();
      await rename(this.#partPath, this.#path);
      const directory = await open(dirname(this.#path));
      await directory.sync().finally(() => directory.close());
    });
  }

  /** Leaves nothing behind. */
  async abandon(): Promise<void> {
    await this.#file.close().catch(() => {});
    await unlink(this.#partPath).catch(() => {});
  }

  async #section(kind: SectionKind, payload: Uint8Array): Promise<void> {
    const prefix = new Uint8Array(PREFIX_BYTES);
    prefix[0] = tags[kind];
    new DataView(prefix.buffer).setUint32(1, payload.length, true);
    this.#sum = sumOf(prefix, payload, this.#sum);
    await this.#guarded(async () => {
      await this.#put(prefix);
      await this.#put(payload);
    });
  }

  async #put(bytes: Uint8Array): Promise<void> {
    for (let at = 0; at < bytes.length; ) {
      const { bytesWritten } = await this.#file.write(bytes, at);
      at += bytesWritten;
    }
    this.#bytes += bytes.length;
  }

  async #guarded(work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      throw unwritable(this.#path, error);
    }
  }
}

function unwritable(path: string, cause: unknown): OperatingError<SnapshotErrorCode> {
  const why = cause instanceof Error ? cause.message : String(cause);
  const message = `the snapshot ${path} cannot be written: ${why}`;
  const advice = 'Free space, or choose another place. Nothing was left there.';
  return new OperatingError('snapshot-unwritable', message, advice, { cause });
}

export class SnapshotReader {
  readonly #path: string;
  readonly #file: FileHandle;
  #sum = 0;
  #header: SnapshotHeader = { identity: '', digest: '', ramPages: 0 };

  private constructor(path: string, file: FileHandle) {
    this.#path = path;
    this.#file = file;
  }

  /** Opens a file and reads its header. Throws OperatingError for whatever is no snapshot of this version. */
  static async open(path: string): Promise<SnapshotReader> {
    const file = await open(path).catch((error: unknown) => {
      const why = error instanceof Error ? error.message : String(error);
      throw new OperatingError<SnapshotErrorCode>('snapshot-unreadable', `${path} cannot be read: ${why}`);
    });
    const reader = new SnapshotReader(path, file);
    try {
      await reader.#start();
    } catch (error) {
      await file.close();
      throw error;
    }
    return reader;
  }

  get header(): SnapshotHeader {
    return this.#header;
  }

  async #start(): Promise<void> {
    const start = await this.#take(START_BYTES).catch(() => new Uint8Array(START_BYTES));
    if (MAGIC.some((byte, i) => start[i] !== byte)) {
      const advice = 'Name a file that "understudy snapshot" has written.';
      throw new OperatingError<SnapshotErrorCode>('snapshot-foreign', `${this.#path} is no snapshot`, advice);
    }
    const version = start[MAGIC.length]! + start[MAGIC.length + 1]! * 256;
    if (version !== FILE_VERSION) {
      throw new OperatingError<SnapshotErrorCode>(
        'snapshot-version',
        `${this.#path} is a snapshot of format ${version}, and this program reads format ${FILE_VERSION}`,
        'Resume it with the version of this program that wrote it.',
      );
    }
    const { kind, payload } = await this.#section();
    if (kind !== 'header') throw this.#damaged('it has no header');
    const saved = this.#saved(HEADER_KIND, payload);
    const identity = saved.field('identity');
    const digest = saved.field('digest');
    if (typeof identity !== 'string' || typeof digest !== 'string') throw this.#damaged('its header is incomplete');
    this.#header = { identity, digest, ramPages: saved.uint('ramPages', 2 ** 20) };
  }

  /** The parts in order; the last is the end. Throws OperatingError where the file is damaged or cut short. */
  async *parts(): AsyncGenerator<SnapshotPart> {
    for (;;) {
      const before = this.#sum;
      const { kind, payload } = await this.#section();
      if (kind === 'piece' || kind === 'state') yield { kind, bytes: payload };
      else if (kind === 'end') {
        yield { kind, end: this.#end(payload, before) };
        return;
      } else throw this.#damaged('it has a second header');
    }
  }

  #end(payload: Uint8Array, sum: number): SnapshotEnd {
    const saved = this.#saved(END_KIND, payload);
    if (saved.uint('sum', 0xffff_ffff) !== sum) throw this.#damaged('parts of it are missing or in another order');
    return { position: saved.bigint('position'), time: saved.bigint('time'), hash: saved.bigint('hash') };
  }

  #saved(kind: string, payload: Uint8Array): SavedState {
    try {
      return new SavedState(this.#path, SECTION_VERSION, sectionOf(kind, SECTION_VERSION, payload));
    } catch (error) {
      if (!(error instanceof OperatingError)) throw error;
      throw this.#damaged(error.message);
    }
  }

  async #section(): Promise<{ readonly kind: SectionKind; readonly payload: Uint8Array }> {
    const prefix = await this.#take(PREFIX_BYTES);
    const kind = kindOf.get(prefix[0]!);
    const length = new DataView(prefix.buffer).getUint32(1, true);
    if (kind === undefined || length > limits[kind] || length < 4) throw this.#damaged('a section makes no sense');
    const payload = await this.#take(length);
    this.#sum = sumOf(prefix, payload, this.#sum);
    return { kind, payload };
  }

  async #take(length: number): Promise<Uint8Array<ArrayBuffer>> {
    // What a damaged length asks for is not made before the file is known to have it.
    const { size } = await this.#file.stat();
    if (length > size) throw this.#damaged('it ends too early');
    const bytes = new Uint8Array(length);
    for (let at = 0; at < length; ) {
      const { bytesRead } = await this.#file.read(bytes, at);
      if (bytesRead === 0) throw this.#damaged('it ends too early');
      at += bytesRead;
    }
    return bytes;
  }

  #damaged(why: string): OperatingError<SnapshotErrorCode> {
    const message = `the snapshot ${this.#path} is damaged: ${why}`;
    return new OperatingError('snapshot-damaged', message, 'Use another copy of the file, or another snapshot.');
  }

  async close(): Promise<void> {
    await this.#file.close();
  }
}
