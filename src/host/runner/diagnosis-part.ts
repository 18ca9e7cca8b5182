/**
 * The CPU thread's part in the diagnosis of a divergence (core/replication/diagnosis.ts): an owner that logs its hash keeps what
 * it was at that position; a machine that has diverged gives its state and the hashes of its pages; and the owner compares,
 * between two slices of its guest.
 */
import { type Checkpoint, Checkpoints, comparePages, type PageComparison } from '../../core/replication/diagnosis.ts';
import type { Machine } from '../../core/vm/machine.ts';
import { gatherPages, sealPiece } from '../../core/vm/page-pieces.ts';

export type DiagnosisQuestion =
  /** What this machine is, here. */
  | { readonly ask: 'evidence' }
  /** Where the memory of a machine with these page hashes, at `position`, differs from this one's there. */
  | { readonly ask: 'compare'; readonly position: bigint; readonly pageHashes: BigUint64Array<ArrayBuffer> }
  /** A piece with these pages. */
  | { readonly ask: 'contents'; readonly pages: Uint32Array<ArrayBuffer> };

export function isDiagnosis(question: { readonly ask: string }): question is DiagnosisQuestion {
  return ['evidence', 'compare', 'contents'].includes(question.ask);
}

export interface Comparison extends PageComparison {
  /** What this machine was at the position, or before it. */
  readonly before: Pick<Checkpoint, 'position' | 'hash' | 'state'>;
  /** Where this machine is now. */
  readonly position: bigint;
  /** Of the first differing pages, up to a limit: a piece with what is in them now. */
  readonly piece: Uint8Array<ArrayBuffer>;
  /** Those of them that were written after `before`. */
  readonly writtenSince: readonly number[];
}

export type DiagnosisAnswer =
  | { readonly answer: 'evidence'; readonly evidence: Checkpoint; readonly lastEqual: LastEqual | undefined }
  /** Undefined: no checkpoint was made before the position. */
  | { readonly answer: 'compared'; readonly comparison: Comparison | undefined }
  | { readonly answer: 'contents'; readonly piece: Uint8Array<ArrayBuffer> };

export type LastEqual = Pick<Checkpoint, 'position' | 'hash'>;

/** Differing pages whose content is kept: 1 MiB. A machine that runs wild differs in all of them. */
export const MAX_KEPT_PAGES = 256;

export class DiagnosisPart {
  readonly #machine: Machine;
  readonly #checkpoints = new Checkpoints();
  /** A table that is not needed any more: new memory for each would cost ten times the copy. */
  #spare: BigUint64Array<ArrayBuffer> | undefined;
  #lastEqual: LastEqual | undefined;

  constructor(machine: Machine) {
    this.#machine = machine;
  }

  /** The machine's hash was logged here (`recording`), or was found equal to the log's. */
  checkpoint(hash: bigint, recording: boolean): void {
    const { position } = this.#machine;
    this.#lastEqual = { position, hash };
    if (!recording) return;
    const state = this.#machine.saveState();
    const pageHashes = this.#machine.pageHashes(this.#spare);
    this.#spare = this.#checkpoints.add({ position, hash, state, pageHashes })?.pageHashes;
  }

  answer(question: DiagnosisQuestion): DiagnosisAnswer {
    switch (question.ask) {
      case 'evidence':
        return { answer: 'evidence', evidence: this.#here(), lastEqual: this.#lastEqual };
      case 'compare':
        return { answer: 'compared', comparison: this.#compare(question) };
      case 'contents':
        return { answer: 'contents', piece: this.#piece(question.pages) };
    }
  }

  #here(): Checkpoint {
    const machine = this.#machine;
    const hash = machine.hash();
    return { position: machine.position, hash, state: machine.saveState(), pageHashes: machine.pageHashes() };
  }

  #compare({ position, pageHashes }: DiagnosisQuestion & { ask: 'compare' }): Comparison | undefined {
    const machine = this.#machine;
    const checkpoint = this.#checkpoints.at(position);
    if (checkpoint === undefined || pageHashes.length !== machine.ramPages) return undefined;
    machine.hash();
    const now = machine.pageHashes();
    const { pageHashes: before, ...known } = checkpoint;
    const comparison = comparePages(pageHashes, { before, now, exact: checkpoint.position === position });
    const kept = comparison.differing.slice(0, MAX_KEPT_PAGES);
    return {
      ...comparison,
      before: known,
      position: machine.position,
      piece: this.#piece(Uint32Array.from(kept)),
      writtenSince: kept.filter((page) => now[page] !== before[page]),
    };
  }

  #piece(pages: Uint32Array): Uint8Array<ArrayBuffer> {
    const machine = this.#machine;
    const wanted = pages.filter((page) => page < machine.ramPages).subarray(0, MAX_KEPT_PAGES);
    return sealPiece(gatherPages(wanted, 0, (page) => machine.readPage(page)).gathered);
  }
}
