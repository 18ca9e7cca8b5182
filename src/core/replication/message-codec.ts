/**
 * The bytes of messages, and back. A message is: version (u8), kind (u8), CRC-32C of kind and body (u32), body; integers
 * little-endian. A body begins with the generation. The transport keeps messages apart.
 *
 * The head's layout, and the body of `refuse`, stay the same in all versions, so that a peer of another version can be
 * told so.
 */
import { ByteReader, MalformedError } from '../base/byte-reader.ts';
import { ByteWriter } from '../base/byte-writer.ts';
import { crc32c } from '../base/crc32c.ts';
import { OperatingError } from '../base/error.ts';
import { MAX_ENTRY_BYTES } from '../replay/log-entry.ts';
import {
  type ByeReason,
  type CpuState,
  type Cut,
  type EvidencePart,
  type Message,
  PROTOCOL_VERSION,
  type RefusalCode,
  type Role,
} from './message.ts';
import { MAX_ENTROPY_REQUESTS, MAX_PIECE_BYTES, type PieceKind } from './transfer.ts';

/** The longest message: a batch of entries whose last one is of the longest kind, and what may stand before it. */
export const MAX_MESSAGE_BYTES = MAX_ENTRY_BYTES + 1024 * 1024;
const MAX_TEXT_BYTES = 2048;
const HEAD_BYTES = 6;
const EMPTY = new Uint8Array(0);

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
  join: 11,
  piece: 12,
  receiving: 13,
  cut: 14,
  final: 15,
  evidence: 16,
  blocks: 17,
  'read-wanted': 18,
  'read-data': 19,
};
const evidenceParts: Record<EvidencePart, number> = {
  introduction: 1,
  state: 2,
  'page-hashes': 3,
  wanted: 4,
  contents: 5,
};
const pieceKinds: Record<PieceKind, number> = { pages: 1, state: 2 };
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
  'other-host': 7,
};

export type MessageErrorCode = 'channel-other-version' | 'channel-corrupt';

/** The bytes on a channel are not messages of this version. The channel is of no further use. */
export class MessageError extends OperatingError<MessageErrorCode> {
  /** The version that the peer speaks; this one's, if that is not what is wrong. */
  readonly version: number;

  constructor(code: MessageErrorCode, version: number, message: string, advice: string) {
    super(code, message, advice);
    this.version = version;
  }
}

/** The message's bytes, in a buffer of their own. */
export function encodeMessage(message: Message): Uint8Array<ArrayBuffer> {
  const payload = 'bytes' in message ? message.bytes : EMPTY;
  const body = new ByteWriter(128 + payload.length);
  body.varint(message.generation);
  encodeBody(body, message);
  body.raw(payload);
  const kind = kinds[message.type];
  const writer = new ByteWriter(HEAD_BYTES + body.length);
  writer.u8(PROTOCOL_VERSION);
  writer.u8(kind);
  writer.u32(messageSum(kind, body.peek()));
  writer.raw(body.peek());
  return writer.take();
}

function messageSum(kind: number, body: Uint8Array): number {
  return crc32c(body, kind);
}

function encodeBody(writer: ByteWriter, message: Message): void {
  switch (message.type) {
    case 'hello':
    case 'welcome':
      writer.varint(message.version);
      writer.text(message.vm);
      writer.text(message.machine);
      writer.text(message.incarnation);
      if (message.type === 'welcome') {
        writer.u8(message.resume ? 1 : 0);
        return writer.text(message.transfer);
      }
      writer.u8(roles[message.role]);
      writer.u8(message.resume ? 1 : 0);
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
      writer.u8(message.uplink ? 1 : 0);
      writer.u8(message.image === undefined ? 0 : 1);
      if (message.image !== undefined) {
        writer.varint(message.image.flushed);
        writer.varint(message.image.common);
      }
      if (message.reads !== undefined) writer.varint(message.reads);
      return;
    case 'read-wanted':
      return writer.varint(message.sequence);
    case 'read-data':
      writer.varint(message.sequence);
      return writer.u8(message.found ? 1 : 0);
    case 'heartbeat':
      writer.f64(message.stamp);
      writer.varint64(message.position);
      writer.varint64(message.time);
      writer.varint(message.released);
      writer.u8(cpuStates[message.cpu]);
      if (message.common === undefined) return writer.u8(0);
      writer.u8(1);
      return writer.varint(message.common);
    case 'hand-over':
      writer.varint(message.sequence);
      return writer.varint(message.released);
    case 'diverged':
      writer.varint64(message.position);
      writer.text(message.log.slice(0, 500));
      return writer.text(message.machine.slice(0, 500));
    case 'evidence':
      return writer.u8(evidenceParts[message.part]);
    case 'bye':
      return writer.u8(byeReasons[message.reason]);
    case 'join':
      return writer.text(message.transfer);
    case 'piece':
      writer.varint(message.number);
      return writer.u8(pieceKinds[message.kind]);
    case 'receiving':
      writer.varint(message.installed);
      writer.varint(message.credit);
      writer.u8(message.recorded ? 1 : 0);
      return writer.u8(message.verified ? 1 : 0);
    case 'cut':
      return encodeCut(writer, message);
    case 'blocks':
    case 'final':
      return;
  }
}

