/**
 * The backup's half of a state transfer (transfer.ts): pieces go to the CPU thread as they come, room is given for more as
 * they are taken in, and once the cut is known and every piece is there the whole is restored and compared. Until `final`
 * it vouches for nothing.
 */
import type { CpuCommand, CpuReport } from './cpu-link.ts';
import type { Cut, Piece, Receiving } from './message.ts';
import type { TransferLimits, TransferProgress } from './transfer.ts';

export interface TransferSinkDeps {
  readonly command: (command: CpuCommand) => void;
  /** The peer does not keep to the protocol. */
  readonly broken: (what: string) => void;
}

export class TransferSink {
  /** Which of this process's transfers, and its name on the wire. */
  readonly number: number;
  readonly name: string;
  readonly #windowBytes: number;
  readonly #deps: TransferSinkDeps;
  #pieces = 0;
  #receivedBytes = 0;
  #installed = 0;
  #cut: Cut | undefined;
  #finishing = false;
  #recorded = false;
  #verified = false;
  /** The image of a mirrored disk equals the owner's at the cut. */
  #caughtUp: boolean;

  /** `mirrored`: an image of this host has to catch up as well. */
  constructor(number: number, name: string, limits: TransferLimits, deps: TransferSinkDeps, mirrored: boolean) {
    this.#caughtUp = !mirrored;
    this.number = number;
    this.name = name;
    this.#windowBytes = limits.windowBytes;
    this.#deps = deps;
    deps.command({ type: 'install-begin', transfer: number });
  }

  /** The whole state is here and compared, and the record is read: `final` may come. */
  get complete(): boolean {
    return this.#verified && this.#recorded && this.#caughtUp;
  }

  /** Nothing of the machine can be used by another transfer once it was put together. */
  get spoilt(): boolean {
    return this.#finishing;
  }

  get recorded(): boolean {
    return this.#recorded;
  }

  /** The cut, once it is known. */
  get point(): Cut | undefined {
    return this.#cut;
  }

  piece(message: Piece): void {
    if (message.number !== this.#pieces + 1) return this.#deps.broken(`piece ${message.number} out of order`);
    this.#pieces = message.number;
    this.#receivedBytes += message.bytes.length;
    if (this.#receivedBytes > this.#installed + this.#windowBytes)
      return this.#deps.broken('more than there is room for');
    if (this.#cut !== undefined && message.number > this.#cut.pieces) return this.#deps.broken('a piece too many');
    this.#deps.command({ type: 'install', kind: message.kind, bytes: message.bytes });
    this.#finishIfAll();
  }

  cut(message: Cut): void {
    if (this.#cut !== undefined || message.pieces < this.#pieces)
      return this.#deps.broken('it cuts twice, or too early');
    this.#cut = message;
    this.#finishIfAll();
  }

  installed(report: CpuReport & { type: 'installed' }): void {
    this.#installed = report.bytes;
  }

  record(): void {
    this.#recorded = true;
  }

  verify(): void {
    this.#verified = true;
  }

  caughtUp(): void {
    this.#caughtUp = true;
  }

  /** What the owner should know now. */
  message(generation: number): Receiving {
    const credit = this.#installed + this.#windowBytes;
    const [recorded, verified] = [this.#recorded, this.#verified && this.#caughtUp];
    return { type: 'receiving', generation, installed: this.#installed, credit, recorded, verified };
  }

  /** In bytes of pieces: rounds and sizes of memory are the owner's to know. */
  progress(): TransferProgress {
    const leftBytes = this.#receivedBytes - this.#installed;
    return { round: 0, doneBytes: this.#installed, leftBytes, sentBytes: this.#receivedBytes };
  }

  #finishIfAll(): void {
    if (this.#finishing || this.#cut === undefined || this.#pieces < this.#cut.pieces) return;
    this.#finishing = true;
    this.#deps.command({ type: 'install-end', cut: this.#cut });
  }
}
