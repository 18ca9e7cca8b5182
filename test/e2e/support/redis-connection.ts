/** A connection to redis (RESP2), as pipelined as its user likes: replies come in the order of the commands. */
import { once } from 'node:events';
import net from 'node:net';

const LOADING_MS = 60_000;

export type Reply = string | number | null | Error | readonly Reply[];

interface Asked {
  readonly resolve: (reply: Reply) => void;
  readonly reject: (error: Error) => void;
}

export class RedisConnection {
  readonly #socket: net.Socket;
  readonly #asked: Asked[] = [];
  readonly #onAnswer: () => void;
  #unread: Buffer = Buffer.alloc(0);
  /** Why the connection is over, other than by `close`. */
  broken: string | undefined;
  #closed = false;

  private constructor(socket: net.Socket, onAnswer: () => void) {
    this.#socket = socket;
    this.#onAnswer = onAnswer;
    socket.on('data', (chunk: Buffer) => this.#read(chunk));
    socket.on('error', (error) => this.#end(error.message));
    socket.on('close', () => this.#end('closed by the server'));
  }

  /** `onAnswer` is called at each reply. */
  static async open(port: number, onAnswer: () => void = () => {}, host = '127.0.0.1'): Promise<RedisConnection> {
    const socket = net.connect({ host, port, noDelay: true });
    await once(socket, 'connect');
    return new RedisConnection(socket, onAnswer);
  }

  /** Several commands in one write; their replies. An error reply is a value; rejects when the connection breaks. */
  async ask(commands: readonly (readonly string[])[]): Promise<Reply[]> {
    if (this.broken !== undefined) throw new Error(this.broken);
    const replies = commands.map(() => new Promise<Reply>((resolve, reject) => this.#asked.push({ resolve, reject })));
    this.#socket.write(commands.map(encode).join(''), 'latin1');
    return Promise.all(replies);
  }

  /** Resolves when redis has read its data: until then it answers with an error. Rejects if it still does after a minute. */
  async whenLoaded(): Promise<void> {
    const untilMs = performance.now() + LOADING_MS;
    for (;;) {
      const [reply] = await this.ask([['PING']]);
      if (!(reply instanceof Error) || !reply.message.startsWith('LOADING ')) return;
      if (performance.now() > untilMs) throw reply;
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }

  close(): void {
    this.#closed = true;
    this.#socket.destroy();
  }

  #end(why: string): void {
    if (!this.#closed) this.broken ??= why;
    for (const { reject } of this.#asked.splice(0)) reject(new Error(this.broken ?? 'closed'));
  }

  #read(chunk: Buffer): void {
    this.#unread = this.#unread.length === 0 ? chunk : Buffer.concat([this.#unread, chunk]);
    let at = 0;
    for (let got = parse(this.#unread, at); got !== undefined; got = parse(this.#unread, at)) {
      at = got.next;
      this.#onAnswer();
      const asked = this.#asked.shift();
      if (asked === undefined) this.#end('a reply that nobody asked for');
      else asked.resolve(got.reply);
    }
    this.#unread = this.#unread.subarray(at);
  }
}

function encode(words: readonly string[]): string {
  return `*${words.length}\r\n${words.map((word) => `$${word.length}\r\n${word}\r\n`).join('')}`;
}

interface Parsed {
  readonly reply: Reply;
  readonly next: number;
}

/** The reply that starts at `at`, if all of it is there. Throws for bytes that are no RESP. */
function parse(bytes: Buffer, at: number): Parsed | undefined {
  const end = bytes.indexOf('\r\n', at, 'latin1');
  if (end < 0) return undefined;
  const head = bytes.toString('latin1', at + 1, end);
  const next = end + 2;
  switch (String.fromCharCode(bytes[at])) {
    case '+':
      return { reply: head, next };
    case '-':
      return { reply: new Error(head), next };
    case ':':
      return { reply: Number(head), next };
    case '$': {
      const length = Number(head);
      if (length < 0) return { reply: null, next };
      if (bytes.length < next + length + 2) return undefined;
      return { reply: bytes.toString('latin1', next, next + length), next: next + length + 2 };
    }
    case '*':
      return parseArray(bytes, Number(head), next);
    default:
      throw new Error(`no RESP: ${bytes.toString('latin1', at, at + 40)}`);
  }
}

function parseArray(bytes: Buffer, length: number, start: number): Parsed | undefined {
  const replies: Reply[] = [];
  let next = start;
  for (let i = 0; i < length; i++) {
    const element = parse(bytes, next);
    if (element === undefined) return undefined;
    replies.push(element.reply);
    next = element.next;
  }
  return { reply: replies, next };
}
