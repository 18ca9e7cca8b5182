/**
 * What a replica does with its image of a mirrored disk before the protocol begins: a first start makes it the first one of
 * its disk, a cold start asks the arbiter whether it is the newest (PROTOCOL.md, 26), a backup makes an empty one where there is
 * none.
 */
import { OperatingError } from '../../core/base/error.ts';
import type { Arbiter } from '../arbiter/arbiter.ts';
import { type BootVerdict, bootDecision } from '../disk/boot-decision.ts';
import { makeEmptyMirror, makeFirstMirror } from '../disk/mirror-files.ts';
import { recordPathOf } from '../disk/mirror-record-file.ts';
import { MirroredDisk, type MirroredDiskOptions } from './mirrored-disk.ts';

export interface MirroredStart {
  readonly arbiter: Arbiter;
  /** 'backup': a person's word is not needed. */
  readonly as: 'first' | 'cold' | 'backup';
  /** The size that an image made here gets; undefined: none is made. */
  readonly sizeBytes: number | undefined;
  readonly acceptDataLoss: boolean;
}

export interface StartedImage {
  readonly disk: MirroredDisk;
  /** A cold start may end this generation, and no later one; undefined: it is no cold start. */
  readonly endsGeneration: number | undefined;
}

/** Throws OperatingError<MirroredStartErrorCode | MirrorRecordErrorCode | DiskFileErrorCode | ...> with nothing left open. */
export type MirroredStartErrorCode =
  | `disk-${Exclude<BootVerdict['verdict'], 'boots'>}`
  | 'disk-was-used'
  | 'disk-size-differs';

export async function startImage(options: MirroredDiskOptions, start: MirroredStart): Promise<StartedImage> {
  const { path, vm } = options;
  if (start.as === 'first') await makeFirstMirror(path, vm).catch(unlessRecordThere(path));
  if (start.as === 'backup') await prepareBackup(path, vm, start.sizeBytes);
  const disk = await MirroredDisk.open(options);
  try {
    checkSize(path, disk.image.sizeBytes, start.sizeBytes);
    if (start.as === 'backup') return { disk, endsGeneration: undefined };
    const endsGeneration =
      start.as === 'first' ? await firstBoot(disk, options, start) : await coldBoot(disk, options, start);
    await disk.image.willClaimAs(options.incarnation);
    return { disk, endsGeneration };
  } catch (error) {
    await disk.close();
    throw error;
  }
}

async function prepareBackup(path: string, vm: string, sizeBytes: number | undefined): Promise<void> {
  if (sizeBytes !== undefined) return makeEmptyMirror(path, vm, sizeBytes).catch(unlessRecordThere(path));
}

/** `mirror-exists` is no failure where it is the record that exists. */
function unlessRecordThere(path: string): (error: unknown) => void {
  return (error) => {
    const there = error instanceof OperatingError && error.code === 'mirror-exists';
    if (!there || !error.message.startsWith(recordPathOf(path))) throw error;
  };
}

async function firstBoot(
  { image }: MirroredDisk,
  { path, onNotice }: MirroredDiskOptions,
  { acceptDataLoss }: MirroredStart,
): Promise<undefined> {
  const { generation, state } = image.record;
  if (generation === undefined || state === 'incomplete') return undefined; // which `disk()` refuses, with advice
  const message = `${path} was in use already, in generation ${generation} of ${image.record.vm}`;
  if (acceptDataLoss) return void onNotice(message);
  throw new OperatingError<MirroredStartErrorCode>(
    'disk-was-used',
    message,
    'Leave --create out to go on with it. If this is a new life of the machine, and the old one is over, add --accept-data-loss.',
  );
}

async function coldBoot(
  { image }: MirroredDisk,
  { path, vm, onNotice }: MirroredDiskOptions,
  { arbiter, acceptDataLoss }: MirroredStart,
): Promise<number> {
  const owner = await arbiter.owner(vm);
  const pair = owner === undefined ? undefined : await arbiter.readPair(vm, owner.generation);
  const decision = bootDecision(image.record, { owner, pair }, { vm, path, acceptDataLoss });
  if (decision.verdict !== 'boots') {
    throw new OperatingError<MirroredStartErrorCode>(`disk-${decision.verdict}`, decision.message, decision.advice);
  }
  if (decision.dataLoss !== undefined) onNotice(`accepted: ${decision.dataLoss}`);
  return owner!.generation;
}

function checkSize(path: string, sizeBytes: number, wanted: number | undefined): void {
  if (wanted === undefined || sizeBytes === wanted) return;
  throw new OperatingError<MirroredStartErrorCode>(
    'disk-size-differs',
    `${path} has ${sizeBytes} bytes, and the description says ${wanted}`,
    'A mirrored disk keeps its size: correct the description.',
  );
}
