/**
 * Log entries: what a replica must know to run the same machine. This file is the one home of the kinds, their numbers
 * and their bytes; a log file and a log batch of the replication protocol hold the same entries in different frames.
 *
 * An entry is: steps since the entry before it (varint), kind (one byte), payload. The payload's layout follows from its
 * kind, so entries can stand one after the other. A number, once given, is never used for anything else.
 */
import { ByteReader, MalformedError } from '../base/byte-reader.ts';
import type { ByteWriter } from '../base/byte-writer.ts';
import type { Input, PowerAction } from '../machine/doors.ts';
import type { OutputKind, OutputMark } from './output-mark.ts';

/**
 * A disk read that went well, without its data: whoever follows this log reads the same bytes by itself, and knows them by
 * length and checksum (CRC-32C).
 */
export interface ReadDone {
  readonly device: number;
  readonly id: number;
  readonly length: number;
  readonly checksum: number;
}

/** Why a log ends where it ends: the machine stopped by itself, or a person ended the recording. */
export type EndReason = 'power-off' | 'power-reset' | 'fault' | 'recording-ended';

export type LogRecord =
  /** Applied at the entry's position. */
  | { readonly kind: 'input'; readonly input: Input }
  /** Applied at the entry's position, like the input `block-done` with the data. Only between the two of a pair. */
  | { readonly kind: 'read-done'; readonly read: ReadDone }
  /** Stands after its output: at the position once the output's step is complete. */
  | { readonly kind: 'output-mark'; readonly mark: OutputMark }
  /** The hash of the whole state at this position. */
  | { readonly kind: 'hash'; readonly value: bigint }
  | { readonly kind: 'end'; readonly reason: EndReason };

/** Entries stand in the order of their positions; those at one position keep their order in the log. */
export type LogEntry = LogRecord & { readonly position: bigint };

const CLOCK = 1;
const NET_RX = 2;
const BLOCK_DONE = 3;
const CONSOLE_IN = 4;
const ENTROPY = 5;
const POWER = 6;
const OUTPUT_MARK = 7;
const HASH = 8;
const END = 9;
const WALL_CLOCK = 10;
const READ_DONE = 11;

/** The longest payload of one entry, in bytes: the data of a disk read. */
export const MAX_PAYLOAD_BYTES = 16 * 1024 * 1024;
/** The longest entry: a payload and the few numbers before it. */
export const MAX_ENTRY_BYTES = MAX_PAYLOAD_BYTES + 64;
/** The highest device index. */
const MAX_DEVICE = 255;
const MAX_REQUEST_ID = Number.MAX_SAFE_INTEGER;

const outputKinds: Record<OutputKind, number> = { 'net-tx': 1, block: 2, 'console-out': 3, entropy: 4, power: 5 };
const powerActions: Record<PowerAction, number> = { off: 0, reset: 1 };
const endReasons: Record<EndReason, number> = { 'power-off': 1, 'power-reset': 2, fault: 3, 'recording-ended': 4 };

const outputKindOf = inverse(outputKinds);
const powerActionOf = inverse(powerActions);
const endReasonOf = inverse(endReasons);

function inverse<Name extends string>(numbers: Record<Name, number>): ReadonlyMap<number, Name> {
  return new Map(Object.entries<number>(numbers).map(([name, number]) => [number, name as Name]));
}

/** About how many bytes `encodeEntry` will write for this input: an upper bound, for reserving room before it is applied. */
export function inputBytesAtMost(input: Input): number {
  switch (input.kind) {
    case 'net-rx':
      return 48 + input.frame.length;
    case 'block-done':
      return 48 + (input.data?.length ?? 0);
    case 'console-in':
    case 'entropy':
      return 48 + input.data.length;
    case 'clock':
    case 'wall-clock':
    case 'power':
      return 48;
  }
}

/** Appends `entry` to `writer`. `before` is the position of the entry before it in the same frame of reference. */
export function encodeEntry(writer: ByteWriter, entry: LogEntry, before: bigint): void {
  writer.varint64(entry.position - before);
  switch (entry.kind) {
    case 'input':
      return encodeInput(writer, entry.input);
    case 'read-done':
      writer.u8(READ_DONE);
      writer.varint(entry.read.device);
      writer.varint(entry.read.id);
      writer.varint(entry.read.length);
      return writer.u32(entry.read.checksum);
    case 'output-mark':
      writer.u8(OUTPUT_MARK);
      writer.varint(entry.mark.sequence);
      writer.u8(outputKinds[entry.mark.output]);
      writer.varint(entry.mark.length);
      return writer.u32(entry.mark.checksum);
    case 'hash':
      writer.u8(HASH);
      return writer.u64(entry.value);
    case 'end':
      writer.u8(END);
      return writer.u8(endReasons[entry.reason]);
  }
}

