/**
 * The CPU thread's part in snapshots of a machine that runs for real: between two slices it says which pages were written, cuts
 * the machine out of time, or puts one together. Whoever asks gets one answer to each question (`Runner.ask`).
 *
 * Only this thread clears the marks of written pages, and before anybody copies (MACHINE.md, 13). While the guest runs the
 * main thread copies from the shared memory; what is left at the cut is copied here, because the guest stands still for it.
 */
import { OperatingError } from '../../core/base/error.ts';
import type { Output } from '../../core/machine/doors.ts';
import type { CpuCommand } from '../../core/replication/cpu-link.ts';
import type { Machine } from '../../core/vm/machine.ts';
import type { PendingBlockRequest } from '../../core/vm/machine-interface.ts';
import { type GatheredPages, gatherPages } from '../../core/vm/page-pieces.ts';
import type { DiagnosisAnswer } from './diagnosis-part.ts';
import { installPiece } from './pieces.ts';

export type SnapshotQuestion =
  /** Hash a part of what was written, while it runs. */
  | { readonly ask: 'prepare' }
  /** Which pages were written: at first all. */
  | { readonly ask: 'begin' }
  | { readonly ask: 'round' }
  /** The rest, at one position. `pause`: the machine takes no step after it. */
  | { readonly ask: 'cut'; readonly pause: boolean }
  /** No copy is being made any more. */
  | { readonly ask: 'end' }
  /** For a machine that has not run. */
  | { readonly ask: 'install'; readonly piece: Uint8Array }
  | { readonly ask: 'restore'; readonly state: Uint8Array; readonly hash: bigint; readonly position: bigint };

/** What a machine is at one position. */
export interface Cut {
  /** The pages that were left. */
  readonly rest: readonly GatheredPages[];
  readonly state: Uint8Array<ArrayBuffer>;
  readonly position: bigint;
  /** Guest time, in ticks of 100 ns. */
  readonly time: bigint;
  readonly hash: bigint;
  /** For how long the machine stood still, in ms. */
  readonly stopMs: number;
}

export type SnapshotAnswer =
  | { readonly answer: 'prepared'; readonly more: boolean; readonly stopMs: number }
  /** `stopMs`: for how long the machine stood still, in ms. */
  | { readonly answer: 'pages'; readonly pages: Uint32Array<ArrayBuffer>; readonly stopMs: number }
  | { readonly answer: 'cut'; readonly cut: Cut }
  | { readonly answer: 'done' }
  | {
      readonly answer: 'restored';
      /** Requests to the world that the restored machine waits for. */
      readonly blockRequests: readonly PendingBlockRequest[];
      readonly entropyRequests: readonly Extract<Output, { kind: 'entropy' }>[];
    }
  | { readonly answer: 'failed'; readonly code: string; readonly message: string; readonly advice: string | undefined };

/** Pages hashed at a time: a stop of about 3 ms. */
const HASH_PAGES = 8192;

export interface SnapshotPartDeps {
  readonly machine: Machine;
  /** Hands on what the machine has produced, so that nothing before the cut stays behind. */
  readonly flush: () => void;
  readonly pause: () => void;
  readonly nowMs: () => number;
}

export class SnapshotPart {
  readonly #deps: SnapshotPartDeps;
  #copying = false;
  /** A state transfer needs the marks of written pages for itself, and goes first: redundancy matters more. */
  #transferring = false;
  #interrupted = false;

  constructor(deps: SnapshotPartDeps) {
    this.#deps = deps;
  }

  /** Must hear of every command before the machine does. */
  commanded(type: CpuCommand['type']): void {
    if (type === 'copy-end') this.#transferring = false;
    if (type !== 'copy-begin') return;
    this.#transferring = true;
    this.#interrupted ||= this.#copying;
    this.#end();
  }

