import assert from 'node:assert/strict';
import { test } from 'node:test';
import { zstdCompressSync, zstdDecompressSync } from 'node:zlib';

import { ByteReader, MalformedError } from '../base/byte-reader.ts';
import { crc32c } from '../base/crc32c.ts';
import { PAGE_BYTES } from '../machine/memory-map.ts';
import { gatherPages, MAX_PIECE_PAGES, openPiece, sealPiece, visitPages } from './page-pieces.ts';

const RAM_PAGES = 4096;

/** xorshift32 */
function random(seed: number): () => number {
  let x = seed;
  return () => {
    x ^= x << 13;
    x ^= x >>> 17;
    x ^= x << 5;
    return x >>> 0;
  };
}

/** A third of the pages zero, a third noise, a third text. */
function memoryOf(seed: number): Map<number, Uint8Array> {
  const next = random(seed);
  const memory = new Map<number, Uint8Array>();
  for (let page = next() % 5; page < RAM_PAGES; page += 1 + (next() % 3 === 0 ? next() % 200 : 0)) {
    if (memory.size > 300) break;
    const kind = next() % 3;
    const bytes = new Uint8Array(PAGE_BYTES);
    if (kind === 1) for (let i = 0; i < PAGE_BYTES; i++) bytes[i] = next();
    if (kind === 2) bytes.fill(65 + (next() % 26));
    memory.set(page, bytes);
  }
  return memory;
}

function sealed(memory: Map<number, Uint8Array>, compress: boolean): Uint8Array {
  const { gathered, next } = gatherPages(Uint32Array.from(memory.keys()), 0, (page) => memory.get(page)!);
  assert.equal(next, memory.size);
  return sealPiece(gathered, compress ? zstdCompressSync(gathered.content) : undefined);
}

function read(bytes: Uint8Array): Map<number, Uint8Array> {
  const piece = openPiece(bytes, RAM_PAGES);
  const content = piece.compressed
    ? zstdDecompressSync(piece.stored, { maxOutputLength: Math.max(1, piece.contentBytes) })
    : piece.stored;
  const memory = new Map<number, Uint8Array>();
  visitPages(piece, content, (page, page4k) => memory.set(page, new Uint8Array(page4k)));
  return memory;
}

test('what was gathered comes back, compressed or not', () => {
  for (let seed = 1; seed < 10; seed++) {
    const memory = memoryOf(seed);
    for (const compress of [false, true]) assert.deepEqual(read(sealed(memory, compress)), memory);
  }
});

test('compression is left out where it does not pay, and zeroes take no room', () => {
  const next = random(3);
  const noise = Uint8Array.from({ length: PAGE_BYTES }, () => next());
  const one = sealed(new Map([[7, noise]]), true);
  assert.equal(openPiece(one, RAM_PAGES).compressed, false);
  const zeroes = new Map(Array.from({ length: RAM_PAGES }, (_, page) => [page, new Uint8Array(PAGE_BYTES)]));
  const all = sealed(zeroes, false);
  assert.ok(all.length < 32, `${all.length} bytes`);
  assert.equal(read(all).size, RAM_PAGES);
});

test('a piece holds so many pages and no more; the rest goes into the next', () => {
  const pages = Uint32Array.from({ length: RAM_PAGES }, (_, page) => page);
  const content = new Uint8Array(PAGE_BYTES).fill(1);
  const first = gatherPages(pages, 0, () => content);
  assert.equal(first.next, MAX_PIECE_PAGES);
  const second = gatherPages(pages, first.next, () => content);
  assert.equal(second.next, RAM_PAGES);
  assert.equal(read(sealPiece(second.gathered)).size, RAM_PAGES - MAX_PIECE_PAGES);
});

test('any byte changed, and any length cut, is a malformed piece', () => {
  const piece = sealed(memoryOf(4), true);
  const step = Math.ceil(piece.length / 2000);
  for (let at = 0; at < piece.length; at += at < 400 ? 1 : step) {
    const damaged = piece.slice();
    damaged[at]! ^= 1 << (at % 8);
    assert.throws(() => openPiece(damaged, RAM_PAGES), MalformedError, `byte ${at}`);
  }
  for (let length = 0; length < 64; length++) {
    assert.throws(() => openPiece(piece.slice(0, length), RAM_PAGES), MalformedError);
    assert.throws(() => openPiece(piece.slice(0, piece.length - 1 - length), RAM_PAGES), MalformedError);
  }
});

test('noise under a right checksum is a malformed piece or pages of this machine, never anything else', () => {
  const next = random(9);
  const original = sealed(memoryOf(2), false);
  let malformed = 0;
  for (let i = 0; i < 3000; i++) {
    // The head is where the counts are.
    const damaged = original.slice(0, i % 3 === 0 ? 10 + (next() % 200) : original.length);
    for (let changes = 1 + (next() % 4); changes > 0; changes--) {
      damaged[4 + (next() % Math.min(damaged.length - 8, 300))] = next();
    }
    const sum = crc32c(damaged.subarray(0, damaged.length - 4));
    new DataView(damaged.buffer).setUint32(damaged.length - 4, sum, true);
    assert.equal(new ByteReader(damaged.subarray(-4)).u32(), sum);
    try {
      const piece = openPiece(damaged, RAM_PAGES);
      if (!piece.compressed) {
        visitPages(piece, piece.stored, (page, bytes) => {
          assert.ok(page < RAM_PAGES && bytes.length === PAGE_BYTES);
        });
      }
    } catch (error) {
      assert.ok(error instanceof MalformedError, String(error));
      malformed++;
    }
  }
  assert.ok(malformed > 1500, `${malformed} were malformed`);
});

test('pages beyond the end of a smaller machine are refused', () => {
  const memory = new Map([[100, new Uint8Array(PAGE_BYTES).fill(1)]]);
  assert.throws(() => openPiece(sealed(memory, false), 100), MalformedError);
  assert.equal(openPiece(sealed(memory, false), 101).pages, 1);
});

test('content that is shorter or longer than the runs say is refused', () => {
  const piece = openPiece(sealed(memoryOf(5), true), RAM_PAGES);
  for (const length of [0, piece.contentBytes - 1, piece.contentBytes + 1]) {
    assert.throws(() => visitPages(piece, new Uint8Array(length), () => {}), MalformedError);
  }
});
