/**
 * Takes a snapshot of a running machine: all pages are written while it runs, then again those that it wrote meanwhile, until
 * few are left; for these it stands still. The machine that goes on and the one in the file are equal at that position.
 */

import { type GatheredPages, gatherPages } from '../../core/vm/page-pieces.ts';
import { compressedPiece } from '../runner/pieces.ts';
import type { Runner } from '../runner/runner.ts';
import type { Cut, SnapshotAnswer, SnapshotQuestion } from '../runner/snapshot-part.ts';
import { type SnapshotHeader, SnapshotWriter } from './snapshot-file.ts';

/** So few pages that the stop is not worth another round: about 2 ms of copying. */
const FEW_PAGES = 1024;
/** A round that leaves more than this part of what the one before it left gains too little: the guest is slowed, by steps. */
const GAIN = 0.6;
const SLOWER = 0.5;
/** The least part of its time that the guest has meanwhile. */
const SLOWEST = 0.05;
/** Then the guest is stopped, whatever it writes. */
const MAX_ROUNDS = 16;
/** Pages with content in a piece: 2 MiB. */
const PAGES_PER_PIECE = 512;
const PAGE_BYTES = 4096;

export interface SnapshotProgress {
  readonly round: number;
  /** Pages written by the guest that this round copies. */
  readonly pages: number;
  /** Of the file so far. */
  readonly bytes: number;
}

export interface SnapshotResult {
  readonly position: bigint;
  readonly rounds: number;
  readonly bytes: number;
  /** For how long the machine stood still at the end, and the longest time before that, in ms. */
  readonly stopMs: number;
  readonly longestPauseMs: number;
  readonly tookMs: number;
}

export interface TakeOptions {
  readonly path: string;
  readonly header: SnapshotHeader;
  /** Leave the machine where it is after the snapshot. */
  readonly stop: boolean;
  readonly onProgress: (progress: SnapshotProgress) => void;
  /** Resolves when what the machine was at this position is sure to have happened: before that the file gets no name. */
  readonly settled?: (position: bigint) => Promise<void>;
}

/** `send`: speeds, and 'resume' if the machine was to stay where it is. */
export type Ask = Pick<Runner, 'ask' | 'ram' | 'send'>;

/** Throws OperatingError; no file is left then, and the machine runs on. */
export async function takeSnapshot(runner: Ask, options: TakeOptions): Promise<SnapshotResult> {
  const beganMs = performance.now();
  const writer = await SnapshotWriter.create(options.path, options.header);
  let cut: Cut | undefined;
  try {
    const { rounds, longestPauseMs } = await copyWhileRunning(runner, writer, options);
    cut = (await expect(runner, { ask: 'cut', pause: options.stop }, 'cut')).cut;
    runner.send({ type: 'speed', fraction: 1 });
    for (const gathered of cut.rest) await writer.piece(await compressedPiece(gathered));
    await writer.state(cut.state);
    await options.settled?.(cut.position);
    await writer.finish(cut);
    const tookMs = performance.now() - beganMs;
    const { position, stopMs } = cut;
    return { position, rounds, bytes: writer.bytes, stopMs, longestPauseMs, tookMs };
  } catch (error) {
    await writer.abandon();
    await runner.ask({ ask: 'end' }).catch(() => {});
    runner.send({ type: 'speed', fraction: 1 });
    if (cut !== undefined && options.stop) runner.send({ type: 'resume' });
    throw error;
  }
}

async function copyWhileRunning(
  runner: Ask,
  writer: SnapshotWriter,
  options: TakeOptions,
): Promise<{ readonly rounds: number; readonly longestPauseMs: number }> {
  // Later hashes are of what was written meanwhile.
  let longestPauseMs = 0;
  for (let more = true; more; ) {
    const prepared = await expect(runner, { ask: 'prepare' }, 'prepared');
    more = prepared.more;
    longestPauseMs = Math.max(longestPauseMs, prepared.stopMs);
  }
  let before = Number.POSITIVE_INFINITY;
  let speed = 1;
  for (let round = 1; ; round++) {
    const { pages, stopMs } = await expect(runner, { ask: round === 1 ? 'begin' : 'round' }, 'pages');
    longestPauseMs = Math.max(longestPauseMs, stopMs);
    options.onProgress({ round, pages: pages.length, bytes: writer.bytes });
    await writePages(runner.ram, pages, writer);
    // The last pages that were named are in the file; what is left is what the guest wrote during this round.
    if (pages.length <= FEW_PAGES || round === MAX_ROUNDS) return { rounds: round, longestPauseMs };
    if (pages.length > before * GAIN) {
      speed = Math.max(speed * SLOWER, SLOWEST);
      runner.send({ type: 'speed', fraction: speed });
    }
    before = pages.length;
  }
}

async function writePages(ram: Uint8Array, pages: Uint32Array, writer: SnapshotWriter): Promise<void> {
  const read = (page: number): Uint8Array => ram.subarray(page * PAGE_BYTES, (page + 1) * PAGE_BYTES);
  let written: Promise<void> = Promise.resolve();
  for (let from = 0; from < pages.length; ) {
    const { gathered, next } = gatherPages(pages, from, read, PAGES_PER_PIECE);
    const piece = await pieceOf(gathered);
    // The next piece is gathered while this one is on its way.
    await written;
    written = writer.piece(piece);
    written.catch(() => {});
    from = next;
  }
  await written;
}

/** Lets the event loop turn even where nothing is compressed: the machine's I/O is served by this thread. */
async function pieceOf(gathered: GatheredPages): Promise<Uint8Array<ArrayBuffer>> {
  if (gathered.content.length === 0) await new Promise((resolve) => setImmediate(resolve));
  return compressedPiece(gathered);
}

async function expect<Kind extends SnapshotAnswer['answer']>(
  runner: Ask,
  question: SnapshotQuestion,
  kind: Kind,
): Promise<Extract<SnapshotAnswer, { answer: Kind }>> {
  const answer: SnapshotAnswer = await runner.ask(question);
  if (answer.answer !== kind) throw new Error(`the CPU thread answered ${answer.answer} to ${question.ask}`);
  return answer as Extract<SnapshotAnswer, { answer: Kind }>;
}
