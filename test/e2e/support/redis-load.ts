/**
 * Load on redis from outside, by clients that check every answer and can tell afterwards whether anything that was
 * acknowledged is gone, or anything that was not is half there.
 *
 * Each connection has its own keys, so it knows what every answer must be:
 *   SET     a value that is like no other, from a few bytes to many segments
 *   INCR    a counter: a command that is lost or done twice shows at once
 *   MULTI   two keys that are set together: both or neither
 *   GET     a key that was written earlier
 */
import { type Random, randomFrom } from './random.ts';
import { RedisConnection, type Reply } from './redis-connection.ts';
import { Silence } from './silence.ts';

export interface LoadReport {
  readonly commands: number;
  readonly acknowledgedWrites: number;
  /** Answers that were not what they had to be. */
  readonly wrongAnswers: readonly string[];
  readonly brokenConnections: readonly string[];
  /** Acknowledged writes that are not there. */
  readonly lost: readonly string[];
  /** Writes without an answer that are there in part. */
  readonly torn: readonly string[];
}

/** Commands that a connection keeps in flight, by its number. */
const DEPTHS = [1, 1, 4, 32] as const;
const CHECKED_AT_ONCE = 200;

interface Operation {
  readonly commands: readonly (readonly string[])[];
  /** The reply to the last command; the ones before it answer OK or QUEUED. */
  readonly expected: string | number | readonly string[];
  readonly writes: readonly { readonly key: string; readonly value: string }[];
}

class LoadClient {
  readonly silence = new Silence();
  readonly wrong: string[] = [];
  commands = 0;
  acknowledged = 0;
  broken: string | undefined;
  /** Acknowledged: these must be there. The value is made again from the key. */
  readonly #written: string[] = [];
  /** Sent, with no answer yet. Each inner list stands or falls together. */
  #pending: (readonly string[])[] = [];
  readonly #id: number;
  readonly #random: Random;
  readonly #connection: RedisConnection;
  #counter = 0;
  #next = 0;

  constructor(id: number, random: Random, connection: RedisConnection) {
    this.#id = id;
    this.#random = random;
    this.#connection = connection;
  }

