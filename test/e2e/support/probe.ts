/**
 * The client whose waits are the gap: one connection to redis, one INCR after the other with a short pause, each answer checked. It
 * remembers every wait that is longer than usual, with its time, so that it can be said afterwards which fault it belongs to.
 */
import { RedisConnection } from './redis-connection.ts';

/** From a request to its answer. Times are of the wall clock. */
export type Wait = { readonly startMs: number; readonly endMs: number };

const PAUSE_MS = 5;
const KEPT_FROM_MS = 5;

export class Probe {
  /** Long waits, in order. */
  readonly waits: Wait[] = [];
  problem: string | undefined;
  readonly #connection: RedisConnection;
  #stopping = false;
  #done: Promise<void> = Promise.resolve();

  private constructor(connection: RedisConnection) {
    this.#connection = connection;
  }

  static async open(port: number, host: string): Promise<Probe> {
    const connection = await RedisConnection.open(port, () => {}, host);
    const [set] = await connection.ask([['SET', 'probe', '0']]);
    const probe = new Probe(connection);
    if (set !== 'OK') probe.problem = `SET gave ${String(set)}`;
    probe.#done = probe.#run();
    return probe;
  }

  /** Waits for the answer that is due. */
  async close(): Promise<void> {
    this.#stopping = true;
    await this.#done;
    this.#connection.close();
  }

  async #run(): Promise<void> {
    for (let count = 1; !this.#stopping; count++) {
      const startMs = Date.now();
      try {
        const [answer] = await this.#connection.ask([['INCR', 'probe']]);
        if (answer !== count) this.problem ??= `the probe got ${String(answer)} where ${count} was due`;
      } catch (error) {
        this.problem ??= `the probe's connection broke: ${error instanceof Error ? error.message : error}`;
        return;
      }
      const endMs = Date.now();
      if (endMs - startMs >= KEPT_FROM_MS) this.waits.push({ startMs, endMs });
      await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
    }
  }
}
