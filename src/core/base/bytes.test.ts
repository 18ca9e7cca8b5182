import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ByteReader, MalformedError } from './byte-reader.ts';
import { ByteWriter } from './byte-writer.ts';

test('what the writer wrote the reader reads', () => {
  const writer = new ByteWriter(1);
  writer.u8(200);
  writer.u16(0xabcd);
  writer.u32(0xdeadbeef);
  writer.u64(0xffff_ffff_ffff_fff0n);
  writer.f64(1.5);
  writer.text('né');
  writer.bytes(new Uint8Array([1, 2, 3]));
  const reader = new ByteReader(writer.take());
  assert.equal(reader.u8(), 200);
  assert.equal(reader.u16(), 0xabcd);
  assert.equal(reader.u32(), 0xdeadbeef);
  assert.equal(reader.u64(), 0xffff_ffff_ffff_fff0n);
  assert.equal(reader.f64(), 1.5);
  assert.equal(reader.text(10), 'né');
  assert.deepEqual([...reader.bytes(3)], [1, 2, 3]);
  reader.end();
});

test('variable-length integers keep every value, and both widths write the same bytes', () => {
  const values = [0, 1, 127, 128, 16383, 16384, 2 ** 31 - 1, 2 ** 31, 2 ** 32, 2 ** 45 + 5, Number.MAX_SAFE_INTEGER];
  for (const value of values) {
    const narrow = new ByteWriter();
    narrow.varint(value);
    const wide = new ByteWriter();
    wide.varint64(BigInt(value));
    const bytes = narrow.take();
    assert.deepEqual(bytes, wide.take());
    assert.equal(new ByteReader(bytes).varint(), value);
    assert.equal(new ByteReader(bytes).varint64(), BigInt(value));
  }
  for (const value of [2n ** 53n, 2n ** 63n, 2n ** 64n - 1n]) {
    const writer = new ByteWriter();
    writer.varint64(value);
    assert.equal(new ByteReader(writer.take()).varint64(), value);
  }
});

test('a read past the end, a length above its limit and an endless integer are malformed, with the offset', () => {
  const at = (bytes: number[], read: (reader: ByteReader) => unknown): number => {
    try {
      read(new ByteReader(new Uint8Array(bytes)));
    } catch (error) {
      assert.ok(error instanceof MalformedError);
      return error.offset;
    }
    return -1;
  };
  assert.equal(
    at([1, 2, 3], (reader) => [reader.u8(), reader.u32()]),
    1,
  );
  assert.equal(
    at([5, 1], (reader) => reader.bytes(100)),
    1,
  );
  assert.equal(
    at([5, 1, 2, 3, 4, 5], (reader) => reader.bytes(4)),
    0,
  );
  assert.equal(
    at(Array(12).fill(0xff), (reader) => reader.varint()),
    0,
  );
  assert.equal(
    at(Array(12).fill(0xff), (reader) => reader.varint64()),
    0,
  );
  assert.equal(
    at([2], (reader) => reader.boolean()),
    0,
  );
  assert.equal(
    at([1, 0xff], (reader) => reader.text(9)),
    0,
  );
  assert.equal(
    at([1, 2], (reader) => [reader.u8(), reader.end()]),
    1,
  );
});
