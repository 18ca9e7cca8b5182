/**
 * A client of the guest's redis that counts: INCR, wait for the answer, a short pause, again, all on one connection. Each answer
 * must be exactly one more than the one before: less, and an acknowledged write was lost; more, and one was done twice.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { Intervals } from './intervals.ts';
import { RedisClient } from './redis-client.ts';

const KEY = 'understudy:counter';
const PAUSE_MS = 10;

export class CountingClient {
  /** The last answer. */
  value = 0;
  fault: string | undefined;
  /** From a request to its answer. */
  readonly waits = new Intervals();
  /** When the request was sent that has no answer yet. */
  askedMs: number | undefined;
  readonly #redis: RedisClient;
  readonly #onFault: (fault: string) => void;
  #closing = false;
  #counting: Promise<void> = Promise.resolve();

  private constructor(redis: RedisClient, onFault: (fault: string) => void) {
    this.#redis = redis;
    this.#onFault = onFault;
  }

  /** Connects, and sets the counter to zero. Rejects if redis does not answer. */
  static async connect(port: number, onFault: (fault: string) => void): Promise<CountingClient> {
    const redis = await RedisClient.connect(port);
    try {
      await redis.request('SET', KEY, '0');
    } catch (error) {
      redis.close();
      throw error;
    }
    return new CountingClient(redis, onFault);
  }

  start(): void {
    this.#counting = this.#count();
  }

  /** Stops counting, and reads the counter once more: it must be what the last answer said. */
  async finish(): Promise<void> {
    this.#closing = true;
    await this.#counting;
    if (this.fault !== undefined) return;
    try {
      const stored = Number(await this.#redis.request('GET', KEY));
      if (stored !== this.value) this.#fail(`redis acknowledged ${this.value}, and holds ${stored}`);
    } catch (error) {
      this.#fail(`the connection broke: ${messageOf(error)}`);
    }
  }

  close(): void {
    this.#closing = true;
    this.#redis.close();
  }

  async #count(): Promise<void> {
    while (!this.#closing) {
      const askedMs = performance.now();
      this.askedMs = askedMs;
      try {
        const answer = await this.#redis.request('INCR', KEY);
        if (answer !== this.value + 1) return this.#fail(`${this.value + 1} was due, and redis answered ${answer}`);
      } catch (error) {
        return this.#fail(`the connection broke: ${messageOf(error)}`);
      }
      this.value++;
      this.askedMs = undefined;
      this.waits.add(askedMs, performance.now());
      await sleep(PAUSE_MS);
    }
  }

  #fail(fault: string): void {
    if (this.fault !== undefined) return;
    this.fault = fault;
    this.#onFault(fault);
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
