/**
 * A TCP proxy between an arbiter's client and its server that does to the bytes what a bad network does. The fault is set by
 * the test and holds for connections that are open, too.
 */
import { once } from 'node:events';
import net from 'node:net';

export type Fault =
  | { readonly kind: 'none' }
  /** New connections are reset, open ones are cut. */
  | { readonly kind: 'refuse' }
  /** Requests arrive, answers do not, but for the first `after`: the connection is cut in their place. */
  | { readonly kind: 'lose-answers'; readonly after: number }
  /** Requests arrive, answers are kept back until the fault is lifted. */
  | { readonly kind: 'hold-answers' }
  /** Requests after the first `after` answers arrive when the fault is lifted, by another connection. */
  | { readonly kind: 'delay-requests'; readonly after: number }
  /** So many bytes of each connection's requests arrive, then it is cut. */
  | { readonly kind: 'cut-request'; readonly afterBytes: number }
  /** So many bytes of each connection's answers arrive, then it is cut. */
  | { readonly kind: 'cut-answer'; readonly afterBytes: number }
  /** What a connection has sent arrives once more, by another connection, when it ends. */
  | { readonly kind: 'repeat' };

const NONE: Fault = { kind: 'none' };

class Conversation {
  readonly client: net.Socket;
  readonly server: net.Socket;
  readonly sent: Buffer[] = [];
  requestBytes = 0;
  answerBytes = 0;

  constructor(client: net.Socket, server: net.Socket) {
    this.client = client;
    this.server = server;
  }

  cut(): void {
    this.client.destroy();
    this.server.destroy();
  }
}

export class FaultProxy {
  readonly #target: number;
  readonly #server: net.Server;
  readonly #conversations = new Set<Conversation>();
  readonly #repeats: Promise<void>[] = [];
  #fault: Fault = NONE;
  #held: (() => void)[] = [];
  readonly #delayed = new Set<Conversation>();
  /** Answers seen since the fault was set. */
  #answers = 0;

  private constructor(target: number) {
    this.#target = target;
    this.#server = net.createServer((client) => this.#accept(client));
  }

  /** In front of the server at the loopback port `target`. */
  static async start(target: number): Promise<FaultProxy> {
    const proxy = new FaultProxy(target);
    proxy.#server.listen(0, '127.0.0.1');
    await once(proxy.#server, 'listening');
    return proxy;
  }

  get port(): number {
    return (this.#server.address() as net.AddressInfo).port;
  }

  set(fault: Fault): void {
    this.#fault = fault;
    this.#answers = 0;
    const held = this.#held;
    this.#held = [];
    for (const release of held) release();
    for (const { sent } of this.#delayed) this.#repeats.push(repeat(this.#target, sent));
    this.#delayed.clear();
    for (const conversation of this.#conversations) {
      conversation.requestBytes = 0;
      conversation.answerBytes = 0;
      if (fault.kind === 'refuse') conversation.cut();
    }
  }

  /** Ends all connections, and waits until what was to be repeated has been answered. */
  async settle(): Promise<void> {
    for (const conversation of this.#conversations) conversation.cut();
    await Promise.all(this.#repeats);
  }

  async stop(): Promise<void> {
    this.set({ kind: 'refuse' });
    this.#server.close();
    await Promise.all(this.#repeats);
  }

  #accept(client: net.Socket): void {
    if (this.#fault.kind === 'refuse') {
      client.resetAndDestroy();
      return;
    }
    const conversation = new Conversation(client, net.connect(this.#target, '127.0.0.1'));
    const { server } = conversation;
    this.#conversations.add(conversation);
    client.on('data', (bytes) => this.#request(conversation, bytes));
    server.on('data', (bytes) => this.#answer(conversation, bytes));
    client.on('error', () => conversation.cut());
    server.on('error', () => conversation.cut());
    server.on('close', () => client.destroy());
    client.on('close', () => {
      server.destroy();
      this.#conversations.delete(conversation);
      if (this.#fault.kind === 'repeat') this.#repeats.push(repeat(this.#target, conversation.sent));
    });
  }

  #request(conversation: Conversation, bytes: Buffer): void {
    const fault = this.#fault;
    conversation.sent.push(bytes);
    if (fault.kind === 'delay-requests' && this.#answers >= fault.after) {
      this.#delayed.add(conversation);
      return;
    }
    const room = fault.kind === 'cut-request' ? fault.afterBytes - conversation.requestBytes : bytes.length;
    conversation.requestBytes += bytes.length;
    conversation.server.write(bytes.subarray(0, Math.max(0, room)));
    if (room >= bytes.length) return;
    conversation.client.destroy();
    conversation.server.end();
  }

  #answer(conversation: Conversation, bytes: Buffer): void {
    const fault = this.#fault;
    this.#answers++;
    if (fault.kind === 'lose-answers' && this.#answers > fault.after) conversation.cut();
    else if (fault.kind === 'hold-answers') {
      this.#held.push(() => conversation.client.write(bytes));
    } else if (fault.kind === 'cut-answer') {
      const room = fault.afterBytes - conversation.answerBytes;
      conversation.answerBytes += bytes.length;
      conversation.client.write(bytes.subarray(0, Math.max(0, room)));
      if (room < bytes.length) conversation.client.end();
    } else conversation.client.write(bytes);
  }
}

/** Sends the same bytes by a new connection, and waits for the silence after the last answer. */
async function repeat(target: number, sent: readonly Buffer[]): Promise<void> {
  const socket = net.connect(target, '127.0.0.1');
  socket.on('error', () => socket.destroy());
  socket.on('data', () => socket.setTimeout(200));
  socket.on('timeout', () => socket.destroy());
  socket.setTimeout(2000);
  socket.write(Buffer.concat(sent));
  await once(socket, 'close');
}
