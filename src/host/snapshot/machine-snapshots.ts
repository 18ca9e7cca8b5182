/** The snapshots of one machine that runs here: takes them, one at a time, and goes on from one of them. */
import { OperatingError } from '../../core/base/error.ts';
import type { Output } from '../../core/machine/doors.ts';
import { TIMEBASE_HZ } from '../../core/vm/device-tree.ts';
import type { Description } from '../description/description.ts';
import { digestFiles, identityDigest, machineIdentity } from '../description/identity.ts';
import type { Runner } from '../runner/runner.ts';
import { checkSameMachine, restoreSnapshot } from './restore.ts';
import { SnapshotReader } from './snapshot-file.ts';
import { type Ask, type SnapshotResult, type TakeOptions, takeSnapshot } from './take.ts';

const PAGE_BYTES = 4096;

export class MachineSnapshots {
  readonly #description: Description;
  readonly #identity: string;
  #busy = false;

  /** `identity`: as `machineIdentity` gives it. */
  constructor(description: Description, identity: string) {
    this.#description = description;
    this.#identity = identity;
  }

  /** Reads the machine's files: what they hold now is what the machine is made of. */
  static async of(description: Description, diskBytes: number | undefined): Promise<MachineSnapshots> {
    return new MachineSnapshots(description, machineIdentity(description, await digestFiles(description, diskBytes)));
  }

  /** Throws OperatingError; no file is left then, and the machine runs on. */
  async take(runner: Ask, options: Omit<TakeOptions, 'header'>): Promise<SnapshotResult> {
    if (this.#busy) {
      const advice = 'Wait until it is done.';
      throw new OperatingError('snapshot-busy', 'a snapshot of this machine is being taken already', advice);
    }
    this.#busy = true;
    try {
      const header = {
        identity: this.#identity,
        digest: identityDigest(this.#identity),
        ramPages: this.#description.memoryBytes / PAGE_BYTES,
      };
      return await takeSnapshot(runner, { ...options, header });
    } finally {
      this.#busy = false;
    }
  }

  /** Opens a snapshot of this machine; undefined if none is named. Throws OperatingError if it is of another. */
  async open(path: string | undefined): Promise<OpenSnapshot | undefined> {
    if (path === undefined) return undefined;
    const reader = await SnapshotReader.open(path);
    try {
      checkSameMachine(path, reader.header, this.#identity, identityDigest(this.#identity));
    } catch (error) {
      await reader.close();
      throw error;
    }
    const { disk } = this.#description;
    return new OpenSnapshot(path, reader, disk !== undefined && !disk.readOnly);
  }
}

/** A snapshot of the machine that is about to run. */
export class OpenSnapshot {
  readonly #path: string;
  readonly #reader: SnapshotReader;
  readonly #writesDisk: boolean;

  constructor(path: string, reader: SnapshotReader, writesDisk: boolean) {
    this.#path = path;
    this.#reader = reader;
    this.#writesDisk = writesDisk;
  }

  /** The machine is the snapshot's; gives what it waits for from the world. Throws OperatingError. */
  async restore(runner: Runner, onNotice: (line: string) => void): Promise<readonly Output[]> {
    try {
      const { end, waitsFor } = await restoreSnapshot(runner, this.#reader);
      const seconds = (Number(end.time) / TIMEBASE_HZ).toFixed(1);
      onNotice(`the machine goes on from ${this.#path}: step ${end.position}, ${seconds} s after its start`);
      if (this.#writesDisk) {
        onNotice(
          'the disk is not in the snapshot: it must be as it was then, or the guest will damage its file systems',
        );
      }
      const blocks = waitsFor.blockRequests.map((pending) => ({ kind: 'block', ...pending }) as const);
      return [...blocks, ...waitsFor.entropyRequests];
    } finally {
      await this.#reader.close();
    }
  }
}
