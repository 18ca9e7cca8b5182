/**
 * Load on redis that can go on for ever: each connection has a fixed number of keys of its own, sets them anew, increments counters and reads back,
 * and knows what every answer must be. What redis holds does not grow.
 */
import { type Random, randomFrom } from '../../test/e2e/support/random.ts';
import { RedisConnection, type Reply } from '../../test/e2e/support/redis-connection.ts';

/** Commands that a connection keeps in flight. */
const DEPTHS = [1, 1, 4, 16] as const;
const KEYS = 200;
const LONGEST = 4000;

interface Asked {
  readonly command: readonly string[];
  readonly expected: Reply;
}

class SteadyClient {
  readonly #random: Random;
  readonly #connection: RedisConnection;
  readonly #id: number;
  readonly #values = new Map<string, string>();
  #counter = 0;
  #round = 0;
  #stopping = false;
  answers = 0;
  readonly wrong: string[] = [];
  broken: string | undefined;

  constructor(id: number, random: Random, connection: RedisConnection) {
    this.#id = id;
    this.#random = random;
    this.#connection = connection;
  }

  async drive(): Promise<void> {
    while (!this.#stopping) {
      const asked = Array.from({ length: DEPTHS[this.#id % DEPTHS.length] }, () => this.#next());
      try {
        const replies = await this.#connection.ask(asked.map(({ command }) => command));
        for (const [at, { command, expected }] of asked.entries()) this.#check(command, expected, replies[at]);
      } catch (error) {
        if (!this.#stopping) this.broken = error instanceof Error ? error.message : String(error);
        return;
      }
    }
  }

  #next(): Asked {
    const choice = this.#random(10);
    const key = `soak:${this.#id}:${this.#random(KEYS)}`;
    if (choice < 4) {
      const value = `${key}=${this.#round++};`.padEnd(this.#random(LONGEST), key);
      this.#values.set(key, value);
      return { command: ['SET', key, value], expected: 'OK' };
    }
    if (choice < 6) return { command: ['INCR', `soak:counter:${this.#id}`], expected: ++this.#counter };
    return { command: ['GET', key], expected: this.#values.get(key) ?? null };
  }

  #check(command: readonly string[], expected: Reply, reply: Reply): void {
    this.answers++;
    if (reply === expected) return;
    const show = (value: Reply): string => String(value instanceof Error ? value.message : value).slice(0, 60);
    this.wrong.push(`${command.slice(0, 2).join(' ')} gave ${show(reply)}, not ${show(expected)}`);
  }

  /** Ends behind the answers that are due. */
  stop(): void {
    this.#stopping = true;
  }

  /** Ends at once; answers that are due are missed from then on. */
  abandon(): void {
    this.broken ??= `connection ${this.#id}: its last answers have not come`;
    this.close();
  }

  close(): void {
    this.#stopping = true;
    this.#connection.close();
  }
}

export class SteadyLoad {
  readonly #clients: readonly SteadyClient[];
  readonly #done: Promise<unknown>;

  private constructor(clients: readonly SteadyClient[]) {
    this.#clients = clients;
    this.#done = Promise.all(clients.map((client) => client.drive()));
  }

  static async start(port: number, connections: number, seed: number): Promise<SteadyLoad> {
    const clients: SteadyClient[] = [];
    for (let id = 0; id < connections; id++) {
      clients.push(new SteadyClient(id, randomFrom(seed * 1000 + id), await RedisConnection.open(port)));
    }
    return new SteadyLoad(clients);
  }

  get answers(): number {
    return this.#clients.reduce((sum, { answers }) => sum + answers, 0);
  }

  /** Wrong answers and broken connections, in words. */
  get complaints(): string[] {
    return this.#clients.flatMap(({ wrong, broken }) => (broken === undefined ? wrong : [...wrong, broken]));
  }

  /** Waits for the answers that are due; a connection that gets none within `limitMs` is cut. */
  async finish(limitMs: number): Promise<void> {
    for (const client of this.#clients) client.stop();
    const late = setTimeout(() => {
      for (const client of this.#clients) client.abandon();
    }, limitMs);
    await this.#done;
    clearTimeout(late);
    for (const client of this.#clients) client.close();
  }
}
