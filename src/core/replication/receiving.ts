/**
 * The copies of a running machine that a backup is given, one after the other if need be (transfer.ts), each by a channel of
 * its own. The counterpart of copying.ts; what they mean for acknowledgements and claims is `Backup`'s affair.
 */
import type { CpuReport } from './cpu-link.ts';
import type { Cut, Message } from './message.ts';
import type { ChannelId, ReplicaAction, ReplicaEvent } from './replica.ts';
import type { TransferLimits, TransferProgress } from './transfer.ts';
import { TransferSink } from './transfer-sink.ts';

export interface ReceivingDeps {
  /** This host has an image of its own, which catches up meanwhile. */
  readonly mirrored: boolean;
  readonly act: (action: ReplicaAction) => void;
  /** On the log's channel. */
  readonly send: (message: Message) => void;
  /** The peer does not keep to the protocol. */
  readonly broken: (what: string) => void;
  /** The machine of this process holds what cannot be used nor taken out again. */
  readonly failed: (message: string) => void;
}

export class Receiving {
  readonly #deps: ReceivingDeps;
  #sink: TransferSink | undefined;
  #channel: ChannelId | undefined;
  #generation = 0;
  #count = 0;
  /** The transfer whose catch-up was ended. */
  #ended = 0;

  constructor(deps: ReceivingDeps) {
    this.#deps = deps;
  }

  /** Whether any copy was ever begun: the machine is not as new any more. */
  get used(): boolean {
    return this.#count > 0;
  }

  /** The machine was put together: no other copy can be laid over it. */
  get spoilt(): boolean {
    return this.#sink?.spoilt ?? false;
  }

  get progress(): TransferProgress | undefined {
    return this.#sink?.progress();
  }

  /** Where the machine was cut, if the copy is complete. */
  get complete(): Cut | undefined {
    return this.#sink?.complete ? this.#sink.point : undefined;
  }

  /** Calls the owner for the copy of this name, by `channel`. */
  begin(name: string, generation: number, channel: ChannelId, limits: TransferLimits): void {
    this.#generation = generation;
    this.#channel = channel;
    this.#sink = new TransferSink(
      ++this.#count,
      name,
      limits,
      {
        command: (command) => this.#deps.act({ type: 'cpu', command }),
        broken: this.#deps.broken,
      },
      this.#deps.mirrored,
    );
    this.#deps.act({ type: 'connect', channel });
    this.tell();
  }

  has(channel: ChannelId): boolean {
    return channel === this.#channel;
  }

  /** Its channel is open. */
  opened(): void {
    const { name } = this.#sink!;
    const message = { type: 'join', generation: this.#generation, transfer: name } as const;
    this.#deps.act({ type: 'send', channel: this.#channel!, message });
    if (this.#deps.mirrored) this.#deps.act({ type: 'catch-up', transfer: this.#sink!.number, step: 'take' });
  }

  /** News of the image that catches up. */
  caughtUp(event: ReplicaEvent & { type: 'catch-up-complete' | 'catch-up-send' | 'catch-up-failed' }): void {
    if (event.transfer !== this.#sink?.number) return;
    if (event.type === 'catch-up-failed') return this.#deps.failed(event.why);
    if (event.type === 'catch-up-send') {
      if (this.#channel === undefined) return;
      const message = { type: 'blocks', generation: this.#generation, bytes: event.bytes } as const;
      return this.#deps.act({ type: 'send', channel: this.#channel, message });
    }
    this.#sink.caughtUp();
    this.tell();
  }

  /** Its channel is gone. */
  lost(): void {
    this.#channel = undefined;
  }

  close(): void {
    if (this.#channel !== undefined) this.#deps.act({ type: 'close', channel: this.#channel });
    this.#channel = undefined;
    if (this.#sink === undefined || !this.#deps.mirrored || this.#ended === this.#sink.number) return;
    this.#ended = this.#sink.number;
    this.#deps.act({ type: 'catch-up', transfer: this.#ended, step: 'end' });
  }

  /** A message on its channel. */
  piece(message: Message): void {
    const ours = message.generation === this.#generation;
    if (ours && message.type === 'piece') this.#sink!.piece(message);
    else if (ours && message.type === 'blocks' && this.#deps.mirrored)
      this.#deps.act({ type: 'catch-up-data', transfer: this.#sink!.number, bytes: message.bytes });
    else if (message.type === 'refuse') this.#deps.broken(`the primary gives no copy: ${message.message}`);
    else this.#deps.broken(`it says ${message.type} on the transfer channel`);
  }

  cut(message: Cut): void {
    this.#sink!.cut(message);
  }

  /** The pair's record was read. */
  recorded(): void {
    this.#sink!.record();
    this.tell();
  }

  report(report: CpuReport & { type: 'installed' | 'install-verified' | 'install-failed' }): void {
    if (report.transfer !== this.#sink?.number) return;
    if (report.type === 'install-failed') return this.#deps.failed(report.message);
    if (report.type === 'installed') this.#sink.installed(report);
    else this.#sink.verify();
    this.tell();
  }

  /** Tells the owner how far it is. */
  tell(): void {
    if (this.#sink !== undefined) this.#deps.send(this.#sink.message(this.#generation));
  }
}
