/**
 * The file of a mirror record: two slots of a fixed length, written in turn and synced, so that one of them is whole
 * whenever the power fails. The newer of the whole ones counts. A change that was not answered yet may or may not be
 * there afterwards; the order in which changes are waited for makes either safe (mirrored-image.ts).
 *
 * A save that fails is remembered, for what the file holds then is not known: nothing can be saved any more, and so no
 * clean region be written.
 */
import { constants } from 'node:fs';
import { type FileHandle, open, rename } from 'node:fs/promises';
import { dirname } from 'node:path';
import { OperatingError } from '../../core/base/error.ts';
import { errorCode } from '../net/address.ts';
import { decodeSlot, encodeSlot, type MirrorRecord, slotBytesFor } from './mirror-record.ts';
import { Regions } from './region-set.ts';

export type MirrorRecordErrorCode = 'mirror-record-missing' | 'mirror-record-broken' | 'mirror-record-unwritable';

/** Where the record of the image at `path` is. */
export function recordPathOf(path: string): string {
  return `${path}.mirror`;
}

export class MirrorRecordFile {
  readonly #file: FileHandle;
  readonly #slotBytes: number;
  readonly #current: () => MirrorRecord;
  #serial: number;
  #queued: Promise<void> | undefined;
  #last: Promise<void> = Promise.resolve();
  #failure: unknown;

  private constructor(file: FileHandle, serial: number, slotBytes: number, current: () => MirrorRecord) {
    this.#file = file;
    this.#serial = serial;
    this.#slotBytes = slotBytes;
    this.#current = current;
  }

  /** Writes a first record, whole and durable, in the place of any other. Throws OperatingError `mirror-record-unwritable`. */
  static async create(path: string, record: MirrorRecord): Promise<void> {
    const slotBytes = slotBytesFor(new Regions(record.sizeBytes, record.regionBytes));
    const content = Buffer.alloc(slotBytes * 2); // with its zeroes: later writes need no new blocks
    encodeSlot(record, 1).copy(content, slotBytes);
    const temporary = `${path}.new`;
    try {
      const file = await open(temporary, 'w', 0o644);
      await finishing(file, async () => {
        await file.writeFile(content);
        await file.sync();
      });
      await rename(temporary, path);
      const directory = await open(dirname(path), constants.O_RDONLY | constants.O_DIRECTORY);
      await finishing(directory, () => directory.sync());
    } catch (error) {
      throw unwritable(path, error);
    }
  }

  /** What the file holds. Throws OperatingError `mirror-record-missing` or `mirror-record-broken`. */
  static async read(path: string): Promise<MirrorRecord> {
    return (await readNewest(path)).record;
  }

  /** Opens it for saving what `current` returns at the time. The caller holds the lock on the image. Throws as `read`. */
  static async open(path: string, current: () => MirrorRecord): Promise<MirrorRecordFile> {
    const { serial, record } = await readNewest(path);
    const file = await open(path, constants.O_RDWR).catch((error: unknown) => {
      throw unwritable(path, error);
    });
    const slotBytes = slotBytesFor(new Regions(record.sizeBytes, record.regionBytes));
    return new MirrorRecordFile(file, serial, slotBytes, current);
  }

  /** Whether a save has failed: then every other fails too. */
  get failed(): boolean {
    return this.#failure !== undefined;
  }

  /** Resolves when the record as it is now, or as it was later, is durable. Saves that come together share one write. */
  save(): Promise<void> {
    this.#queued ??= this.#saveAfterLast();
    return this.#queued;
  }

  async close(): Promise<void> {
    await this.#queued?.catch(() => {});
    await this.#last.catch(() => {});
    await this.#file.close();
  }

  async #saveAfterLast(): Promise<void> {
    await this.#last.catch(() => {});
    this.#queued = undefined;
    this.#last = this.#write();
    return this.#last;
  }

  async #write(): Promise<void> {
    if (this.#failure !== undefined) throw this.#failure;
    this.#serial++;
    const slot = encodeSlot(this.#current(), this.#serial);
    const offset = (this.#serial % 2) * this.#slotBytes;
    try {
      for (let written = 0; written < slot.length; ) {
        const { bytesWritten } = await this.#file.write(slot, written, slot.length - written, offset + written);
        written += bytesWritten;
      }
      await this.#file.datasync();
    } catch (error) {
      this.#failure = error;
      throw error;
    }
  }
}

async function readNewest(path: string): Promise<{ readonly serial: number; readonly record: MirrorRecord }> {
  const content = await readWhole(path);
  const half = content.length / 2;
  const slots = [decodeSlot(content.subarray(0, half)), decodeSlot(content.subarray(half))];
  const newest = slots.reduce((a, b) => ((a?.serial ?? -1) >= (b?.serial ?? -1) ? a : b));
  if (newest !== undefined) return newest;
  throw new OperatingError<MirrorRecordErrorCode>(
    'mirror-record-broken',
    `${path} holds no whole record of a mirrored disk`,
    'Let this host catch up by everything: remove the image and its record, and start it as a backup.',
  );
}

async function readWhole(path: string): Promise<Buffer> {
  try {
    const file = await open(path, constants.O_RDONLY);
    return await finishing(file, () => file.readFile());
  } catch (error) {
    throw new OperatingError<MirrorRecordErrorCode>(
      'mirror-record-missing',
      `the record ${path} of a mirrored disk cannot be read: ${errorCode(error)}`,
      'The record belongs to its image, and is moved with it. Without it the image cannot be trusted.',
      { cause: error },
    );
  }
}

function unwritable(path: string, error: unknown): OperatingError<MirrorRecordErrorCode> {
  return new OperatingError(
    'mirror-record-unwritable',
    `the record ${path} of a mirrored disk cannot be written: ${errorCode(error)}`,
    'Give this user the right to it, and its file system room.',
    { cause: error },
  );
}

async function finishing<Result>(file: FileHandle, work: () => Promise<Result>): Promise<Result> {
  try {
    return await work();
  } finally {
    await file.close();
  }
}
