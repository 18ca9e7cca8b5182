/**
 * The owner's half of a state transfer (transfer.ts): rounds of pages until the rest is small, the cut, and the wait for a
 * backup that has verified it all. It decides nothing about outputs or claims; `Primary` does.
 *
 * A guest that writes faster than the link carries would never be done. It is slowed in steps, by the speed control that
 * also serves a lagging backup; after a bounded number of rounds it is stopped for what is left, or the transfer is given
 * up if even that is too much.
 */
import type { CpuCommand, CpuReport } from './cpu-link.ts';
import type { Message, Receiving } from './message.ts';
import type { ReplicaAction } from './replica.ts';
import {
  MAX_PIECE_BYTES,
  PAGE_BYTES,
  PIECE_SLACK_BYTES,
  type PieceKind,
  type TransferLimits,
  type TransferProgress,
} from './transfer.ts';

/** `cutAt`: the machine was cut, behind this output. */
export type CatchUpStep = 'give' | 'paired' | 'end' | { readonly cutAt: number };

export interface TransferSourceDeps {
  readonly command: (command: CpuCommand) => void;
  /** The same, with the limits of the log that begins there. */
  readonly cut: (command: Omit<CpuCommand & { type: 'copy-cut' }, 'logBytes' | 'outputBytes'>) => void;
  /** Asks the copier for a piece; `copied` brings it. */
  readonly copy: (pages: (ReplicaAction & { type: 'copy' })['pages']) => void;
  /** On the transfer's own channel, and on the log's. */
  readonly sendPiece: (message: Message & { type: 'piece' }) => void;
  readonly send: (message: Message) => void;
  /** With a mirrored disk: what the other image needs, before any page of memory and after the cut. */
  readonly catchUp?: (step: CatchUpStep) => void;
  /** The rest is small: the pair's record should be at the arbiter now. Called once. */
  readonly nearlyDone: () => void;
  readonly fail: (why: string) => void;
}

type Stage =
  /** The other channel is missing. */
  | 'joining'
  /** The other host's image is behind. */
  | 'catching-up'
  | 'collecting'
  /** Pages are copied. */
  | 'round'
  /** Little is left; the backup takes in what was sent. */
  | 'settling'
  /** For the record, with little left. */
  | 'waiting'
  | 'cutting'
  | 'sending-rest'
  | 'verified'
  | 'failed';

const SLOW_DOWN = 0.7;
/** A round that leaves more than this part of the one before does not get anywhere. */
const SHRINKS = 0.7;
const MAX_DECLINED = 5;
const NO_PAGES = new Uint32Array(0);

export class TransferSource {
  /** Which of this process's transfers, and its name on the wire. */
  readonly number: number;
  readonly name: string;
  readonly generation: number;
  readonly #limits: TransferLimits;
  readonly #deps: TransferSourceDeps;
  #stage: Stage = 'joining';
  #round = 0;
  /** Of this round: all, how many were handed to the copier, and pieces that it works on. */
  #pages: Uint32Array<ArrayBuffer> = NO_PAGES;
  #taken = 0;
  #copying = 0;
  /** Of the last pieces, which the cut brought: those that are made, and wait for room. */
  #rest: { readonly kind: PieceKind; readonly bytes: Uint8Array<ArrayBuffer> }[] = [];
  #pieces = 0;
  #sentBytes = 0;
  #donePages = 0;
  #installed = 0;
  #credit = 0;
  #small = false;
  /** Rounds that left too much, one after the other; and cuts that the CPU thread has declined for the same reason. */
  #busyRounds = 0;
  #declined = 0;
  #asked = false;
  #recorded = false;
  /** It does not get smaller: the guest is stopped for what there is. */
  #forced = false;
  #speed = 1;
  #roundMs = 0;
  /** All rounds together. */
  #copiedMs = 0;
  #progressMs: number;
  #cutMs: number | undefined;

  constructor(
    options: { readonly number: number; readonly name: string; readonly generation: number },
    limits: TransferLimits,
    deps: TransferSourceDeps,
    nowMs: number,
  ) {
    this.number = options.number;
    this.name = options.name;
    this.generation = options.generation;
    this.#limits = limits;
    this.#deps = deps;
    this.#progressMs = nowMs;
  }

