/**
 * The bytes of messages, and back. A frame is: version (u8), kind (u8), length of the body (u32), CRC-32C of kind, length
 * and body (u32), body; integers little-endian. A body begins with the generation. Bodies hold small fields first and the
 * one large payload, a batch's entries, last, so that it is sent by reference.
 *
 * The frame's layout, and the bodies of `refuse`, stay the same in all versions, so that a peer of another version can be
 * told so.
 */
import { ByteReader, MalformedError } from '../base/byte-reader.ts';
import { ByteWriter } from '../base/byte-writer.ts';
import { crc32c } from '../base/crc32c.ts';
import { OperatingError } from '../base/error.ts';
import {
  type ByeReason,
  type CpuState,
  type Message,
  PROTOCOL_VERSION,
  type RefusalCode,
  type Role,
} from './message.ts';

/** The longest batch of entries: one entry of the longest kind, and what may stand before it. */
export const MAX_BATCH_BYTES = 24 * 1024 * 1024;
const MAX_BODY_BYTES = MAX_BATCH_BYTES + 4096;
/** The longest body of a message without a payload. */
const MAX_SMALL_BODY_BYTES = 8192;
const MAX_TEXT_BYTES = 2048;
const FRAME_BYTES = 10;

const kinds: Record<Message['type'], number> = {
  hello: 1,
  welcome: 2,
  refuse: 3,
  pair: 4,
  log: 5,
  ack: 6,
  heartbeat: 7,
  'hand-over': 8,
  diverged: 9,
  bye: 10,
};
const roles: Record<Role, number> = { primary: 1, backup: 2 };
const cpuStates: Record<CpuState, number> = { running: 1, 'stopped-on-purpose': 2, silent: 3 };
const byeReasons: Record<ByeReason, number> = { 'guest-stopped': 1, shutdown: 2 };
const refusalCodes: Record<RefusalCode, number> = {
  'other-version': 1,
  'other-vm': 2,
  'other-machine': 3,
  'other-generation': 4,
  busy: 5,
  'too-late': 6,
};

export type MessageErrorCode = 'channel-other-version' | 'channel-corrupt';

/** The bytes on a channel are not messages of this version. The channel is of no further use. */
export class MessageError extends OperatingError<MessageErrorCode> {}

/** The frame as one or two parts, to be sent one after the other. The second is the payload itself, not a copy. */
export function encodeMessage(message: Message): Uint8Array[] {
  const writer = new ByteWriter(128);
  writer.varint(message.generation);
  encodeBody(writer, message);
  const body = writer.take();
  const payload = message.type === 'log' ? message.bytes : undefined;
  const head = new ByteWriter(FRAME_BYTES + body.length);
  const length = body.length + (payload?.length ?? 0);
  head.u8(PROTOCOL_VERSION);
  head.u8(kinds[message.type]);
  head.u32(length);
  head.u32(frameSum(kinds[message.type], length, body, payload));
  head.raw(body);
  return payload === undefined ? [head.take()] : [head.take(), payload];
}

function frameSum(kind: number, length: number, ...parts: (Uint8Array | undefined)[]): number {
  const start = crc32c(Uint8Array.of(kind, length, length >>> 8, length >>> 16, length >>> 24));
  return parts.reduce((sum, part) => (part === undefined ? sum : crc32c(part, sum)), start);
}

function encodeBody(writer: ByteWriter, message: Message): void {
  switch (message.type) {
    case 'hello':
    case 'welcome':
      writer.varint(message.version);
      writer.text(message.vm);
      writer.text(message.machine);
      writer.text(message.incarnation);
      if (message.type === 'welcome') return writer.u8(message.resume ? 1 : 0);
      writer.u8(roles[message.role]);
      return writer.varint(message.received);
    case 'refuse':
      writer.u8(refusalCodes[message.code]);
      return writer.text(message.message);
    case 'pair':
      return writer.text(message.token);
    case 'log':
      writer.varint(message.sequence);
      writer.varint64(message.base);
      writer.varint64(message.position);
      return writer.varint64(message.time);
    case 'ack':
      writer.varint(message.sequence);
      writer.varint64(message.executed);
      writer.varint(message.credit);
      writer.f64(message.echo);
      writer.u8(cpuStates[message.cpu]);
      return writer.u8(message.uplink ? 1 : 0);
    case 'heartbeat':
      writer.f64(message.stamp);
      writer.varint64(message.position);
      writer.varint64(message.time);
      writer.varint(message.released);
      return writer.u8(cpuStates[message.cpu]);
    case 'hand-over':
      writer.varint(message.sequence);
      return writer.varint(message.released);
    case 'diverged':
      writer.varint64(message.position);
      writer.text(message.log.slice(0, 500));
      return writer.text(message.machine.slice(0, 500));
    case 'bye':
      return writer.u8(byeReasons[message.reason]);
  }
}