function encodeCut(writer: ByteWriter, cut: Cut): void {
  writer.varint(cut.pieces);
  writer.varint64(cut.position);
  writer.varint64(cut.time);
  writer.varint(cut.outputs);
  writer.u64(cut.hash);
  writer.varint(cut.entropyRequests.length);
  for (const { device, id, length } of cut.entropyRequests) {
    writer.varint(device);
    writer.varint(id);
    writer.varint(length);
  }
}

function decodeCut(generation: number, reader: ByteReader): Cut {
  const pieces = reader.varint();
  const position = reader.varint64();
  const time = reader.varint64();
  const outputs = reader.varint();
  const hash = reader.u64();
  const count = reader.varint(MAX_ENTROPY_REQUESTS);
  const entropyRequests: Cut['entropyRequests'][number][] = [];
  for (let read = 0; read < count; read++) {
    entropyRequests.push({ device: reader.varint(), id: reader.varint(), length: reader.varint() });
  }
  return { type: 'cut', generation, pieces, position, time, outputs, hash, entropyRequests };
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
        resume: reader.boolean(),
        received: reader.varint(),
      };
    case 'welcome':
      return {
        type: 'welcome',
        generation,
        ...identity(reader),
        resume: reader.boolean(),
        transfer: reader.text(MAX_TEXT_BYTES),
      };
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
        ...(reader.boolean() ? { image: { flushed: reader.varint(), common: reader.varint() } } : {}),
        ...(reader.left > 0 ? { reads: reader.varint() } : {}),
      };
    case 'read-wanted':
      return { type: 'read-wanted', generation, sequence: reader.varint() };
    case 'read-data':
      return {
        type: 'read-data',
        generation,
        sequence: reader.varint(),
        found: reader.boolean(),
        bytes: reader.raw(reader.left).slice(),
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
        ...(reader.boolean() ? { common: reader.varint() } : {}),
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
    case 'evidence': {
      const part = named(evidenceParts, reader.u8());
      return { type: 'evidence', generation, part, bytes: new Uint8Array(reader.raw(reader.left)) };
    }
    case 'bye':
      return { type: 'bye', generation, reason: named(byeReasons, reader.u8()) };
    case 'join':
      return { type: 'join', generation, transfer: reader.text(MAX_TEXT_BYTES) };
    case 'piece': {
      const number = reader.varint();
      const kind = named(pieceKinds, reader.u8());
      if (reader.left > MAX_PIECE_BYTES) throw new MalformedError(reader.offset, `a piece of ${reader.left} bytes`);
      return { type: 'piece', generation, number, kind, bytes: new Uint8Array(reader.raw(reader.left)) };
    }
    case 'receiving':
      return {
        type: 'receiving',
        generation,
        installed: reader.varint(),
        credit: reader.varint(),
        recorded: reader.boolean(),
        verified: reader.boolean(),
      };
    case 'cut':
      return decodeCut(generation, reader);
    case 'blocks': {
      if (reader.left > MAX_PIECE_BYTES) throw new MalformedError(reader.offset, `blocks of ${reader.left} bytes`);
      return { type: 'blocks', generation, bytes: new Uint8Array(reader.raw(reader.left)) };
    }
    case 'final':
      return { type: 'final', generation };
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

/** Reads what `encodeMessage` wrote. Throws `MessageError`; the channel is of no further use then. */
export function decodeMessage(bytes: Uint8Array): Message {
  try {
    const reader = new ByteReader(bytes);
    const version = reader.u8();
    const kind = reader.u8();
    if (version !== PROTOCOL_VERSION && kind !== kinds.refuse) throw otherVersion(version);
    const sum = reader.u32();
    const body = reader.raw(reader.left);
    if (sum !== messageSum(kind, body)) throw corrupt('a message does not match its checksum');
    const inner = new ByteReader(body);
    const message = decodeBody(kind, inner);
    inner.end();
    return message;
  } catch (error) {
    if (error instanceof MalformedError) throw corrupt(`a message makes no sense: ${error.message}`);
    throw error;
  }
}

function otherVersion(version: number): MessageError {
  return new MessageError(
    'channel-other-version',
    version,
    `the peer speaks protocol version ${version}, this is version ${PROTOCOL_VERSION}`,
    'Run the same version of understudy on both hosts.',
  );
}

function corrupt(what: string): MessageError {
  return new MessageError(
    'channel-corrupt',
    PROTOCOL_VERSION,
    `the bytes on the channel are no message: ${what}`,
    'Check that nothing else speaks on this port.',
  );
}
