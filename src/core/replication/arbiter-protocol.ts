/**
 * What a replica asks its arbiter: the test-and-set outside both hosts that decides who goes on (PROTOCOL.md, 1 to 5). The
 * host performs the requests, one at a time, and always answers: what it could not find out is 'unknown'. Every request may
 * be asked again, and gives the same answer then.
 *
 * Creating the machine makes the creator the owner of generation 0. Claiming g ends it, for good, and makes the winner the
 * owner of g+1.
 */

import { sha256Hex } from '../base/sha256.ts';

/** Who forms the pair of a generation. Written once, by the primary, and read back by the backup by its own path. */
export interface PairRecord {
  /** 128 random bits in hexadecimal: a record without it is of another arbiter, or of another life of this one. */
  readonly token: string;
  /** The incarnations of both replica processes (PROTOCOL.md, 3). */
  readonly primary: string;
  readonly backup: string;
  /**
   * The SHA-256 of the certificates that their hosts have shown each other on the channel (PROTOCOL.md, 29). Absent without keys,
   * and in records of earlier versions.
   */
  readonly primaryFingerprint?: string;
  readonly backupFingerprint?: string;
}

export type ArbiterRequest =
  /** First boot: makes the machine known; its creator owns generation 0. Lost if the machine is known already. */
  | { readonly op: 'create'; readonly incarnation: string }
  /** Cold start, on a person's word that the machine runs nowhere: ends the newest generation, whichever it is. */
  | { readonly op: 'cold-claim'; readonly incarnation: string }
  /**
   * Ends `generation`. The arbiter must show a record of that generation's pair with this token, otherwise the outcome is
   * unknown; a claim by an incarnation that the record does not name is lost.
   */
  | { readonly op: 'claim'; readonly generation: number; readonly incarnation: string; readonly token: string }
  | { readonly op: 'write-record'; readonly generation: number; readonly record: PairRecord }
  | { readonly op: 'read-record'; readonly generation: number };

export type ArbiterReply =
  | { readonly op: 'create'; readonly outcome: 'won' | 'lost' | 'unknown' }
  /** `generation` is the one that was won. */
  | { readonly op: 'cold-claim'; readonly outcome: 'won'; readonly generation: number }
  | { readonly op: 'cold-claim'; readonly outcome: 'lost' | 'unknown' }
  /** `generation` is the one that the claim was of; the winner owns the next. */
  | { readonly op: 'claim'; readonly generation: number; readonly outcome: 'won' | 'lost' | 'unknown' }
  /** Refused: the generation has another record, another owner, or has ended. */
  | { readonly op: 'write-record'; readonly generation: number; readonly outcome: 'written' | 'refused' | 'unknown' }
  | {
      readonly op: 'read-record';
      readonly generation: number;
      readonly outcome: 'found';
      readonly record: PairRecord;
    }
  | { readonly op: 'read-record'; readonly generation: number; readonly outcome: 'missing' | 'unknown' };

/** The token of a generation's record, or of something else: one for each, made from the owner's random secret. 32 hexadecimal digits. */
export function tokenOf(secret: string, what: number | string): string {
  return sha256Hex(new TextEncoder().encode(`${secret} ${what}`)).slice(0, 32);
}
