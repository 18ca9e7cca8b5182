import assert from 'node:assert/strict';
import { test } from 'node:test';
import { zstdDecompressSync } from 'node:zlib';
import { PAGE_BYTES } from '../../core/replication/transfer.ts';
import { gatherPages, openPiece, visitPages } from '../../core/vm/page-pieces.ts';
import { Copier } from './copier.ts';

const RAM_PAGES = 64;

test('pages of zeroes, whose pieces are made at once, leave the others of this thread their turns', async () => {
  const PIECES = 40;
  const all = Promise.withResolvers<void>();
  let left = PIECES;
  let turns = 0;
  const pages = Uint32Array.from({ length: RAM_PAGES }, (_, page) => page);
  const copier: Copier = new Copier(
    new Uint8Array(RAM_PAGES * PAGE_BYTES),
    () => {
      if (--left === 0) all.resolve();
      else copier.copy({ type: 'copy', transfer: 1, pages });
    },
    all.reject,
  );
  const turn = (): void => {
    turns++;
    if (left > 0) setImmediate(turn);
  };
  setImmediate(turn);
  copier.copy({ type: 'copy', transfer: 1, pages });
  await all.promise;
  assert.ok(turns >= PIECES - 1, `${turns} turns`);
});

test('pages that were gathered in a cut make a piece as they were then, in their turn', async () => {
  const ram = new Uint8Array(RAM_PAGES * PAGE_BYTES).fill(1);
  const pieces: Uint8Array[] = [];
  const both = Promise.withResolvers<void>();
  const copier = new Copier(
    ram,
    ({ bytes }) => {
      if (pieces.push(bytes) === 2) both.resolve();
    },
    both.reject,
  );
  const page = (number: number): Uint8Array => ram.subarray(number * PAGE_BYTES, (number + 1) * PAGE_BYTES);
  const { gathered } = gatherPages(Uint32Array.of(7), 0, page);
  ram.fill(2);
  copier.copy({ type: 'copy', transfer: 1, pages: Uint32Array.of(3, 4) });
  copier.copy({ type: 'copy', transfer: 1, pages: gathered });
  await both.promise;
  const [running, cut] = pieces.map((bytes) => openPiece(bytes, RAM_PAGES));
  assert.deepEqual(running.runs, [{ first: 3, count: 2, zero: false }]);
  assert.deepEqual(cut.runs, [{ first: 7, count: 1, zero: false }]);
  const content = cut.compressed ? zstdDecompressSync(cut.stored) : cut.stored;
  visitPages(cut, content, (_, bytes) => assert.deepEqual(new Set(bytes), new Set([1])));
});