function decodeBody(kind: number, reader: ByteReader): Message {
  const generation = reader.varint();
  switch (named(kinds, kind)) {
    case 'hello':
      return {
        type: 'hello',
        generation,
        ...identity(reader),
        role: named(roles, reader.u8()),
        received: reader.varint(),
      };
    case 'welcome':
      return { type: 'welcome', generation, ...identity(reader), resume: reader.boolean() };
    case 'refuse':
      return {
        type: 'refuse',
        generation,
        code: named(refusalCodes, reader.u8()),
        message: reader.text(MAX_TEXT_BYTES),
      };
    case 'pair':
      return { type: 'pair', generation, token: reader.text(MAX_TEXT_BYTES) };
    case 'log':
      return {
        type: 'log',
        generation,
        sequence: reader.varint(),
        base: reader.varint64(),
        position: reader.varint64(),
        time: reader.varint64(),
        bytes: reader.raw(reader.left).slice(),
      };
    case 'ack':
      return {
        type: 'ack',
        generation,
        sequence: reader.varint(),
        executed: reader.varint64(),
        credit: reader.varint(),
        echo: reader.f64(),
        cpu: named(cpuStates, reader.u8()),
        uplink: reader.boolean(),
      };
    case 'heartbeat':
      return {
        type: 'heartbeat',
        generation,
        stamp: reader.f64(),
        position: reader.varint64(),
        time: reader.varint64(),
        released: reader.varint(),
        cpu: named(cpuStates, reader.u8()),
      };
    case 'hand-over':
      return { type: 'hand-over', generation, sequence: reader.varint(), released: reader.varint() };
    case 'diverged':
      return {
        type: 'diverged',
        generation,
        position: reader.varint64(),
        log: reader.text(MAX_TEXT_BYTES),
        machine: reader.text(MAX_TEXT_BYTES),
      };
    case 'bye':
      return { type: 'bye', generation, reason: named(byeReasons, reader.u8()) };
  }
}

function identity(reader: ByteReader): { version: number; vm: string; machine: string; incarnation: string } {
  return {
    version: reader.varint(),
    vm: reader.text(MAX_TEXT_BYTES),
    machine: reader.text(MAX_TEXT_BYTES),
    incarnation: reader.text(MAX_TEXT_BYTES),
  };
}

function named<Name extends string>(numbers: Record<Name, number>, number: number): Name {
  for (const name in numbers) if (numbers[name] === number) return name;
  throw new MalformedError(0, `a number that stands for nothing: ${number}`);
}

/** Bytes of one channel in, messages out. Throws `MessageError`, then and ever after, at the first that is not one. */
export class MessageDecoder {
  #chunks: Uint8Array[] = [];
  #buffered = 0;
  /** Bytes needed before anything can be done. */
  #needed = FRAME_BYTES;
  #error: MessageError | undefined;

  push(chunk: Uint8Array): Message[] {
    if (this.#error !== undefined) throw this.#error;
    this.#chunks.push(chunk);
    this.#buffered += chunk.length;
    const messages: Message[] = [];
    while (this.#buffered >= this.#needed) {
      const bytes = this.#gather();
      const length = this.#frameLength(bytes);
      if (bytes.length < length) {
        this.#needed = length;
        break;
      }
      messages.push(this.#decode(bytes.subarray(0, length)));
      this.#chunks = [bytes.subarray(length)];
      this.#buffered = bytes.length - length;
      this.#needed = FRAME_BYTES;
    }
    return messages;
  }

  #gather(): Uint8Array {
    if (this.#chunks.length === 1) return this.#chunks[0]!;
    const bytes = new Uint8Array(this.#buffered);
    let at = 0;
    for (const chunk of this.#chunks) {
      bytes.set(chunk, at);
      at += chunk.length;
    }
    this.#chunks = [bytes];
    return bytes;
  }

  /** The whole frame's length. Its limits are checked before anything is kept for it. */
  #frameLength(bytes: Uint8Array): number {
    const reader = new ByteReader(bytes);
    const version = reader.u8();
    const kind = reader.u8();
    const length = reader.u32();
    if (version !== PROTOCOL_VERSION && kind !== kinds.refuse) {
      throw this.#fail(
        'channel-other-version',
        `the peer speaks protocol version ${version}, this is ${PROTOCOL_VERSION}`,
      );
    }
    const limit = kind === kinds.log ? MAX_BODY_BYTES : MAX_SMALL_BODY_BYTES;
    if (length > limit) throw this.#fail('channel-corrupt', `a message of kind ${kind} claims ${length} bytes`);
    return FRAME_BYTES + length;
  }

  #decode(frame: Uint8Array): Message {
    const reader = new ByteReader(frame);
    reader.u8();
    const kind = reader.u8();
    const length = reader.u32();
    const sum = reader.u32();
    const body = reader.raw(length);
    if (sum !== frameSum(kind, length, body))
      throw this.#fail('channel-corrupt', 'a message does not match its checksum');
    try {
      const inner = new ByteReader(body);
      const message = decodeBody(kind, inner);
      inner.end();
      return message;
    } catch (error) {
      if (!(error instanceof MalformedError)) throw error;
      throw this.#fail('channel-corrupt', `a message of kind ${kind} makes no sense: ${error.message}`);
    }
  }

  #fail(code: MessageErrorCode, message: string): MessageError {
    const advice =
      code === 'channel-other-version'
        ? 'Run the same version of understudy on both hosts.'
        : 'Check that nothing else speaks on this port; if it was an accident of the network, the pair recovers by itself.';
    this.#error = new MessageError(code, message, advice);
    return this.#error;
  }
}
