/**
 * For tests only: a list that can be awaited, and a fake network card that speaks QEMU's framing to a real socket.
 */
import { once } from 'node:events';
import { connectTo, type StreamAddress } from './address.ts';
import { FramePort } from './frame-port.ts';

/** A list that can be awaited: `take()` is the next item, whenever it comes. */
export class Arrivals<T> {
  readonly #items: T[] = [];
  readonly #takers: ((item: T) => void)[] = [];

  readonly put = (item: T): void => {
    const taker = this.#takers.shift();
    if (taker === undefined) this.#items.push(item);
    else taker(item);
  };

  /** Items that have come and were not taken. */
  get waiting(): number {
    return this.#items.length;
  }

  take(): Promise<T> {
    if (this.#items.length > 0) return Promise.resolve(this.#items.shift()!);
    return new Promise((resolve) => this.#takers.push(resolve));
  }

  /** The next item for which `wanted` holds; those before it are thrown away. */
  async takeUntil(wanted: (item: T) => boolean): Promise<T> {
    for (;;) {
      const item = await this.take();
      if (wanted(item)) return item;
    }
  }
}

export type FakeCard = {
  readonly frames: Arrivals<Uint8Array>;
  readonly closed: Promise<void>;
  send(frame: Uint8Array): void;
  close(): void;
};

/** Connects a fake network card to whatever listens at `address`. */
export async function plugCard(address: StreamAddress): Promise<FakeCard> {
  const socket = connectTo(address);
  await once(socket, 'connect');
  const frames = new Arrivals<Uint8Array>();
  let ended: () => void;
  const closed = new Promise<void>((resolve) => {
    ended = resolve;
  });
  const port = new FramePort(socket, {
    onFrame: (frame) => frames.put(Uint8Array.from(frame)),
    onClose: () => ended(),
  });
  return { frames, closed, send: (frame) => port.send(frame), close: () => port.close() };
}
