/**
 * What the two threads of a replica say to each other. The CPU thread owns the machine (`CpuSide`); the main thread does
 * I/O and owns the protocol (`Primary`, `Backup`). All of it is plain data that survives a structured clone, and arrives in
 * order; what is frequent has a form as bytes, too (cpu-codec.ts). Byte arrays may be views of a larger buffer, unless their
 * type says that they are there to be transferred.
 */

import type { BlockRequest, Input, Output } from '../machine/doors.ts';
import type { Divergence } from '../replay/replayer.ts';
import type { MachineStop, PendingBlockRequest } from '../vm/machine-interface.ts';
import type { GatheredPages } from '../vm/page-pieces.ts';
import type { CutPoint, PieceKind } from './transfer.ts';

/** An output and its place among all outputs of the machine's life. */
export interface NumberedOutput {
  readonly sequence: number;
  readonly output: Output;
}

/** A frame that the log held: enough to recognise it among those that arrived from outside. */
export interface LoggedFrame {
  readonly length: number;
  readonly checksum: number;
  /** When the log entry arrived on the main thread, on its clock, in ms. */
  readonly arrivedMs: number;
}

export interface EntropyRequest {
  readonly device: number;
  readonly id: number;
  readonly length: number;
}

/** What a following machine, or its log, says of the disk: for a backup with an image of its own. */
export type DiskStep =
  /** `sequence`: its place among the machine's outputs; undefined for one that was in flight when the machine was copied. */
  | { readonly kind: 'request'; readonly device: number; readonly request: BlockRequest; readonly sequence?: number }
  /** The log has its completion. */
  | { readonly kind: 'done'; readonly device: number; readonly id: number; readonly ok: boolean };

export type CpuCommand =
  /**
   * Run the machine for real. With `logging`, every input and output is logged. Again: only changes `logging`. `leanReads`: the
   * log leaves out the data of reads that are asked for from here on (cpu-reads.ts).
   */
  | { readonly type: 'record'; readonly logging: boolean; readonly leanReads?: boolean }
  /** Run the machine from the log that `feed` brings. `disk`: report what happens to the disk as well. */
  | { readonly type: 'follow'; readonly disk?: boolean }
  /** For a recording machine: apply this when there is room. */
  | { readonly type: 'input'; readonly input: Input }
  /** Run only while fewer bytes of log and of outputs have been made than this, counted from the start of recording. */
  | { readonly type: 'limit'; readonly logBytes: number; readonly outputBytes: number }
  /** Use only this fraction of the time, 0 to 1. The runner does it, not `CpuSide`. */
  | { readonly type: 'speed'; readonly fraction: number }
  /** Entries for a following machine, which may then execute up to `position`. */
  | {
      readonly type: 'feed';
      readonly base: bigint;
      readonly bytes: Uint8Array;
      readonly position: bigint;
      readonly arrivedMs: number;
    }
  | { readonly type: 'executable'; readonly position: bigint }
  /** For a following machine: what this host has read for this request, or was given. No data: it could not. */
  | { readonly type: 'read-data'; readonly device: number; readonly id: number; readonly data?: Uint8Array | undefined }
  /** Stop between two steps, flush, and report 'paused'. */
  | { readonly type: 'pause' }
  | { readonly type: 'resume' }
  /** Log the hash of the whole state, for the backup to compare. */
  | { readonly type: 'checkpoint' }
  /** No more will be fed: go to the end of the log, and report 'drained'. */
  | { readonly type: 'drain'; readonly onDivergence: 'stop' | 'continue' }
  /** After 'drained': run for real from here, without a log. The guest's time goes on at `time` or later. */
  | { readonly type: 'go-live'; readonly time: bigint }
  /** For a recording machine: keep track of written pages for this transfer; answered by 'copy-pages' with all that ever were. */
  | { readonly type: 'copy-begin'; readonly transfer: number }
  /** Answered by 'copy-pages': those written since the last answer. Their flags are cleared before anybody reads them. */
  | { readonly type: 'copy-collect'; readonly transfer: number }
  /**
   * Take what is left out, between two steps, begin the log there, and run on within the limits; answered by 'copy-cut'. If
   * more than `maxPages` are left nothing of this happens, and the answer is 'copy-pages'.
   */
  | {
      readonly type: 'copy-cut';
      readonly transfer: number;
      readonly maxPages: number;
      readonly pagesPerPiece: number;
      readonly logBytes: number;
      readonly outputBytes: number;
      /** Of the log that begins there, as for 'record'. */
      readonly leanReads?: boolean;
    }
  /** Forget about it. */
  | { readonly type: 'copy-end' }
  /** For a machine that has not run: it will be another's copy. Again: from the start. */
  | { readonly type: 'install-begin'; readonly transfer: number }
  | { readonly type: 'install'; readonly kind: PieceKind; readonly bytes: Uint8Array<ArrayBuffer> }
  /** All pieces are given: restore, compare with the cut's hash, and follow the log from there. */
  | { readonly type: 'install-end'; readonly cut: CutPoint };

