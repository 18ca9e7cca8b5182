/** Puts a machine that has not run together from a snapshot, and says what it waits for from the world. */
import { OperatingError } from '../../core/base/error.ts';
import type { Runner } from '../runner/runner.ts';
import type { SnapshotAnswer } from '../runner/snapshot-part.ts';
import type { SnapshotEnd, SnapshotErrorCode, SnapshotHeader, SnapshotReader } from './snapshot-file.ts';

/** Pieces on their way to the CPU thread at a time. */
const PIECES_AT_ONCE = 4;

export interface Restored {
  readonly end: SnapshotEnd;
  readonly waitsFor: Extract<SnapshotAnswer, { answer: 'restored' }>;
}

/** Throws OperatingError; the machine must then be thrown away. */
export async function restoreSnapshot(runner: Pick<Runner, 'ask'>, reader: SnapshotReader): Promise<Restored> {
  const underWay: Promise<unknown>[] = [];
  let state: Uint8Array | undefined;
  let end: SnapshotEnd | undefined;
  for await (const part of reader.parts()) {
    if (part.kind === 'piece') {
      const installed = runner.ask({ ask: 'install', piece: part.bytes });
      installed.catch(() => {});
      underWay.push(installed);
      if (underWay.length >= PIECES_AT_ONCE) await underWay.shift();
    } else if (part.kind === 'state') state = part.bytes;
    else end = part.end;
  }
  await Promise.all(underWay);
  if (end === undefined || state === undefined) {
    throw new OperatingError<SnapshotErrorCode>('snapshot-damaged', 'the snapshot holds no state of the machine');
  }
  const { hash, position } = end;
  const waitsFor = await runner.ask({ ask: 'restore', state, hash, position });
  if (waitsFor.answer !== 'restored') throw new Error(`the CPU thread answered ${waitsFor.answer} to restore`);
  return { end, waitsFor };
}

/** Throws OperatingError if the snapshot is of another machine than the one that has this identity; says what differs. */
export function checkSameMachine(path: string, header: SnapshotHeader, identity: string, digest: string): void {
  if (header.digest === digest) return;
  throw new OperatingError<SnapshotErrorCode>(
    'snapshot-other-machine',
    `${path} is a snapshot of another machine: ${differences(header.identity, identity).join('; ') || 'its identity differs'}`,
    'Describe the machine as it was when the snapshot was taken, with the same kernel, initramfs and size of the disk.',
  );
}

function differences(there: string, here: string): string[] {
  const a = entriesOf(there);
  const b = entriesOf(here);
  return [...new Set([...a.keys(), ...b.keys()])]
    .filter((key) => a.get(key) !== b.get(key))
    .map((key) => `${key === '#' ? 'revision' : key} was ${a.get(key) ?? 'absent'}, and is ${b.get(key) ?? 'absent'}`);
}

function entriesOf(identity: string): ReadonlyMap<string, string> {
  try {
    const object: unknown = JSON.parse(identity);
    if (typeof object !== 'object' || object === null) return new Map();
    return new Map(Object.entries(object).map(([key, value]) => [key, shortened(JSON.stringify(value))]));
  } catch {
    return new Map();
  }
}

const shortened = (text: string): string => (text.length > 60 ? `${text.slice(0, 20)}...` : text);
