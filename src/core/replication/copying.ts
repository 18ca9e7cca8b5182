/**
 * The copies that an owner makes of its running machine, one after the other if need be (transfer.ts): each has its own name
 * and its own channel. What they mean for outputs and claims is `Primary`'s affair.
 */
import { tokenOf } from './arbiter-protocol.ts';
import type { CpuCommand, CpuReport } from './cpu-link.ts';
import type { Message, Receiving } from './message.ts';
import { leanReads } from './output-path.ts';
import type { ChannelId, ReplicaAction, ReplicaEvent, ReplicaOptions } from './replica.ts';
import type { TransferProgress } from './transfer.ts';
import { type CatchUpStep, TransferSource } from './transfer-source.ts';

export interface CopyingDeps {
  readonly act: (action: ReplicaAction) => void;
  /** On the log's channel. */
  readonly send: (message: Message) => void;
  /** How far the CPU thread may go with the log that begins at the cut. */
  readonly limits: () => { logBytes: number; outputBytes: number };
  /** The rest is small: the pair's record should be at the arbiter now. */
  readonly nearlyDone: () => void;
  readonly fail: (why: string) => void;
}

export class Copying {
  readonly #options: Pick<ReplicaOptions, 'token' | 'transfer' | 'mirrored' | 'reads'>;
  readonly #deps: CopyingDeps;
  #source: TransferSource | undefined;
  #channel: ChannelId | undefined;
  #count = 0;

  constructor(options: Pick<ReplicaOptions, 'token' | 'transfer' | 'mirrored' | 'reads'>, deps: CopyingDeps) {
    this.#options = options;
    this.#deps = deps;
  }

  /** Outputs wait: they lie behind the cut. */
  get isCut(): boolean {
    return this.#source?.isCut ?? false;
  }

  get progress(): TransferProgress | undefined {
    return this.#source?.progress();
  }

  /** Begins another; returns its name. Only with `options.transfer`. */
  begin(generation: number, nowMs: number): string {
    const number = ++this.#count;
    const name = tokenOf(this.#options.token, `copy ${number}`);
    const command = (what: CpuCommand): void => this.#deps.act({ type: 'cpu', command: what });
    this.#source = new TransferSource(
      { number, name, generation },
      this.#options.transfer!,
      {
        command,
        cut: (what) => command({ ...what, ...this.#deps.limits(), ...leanReads(this.#options) }),
        copy: (pages) => this.#deps.act({ type: 'copy', transfer: number, pages }),
        sendPiece: (message) => this.#deps.act({ type: 'send', channel: this.#channel!, message }),
        send: this.#deps.send,
        ...(this.#options.mirrored === true ? { catchUp: (step: CatchUpStep) => this.#catchUp(number, step) } : {}),
        nearlyDone: this.#deps.nearlyDone,
        fail: this.#deps.fail,
      },
      nowMs,
    );
    return name;
  }

  /** False if nobody waits for this channel. */
  joins(channel: ChannelId, name: string, nowMs: number): boolean {
    if (this.#source === undefined || this.#source.joined || this.#source.name !== name) return false;
    this.#channel = channel;
    this.#source.join(nowMs);
    return true;
  }

  /** What the other host says on the transfer's channel; false if it has nothing to say there. */
  blocks(message: Message, nowMs: number): boolean {
    if (message.type !== 'blocks' || this.#source?.catchesUp !== true) return false;
    this.#source.heard(nowMs);
    this.#deps.act({ type: 'catch-up-data', transfer: this.#source.number, bytes: message.bytes });
    return true;
  }

  /** News of the image that catches up. */
  caughtUp(event: ReplicaEvent & { type: 'caught-up' | 'catch-up-send' | 'catch-up-failed' }, nowMs: number): void {
    const source = this.#source;
    if (event.transfer !== source?.number) return;
    if (event.type === 'caught-up') return source.caughtUp(nowMs);
    if (event.type === 'catch-up-failed') return this.#deps.fail(event.why);
    if (this.#channel === undefined) return;
    const message = { type: 'blocks', generation: source.generation, bytes: event.bytes } as const;
    this.#deps.act({ type: 'send', channel: this.#channel, message });
  }

  /** The backup has acknowledged: the image of its copy is one of a pair now. */
  paired(): void {
    if (this.#source?.catchesUp === true) this.#catchUp(this.#source.number, 'paired');
  }

  #catchUp(transfer: number, step: CatchUpStep): void {
    if (typeof step === 'string') return this.#deps.act({ type: 'catch-up', transfer, step });
    const { generation } = this.#source!;
    this.#deps.act({ type: 'catch-up', transfer, step: 'cut', generation, sequence: step.cutAt });
  }

  has(channel: ChannelId): boolean {
    return channel === this.#channel;
  }

  /** Its channel is gone. */
  lost(): void {
    this.#channel = undefined;
  }

  /** True once the backup has verified all of it. */
  receiving(message: Receiving, nowMs: number): boolean {
    this.#source?.receiving(message, nowMs);
    return this.#source?.verified ?? false;
  }

  report(report: CpuReport & { type: 'copy-pages' | 'copy-cut' }, nowMs: number): void {
    if (report.transfer !== this.#source?.number) return;
    if (report.type === 'copy-cut') this.#source.cut(report, nowMs);
    else this.#source.collected(report, nowMs);
  }

  copied(event: ReplicaEvent & { type: 'copied' }, nowMs: number): void {
    if (event.transfer === this.#source?.number) this.#source.copied(event.bytes, nowMs);
  }

  tick(nowMs: number): void {
    this.#source?.tick(nowMs);
  }

  /** Closes its channel and forgets it. `fraction`: the part of the time that the guest may use from now on. */
  end(fraction: number): void {
    if (this.#channel !== undefined) this.#deps.act({ type: 'close', channel: this.#channel });
    this.#channel = undefined;
    if (this.#source === undefined) return;
    if (this.#source.speed < 1) this.#deps.act({ type: 'cpu', command: { type: 'speed', fraction } });
    if (this.#source.catchesUp) this.#catchUp(this.#source.number, 'end');
    this.#source = undefined;
    this.#deps.act({ type: 'cpu', command: { type: 'copy-end' } });
  }
}