export type CpuReport =
  /** What recording produced since the last report, in order: outputs, and (when logging) the entries with their marks. */
  | {
      readonly type: 'produced';
      readonly base: bigint;
      /** Entries; empty when not logging. */
      readonly bytes: Uint8Array<ArrayBuffer>;
      readonly outputs: readonly NumberedOutput[];
      /** The machine is here now, and everything before it has been reported. */
      readonly position: bigint;
      readonly time: bigint;
    }
  /** A sign of life, at least every few tens of ms: where the machine is. */
  | {
      readonly type: 'progress';
      readonly position: bigint;
      readonly time: bigint;
      /** Why it does not run at full speed, if so. */
      readonly state: 'running' | 'waiting' | 'limited' | 'paused' | 'starved' | 'stopped';
      /** A following machine: bytes of the log whose entries are done. */
      readonly consumed: number;
    }
  /**
   * What a following machine said to nobody: kept by the backup until the primary has sent it. Only frames, console, power; and
   * what happened to the disk, in order, where that was asked for.
   */
  | {
      readonly type: 'replayed';
      readonly position: bigint;
      readonly outputs: readonly NumberedOutput[];
      readonly disk?: readonly DiskStep[];
    }
  /** The machine stands at this read's completion and needs its data. `tried`: what it was given was nothing, or is not the same. */
  | { readonly type: 'read-needed'; readonly device: number; readonly id: number; readonly tried: boolean }
  | { readonly type: 'paused'; readonly position: bigint }
  | {
      readonly type: 'drained';
      readonly position: bigint;
      readonly time: bigint;
      readonly stopped: MachineStop | undefined;
      /** Disk requests without a completion, in the order of submission. */
      readonly blockRequests: readonly PendingBlockRequest[];
      readonly entropyRequests: readonly EntropyRequest[];
      /** The last frames of the log, oldest first. */
      readonly frames: readonly LoggedFrame[];
      /** The sequence number of the machine's last output. */
      readonly outputs: number;
    }
  | { readonly type: 'live'; readonly position: bigint }
  | { readonly type: 'copy-pages'; readonly transfer: number; readonly pages: Uint32Array<ArrayBuffer> }
  | {
      readonly type: 'copy-cut';
      readonly transfer: number;
      readonly cut: CutPoint;
      /** The pages that were left, for a piece each. */
      readonly rest: readonly GatheredPages[];
      /** The machine's state but RAM, in parts. */
      readonly state: readonly Uint8Array<ArrayBuffer>[];
    }
  /** Bytes of pieces that are in the machine, counted from 'install-begin'. */
  | { readonly type: 'installed'; readonly transfer: number; readonly bytes: number }
  /** The machine is the cut's, to the last bit. */
  | { readonly type: 'install-verified'; readonly transfer: number }
  | { readonly type: 'install-failed'; readonly transfer: number; readonly message: string }
  | { readonly type: 'diverged'; readonly divergence: Divergence }
  | { readonly type: 'stopped'; readonly stop: MachineStop; readonly position: bigint };