  /** One burst of commands; false when the connection is broken. */
  async burst(): Promise<boolean> {
    const operations: Operation[] = [];
    const depth = DEPTHS[this.#id % DEPTHS.length];
    for (let i = 0; i < depth; i++) operations.push(this.#operation());
    this.#pending = operations.map(({ writes }) => writes.map(({ key }) => key));
    let replies: Reply[];
    try {
      replies = await this.#connection.ask(operations.flatMap(({ commands }) => commands));
    } catch (error) {
      this.broken = `connection ${this.#id}: ${error instanceof Error ? error.message : error}`;
      return false;
    }
    let at = 0;
    for (const operation of operations) {
      this.#check(operation, replies.slice(at, at + operation.commands.length));
      at += operation.commands.length;
    }
    this.#pending = [];
    return true;
  }

  #operation(): Operation {
    const n = this.#next++;
    const choice = this.#random(10);
    if (choice < 4) return setOperation(`set:${this.#id}:${n}`);
    if (choice < 7) {
      this.#counter++;
      return { commands: [['INCR', `counter:${this.#id}`]], expected: this.#counter, writes: [] };
    }
    if (choice < 8) {
      const writes = ['left', 'right'].map((side) => keyAndValue(`${side}:${this.#id}:${n}`));
      const sets = writes.map(({ key, value }) => ['SET', key, value]);
      return { commands: [['MULTI'], ...sets, ['EXEC']], expected: ['OK', 'OK'], writes };
    }
    const known = this.#written[this.#random(this.#written.length)];
    if (known === undefined) return setOperation(`set:${this.#id}:${n}`);
    return { commands: [['GET', known]], expected: contentOf(known), writes: [] };
  }

  #check({ commands, expected, writes }: Operation, replies: readonly Reply[]): void {
    this.commands += commands.length;
    const last = replies.at(-1);
    const right = JSON.stringify(last) === JSON.stringify(expected) && !(last instanceof Error);
    if (!right) this.wrong.push(`${commands.at(-1)!.slice(0, 2).join(' ')} gave ${show(last)}, not ${show(expected)}`);
    if (commands[0][0] !== 'GET') this.acknowledged++;
    for (const { key } of writes) this.#written.push(key);
  }

  /** What must be there, and what may be there or not, asked for by a connection that has seen nothing of it. */
  async verify(checker: RedisConnection): Promise<{ lost: string[]; torn: string[] }> {
    const lost: string[] = [];
    for (let at = 0; at < this.#written.length; at += CHECKED_AT_ONCE) {
      const keys = this.#written.slice(at, at + CHECKED_AT_ONCE);
      const values = await checker.ask(keys.map((key) => ['GET', key]));
      keys.forEach((key, i) => {
        if (values[i] !== contentOf(key)) lost.push(`${key} is ${show(values[i])}`);
      });
    }
    if (this.broken === undefined) {
      const [counter] = await checker.ask([['GET', `counter:${this.#id}`]]);
      if (Number(counter) !== this.#counter) lost.push(`counter:${this.#id} is ${show(counter)}, not ${this.#counter}`);
    }
    return { lost, torn: await this.#torn(checker) };
  }

  async #torn(checker: RedisConnection): Promise<string[]> {
    const torn: string[] = [];
    for (const keys of this.#pending.filter((together) => together.length > 0)) {
      const values = await checker.ask(keys.map((key) => ['GET', key]));
      const whole = keys.every((key, i) => values[i] === contentOf(key));
      const none = values.every((value) => value === null);
      if (!whole && !none) torn.push(`${keys.join(' and ')}: ${values.map(show).join(' and ')}`);
    }
    return torn;
  }
}

export class RedisLoad {
  readonly #port: number;
  readonly #host: string | undefined;
  readonly #clients: LoadClient[] = [];
  readonly #connections: RedisConnection[] = [];
  #answers = 0;
  #waiting: { readonly answers: number; readonly resolve: () => void }[] = [];
  #stopping = false;
  #done: Promise<void> = Promise.resolve();

  private constructor(port: number, host: string | undefined) {
    this.#port = port;
    this.#host = host;
  }

  static async start(port: number, connections: number, seed: number, host?: string): Promise<RedisLoad> {
    const load = new RedisLoad(port, host);
    for (let id = 0; id < connections; id++) {
      const connection = await RedisConnection.open(port, () => load.#answered(client), host);
      const client: LoadClient = new LoadClient(id, randomFrom(seed * 1000 + id), connection);
      load.#clients.push(client);
      load.#connections.push(connection);
    }
    load.#done = Promise.all(load.#clients.map((client) => load.#drive(client))).then(() => {});
    return load;
  }

  get answers(): number {
    return this.#answers;
  }

  /** Resolves when so many answers have come in all, or when no connection is left. */
  async hasAnswered(answers: number): Promise<void> {
    const enough = new Promise<void>((resolve) => {
      if (this.#answers >= answers) resolve();
      else this.#waiting.push({ answers, resolve });
    });
    await Promise.race([enough, this.#done]);
  }

  /** For people: how each connection fares. */
  get state(): string {
    const of = ({ commands, silence, broken }: LoadClient): string =>
      `${commands} commands, last answer ${silence.sinceMs} ms ago${broken === undefined ? '' : `, ${broken}`}`;
    return this.#clients.map(of).join('; ');
  }

  /** Forgets earlier silences. Returns the longest one of any connection until now, in ms. */
  resetSilence(): number {
    return Math.max(...this.#clients.map(({ silence }) => silence.reset()));
  }

  /** The longest time that any connection, of which each has always asked for something, was without an answer. */
  get longestSilenceMs(): number {
    return Math.max(...this.#clients.map(({ silence }) => silence.longestMs));
  }

  /** Waits for the answers that are due, then has a new connection look at all that was written. */
  async finish(): Promise<LoadReport> {
    this.#stopping = true;
    await this.#done;
    const checker = await RedisConnection.open(this.#port, () => {}, this.#host);
    await checker.whenLoaded();
    const lost: string[] = [];
    const torn: string[] = [];
    for (const client of this.#clients) {
      const found = await client.verify(checker);
      lost.push(...found.lost);
      torn.push(...found.torn);
    }
    checker.close();
    this.close();
    const broken = this.#clients.map((client) => client.broken).filter((why) => why !== undefined);
    return {
      commands: this.#clients.reduce((sum, { commands }) => sum + commands, 0),
      acknowledgedWrites: this.#clients.reduce((sum, { acknowledged }) => sum + acknowledged, 0),
      wrongAnswers: this.#clients.flatMap(({ wrong }) => wrong),
      brokenConnections: broken,
      lost,
      torn,
    };
  }

  close(): void {
    this.#stopping = true;
    for (const connection of this.#connections) connection.close();
  }

  async #drive(client: LoadClient): Promise<void> {
    while (!this.#stopping && (await client.burst()));
  }

  #answered(client: LoadClient): void {
    client.silence.answered();
    this.#answers++;
    for (const { answers, resolve } of this.#waiting) if (this.#answers >= answers) resolve();
    this.#waiting = this.#waiting.filter(({ answers }) => this.#answers < answers);
  }
}

function setOperation(key: string): Operation {
  const { value } = keyAndValue(key);
  return { commands: [['SET', key, value]], expected: 'OK', writes: [{ key, value }] };
}

function keyAndValue(key: string): { key: string; value: string } {
  return { key, value: contentOf(key) };
}

/** Different for each key, the same for the two of a transaction but for their names, and up to 20 KB long. */
function contentOf(key: string): string {
  const n = Number(key.slice(key.lastIndexOf(':') + 1));
  const length = n % 60 === 59 ? 20_000 : (n * 37) % 900;
  return `${key}=`.padEnd(length, `${key}.`);
}

function show(reply: unknown): string {
  if (reply instanceof Error) return `the error '${reply.message}'`;
  const text = JSON.stringify(reply) ?? 'nothing';
  return text.length > 60 ? `${text.slice(0, 60)}... (${text.length} characters)` : text;
}
