import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ByteWriter } from '../base/byte-writer.ts';
import { encodeEntry, type LogEntry } from '../replay/log-entry.ts';
import { type Checkpoint, Checkpoints, comparePages } from './diagnosis.ts';
import type { LogBatch } from './message.ts';
import { entriesOf, RecentLog, sinceLastHash } from './recent-log.ts';

const hashes = (...values: number[]): BigUint64Array<ArrayBuffer> => BigUint64Array.from(values, BigInt);

test('where the owner has the hashes of the very position, all pages with another hash differ, written since or not', () => {
  const compared = comparePages(hashes(1, 9, 3, 8), {
    before: hashes(1, 2, 3, 4),
    now: hashes(1, 2, 5, 6),
    exact: true,
  });
  assert.deepEqual(compared, { differing: [1, 3], uncertain: 0 });
});

test('where it has older ones, a page that it has written since may differ or not, and one that it has not does', () => {
  const before = hashes(1, 2, 3, 4);
  const now = hashes(1, 2, 5, 6);
  // The third page is as the owner's is now; the last is like neither.
  assert.deepEqual(comparePages(hashes(1, 9, 5, 8), { before, now, exact: false }), { differing: [1], uncertain: 1 });
});

test('a difference in the upper half of a hash is seen', () => {
  const before = hashes(1);
  const other = BigUint64Array.of(1n | (1n << 40n));
  assert.deepEqual(comparePages(other, { before, now: before, exact: true }).differing, [0]);
});

test('of the checkpoints the last ones are kept, and the one asked for is there or the last before it', () => {
  const kept = new Checkpoints(2);
  const at = (position: bigint): Checkpoint => ({
    position,
    hash: position,
    state: new Uint8Array(0),
    pageHashes: hashes(),
  });
  for (const position of [10n, 20n, 30n]) kept.add(at(position));
  assert.equal(kept.at(19n), undefined);
  assert.equal(kept.at(20n)?.position, 20n);
  assert.equal(kept.at(29n)?.position, 20n);
  assert.equal(kept.at(31n)?.position, 30n);
});

function batch(sequence: number, entries: readonly LogEntry[], generation = 0): LogBatch {
  const base = BigInt(sequence * 100);
  const writer = new ByteWriter();
  let before = base;
  for (const entry of entries) {
    encodeEntry(writer, entry, before);
    before = entry.position;
  }
  return { type: 'log', generation, sequence, base, position: base + 99n, time: 0n, bytes: writer.take() };
}

const clock = (position: bigint): LogEntry => ({
  position,
  kind: 'input',
  input: { kind: 'clock', time: position, slope: 0 },
});
const hash = (position: bigint): LogEntry => ({ position, kind: 'hash', value: position });

test('of the log the last batches are kept, by time and by bytes, and another generation begins another log', () => {
  const log = new RecentLog({ keepMs: 100, keepBytes: 40 });
  const sequences = (): number[] => log.batches.map(({ sequence }) => sequence);
  for (let i = 1; i <= 5; i++) log.add(batch(i, [clock(BigInt(i * 100))]), i * 30);
  assert.deepEqual(sequences(), [2, 3, 4, 5], 'the first is too old');
  log.add(batch(6, [hash(600n), hash(600n), hash(600n)]), 150);
  assert.deepEqual(sequences(), [5, 6], 'the others were too many bytes');
  log.add(batch(1, [clock(100n)], 1), 151);
  assert.deepEqual(sequences(), [1]);
});

test('the log since the last hash before a position begins with that hash', () => {
  const entries = entriesOf([batch(1, [clock(110n), hash(120n)]), batch(2, [clock(210n), hash(220n)])]);
  const positions = (position: bigint): bigint[] => sinceLastHash(entries, position).map((entry) => entry.position);
  assert.deepEqual(positions(220n), [120n, 210n, 220n]);
  assert.deepEqual(positions(300n), [220n]);
  assert.deepEqual(positions(115n), [110n, 120n, 210n, 220n]);
});
