/**
 * What two hosts say to each other while one's image of a mirrored disk catches up with the other's (docs/disks.md), as the
 * payload of `blocks` messages; these carry the checksum. The survivor has the window (catch-up.ts): everything that it sends
 * and that is not answered yet is within it.
 *
 *     returning                                survivor
 *     record                             ->    plans: which regions
 *                                        <-    begin, or refused
 *     (its image is incomplete, durably)
 *     begun                              ->
 *                                        <-    request, request, ...   copies and live writes, settle from time to time
 *     answer, ..., settled               ->
 *     (the machine is cut)               <-    complete
 */
import { ByteReader, MalformedError } from '../../core/base/byte-reader.ts';
import { ByteWriter } from '../../core/base/byte-writer.ts';
import type { BlockRequest } from '../../core/machine/doors.ts';

export type ImageMessage =
  /** The record beside the image, as a slot of its file. */
  | { readonly kind: 'record'; readonly slot: Uint8Array }
  | { readonly kind: 'refused'; readonly why: string }
  /** `regions`: as `RegionSet.toBytes`. */
  | { readonly kind: 'begin'; readonly imageId: string; readonly setId: string; readonly regions: Uint8Array }
  | { readonly kind: 'begun' }
  | { readonly kind: 'request'; readonly request: CopyRequest }
  | { readonly kind: 'answer'; readonly id: number; readonly ok: boolean }
  | { readonly kind: 'settle'; readonly id: number; readonly regions: Uint8Array }
  | { readonly kind: 'settled'; readonly id: number; readonly ok: boolean }
  | { readonly kind: 'complete' };

export type CopyRequest = BlockRequest & { type: 'write' | 'write-zeroes' | 'discard' };

const kinds = {
  record: 1,
  refused: 2,
  begin: 3,
  begun: 4,
  request: 5,
  answer: 6,
  settle: 7,
  settled: 8,
  complete: 9,
} as const satisfies Record<ImageMessage['kind'], number>;
const requestTypes = { write: 1, 'write-zeroes': 2, discard: 3 } as const satisfies Record<CopyRequest['type'], number>;

/** Longer writes are cut into pieces of this length. */
export const MAX_WRITE_BYTES = 1024 * 1024;
/** A record has at most four sets of 32 KiB, and some more. */
const MAX_RECORD_BYTES = 1024 * 1024;
const MAX_TEXT_BYTES = 2048;

export function encodeImageMessage(message: ImageMessage): Uint8Array<ArrayBuffer> {
  const writer = new ByteWriter();
  writer.u8(kinds[message.kind]);
  switch (message.kind) {
    case 'record':
      writer.raw(message.slot);
      break;
    case 'refused':
      writer.text(message.why.slice(0, 500));
      break;
    case 'begin':
      writer.text(message.imageId);
      writer.text(message.setId);
      writer.raw(message.regions);
      break;
    case 'request':
      encodeRequest(writer, message.request);
      break;
    case 'settle':
      writer.varint(message.id);
      writer.raw(message.regions);
      break;
    case 'answer':
    case 'settled':
      writer.varint(message.id);
      writer.u8(message.ok ? 1 : 0);
      break;
    case 'begun':
    case 'complete':
      break;
  }
  return writer.take();
}

function encodeRequest(writer: ByteWriter, request: CopyRequest): void {
  writer.u8(requestTypes[request.type]);
  writer.varint(request.id);
  writer.varint(request.offset);
  if (request.type === 'write') writer.raw(request.data);
  else writer.varint(request.length);
}

/** Throws MalformedError. */
export function decodeImageMessage(bytes: Uint8Array): ImageMessage {
  const reader = new ByteReader(bytes);
  const message = decodeBody(reader.u8(), reader);
  reader.end();
  return message;
}

function decodeBody(kind: number, reader: ByteReader): ImageMessage {
  switch (kind) {
    case kinds.record:
      return { kind: 'record', slot: rest(reader, MAX_RECORD_BYTES) };
    case kinds.refused:
      return { kind: 'refused', why: reader.text(MAX_TEXT_BYTES) };
    case kinds.begin: {
      const imageId = reader.text(MAX_TEXT_BYTES);
      return { kind: 'begin', imageId, setId: reader.text(MAX_TEXT_BYTES), regions: rest(reader, MAX_RECORD_BYTES) };
    }
    case kinds.begun:
      return { kind: 'begun' };
    case kinds.request:
      return { kind: 'request', request: decodeRequest(reader) };
    case kinds.answer:
      return { kind: 'answer', id: reader.varint(), ok: reader.boolean() };
    case kinds.settle:
      return { kind: 'settle', id: reader.varint(), regions: rest(reader, MAX_RECORD_BYTES) };
    case kinds.settled:
      return { kind: 'settled', id: reader.varint(), ok: reader.boolean() };
    case kinds.complete:
      return { kind: 'complete' };
    default:
      throw new MalformedError(0, `a number that stands for nothing: ${kind}`);
  }
}

function decodeRequest(reader: ByteReader): CopyRequest {
  const type = reader.u8();
  const id = reader.varint();
  const offset = reader.varint();
  if (type === requestTypes.write) return { type: 'write', id, offset, data: rest(reader, MAX_WRITE_BYTES) };
  const length = reader.varint();
  if (type === requestTypes.discard) return { type: 'discard', id, offset, length };
  if (type === requestTypes['write-zeroes']) return { type: 'write-zeroes', id, offset, length };
  throw new MalformedError(reader.offset, `a request of type ${type}`);
}

function rest(reader: ByteReader, limit: number): Uint8Array {
  if (reader.left > limit) throw new MalformedError(reader.offset, `${reader.left} bytes, more than ${limit}`);
  return reader.raw(reader.left).slice();
}
