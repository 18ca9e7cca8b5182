/**
 * A mailbox: one direction of talk between two threads. Messages that have a form as bytes go through a ring in shared memory, which costs
 * neither a structured clone nor, while the receiver is awake, a system call; all others, and those that find no room, go through a
 * MessagePort. Each has its number, so they arrive in the order in which they were sent, whichever way they took.
 */
import { ByteWriter } from '../../core/base/byte-writer.ts';

/** Appends the message's bytes; false if it has to go as an object. */
export type MailboxEncode<Message> = (writer: ByteWriter, message: Message) => boolean;
/** The message may hold views of the bytes, which are its own. */
export type MailboxDecode<Message> = (bytes: Uint8Array<ArrayBuffer>) => Message;

/** What goes through the port to wake a receiver that fell asleep there. */
export const WAKE = 0;

/** What both ends share. Plain data that survives a structured clone. */
export interface MailboxMemory {
  /** The words below. */
  readonly words: Int32Array<SharedArrayBuffer>;
  readonly ring: Uint8Array<SharedArrayBuffer>;
}

/** Messages sent, modulo 2^32: what a receiver waits on. */
export const SENT = 0;
/** Bytes ever written to the ring, and bytes ever read, modulo 2^32. */
const WRITTEN = 1;
const READ = 2;
/** 1: the receiver wants to be woken by the next message in the ring. */
const ASLEEP = 3;
const WORDS = 4;

/** A power of two. */
const RING_BYTES = 1024 * 1024;
/** Longer messages go through the port. */
const MAX_RECORD_BYTES = RING_BYTES / 4;
/** Number of the message, and the length of its bytes, as u32. Records begin at multiples of 8 and may wrap; heads never do. */
const HEAD_BYTES = 8;

export function mailboxMemory(): MailboxMemory {
  return {
    words: new Int32Array(new SharedArrayBuffer(WORDS * 4)),
    ring: new Uint8Array(new SharedArrayBuffer(RING_BYTES)),
  };
}

const recordBytes = (length: number): number => HEAD_BYTES + ((length + 7) & ~7);

export class MailboxSender<Message> {
  readonly #words: Int32Array<SharedArrayBuffer>;
  readonly #ring: Uint8Array<SharedArrayBuffer>;
  readonly #heads: Uint32Array<SharedArrayBuffer>;
  readonly #encode: MailboxEncode<Message>;
  readonly #writer = new ByteWriter(4096);

  constructor({ words, ring }: MailboxMemory, encode: MailboxEncode<Message>) {
    this.#words = words;
    this.#ring = ring;
    this.#heads = new Uint32Array(ring.buffer);
    this.#encode = encode;
  }

  /**
   * True if the message went into the ring; else `post` has given it to the port. That comes after its number: a receiver who hears of
   * the port's message finds it to be the next one, and who waits on `SENT` looks into the port until it is there.
   */
  send(message: Message, post: () => void): boolean {
    this.#writer.clear();
    const short = this.#encode(this.#writer, message) && this.#write(this.#writer.peek());
    Atomics.add(this.#words, SENT, 1);
    if (!short) post();
    Atomics.notify(this.#words, SENT);
    return short;
  }

  /** Whether a receiver that does not wait on `SENT` has to be sent a `WAKE` for what was put: once, each time that it fell asleep. */
  get mustWake(): boolean {
    return Atomics.load(this.#words, ASLEEP) === 1 && Atomics.exchange(this.#words, ASLEEP, 0) === 1;
  }

  #write(bytes: Uint8Array): boolean {
    const { length } = bytes;
    const written = Atomics.load(this.#words, WRITTEN);
    const used = (written - Atomics.load(this.#words, READ)) >>> 0;
    if (length > MAX_RECORD_BYTES || used + recordBytes(length) > RING_BYTES) return false;
    const at = (written >>> 0) % RING_BYTES;
    this.#heads[at >>> 2] = Atomics.load(this.#words, SENT);
    this.#heads[(at >>> 2) + 1] = length;
    const from = (at + HEAD_BYTES) % RING_BYTES;
    const first = Math.min(length, RING_BYTES - from);
    this.#ring.set(first === length ? bytes : bytes.subarray(0, first), from);
    if (first < length) this.#ring.set(bytes.subarray(first), 0);
    Atomics.store(this.#words, WRITTEN, (written + recordBytes(length)) | 0);
    return true;
  }
}

export class MailboxReceiver<Message> {
  readonly #words: Int32Array<SharedArrayBuffer>;
  readonly #ring: Uint8Array<SharedArrayBuffer>;
  readonly #heads: Uint32Array<SharedArrayBuffer>;
  readonly #decode: MailboxDecode<Message>;
  readonly #fromPort: () => Message | undefined;
  #received = 0;

  /** `fromPort` gives the next message of the port, or undefined while there is none. */
  constructor({ words, ring }: MailboxMemory, decode: MailboxDecode<Message>, fromPort: () => Message | undefined) {
    this.#words = words;
    this.#ring = ring;
    this.#heads = new Uint32Array(ring.buffer);
    this.#decode = decode;
    this.#fromPort = fromPort;
  }

  /** Messages received, modulo 2^32: while `SENT` has this value, there is nothing to receive. */
  get received(): number {
    return this.#received;
  }

  get isBehind(): boolean {
    return Atomics.load(this.#words, SENT) !== this.#received;
  }

  /** The next message; undefined if there is none, or the port has not brought it yet. */
  receive(): Message | undefined {
    if (!this.isBehind) return undefined;
    const message = this.#read() ?? this.#fromPort();
    if (message !== undefined) this.#received = (this.#received + 1) | 0;
    return message;
  }

  /** Asks for a `WAKE`; false if the next message is here already, and none will come. */
  sleep(): boolean {
    Atomics.store(this.#words, ASLEEP, 1);
    if (!this.isBehind || !this.#nextIsInRing()) return true;
    Atomics.store(this.#words, ASLEEP, 0);
    return false;
  }

  #nextIsInRing(): boolean {
    const read = Atomics.load(this.#words, READ);
    if (Atomics.load(this.#words, WRITTEN) === read) return false;
    return this.#heads[((read >>> 0) % RING_BYTES) >>> 2] === this.#received >>> 0;
  }

  #read(): Message | undefined {
    if (!this.#nextIsInRing()) return undefined;
    const read = Atomics.load(this.#words, READ);
    const at = (read >>> 0) % RING_BYTES;
    const length = this.#heads[(at >>> 2) + 1];
    const from = (at + HEAD_BYTES) % RING_BYTES;
    const bytes = new Uint8Array(length);
    const first = Math.min(length, RING_BYTES - from);
    bytes.set(this.#ring.subarray(from, from + first));
    if (first < length) bytes.set(this.#ring.subarray(0, length - first), first);
    Atomics.store(this.#words, READ, (read + recordBytes(length)) | 0);
    return this.#decode(bytes);
  }
}
