/**
 * The logging channel of a simulated cluster: messages go through the real codec, in order, with delays. A direction can be
 * stalled (a partition: what was sent arrives after it heals, as TCP does), and the channel can be broken.
 */
import type { Message } from '../src/core/replication/message.ts';
import { decodeMessage, encodeMessage } from '../src/core/replication/message-codec.ts';
import type { Random } from './random.ts';
import type { Schedule } from './schedule.ts';

export interface LinkEnd {
  message(message: Message): void;
  closed(why: string): void;
}

/** One direction's deliveries: messages, and at last the end. */
type Delivery = { readonly bytes: Uint8Array } | { readonly end: string };

/** The way from one host to the other, for all channels: it may be stalled. Never changes the order. */
export class Way {
  #stalled = false;
  /** What this way is like: a message takes up to this much longer. */
  usualSlowMs = 0;
  /** And while it is slow, this much. */
  slowMs = 0;
  readonly #queue: { readonly dueMs: number; readonly deliver: () => void }[] = [];
  #lastMs = 0;
  readonly #schedule: Schedule;
  readonly #random: Random;

  constructor(schedule: Schedule, random: Random) {
    this.#schedule = schedule;
    this.#random = random;
  }

  get stalled(): boolean {
    return this.#stalled;
  }

  stall(stalled: boolean): void {
    this.#stalled = stalled;
    this.#pump();
  }

  carry(deliver: () => void): void {
    const { nowMs } = this.#schedule;
    this.#lastMs = Math.max(
      this.#lastMs,
      nowMs + this.#random.between(0.1, 0.6 + Math.max(this.slowMs, this.usualSlowMs)),
    );
    this.#queue.push({ dueMs: this.#lastMs, deliver });
    this.#schedule.after(this.#lastMs - nowMs, () => this.#pump());
  }

  #pump(): void {
    while (!this.#stalled && this.#queue.length > 0 && this.#queue[0]!.dueMs <= this.#schedule.nowMs + 1e-9) {
      this.#queue.shift()!.deliver();
    }
  }
}

/** One connection. Ends are 0 and 1; `ways[0]` leads from 0 to 1. */
export class Link {
  readonly #ways: readonly [Way, Way];
  readonly #ends: readonly [LinkEnd, LinkEnd];
  /** Per end: it has closed, or was told of the end. */
  readonly #done = [false, false];
  #vanished: 0 | 1 | undefined;

  constructor(ways: readonly [Way, Way], ends: readonly [LinkEnd, LinkEnd]) {
    this.#ways = ways;
    this.#ends = ends;
  }

  /** Whether this end is done with it. */
  closed(end: 0 | 1): boolean {
    return this.#done[end]!;
  }

  send(from: 0 | 1, message: Message): void {
    if (!this.#done[from]) this.#deliver(from, { bytes: encodeMessage(message) });
  }

  /** This end closes in good order, or its process was killed: the other hears of it after all that was sent. */
  close(from: 0 | 1, why: string): void {
    if (this.#done[from]) return;
    this.#deliver(from, { end: why });
    this.#done[from] = true;
  }

  /** The network breaks it: both ends hear of it, each when the way to it allows. */
  cut(): void {
    this.#deliver(0, { end: 'cut' });
    this.#deliver(1, { end: 'cut' });
  }

  /** The host at this end is gone without a word: nothing more comes from it, and nothing of what was under way. */
  vanish(from: 0 | 1): void {
    this.#done[from] = true;
    this.#vanished = from;
  }

  #deliver(from: 0 | 1, delivery: Delivery): void {
    const to = from === 0 ? 1 : 0;
    this.#ways[from].carry(() => {
      if (this.#done[to] || this.#vanished === from) return;
      if ('bytes' in delivery) return this.#ends[to].message(decodeMessage(delivery.bytes));
      this.#done[to] = true;
      this.#ends[to].closed(delivery.end);
    });
  }
}
