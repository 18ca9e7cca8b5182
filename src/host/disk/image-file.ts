/**
 * A raw disk image: a regular file whose bytes are the disk's. Opened once, locked exclusively, and then read and written
 * at offsets, several requests at a time.
 *
 * Discard keeps the data (a discard is only a hint: virtio 1.2, 5.2.6.2; Node cannot punch holes). Write-zeroes looks
 * first and writes only where something else stands, so that an image with holes keeps them.
 *
 * A failed fdatasync is remembered: the kernel reports it once and then takes the pages for clean, so that the next one would
 * answer that all is well while data is lost. After a failure every flush fails.
 */
import { constants, fstatSync, type Stats } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { OperatingError } from '../../core/base/error.ts';
import type { BlockRequest } from '../../core/machine/doors.ts';
import { errorCode } from '../net/address.ts';
import { type BlockErrorCode, type BlockResult, extentOf, failed, isWithin, OK, SECTOR_BYTES } from './disk.ts';
import { lockExclusively } from './file-lock.ts';

export type DiskFileErrorCode =
  | 'disk-missing'
  | 'disk-not-a-file'
  | 'disk-bad-size'
  | 'disk-bad-format'
  | 'disk-not-permitted'
  | 'disk-unreadable';

const ZERO_CHUNK_BYTES = 1024 * 1024;

/** First bytes of images that are not raw, and their formats' names. */
const FOREIGN_FORMATS: readonly (readonly [string, string])[] = [
  ['QFI\xfb', 'qcow2'],
  ['KDMV', 'vmdk'],
  ['vhdxfile', 'vhdx'],
  ['<<< Oracle VM VirtualBox', 'vdi'],
];

export class ImageFile {
  readonly path: string;
  readonly sizeBytes: number;
  /** When it was opened, the file system held no block of it. Some say so a while after a write (ZFS). */
  readonly hadNoBlocks: boolean;
  readonly #file: FileHandle;
  readonly #onProblem: (line: string) => void;
  #lastProblem = '';
  #flushFailed = false;

  private constructor(path: string, stat: Stats, file: FileHandle, onProblem: (line: string) => void) {
    this.path = path;
    this.sizeBytes = stat.size;
    this.hadNoBlocks = stat.blocks === 0;
    this.#file = file;
    this.#onProblem = onProblem;
  }

  /**
   * Opens and locks the image. `onProblem` hears of requests that fail because of this host (a full file system, a broken
   * medium), once for each problem until something goes well again.
   * Throws OperatingError<DiskFileErrorCode | LockErrorCode>.
   */
  static async open(path: string, onProblem: (line: string) => void): Promise<ImageFile> {
    const file = await open(path, constants.O_RDWR).catch((error: unknown) => {
      throw openError(path, error);
    });
    try {
      const stat = fstatSync(file.fd);
      if (!stat.isFile()) throw notAFile(path);
      checkSize(path, stat.size);
      lockExclusively(file.fd, path);
      await checkFormat(path, file);
      return new ImageFile(path, stat, file, onProblem);
    } catch (error) {
      await file.close();
      throw error;
    }
  }

  /** Carries a request out. Never throws. `forceUnitAccess`: a write is answered when it is durable. */
  async perform(request: BlockRequest, forceUnitAccess = false): Promise<BlockResult> {
    if (!isWithin(extentOf(request), this.sizeBytes)) return failed('out-of-range');
    try {
      const result = await this.#perform(request);
      if (forceUnitAccess) await this.#flush();
      this.#lastProblem = '';
      return result;
    } catch (error) {
      return failed(this.#explain(request, error));
    }
  }

  async close(): Promise<void> {
    await this.#file.close();
  }

  async #perform(request: BlockRequest): Promise<BlockResult> {
    switch (request.type) {
      case 'read':
        return { ok: true, data: await this.#read(request.offset, new Uint8Array(request.length)) };
      case 'write':
        await this.#write(request.offset, request.data);
        return OK;
      case 'flush':
        await this.#flush();
        return OK;
      case 'discard':
        return OK;
      case 'write-zeroes':
        await this.#writeZeroes(request.offset, request.length);
        return OK;
    }
  }

  async #read(offset: number, into: Uint8Array): Promise<Uint8Array> {
    for (let filled = 0; filled < into.length; ) {
      const { bytesRead } = await this.#file.read(into, filled, into.length - filled, offset + filled);
      if (bytesRead === 0) throw new Error('the file has become shorter');
      filled += bytesRead;
    }
    return into;
  }

