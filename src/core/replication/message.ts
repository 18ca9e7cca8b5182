/**
 * What primary and backup say to each other. Every message carries the generation that its sender is in (PROTOCOL.md, 1).
 *
 *     backup                                   primary
 *     hello                              ->
 *                                        <-    welcome, or refuse and close
 *                                              (the primary writes the pair's record at the arbiter)
 *                                        <-    pair {token}
 *     (reads the record by its own path)
 *     ack {sequence 0}                   ->    the pair is formed: the machine may run
 *                                        <-    log {sequence 1} ...      with credit only
 *     ack {sequence 1} ...               ->    at once, when a batch is in memory; and at every heartbeat
 *                                        <-    heartbeat ...             without credit
 *
 * A channel that breaks may be replaced in the same generation: hello says what was received, welcome says 'resume', and the
 * log goes on from there. Not after either side has sent a claim.
 *
 * A backup that joins a running machine gets a copy of it first: transfer.ts.
 */
import type { CutPoint, PieceKind } from './transfer.ts';

export const PROTOCOL_VERSION = 3;

/** Why a peer is not let in. */
export type RefusalCode =
  | 'other-version'
  | 'other-vm'
  | 'other-machine'
  | 'other-generation'
  /** A host with another certificate than the one of this generation. */
  | 'other-host'
  /** The pair is complete. */
  | 'busy'
  /** The machine has run, and this primary makes no copies of it. */
  | 'too-late';

export type ByeReason =
  /** The guest powered off or was reset, and all that it said has been sent. */
  | 'guest-stopped'
  /** A person stopped this replica. */
  | 'shutdown';

export type Role = 'primary' | 'backup';

/** Whether the machine's own thread is known to work. 'silent': it has not been heard of for too long. */
export type CpuState = 'running' | 'stopped-on-purpose' | 'silent';

interface Identity {
  readonly version: number;
  /** Which machine, among all that share arbiter and disks. */
  readonly vm: string;
  /** The hash of its description. */
  readonly machine: string;
  readonly incarnation: string;
}

export interface Hello extends Identity {
  readonly type: 'hello';
  /** Meaningless unless `resume`. */
  readonly generation: number;
  readonly role: Role;
  /** This replica is the backup of `generation`, and its channel broke. */
  readonly resume: boolean;
  /** The last batch received in this generation, for a channel that is resumed. */
  readonly received: number;
}

export interface Welcome extends Identity {
  readonly type: 'welcome';
  readonly generation: number;
  readonly resume: boolean;
  /** The name of the transfer that brings the machine; empty if it starts from nothing, or is resumed. */
  readonly transfer: string;
}

/** The first message on a transfer's own channel. */
export interface Join {
  readonly type: 'join';
  readonly generation: number;
  readonly transfer: string;
}

/** A part of the machine, on the transfer's own channel. */
export interface Piece {
  readonly type: 'piece';
  readonly generation: number;
  /** 1 for the first piece of a transfer, one more for each after it. */
  readonly number: number;
  readonly kind: PieceKind;
  readonly bytes: Uint8Array<ArrayBuffer>;
}

/** Between the two images of a mirrored disk while one catches up, on the transfer's own channel; opaque here (docs/disks.md). */
export interface Blocks {
  readonly type: 'blocks';
  readonly generation: number;
  readonly bytes: Uint8Array<ArrayBuffer>;
}

/** How far the receiving backup is. It vouches for nothing yet. */
export interface Receiving {
  readonly type: 'receiving';
  readonly generation: number;
  /** Bytes of pieces, counted from the first: taken in, and such that there is room for. */
  readonly installed: number;
  readonly credit: number;
  /** The pair's record was read, by the backup's own path. */
  readonly recorded: boolean;
  /** The machine is complete, and its hash is the cut's. */
  readonly verified: boolean;
}

/** The machine was cut out of time: what the pieces up to this one hold is the machine at this point. */
export interface Cut extends CutPoint {
  readonly type: 'cut';
  readonly generation: number;
  readonly pieces: number;
}

/** From the instant in which this is sent, outputs leave by the backup's acknowledgements only (21). */
export interface Final {
  readonly type: 'final';
  readonly generation: number;
}

