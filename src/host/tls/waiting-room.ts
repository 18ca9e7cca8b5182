/**
 * Connections that have not shown yet who they are. There are so many at most, each for so long at most, and one more
 * pushes out the oldest: whoever opens connections and says nothing costs a bounded amount, and holds no place for good.
 */
import type { Socket } from 'node:net';

export type WaitingRoomOptions = { readonly places?: number; readonly patienceMs?: number };

const PLACES = 64;
const PATIENCE_MS = 10_000;

export class WaitingRoom {
  readonly #places: number;
  readonly #patienceMs: number;
  /** A Map keeps them in the order of their arrival. */
  readonly #waiting = new Map<Socket, NodeJS.Timeout>();

  constructor({ places = PLACES, patienceMs = PATIENCE_MS }: WaitingRoomOptions = {}) {
    this.#places = places;
    this.#patienceMs = patienceMs;
  }

  get waiting(): number {
    return this.#waiting.size;
  }

  /** From now on `socket` has to hurry; it is destroyed unless it leaves in time. */
  enter(socket: Socket): void {
    if (this.#waiting.size >= this.#places) {
      const [oldest] = this.#waiting.keys();
      oldest?.destroy();
      if (oldest !== undefined) this.leave(oldest);
    }
    this.#waiting.set(
      socket,
      setTimeout(() => socket.destroy(), this.#patienceMs),
    );
    socket.once('close', () => this.leave(socket));
  }

  /** Ends all that wait. */
  clear(): void {
    for (const socket of [...this.#waiting.keys()]) {
      socket.destroy();
      this.leave(socket);
    }
  }

  /** `socket` has shown who it is. */
  leave(socket: Socket): void {
    clearTimeout(this.#waiting.get(socket));
    this.#waiting.delete(socket);
  }
}
