/**
 * An output-mark says in the log what the machine said to the world, in a few bytes: sequence number, kind, length and
 * checksum. A replica that runs the same machine must produce an output of equal mark at the same position; and on a
 * primary, the output may leave once the mark is acknowledged (PROTOCOL.md, 13).
 */
import { ByteWriter } from '../base/byte-writer.ts';
import { crc32c } from '../base/crc32c.ts';
import type { BlockRequest, Output } from '../machine/doors.ts';

export type OutputKind = Output['kind'];

export interface OutputMark {
  /** 1 for the machine's first output, one more for each after it, over the whole life of the machine. */
  readonly sequence: number;
  readonly output: OutputKind;
  /** Bytes of payload: a frame, console bytes, the data of a disk write; otherwise the length asked for, or 0. */
  readonly length: number;
  /** CRC-32C over everything that the output says. */
  readonly checksum: number;
}

const blockTypes: Record<BlockRequest['type'], number> = { read: 0, write: 1, flush: 2, discard: 3, 'write-zeroes': 4 };

const scratch = new ByteWriter(64);

/** The mark of `output`. Costs one pass over its payload. */
export function markOf(output: Output, sequence: number): OutputMark {
  const payload = payloadOf(output);
  scratch.clear();
  describe(scratch, output);
  const head = crc32c(scratch.peek());
  return {
    sequence,
    output: output.kind,
    length: payload?.length ?? lengthAsked(output),
    checksum: payload === undefined ? head : crc32c(payload, head),
  };
}

export function sameMark(one: OutputMark, other: OutputMark): boolean {
  return (
    one.sequence === other.sequence &&
    one.output === other.output &&
    one.length === other.length &&
    one.checksum === other.checksum
  );
}

/** A mark in words, for a person who compares two. */
export function showMark(mark: OutputMark): string {
  const checksum = mark.checksum.toString(16).padStart(8, '0');
  return `output ${mark.sequence}: ${mark.output}, ${mark.length} bytes, checksum ${checksum}`;
}

/** The bytes that an output carries, by reference; undefined if it carries none. */
export function payloadOf(output: Output): Uint8Array | undefined {
  switch (output.kind) {
    case 'net-tx':
      return output.frame;
    case 'console-out':
      return output.data;
    case 'block':
      return output.request.type === 'write' ? output.request.data : undefined;
    case 'entropy':
    case 'power':
      return undefined;
  }
}

function lengthAsked(output: Output): number {
  if (output.kind === 'entropy') return output.length;
  return output.kind === 'block' && 'length' in output.request ? output.request.length : 0;
}

/** All that an output says besides its payload. */
function describe(writer: ByteWriter, output: Output): void {
  if (output.kind === 'power') return writer.u8(output.action === 'off' ? 0 : 1);
  writer.varint(output.device);
  if (output.kind === 'entropy') {
    writer.varint(output.id);
    writer.varint(output.length);
  } else if (output.kind === 'block') {
    const { request } = output;
    writer.u8(blockTypes[request.type]);
    writer.varint(request.id);
    if ('offset' in request) writer.varint(request.offset);
    if ('length' in request) writer.varint(request.length);
  }
}
