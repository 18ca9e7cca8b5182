/**
 * Making the files of a mirrored disk: the first image of a set, which may hold a guest's root disk already, and the empty
 * image of a host that is to catch up.
 */
import { randomBytes } from 'node:crypto';
import { open, rm, stat } from 'node:fs/promises';
import { OperatingError } from '../../core/base/error.ts';
import { checkMachineName } from '../arbiter/arbiter.ts';
import { errorCode } from '../net/address.ts';
import { ImageFile } from './image-file.ts';
import type { MirrorRecord } from './mirror-record.ts';
import { MirrorRecordFile, recordPathOf } from './mirror-record-file.ts';
import { regionBytesFor } from './region-set.ts';

export type MirrorFilesErrorCode = 'mirror-exists' | 'mirror-not-made';

const newId = (): string => randomBytes(16).toString('hex');

/**
 * Makes the raw image at `path` the first one of a mirrored disk of `vm`: its content counts.
 * Throws OperatingError<MirrorFilesErrorCode | DiskFileErrorCode | LockErrorCode | MirrorRecordErrorCode>.
 */
export async function makeFirstMirror(path: string, vm: string): Promise<void> {
  checkMachineName(vm);
  const image = await ImageFile.open(path, () => {}); // its lock keeps two of us apart
  try {
    await refuseRecord(path);
    const { sizeBytes } = image;
    // What is in the image now counts from the start, so it must survive the power as the record does.
    await image.perform({ type: 'flush', id: 0 });
    await MirrorRecordFile.create(recordPathOf(path), { ...emptyRecord(vm, sizeBytes), state: 'complete' });
  } finally {
    await image.close();
  }
}

/**
 * Makes an empty image of `sizeBytes` at `path`, where nothing is yet, to catch up with another host's: `incomplete`.
 * Throws OperatingError<MirrorFilesErrorCode | MirrorRecordErrorCode>.
 */
export async function makeEmptyMirror(path: string, vm: string, sizeBytes: number): Promise<void> {
  checkMachineName(vm);
  await refuseRecord(path);
  try {
    const file = await open(path, 'wx', 0o644);
    try {
      await file.truncate(sizeBytes);
      await file.sync();
    } finally {
      await file.close();
    }
  } catch (error) {
    if (errorCode(error) === 'EEXIST') throw exists(path);
    throw new OperatingError<MirrorFilesErrorCode>(
      'mirror-not-made',
      `the image ${path} cannot be made: ${errorCode(error)}`,
      'Check that its directory exists and that this user may write there.',
      { cause: error },
    );
  }
  try {
    await MirrorRecordFile.create(recordPathOf(path), { ...emptyRecord(vm, sizeBytes), state: 'incomplete' });
  } catch (error) {
    await rm(path, { force: true });
    throw error;
  }
}

function emptyRecord(vm: string, sizeBytes: number): Omit<MirrorRecord, 'state'> {
  return {
    vm,
    setId: newId(),
    imageId: newId(),
    sizeBytes,
    regionBytes: regionBytesFor(sizeBytes),
    generation: undefined,
    incarnations: [],
    peers: [],
  };
}

async function refuseRecord(path: string): Promise<void> {
  const found = await stat(recordPathOf(path)).catch(() => undefined);
  if (found !== undefined) throw exists(recordPathOf(path));
}

function exists(path: string): OperatingError<MirrorFilesErrorCode> {
  return new OperatingError(
    'mirror-exists',
    `${path} exists already`,
    'If it holds nothing that you need, remove the image and its record (the file .mirror) together.',
  );
}
