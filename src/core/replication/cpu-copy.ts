/**
 * State transfer on the CPU thread (transfer.ts): the giving machine says which pages were written and is cut out of time
 * between two steps; the taking one is put together from pieces, and compared as a whole before it may follow.
 *
 * Only this thread clears written-page flags, and before anybody copies (MACHINE.md, 13). Outside the cut it copies nothing: that
 * is the host's copier's, while the guest runs. In the cut it takes the rest out by itself, because the guest stands still
 * until it is done, and a way to another thread and back would be longer; pieces are made of it afterwards, by the copier.
 *
 * Both sides hash memory ahead, a page at a time as it is written or comes in; the machine keeps each page's hash and replaces it when
 * the page changes. So what is left at the end, while the guest stands still or its outputs wait, is the hash of the last
 * pieces, the registers and the devices: yet what is compared is the whole state (PROTOCOL.md, 21).
 */
import { MalformedError } from '../base/byte-reader.ts';
import { OperatingError } from '../base/error.ts';
import type { ReplicatedMachine } from '../vm/machine-interface.ts';
import { type GatheredPages, gatherPages } from '../vm/page-pieces.ts';
import type { CpuCommand, CpuReport } from './cpu-link.ts';
import { type CutPoint, PAGE_BYTES, type PieceKind } from './transfer.ts';

/** Writes a piece's pages into a machine. Throws MalformedError or OperatingError on bytes that make no sense. */
export type InstallPiece = (machine: ReplicatedMachine, bytes: Uint8Array) => void;

/** Pages that the giving side hashes between two slices of its guest: a stop of about half a millisecond. */
const HASHED_AT_ONCE = 2048;

type Report = (report: CpuReport) => void;
type Part = { readonly kind: PieceKind; readonly bytes: Uint8Array<ArrayBuffer> };

/** Parts of `array`, each but the last of this length. */
function partsOf<Slice>(
  array: { readonly length: number; slice(from: number, to: number): Slice },
  length: number,
): Slice[] {
  const count = Math.ceil(array.length / length);
  return Array.from({ length: count }, (_, part) => array.slice(part * length, (part + 1) * length));
}

/** The giving side. */
export class CopyGiver {
  readonly #machine: ReplicatedMachine;
  readonly #report: Report;
  #transfer: number | undefined;
  /** Pages may have been written that are not hashed yet. */
  #unhashed = false;

  constructor(machine: ReplicatedMachine, report: Report) {
    this.#machine = machine;
    this.#report = report;
  }

  begin(transfer: number): void {
    this.end();
    this.#transfer = transfer;
    this.#machine.beginCopy('zeroes');
    this.collect(transfer);
  }

  collect(transfer: number): void {
    if (transfer !== this.#transfer) return;
    this.#collected(transfer, this.#machine.writtenPages());
  }

  #collected(transfer: number, pages: Uint32Array<ArrayBuffer>): void {
    this.#unhashed = true;
    this.#report({ type: 'copy-pages', transfer, pages });
  }

  /**
   * Between two slices: hashes some of what was written until the last collection, so that little is left to hash in the
   * cut. True if there is more of it.
   */
  hashAhead(): boolean {
    if (this.#unhashed) this.#unhashed = this.#machine.hashAhead(HASHED_AT_ONCE);
    return this.#unhashed;
  }

  /** Takes the rest out; false, and an ordinary collection, if it is too much. */
  cut(command: CpuCommand & { type: 'copy-cut' }, point: Omit<CutPoint, 'hash' | 'position' | 'time'>): boolean {
    const { transfer, maxPages, pagesPerPiece } = command;
    if (transfer !== this.#transfer) return false;
    const machine = this.#machine;
    const pages = machine.writtenPages();
    if (pages.length > maxPages) {
      this.#collected(transfer, pages);
      return false;
    }
    const rest = partsOf(pages, pagesPerPiece).map((part) => this.#gathered(part));
    const state = partsOf(machine.saveState(), pagesPerPiece * PAGE_BYTES);
    const { position, time } = machine;
    this.#report({ type: 'copy-cut', transfer, cut: { ...point, position, time, hash: machine.hash() }, rest, state });
    this.end();
    return true;
  }

  #gathered(pages: Uint32Array): GatheredPages {
    return gatherPages(pages, 0, (page) => this.#machine.readPage(page), pages.length).gathered;
  }

  end(): void {
    if (this.#transfer !== undefined) this.#machine.endCopy();
    this.#transfer = undefined;
    this.#unhashed = false;
  }
}

/** The taking side. */
export class CopyTaker {
  readonly #machine: ReplicatedMachine;
  readonly #install: InstallPiece;
  readonly #report: Report;
  readonly #transfer: number;
  #state: Uint8Array<ArrayBuffer>[] = [];
  #bytes = 0;
  #failed = false;

  constructor(transfer: number, machine: ReplicatedMachine, install: InstallPiece, report: Report) {
    this.#transfer = transfer;
    this.#machine = machine;
    this.#install = install;
    this.#report = report;
    blank(machine);
  }

  install({ kind, bytes }: Part): void {
    this.#try(() => {
      if (kind === 'state') this.#state.push(bytes);
      else {
        this.#install(this.#machine, bytes);
        this.#machine.hashAhead(this.#machine.ramPages);
      }
      this.#bytes += bytes.length;
      this.#report({ type: 'installed', transfer: this.#transfer, bytes: this.#bytes });
    });
  }

  /** True if the machine is now the one that was cut. */
  finish(cut: CutPoint): boolean {
    this.#try(() => {
      const machine = this.#machine;
      machine.restoreState(joined(this.#state));
      this.#state = [];
      if (machine.position !== cut.position) this.#fail(`it is at ${machine.position}, the cut at ${cut.position}`);
      else if (machine.hash() !== cut.hash)
        this.#fail('its hash is another than that of the machine it was copied from');
      else this.#report({ type: 'install-verified', transfer: this.#transfer });
    });
    return !this.#failed;
  }

  #try(work: () => void): void {
    if (this.#failed) return;
    try {
      work();
    } catch (error) {
      if (!(error instanceof OperatingError) && !(error instanceof MalformedError)) throw error;
      this.#fail(error.message);
    }
  }

  #fail(message: string): void {
    this.#failed = true;
    this.#report({ type: 'install-failed', transfer: this.#transfer, message });
  }
}

/** Pages that were never written are not sent: they hold zeroes, whatever a boot loader or another transfer has left here. */
function blank(machine: ReplicatedMachine): void {
  const zeroes = new Uint8Array(PAGE_BYTES);
  machine.beginCopy('zeroes');
  for (const page of machine.writtenPages()) machine.writePage(page, zeroes);
  machine.endCopy();
}

function joined(parts: readonly Uint8Array[]): Uint8Array {
  const all = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}
