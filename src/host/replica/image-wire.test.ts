import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MalformedError } from '../../core/base/byte-reader.ts';
import { decodeImageMessage, encodeImageMessage, type ImageMessage, MAX_WRITE_BYTES } from './image-wire.ts';

const messages: ImageMessage[] = [
  { kind: 'record', slot: Uint8Array.of(1, 2, 3) },
  { kind: 'refused', why: 'it is the disk of another machine' },
  { kind: 'begin', imageId: 'a'.repeat(32), setId: 'b'.repeat(32), regions: Uint8Array.of(0xff, 1) },
  { kind: 'begun' },
  { kind: 'request', request: { type: 'write', id: 7, offset: 2 ** 40, data: new Uint8Array(512).fill(9) } },
  { kind: 'request', request: { type: 'write-zeroes', id: 8, offset: 512, length: 2 ** 30 } },
  { kind: 'request', request: { type: 'discard', id: 9, offset: 0, length: 4096 } },
  { kind: 'answer', id: 7, ok: false },
  { kind: 'settle', id: 10, regions: Uint8Array.of(4) },
  { kind: 'settled', id: 10, ok: true },
  { kind: 'complete' },
];

test('every message comes back as it was sent', () => {
  for (const message of messages) assert.deepEqual(decodeImageMessage(encodeImageMessage(message)), message);
});

test('bytes that make no sense are refused, and so is more than anybody sends', () => {
  const long = { type: 'write', id: 1, offset: 0, data: new Uint8Array(MAX_WRITE_BYTES + 512) } as const;
  const wrong = [
    Uint8Array.of(),
    Uint8Array.of(99),
    Uint8Array.of(4, 0),
    Uint8Array.of(5, 7, 1, 0),
    encodeImageMessage({ kind: 'request', request: long }),
    encodeImageMessage({ kind: 'record', slot: new Uint8Array(2 ** 20 + 1) }),
  ];
  for (const bytes of wrong) assert.throws(() => decodeImageMessage(bytes), MalformedError);
});
