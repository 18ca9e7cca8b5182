/** A replica's disk, shared or mirrored, as its process uses it: generations, and requests in them. */
import type { BlockRequest } from '../../core/machine/doors.ts';
import type { ReplicaAction, ReplicaEvent } from '../../core/replication/replica.ts';
import type { BlockResult } from '../disk/disk.ts';

export interface ReplicaDisk {
  /** The disk's size, asked without any claim to it. Throws OperatingError if it cannot be told. */
  sizeBytes(): Promise<number>;
  /** Returns once every request of a lower generation has landed or been refused (PROTOCOL.md, 2). */
  admit(generation: number): Promise<'admitted' | 'refused' | 'unknown'>;
  /** `sequence`: a flush's place among the machine's outputs, if it is known. */
  request(generation: number, request: BlockRequest, sequence?: number): Promise<BlockResult>;
  /** For a backup that owns no generation (`reads: backup`); undefined if it could not be read. Never rejects. */
  read(request: BlockRequest & { type: 'read' }): Promise<Uint8Array | undefined>;
  close(): Promise<void>;
}

/** What only a mirrored disk is asked. */
export type MirrorAction = ReplicaAction & { type: 'disk-join' | 'disk-common' | 'catch-up' | 'catch-up-data' };

/** What only a mirrored disk says. */
export type MirrorEvent = ReplicaEvent & {
  type: 'disk-joined' | 'disk-common' | 'catch-up-send' | 'caught-up' | 'catch-up-complete' | 'catch-up-failed';
};
