import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MalformedError } from '../base/byte-reader.ts';
import { ByteWriter } from '../base/byte-writer.ts';
import { decodeEntries, encodeEntry, inputBytesAtMost, type LogEntry } from './log-entry.ts';
import { everyKind } from './testing/entries.ts';

function encode(entries: readonly LogEntry[], base: bigint): Uint8Array {
  const writer = new ByteWriter();
  let before = base;
  for (const entry of entries) {
    encodeEntry(writer, entry, before);
    before = entry.position;
  }
  return writer.take();
}

test('every kind of entry comes back as it was written', () => {
  const entries = everyKind();
  assert.deepEqual(decodeEntries(encode(entries, 1000n), 1000n), entries);
});

test('a position may be anything up to 2^64-1', () => {
  const entries: LogEntry[] = [
    { position: 0n, kind: 'hash', value: 0n },
    { position: 2n ** 53n + 1n, kind: 'hash', value: 1n },
    { position: 2n ** 64n - 1n, kind: 'hash', value: 2n ** 64n - 1n },
  ];
  assert.deepEqual(decodeEntries(encode(entries, 0n), 0n), entries);
  assert.throws(
    () => decodeEntries(encode([{ position: 2n ** 64n - 1n, kind: 'hash', value: 0n }], 0n), 1n),
    MalformedError,
  );
});

test('no entry needs more room than was reserved for its input', () => {
  for (const entry of everyKind()) {
    if (entry.kind !== 'input') continue;
    assert.ok(encode([entry], 0n).length <= inputBytesAtMost(entry.input), entry.input.kind);
  }
});

test('bytes that no encoder wrote are malformed, and nothing else, wherever they differ', () => {
  const bytes = encode(everyKind(), 1000n);
  for (let at = 0; at < bytes.length; at++) {
    for (const value of [0x00, 0x7f, 0x80, 0xff]) {
      const changed = bytes.slice();
      changed[at] = value;
      try {
        decodeEntries(changed, 1000n);
      } catch (error) {
        assert.ok(error instanceof MalformedError, `byte ${at}: ${error}`);
      }
    }
  }
});

test('a number that stands for no kind is malformed at its offset', () => {
  assert.throws(
    () => decodeEntries(Uint8Array.of(0, 200), 0n),
    (error) => error instanceof MalformedError && error.offset === 1 && /no kind 200/.test(error.message),
  );
});

test('a wall-clock input comes back as it was', () => {
  const input = { kind: 'wall-clock', nanoseconds: 1_790_000_000_123_456_789n } as const;
  const entry: LogEntry = { position: 7n, kind: 'input', input };
  const writer = new ByteWriter(64);
  encodeEntry(writer, entry, 3n);
  assert.deepEqual(decodeEntries(writer.take(), 3n), [entry]);
});