  async #write(offset: number, data: Uint8Array): Promise<void> {
    for (let written = 0; written < data.length; ) {
      const { bytesWritten } = await this.#file.write(data, written, data.length - written, offset + written);
      written += bytesWritten;
    }
  }

  async #flush(): Promise<void> {
    if (this.#flushFailed) throw new Error('an earlier flush has failed, and what it lost is unknown');
    try {
      await this.#file.datasync();
    } catch (error) {
      this.#flushFailed = true;
      throw error;
    }
  }

  async #writeZeroes(offset: number, length: number): Promise<void> {
    const found = Buffer.allocUnsafe(Math.min(length, ZERO_CHUNK_BYTES));
    const zeroes = new Uint8Array(found.length);
    for (let done = 0; done < length; done += found.length) {
      const count = Math.min(found.length, length - done);
      await this.#read(offset + done, found.subarray(0, count));
      if (found.compare(zeroes, 0, count, 0, count) !== 0) await this.#write(offset + done, zeroes.subarray(0, count));
    }
  }

  #explain(request: BlockRequest, error: unknown): BlockErrorCode {
    const code = errorCode(error);
    const full = code === 'ENOSPC' || code === 'EDQUOT';
    const why = full ? 'its file system is full' : error instanceof Error ? error.message : String(error);
    const line = `${this.path}: ${request.type} failed: ${why}`;
    if (line !== this.#lastProblem) this.#onProblem(line);
    this.#lastProblem = line;
    return full ? 'no-space' : 'io';
  }
}

function openError(path: string, error: unknown): OperatingError<DiskFileErrorCode> {
  const code = errorCode(error);
  if (code === 'ENOENT' || code === 'ENOTDIR') {
    const advice = `Check the path, or make an empty disk: truncate -s 4G ${path}`;
    return new OperatingError('disk-missing', `there is no disk ${path}`, advice, { cause: error });
  }
  if (code === 'EISDIR' || code === 'ENXIO') return notAFile(path);
  if (code === 'EACCES' || code === 'EPERM' || code === 'EROFS') {
    const advice = 'Give this user the right to read and write it.';
    return new OperatingError('disk-not-permitted', `the disk ${path} cannot be written: ${code}`, advice, {
      cause: error,
    });
  }
  const reason = error instanceof Error ? error.message : String(error);
  return new OperatingError('disk-unreadable', `the disk ${path} cannot be opened: ${reason}`, undefined, {
    cause: error,
  });
}

function notAFile(path: string): OperatingError<DiskFileErrorCode> {
  return new OperatingError(
    'disk-not-a-file',
    `the disk ${path} is not a regular file`,
    'Give the path of a raw disk image.',
  );
}

function checkSize(path: string, size: number): void {
  if (size > 0 && size % SECTOR_BYTES === 0) return;
  throw new OperatingError(
    'disk-bad-size',
    `the disk ${path} is ${size} bytes long, which is no whole number of ${SECTOR_BYTES}-byte sectors`,
    'Check that it is a raw disk image and complete; a shorter one can be extended: truncate -s %4096 FILE.',
  );
}

async function checkFormat(path: string, file: FileHandle): Promise<void> {
  const head = Buffer.alloc(SECTOR_BYTES);
  await file.read(head, 0, head.length, 0);
  const format = FOREIGN_FORMATS.find(([magic]) => head.toString('latin1', 0, magic.length) === magic)?.[1];
  if (format === undefined) return;
  throw new OperatingError(
    'disk-bad-format',
    `the disk ${path} is a ${format} image, and only raw ones can be used`,
    `Convert it: qemu-img convert -O raw ${path} ${path}.raw`,
  );
}