export interface Refuse {
  readonly type: 'refuse';
  readonly generation: number;
  readonly code: RefusalCode;
  readonly message: string;
}

export interface Pair {
  readonly type: 'pair';
  readonly generation: number;
  readonly token: string;
}

export interface LogBatch {
  readonly type: 'log';
  readonly generation: number;
  /** 1 for the first batch of a generation, one more for each after it. */
  readonly sequence: number;
  /** The position that the first entry's step delta counts from. */
  readonly base: bigint;
  /** Where the primary's machine was when the batch was complete: the backup may execute up to here. */
  readonly position: bigint;
  /** The guest's time there, in ticks of 100 ns. */
  readonly time: bigint;
  /** Entries, one after the other (replay/log-entry.ts). */
  readonly bytes: Uint8Array;
}

export interface Ack {
  readonly type: 'ack';
  readonly generation: number;
  /** All batches up to this one are in the backup's memory. */
  readonly sequence: number;
  /** The position that the backup has executed to. */
  readonly executed: bigint;
  /** Bytes of log, counted from the start of the generation, that the backup has room for. */
  readonly credit: number;
  /** The stamp of the last heartbeat received: proof that the backup was alive after it was sent. */
  readonly echo: number;
  readonly cpu: CpuState;
  /** Whether the backup's own uplink is healthy. */
  readonly uplink: boolean;
  /** With a mirrored disk: the last flush that is durable in the backup's image, and its newest common point (24, 25). */
  readonly image?: { readonly flushed: number; readonly common: number };
  /** With `reads: backup`: the backup has all reads up to this place among the machine's outputs behind it (23). */
  readonly reads?: number;
}

export interface Heartbeat {
  readonly type: 'heartbeat';
  readonly generation: number;
  /** The sender's own clock, in ms; meaningless to anybody else. */
  readonly stamp: number;
  /** The position, confirmed by the CPU thread, that the backup may execute up to. */
  readonly position: bigint;
  readonly time: bigint;
  /** The sequence number of the last output of those that have left, in order. */
  readonly released: number;
  readonly cpu: CpuState;
  /** With a mirrored disk: the newest common point that the primary's image has noted. */
  readonly common?: number;
}

/** With `reads: backup`: the backup could not read what the machine read at this place among its outputs. */
export interface ReadWanted {
  readonly type: 'read-wanted';
  readonly generation: number;
  readonly sequence: number;
}

/** The answer. Not found: the primary does not keep it any more. */
export interface ReadData {
  readonly type: 'read-data';
  readonly generation: number;
  readonly sequence: number;
  readonly found: boolean;
  readonly bytes: Uint8Array;
}

/** The primary has stopped its machine at the end of batch `sequence`, and asks the backup to claim the generation. */
export interface HandOver {
  readonly type: 'hand-over';
  readonly generation: number;
  readonly sequence: number;
  readonly released: number;
}

export interface Diverged {
  readonly type: 'diverged';
  readonly generation: number;
  readonly position: bigint;
  readonly log: string;
  readonly machine: string;
}

/**
 * What each side of a divergence knows, for people (diagnosis.ts). It travels on a channel of its own, decides nothing, and
 * may be lost.
 */
export type EvidencePart =
  /** Backup: who it is, and what it found; JSON. */
  | 'introduction'
  /** Backup: its saved state, and the hash of each page of its memory. */
  | 'state'
  | 'page-hashes'
  /** Primary: the numbers of pages whose content it wants, 32 bits each. */
  | 'wanted'
  /** Backup: that content, as a piece (vm/page-pieces.ts). */
  | 'contents';

export interface Evidence {
  readonly type: 'evidence';
  readonly generation: number;
  readonly part: EvidencePart;
  readonly bytes: Uint8Array<ArrayBuffer>;
}

export interface Bye {
  readonly type: 'bye';
  readonly generation: number;
  readonly reason: ByeReason;
}

export type Message =
  | Hello
  | Welcome
  | Refuse
  | Pair
  | LogBatch
  | Ack
  | Heartbeat
  | ReadWanted
  | ReadData
  | HandOver
  | Diverged
  | Evidence
  | Bye
  | Join
  | Piece
  | Blocks
  | Receiving
  | Cut
  | Final;
