import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ByteWriter } from '../../src/core/base/byte-writer.ts';
import { encodeEntry, type LogEntry } from '../../src/core/replay/log-entry.ts';
import { mbits, totalOf, volumeByKind } from './log-volume.ts';

const ENTRIES: readonly LogEntry[] = [
  { kind: 'input', input: { kind: 'clock', time: 5000n, slope: 7 }, position: 1000n },
  { kind: 'input', input: { kind: 'net-rx', device: 1, frame: new Uint8Array(600) }, position: 1_000_000n },
  {
    kind: 'output-mark',
    mark: { sequence: 1, output: 'net-tx', length: 60, checksum: 1 },
    position: 1_000_100n,
  },
  { kind: 'input', input: { kind: 'net-rx', device: 1, frame: new Uint8Array(60) }, position: 2_000_000n },
  { kind: 'hash', value: 1n, position: 2_000_001n },
];

function batchOf(entries: readonly LogEntry[], base: bigint): { base: bigint; bytes: Uint8Array } {
  const writer = new ByteWriter(64);
  let before = base;
  for (const entry of entries) {
    encodeEntry(writer, entry, before);
    before = entry.position;
  }
  return { base, bytes: writer.take() };
}

test('every byte of a log is counted once, under its kind', () => {
  const batches = [batchOf(ENTRIES.slice(0, 2), 10n), batchOf(ENTRIES.slice(2), 1_000_000n)];
  const volumes = volumeByKind(batches);
  const bytes = batches.reduce((sum, batch) => sum + batch.bytes.length, 0);
  assert.deepEqual(totalOf(volumes), { entries: 5, bytes });
  assert.deepEqual(Object.keys(volumes).sort(), ['clock', 'hash', 'mark of net-tx', 'net-rx']);
  assert.equal(volumes['net-rx']?.entries, 2);
  assert.ok(volumes['net-rx']!.bytes > 660 && volumes['net-rx']!.bytes < 690);
});

test('a log without entries has no volume', () => {
  assert.deepEqual(totalOf(volumeByKind([])), { entries: 0, bytes: 0 });
});

test('a megabit is 10^6 bits', () => {
  assert.equal(mbits(1_250_000, 10), 1);
});