/** Appends the input alone: an entry's kind and payload. */
export function encodeInput(writer: ByteWriter, input: Input): void {
  switch (input.kind) {
    case 'clock':
      writer.u8(CLOCK);
      writer.varint64(input.time);
      return writer.u32(input.slope);
    case 'net-rx':
      writer.u8(NET_RX);
      writer.varint(input.device);
      return writer.bytes(input.frame);
    case 'block-done':
      writer.u8(BLOCK_DONE);
      writer.varint(input.device);
      writer.varint(input.id);
      writer.u8((input.ok ? 1 : 0) | (input.data === undefined ? 0 : 2));
      if (input.data !== undefined) writer.bytes(input.data);
      return;
    case 'console-in':
      writer.u8(CONSOLE_IN);
      writer.varint(input.device);
      return writer.bytes(input.data);
    case 'entropy':
      writer.u8(ENTROPY);
      writer.varint(input.device);
      writer.varint(input.id);
      return writer.bytes(input.data);
    case 'wall-clock':
      writer.u8(WALL_CLOCK);
      return writer.u64(input.nanoseconds);
    case 'power':
      writer.u8(POWER);
      return writer.u8(powerActions[input.action]);
  }
}

/**
 * Reads one entry. Payloads are views of the reader's bytes, not copies.
 * Throws `MalformedError`, with the offset in the reader's bytes, for anything that `encodeEntry` cannot have written.
 */
export function decodeEntry(reader: ByteReader, before: bigint): LogEntry {
  const start = reader.offset;
  const position = before + reader.varint64();
  if (position >= 1n << 64n) throw new MalformedError(start, 'a position is above 2^64');
  return { position, ...decodeRecord(reader) };
}

/** Reads entries until the bytes end. Throws as `decodeEntry` does. */
export function decodeEntries(bytes: Uint8Array, before: bigint): LogEntry[] {
  const reader = new ByteReader(bytes);
  const entries: LogEntry[] = [];
  let position = before;
  while (reader.left > 0) {
    const entry = decodeEntry(reader, position);
    position = entry.position;
    entries.push(entry);
  }
  return entries;
}

function decodeRecord(reader: ByteReader): LogRecord {
  const at = reader.offset;
  const kind = reader.u8();
  switch (kind) {
    case OUTPUT_MARK:
      return {
        kind: 'output-mark',
        mark: {
          sequence: reader.varint(),
          output: named(reader, outputKindOf, 'kind of output'),
          length: reader.varint(),
          checksum: reader.u32(),
        },
      };
    case HASH:
      return { kind: 'hash', value: reader.u64() };
    case READ_DONE:
      return {
        kind: 'read-done',
        read: {
          device: device(reader),
          id: reader.varint(MAX_REQUEST_ID),
          length: reader.varint(MAX_PAYLOAD_BYTES),
          checksum: reader.u32(),
        },
      };
    case END:
      return { kind: 'end', reason: named(reader, endReasonOf, 'reason for the end') };
    default:
      return { kind: 'input', input: decodeInputOf(reader, kind, at) };
  }
}

/** Reads what `encodeInput` wrote. Throws `MalformedError` for anything else; payloads are views. */
export function decodeInput(reader: ByteReader): Input {
  const at = reader.offset;
  return decodeInputOf(reader, reader.u8(), at);
}

function decodeInputOf(reader: ByteReader, kind: number, at: number): Input {
  switch (kind) {
    case CLOCK:
      return { kind: 'clock', time: reader.varint64(), slope: reader.u32() };
    case NET_RX:
      return { kind: 'net-rx', device: device(reader), frame: reader.bytes(MAX_PAYLOAD_BYTES) };
    case BLOCK_DONE:
      return decodeBlockDone(reader);
    case CONSOLE_IN:
      return { kind: 'console-in', device: device(reader), data: reader.bytes(MAX_PAYLOAD_BYTES) };
    case ENTROPY:
      return {
        kind: 'entropy',
        device: device(reader),
        id: reader.varint(MAX_REQUEST_ID),
        data: reader.bytes(MAX_PAYLOAD_BYTES),
      };
    case WALL_CLOCK:
      return { kind: 'wall-clock', nanoseconds: reader.u64() };
    case POWER:
      return { kind: 'power', action: named(reader, powerActionOf, 'power action') };
    default:
      throw new MalformedError(at, `there is no kind ${kind} of entry`);
  }
}

function decodeBlockDone(reader: ByteReader): Input {
  const slot = device(reader);
  const id = reader.varint(MAX_REQUEST_ID);
  const at = reader.offset;
  const flags = reader.u8();
  if (flags > 3) throw new MalformedError(at, `${flags} is no set of flags of a finished disk request`);
  const done = { kind: 'block-done', device: slot, id, ok: (flags & 1) !== 0 } as const;
  return flags & 2 ? { ...done, data: reader.bytes(MAX_PAYLOAD_BYTES) } : done;
}

const device = (reader: ByteReader): number => reader.varint(MAX_DEVICE);

function named<Name extends string>(reader: ByteReader, names: ReadonlyMap<number, Name>, what: string): Name {
  const at = reader.offset;
  const number = reader.u8();
  const name = names.get(number);
  if (name === undefined) throw new MalformedError(at, `there is no ${what} with the number ${number}`);
  return name;
}
