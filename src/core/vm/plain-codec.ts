/**
 * Plain data (devices/device.ts) as bytes: what a device's `save()` gives travels to another host or into a file. A tag byte
 * and its payload for each value; a section has a kind and a version before it and a CRC-32C behind it.
 *
 * Reading trusts nothing: the checksum first, then every count against the bytes that are left before anything is made of
 * it (each value takes a byte at least), and a limit to depth.
 */
import { ByteReader, MalformedError } from '../base/byte-reader.ts';
import { ByteWriter } from '../base/byte-writer.ts';
import { crc32c } from '../base/crc32c.ts';
import type { Plain } from '../devices/device.ts';

const TAG_NULL = 0;
const TAG_FALSE = 1;
const TAG_TRUE = 2;
/** A non-negative safe integer. */
const TAG_UINT = 3;
/** Any other number. */
const TAG_NUMBER = 4;
/** 0 .. 2^64-1. */
const TAG_BIGINT = 5;
const TAG_TEXT = 6;
const TAG_BYTES = 7;
const TAG_LIST = 8;
const TAG_OBJECT = 9;

/** Deeper than any device's state. */
const MAX_DEPTH = 16;
const MAX_KEY_BYTES = 64;
/** Requests in flight of some disks, with their data, and queues of frames: far below this. */
export const MAX_SECTION_BYTES = 256 * 1024 * 1024;

const KEY = /^[a-zA-Z][a-zA-Z0-9-]*$/;

/** A section: kind (4 characters), version, value, checksum. Bigints in `value` are 0 .. 2^64-1. */
export function sealSection(kind: string, version: number, value: Plain): Uint8Array<ArrayBuffer> {
  const writer = new ByteWriter(64 * 1024);
  for (let i = 0; i < 4; i++) writer.u8(kind.charCodeAt(i));
  writer.u16(version);
  writePlain(writer, value);
  writer.u32(crc32c(writer.peek()));
  return writer.take();
}

/** The version and value of a section of that kind. Throws MalformedError for anything else. Byte strings are copies. */
export function openSection(kind: string, bytes: Uint8Array): { readonly version: number; readonly value: Plain } {
  if (bytes.length > MAX_SECTION_BYTES) throw new MalformedError(0, `${bytes.length} bytes are too many`);
  if (bytes.length < 11) throw new MalformedError(0, `${bytes.length} bytes are too few`);
  const sealed = bytes.subarray(0, bytes.length - 4);
  for (let i = 0; i < 4; i++) {
    if (sealed[i] !== kind.charCodeAt(i)) throw new MalformedError(i, `this is no section ${kind}`);
  }
  const sum = new ByteReader(bytes.subarray(sealed.length)).u32();
  if (crc32c(sealed) !== sum) throw new MalformedError(sealed.length, 'the checksum is wrong');
  const reader = new ByteReader(sealed);
  reader.raw(4);
  const version = reader.u16();
  const value = readPlain(reader);
  reader.end();
  return { version, value };
}

export function writePlain(writer: ByteWriter, value: Plain): void {
  if (value === null) writer.u8(TAG_NULL);
  else if (typeof value === 'boolean') writer.u8(value ? TAG_TRUE : TAG_FALSE);
  else if (typeof value === 'number') {
    if (Number.isSafeInteger(value) && value >= 0 && !Object.is(value, -0)) {
      writer.u8(TAG_UINT);
      writer.varint(value);
    } else {
      writer.u8(TAG_NUMBER);
      writer.f64(value);
    }
  } else if (typeof value === 'bigint') {
    writer.u8(TAG_BIGINT);
    writer.varint64(value);
  } else if (typeof value === 'string') {
    writer.u8(TAG_TEXT);
    writer.text(value);
  } else if (value instanceof Uint8Array) {
    writer.u8(TAG_BYTES);
    writer.bytes(value);
  } else if (isList(value)) {
    writer.u8(TAG_LIST);
    writer.varint(value.length);
    for (const item of value) writePlain(writer, item);
  } else {
    const entries = Object.entries(value);
    writer.u8(TAG_OBJECT);
    writer.varint(entries.length);
    for (const [key, item] of entries) {
      writer.text(key);
      writePlain(writer, item);
    }
  }
}

/** Throws MalformedError. */
export function readPlain(reader: ByteReader, depth = 0): Plain {
  const start = reader.offset;
  if (depth > MAX_DEPTH) throw new MalformedError(start, 'values are nested too deeply');
  const tag = reader.u8();
  switch (tag) {
    case TAG_NULL:
      return null;
    case TAG_FALSE:
      return false;
    case TAG_TRUE:
      return true;
    case TAG_UINT:
      return reader.varint();
    case TAG_NUMBER:
      return reader.f64();
    case TAG_BIGINT:
      return reader.varint64();
    case TAG_TEXT:
      return reader.text(reader.left);
    case TAG_BYTES:
      return reader.bytes(reader.left).slice();
    case TAG_LIST: {
      const list: Plain[] = [];
      for (let left = reader.varint(reader.left); left > 0; left--) list.push(readPlain(reader, depth + 1));
      return list;
    }
    case TAG_OBJECT:
      return readObject(reader, depth);
    default:
      throw new MalformedError(start, `a value of unknown kind ${tag}`);
  }
}

function readObject(reader: ByteReader, depth: number): Plain {
  const object: { [key: string]: Plain } = {};
  for (let left = reader.varint(reader.left); left > 0; left--) {
    const start = reader.offset;
    const key = reader.text(MAX_KEY_BYTES);
    if (!KEY.test(key) || Object.hasOwn(object, key)) throw new MalformedError(start, 'an object has no such key');
    object[key] = readPlain(reader, depth + 1);
  }
  return object;
}

function isList(value: Plain): value is readonly Plain[] {
  return Array.isArray(value);
}