  /** The part of the time that the guest may use for the transfer's sake. */
  get speed(): number {
    return this.#speed;
  }

  get joined(): boolean {
    return this.#stage !== 'joining';
  }

  /** There is a mirrored disk. */
  get catchesUp(): boolean {
    return this.#deps.catchUp !== undefined;
  }

  /** Outputs wait from here: they lie behind the cut. */
  get isCut(): boolean {
    return this.#cutMs !== undefined;
  }

  /** The backup has all of it: `final` may be sent. */
  get verified(): boolean {
    return this.#stage === 'verified';
  }

  progress(): TransferProgress {
    return {
      round: this.#round,
      doneBytes: this.#donePages * PAGE_BYTES,
      leftBytes: (this.#pages.length - this.#taken) * PAGE_BYTES,
      sentBytes: this.#sentBytes,
    };
  }

  /** The backup has opened the transfer's own channel. */
  join(nowMs: number): void {
    this.#progressMs = nowMs;
    this.#stage = 'catching-up';
    if (this.#deps.catchUp === undefined) this.caughtUp(nowMs);
    else this.#deps.catchUp('give');
  }

  /** The other image has every region; the guest's writes follow. Memory is next. */
  caughtUp(nowMs: number): void {
    if (this.#stage !== 'catching-up') return;
    this.#progressMs = nowMs;
    this.#stage = 'collecting';
    this.#deps.command({ type: 'copy-begin', transfer: this.number });
  }

  /** The other host has said something of its image. */
  heard(nowMs: number): void {
    this.#progressMs = nowMs;
  }

  receiving(message: Receiving, nowMs: number): void {
    if (message.installed > this.#installed) this.#progressMs = nowMs;
    this.#installed = Math.max(this.#installed, message.installed);
    this.#credit = Math.max(this.#credit, message.credit);
    this.#recorded ||= message.recorded;
    const sent = this.#stage === 'sending-rest' && this.#rest.length === 0 && this.#copying === 0;
    if (message.verified && sent) this.#stage = 'verified';
    this.#goOn(nowMs);
  }

  /** Pages that were written: all of them at first. */
  collected(report: CpuReport & { type: 'copy-pages' }, nowMs: number): void {
    if (report.transfer !== this.number) return;
    const before = this.#pages.length;
    if (this.#stage === 'cutting') this.#declined++;
    this.#pages = report.pages;
    this.#taken = 0;
    this.#progressMs = nowMs;
    this.#roundMs = nowMs;
    this.#stage = 'round';
    this.#round++;
    if (this.#round > 1) this.#judge(before);
    this.#goOn(nowMs);
  }

  copied(bytes: Uint8Array<ArrayBuffer>, nowMs: number): void {
    if (this.#copying === 0 || bytes.length > MAX_PIECE_BYTES) return this.#fail('the copier made a wrong piece');
    this.#copying--;
    this.#progressMs = nowMs;
    if (this.#stage === 'sending-rest') this.#rest.push({ kind: 'pages', bytes });
    else this.#piece('pages', bytes);
    this.#goOn(nowMs);
  }

  /** The CPU thread has cut the machine out; the log begins here. */
  cut(report: CpuReport & { type: 'copy-cut' }, nowMs: number): void {
    this.#stage = 'sending-rest';
    this.#cutMs = nowMs;
    this.#progressMs = nowMs;
    this.#deps.catchUp?.({ cutAt: report.cut.outputs });
    const { cut, rest, state } = report;
    for (const pages of rest) {
      this.#copying++;
      this.#deps.copy(pages);
    }
    this.#rest = state.map((bytes) => ({ kind: 'state', bytes }));
    const pieces = this.#pieces + rest.length + state.length;
    this.#deps.send({ type: 'cut', generation: this.generation, ...cut, pieces });
    this.#goOn(nowMs);
  }

  tick(nowMs: number): void {
    const { idleRoundMs, stallMs, cutOverMs } = this.#limits;
    if (this.#cutMs !== undefined && nowMs - this.#cutMs >= cutOverMs) {
      return this.#fail('the backup has not verified its copy in time');
    }
    // How long the arbiter takes is not the backup's fault, and holds nothing up.
    if (this.#stage !== 'waiting' && nowMs - this.#progressMs >= stallMs) return this.#fail('nothing moves');
    if (this.#stage === 'waiting' && nowMs - this.#roundMs >= idleRoundMs) this.#collect(nowMs);
  }

  #goOn(nowMs: number): void {
    this.#sendRest();
    if (this.#stage === 'round') this.#copyOn(nowMs);
    // What the backup has not taken in by the cut would have to be waited for, together with what is left.
    if (this.#stage === 'settling' && this.#installed >= this.#sentBytes) this.#settled(nowMs);
    else if (this.#stage === 'waiting' && this.#recorded) this.#cutNow(nowMs);
  }

  #copyOn(nowMs: number): void {
    while (this.#taken < this.#pages.length && this.#copying < this.#limits.copiesAtOnce && this.#hasRoom()) {
      const pages = this.#pages.slice(this.#taken, this.#taken + this.#limits.pagesPerPiece);
      this.#taken += pages.length;
      this.#donePages += pages.length;
      this.#copying++;
      this.#deps.copy(pages);
    }
    if (this.#taken < this.#pages.length || this.#copying > 0) return;
    this.#copiedMs += nowMs - this.#roundMs;
    if (!this.#small) return this.#collect(nowMs);
    this.#stage = 'settling';
    this.#askOnce();
  }

  #settled(nowMs: number): void {
    this.#stage = 'waiting';
    if (this.#recorded) this.#cutNow(nowMs);
  }

  /** What the copier has in hand finds room as well. */
  #hasRoom(): boolean {
    const pieceBytes = this.#limits.pagesPerPiece * PAGE_BYTES + PIECE_SLACK_BYTES;
    return this.#sentBytes + (this.#copying + 1) * pieceBytes <= this.#credit;
  }

  #sendRest(): void {
    for (let next = this.#rest[0]; next !== undefined; next = this.#rest[0]) {
      if (this.#sentBytes + next.bytes.length > this.#credit) return;
      this.#rest.shift();
      this.#piece(next.kind, next.bytes);
    }
  }

  #piece(kind: PieceKind, bytes: Uint8Array<ArrayBuffer>): void {
    this.#sentBytes += bytes.length;
    this.#deps.sendPiece({ type: 'piece', generation: this.generation, number: ++this.#pieces, kind, bytes });
  }

  #collect(nowMs: number): void {
    this.#stage = 'collecting';
    this.#progressMs = nowMs;
    this.#deps.command({ type: 'copy-collect', transfer: this.number });
  }

  #cutNow(nowMs: number): void {
    this.#stage = 'cutting';
    this.#progressMs = nowMs;
    // The guest has gone on since the last look: if it was busy, this is another look.
    const { maxCutPages, pagesPerPiece } = this.#limits;
    const maxPages = this.#forced ? maxCutPages : this.#fewPages();
    this.#deps.cut({ type: 'copy-cut', transfer: this.number, maxPages, pagesPerPiece });
  }

  /** Is what is left small? If it does not get smaller, the guest is too fast. */
  #judge(before: number): void {
    const { maxRounds, maxCutPages, slowest } = this.#limits;
    const left = this.#pages.length;
    this.#small = left <= this.#fewPages();
    this.#busyRounds = this.#small ? 0 : this.#busyRounds + 1;
    if (this.#small) return;
    if (this.#busyRounds > maxRounds || this.#declined > MAX_DECLINED) {
      if (left > maxCutPages) return this.#fail(`the guest writes too much: ${left} pages in a round`);
      this.#small = true;
      this.#forced = true;
    } else if (left > SHRINKS * before && this.#speed > slowest) {
      this.#speed = Math.max(slowest, this.#speed * SLOW_DOWN);
      this.#deps.command({ type: 'speed', fraction: this.#speed });
    }
  }

  /** So many pages are expected to be sent within the time for it, at the pace of the rounds so far. */
  #fewPages(): number {
    const { cutPages, cutTargetMs, maxCutPages } = this.#limits;
    const inTime = Math.floor((cutTargetMs * this.#donePages) / Math.max(1, this.#copiedMs));
    return Math.max(cutPages, Math.min(maxCutPages, inTime));
  }

  #fail(why: string): void {
    this.#stage = 'failed';
    this.#deps.fail(why);
  }

  #askOnce(): void {
    if (this.#asked) return;
    this.#asked = true;
    this.#deps.nearlyDone();
  }
}
