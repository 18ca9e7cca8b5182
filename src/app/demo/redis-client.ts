/**
 * A small client of redis: one connection, never opened again, answers in the order of the requests (RESP 2,
 * https://redis.io/docs/latest/develop/reference/protocol-spec). Just what the demo asks: strings, numbers, errors.
 */
import { once } from 'node:events';
import net, { type Socket } from 'node:net';

/** What redis answers: a number, a text, nothing (nil). Error answers reject the request. */
export type Reply = number | string | undefined;

interface Waiting {
  readonly resolve: (reply: Reply) => void;
  readonly reject: (error: Error) => void;
}

const CRLF = '\r\n';

export class RedisClient {
  readonly #socket: Socket;
  readonly #waiting: Waiting[] = [];
  /** latin1, so that lengths are bytes. */
  #received = '';
  #broken: Error | undefined;

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.setNoDelay(true);
    socket.setEncoding('latin1').on('data', (text: string) => this.#take(text));
    socket.on('error', (error) => this.#break(error));
    socket.on('close', () => this.#break(new Error('the connection was closed')));
  }

  /** Rejects if nobody answers there. */
  static async connect(port: number): Promise<RedisClient> {
    const socket = net.connect({ host: '127.0.0.1', port });
    await once(socket, 'connect');
    return new RedisClient(socket);
  }

  /** Rejects with redis's words for an error, and when the connection breaks before the answer. */
  request(...words: readonly string[]): Promise<Reply> {
    if (this.#broken !== undefined) return Promise.reject(this.#broken);
    const bulk = words.map((word) => `$${Buffer.byteLength(word)}${CRLF}${word}${CRLF}`);
    return new Promise((resolve, reject) => {
      this.#waiting.push({ resolve, reject });
      this.#socket.write(`*${words.length}${CRLF}${bulk.join('')}`);
    });
  }

  close(): void {
    this.#socket.destroy();
  }

  #take(text: string): void {
    this.#received += text;
    for (;;) {
      const end = this.#received.indexOf(CRLF);
      if (end < 0) return;
      const line = this.#received.slice(1, end);
      const kind = this.#received[0];
      const next = end + CRLF.length;
      if (kind === '$' && line !== '-1') {
        const after = next + Number(line);
        if (this.#received.length < after + CRLF.length) return;
        this.#answer(this.#received.slice(next, after), after + CRLF.length);
      } else if (kind === '-') this.#answer(new Error(`redis says: ${line}`), next);
      else if (kind === ':') this.#answer(Number(line), next);
      else if (kind === '+') this.#answer(line, next);
      else if (kind === '$') this.#answer(undefined, next);
      else return this.#break(new Error('the answer is not one of redis'));
    }
  }

  #answer(reply: Reply | Error, consumed: number): void {
    this.#received = this.#received.slice(consumed);
    const waiting = this.#waiting.shift();
    if (waiting === undefined) return this.#break(new Error('redis answered what nobody asked'));
    if (reply instanceof Error) waiting.reject(reply);
    else waiting.resolve(reply);
  }

  #break(error: Error): void {
    this.#broken ??= error;
    this.#socket.destroy();
    for (const { reject } of this.#waiting.splice(0)) reject(this.#broken);
  }
}