  answer(question: SnapshotQuestion): SnapshotAnswer {
    try {
      return this.#answer(question);
    } catch (error) {
      if (!(error instanceof OperatingError)) throw error;
      const { code, message, advice } = error;
      return { answer: 'failed', code, message, advice };
    }
  }

  #answer(question: SnapshotQuestion): SnapshotAnswer {
    const { machine } = this.#deps;
    switch (question.ask) {
      case 'prepare':
        return this.#prepare();
      case 'begin':
        this.#end();
        this.#interrupted = this.#transferring;
        this.#checkOwn();
        machine.beginCopy();
        this.#copying = true;
        return this.#pages();
      case 'round':
        this.#checkOwn();
        return this.#pages();
      case 'cut':
        this.#checkOwn();
        return { answer: 'cut', cut: this.#cut(question.pause) };
      case 'end':
        this.#end();
        return { answer: 'done' };
      case 'install':
        installPiece(machine, question.piece);
        return { answer: 'done' };
      case 'restore':
        return this.#restore(question);
    }
  }

  #checkOwn(): void {
    if (!this.#interrupted) return;
    throw new OperatingError(
      'snapshot-interrupted',
      'a copy of the machine is being made for a new backup, and that goes first',
      'Take the snapshot when the machine is redundant again.',
    );
  }

  #prepare(): SnapshotAnswer {
    const beganMs = this.#deps.nowMs();
    const more = this.#deps.machine.hashAhead(HASH_PAGES);
    return { answer: 'prepared', more, stopMs: this.#deps.nowMs() - beganMs };
  }

  #pages(): SnapshotAnswer {
    const beganMs = this.#deps.nowMs();
    // Hashed while it runs, so that little is left to hash at the cut.
    this.#deps.machine.hash();
    const pages = this.#deps.machine.writtenPages();
    return { answer: 'pages', pages, stopMs: this.#deps.nowMs() - beganMs };
  }

  #cut(pause: boolean): Cut {
    const { machine, nowMs } = this.#deps;
    const beganMs = nowMs();
    this.#deps.flush();
    if (pause) this.#deps.pause();
    const pages = machine.writtenPages();
    const rest: GatheredPages[] = [];
    for (let from = 0; from < pages.length; ) {
      const { gathered, next } = gatherPages(pages, from, (page) => pageOf(machine, page));
      rest.push(gathered);
      from = next;
    }
    const state = machine.saveState();
    const { position, time } = machine;
    const hash = machine.hash();
    this.#end();
    return { rest, state, position, time, hash, stopMs: nowMs() - beganMs };
  }

  #end(): void {
    if (this.#copying) this.#deps.machine.endCopy();
    this.#copying = false;
  }

  #restore({ state, hash, position }: SnapshotQuestion & { ask: 'restore' }): SnapshotAnswer {
    const { machine } = this.#deps;
    machine.restoreState(state);
    if (machine.position !== position || machine.hash() !== hash) {
      throw new OperatingError(
        'state-malformed',
        'the machine put together from the snapshot is not the one that it was taken of: their hashes differ',
        'The snapshot is damaged; take a new one.',
      );
    }
    return {
      answer: 'restored',
      blockRequests: machine.inFlightBlockRequests(),
      entropyRequests: machine.inFlightEntropyRequests(),
    };
  }
}

/** A view: `gatherPages` makes the copy. */
function pageOf(machine: Machine, page: number): Uint8Array {
  const bytes = machine.sharedRam.length / machine.ramPages;
  return machine.sharedRam.subarray(page * bytes, (page + 1) * bytes);
}

/** What an answer may take with it instead of being copied. */
export function buffersOf(answer: SnapshotAnswer | DiagnosisAnswer): ArrayBuffer[] {
  if (answer.answer === 'pages') return [answer.pages.buffer];
  if (answer.answer !== 'cut') return [];
  return [answer.cut.state.buffer, ...answer.cut.rest.map(({ content }) => content.buffer)];
}
