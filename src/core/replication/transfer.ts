/**
 * State transfer: how an owner that runs alone makes a backup of its running machine (PROTOCOL.md, 21). The owner's half is
 * `TransferSource`, the backup's is `TransferSink`; this file holds what both need.
 *
 *     backup                                   owner, alone in its generation
 *     hello                              ->
 *                                        <-    welcome {transfer}
 *     join {transfer}, by another channel ->   the CPU thread begins to watch which pages are written
 *                                        <=    piece, piece, ...    all pages that were ever written; then those written meanwhile; ...
 *     (writes and hashes each as it comes)
 *     receiving {credit, installed}      ->
 *                                              what is left is small: the owner writes the pair's record at the arbiter
 *                                        <-    pair {token}
 *     (reads the record by its own path)
 *     receiving {recorded, installed}    ->    the CUT, once all that was sent is taken in: the CPU thread stops between two steps,
 *                                              takes the rest of the pages and the state out, begins the log, and runs on. Outputs
 *                                              wait from here.
 *                                        <-    cut {hash, ...}
 *                                        <=    piece, ... (state, and the rest of the pages)
 *     (restores the state, and compares the hash of the whole)
 *     receiving {verified}               ->
 *                                        <-    final                the point of no return
 *     ack {sequence 0}                   ->    the pair is formed
 *                                        <-    log {sequence 1} ...
 *
 * With a mirrored disk the backup's image catches up first, over the transfer's own channel (`blocks`, both ways): every region
 * before the first page, live writes after that, and what is left at the cut. `verified` waits for it, and between `final` and the first
 * acknowledgement the backup's image becomes, durably, a part of the generation: not earlier, because until `final` the owner may
 * go on without it, and then the image must not boot.
 *
 * `=` is the transfer's own channel (PROTOCOL.md, 9). Whatever breaks before `final` leaves the owner alone as it was: what
 * waits is let go, and the backup, which can claim nothing, is a stranger again. All that takes time, the arbiter on both
 * sides and the hash included, lies before `final`, so the time in which a failure costs a claim is one round trip.
 *
 * What is in a piece is opaque here: the hosts' copier makes them, the backup's CPU thread takes them in.
 */

/** What a transfer may use, and when it gives up. */
export interface TransferLimits {
  /** Pages in one piece, at most 1,024; the machine's state leaves in pieces of the same size. */
  readonly pagesPerPiece: number;
  /** Pieces that the copier may work on at a time. */
  readonly copiesAtOnce: number;
  /** Bytes of pieces that the backup has room for before it has taken them in: some pieces at least. */
  readonly windowBytes: number;
  /** Cut when the rest is expected to be sent in this time: outputs wait for so long. */
  readonly cutTargetMs: number;
  /** Fewer pages than this are always few enough. */
  readonly cutPages: number;
  /** The most pages that the CPU thread takes out while the guest stands still: this bounds the stop. */
  readonly maxCutPages: number;
  /** After so many rounds the guest is stopped whatever it writes, if `maxCutPages` allows; otherwise the transfer is given up. */
  readonly maxRounds: number;
  /** A guest that writes faster than the link carries is slowed in steps, down to this part of the time. */
  readonly slowest: number;
  /** No progress for so long ends the transfer. */
  readonly stallMs: number;
  /** Outputs wait for a backup that verifies at most for so long. */
  readonly cutOverMs: number;
  /** Between two looks for written pages while the arbiter is slow. */
  readonly idleRoundMs: number;
}

export const DEFAULT_TRANSFER: TransferLimits = {
  pagesPerPiece: 256,
  copiesAtOnce: 4,
  windowBytes: 16 * 1024 * 1024,
  cutTargetMs: 50,
  cutPages: 512,
  maxCutPages: 16_384,
  maxRounds: 30,
  slowest: 0.1,
  stallMs: 5000,
  cutOverMs: 3000,
  idleRoundMs: 50,
};

export const PAGE_BYTES = 4096;
/** How much longer than its pages a piece may be, if the codec cannot make them smaller. */
export const PIECE_SLACK_BYTES = 8192;
/** The longest piece that anybody may send. */
export const MAX_PIECE_BYTES = 4 * 1024 * 1024 + PIECE_SLACK_BYTES;
/** Requests for entropy that a machine may have in flight: no virtio queue is longer. */
export const MAX_ENTROPY_REQUESTS = 32_768;

export type PieceKind = 'pages' | 'state';

/** How far a transfer is, for people. */
export interface TransferProgress {
  readonly round: number;
  /** Of memory, before compression: done in all rounds, and left in this one. */
  readonly doneBytes: number;
  readonly leftBytes: number;
  /** Of pieces, as sent. */
  readonly sentBytes: number;
}

/** What else the backup must know to go on from the cut. */
export interface CutPoint {
  readonly position: bigint;
  /** The guest's time there, in ticks of 100 ns. */
  readonly time: bigint;
  /** The sequence number of the machine's last output before it; all of them have left. */
  readonly outputs: number;
  /** Of the whole machine, as `ReplicatedMachine.hash`. */
  readonly hash: bigint;
  /** Requests for entropy without an answer. */
  readonly entropyRequests: readonly { readonly device: number; readonly id: number; readonly length: number }[];
}
