/**
 * What a replica asks its arbiter: the test-and-set outside both hosts that decides who goes on (PROTOCOL.md, 1 to 5). The
 * host performs the requests, one at a time, and always answers: what it could not find out is 'unknown'. Every request may
 * be asked again, and gives the same answer then.
 *
 * Generations begin at 0, which is nobody's. Claiming g ends it, for good, and makes the winner the owner of g+1.
 */

/** Who forms the pair of a generation. Written once, by the primary, and read back by the backup by its own path. */
export interface PairRecord {
  /** 128 random bits in hexadecimal: a record without it is of another arbiter, or of another life of this one. */
  readonly token: string;
  /** The incarnations of both replica processes (PROTOCOL.md, 3). */
  readonly primary: string;
  readonly backup: string;
}

export type ArbiterRequest =
  /** First boot: makes the machine known, and claims generation 0. Lost if the machine is known already. */
  | { readonly op: 'create'; readonly incarnation: string }
  /**
   * Ends `generation`. `token` is that of its pair record; the arbiter must show a record with that token, otherwise the
   * outcome is unknown. Without a token there must be no pair record: the generation's owner was alone.
   */
  | {
      readonly op: 'claim';
      readonly generation: number;
      readonly incarnation: string;
      readonly token: string | undefined;
    }
  | { readonly op: 'write-record'; readonly generation: number; readonly record: PairRecord }
  | { readonly op: 'read-record'; readonly generation: number };

export type ArbiterReply =
  /** Won: the asking incarnation owns generation 1. */
  | { readonly op: 'create'; readonly outcome: 'won' | 'lost' | 'unknown' }
  | { readonly op: 'claim'; readonly generation: number; readonly outcome: 'won' | 'lost' | 'unknown' }
  /** Conflict: the generation has another record. */
  | {
      readonly op: 'write-record';
      readonly generation: number;
      readonly outcome: 'written' | 'conflict' | 'unknown';
    }
  | {
      readonly op: 'read-record';
      readonly generation: number;
      readonly outcome: 'found';
      readonly record: PairRecord;
    }
  | { readonly op: 'read-record'; readonly generation: number; readonly outcome: 'missing' | 'unknown' };
