import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RegionSet, Regions, regionBytesFor } from './region-set.ts';

const KiB = 1024;
const GiB = 2 ** 30;

test('regions are of 256 KiB, and larger for disks that would have more than 262,144 of them', () => {
  for (const [sizeBytes, expected] of [
    [512, 256 * KiB],
    [64 * GiB, 256 * KiB],
    [64 * GiB + 512, 512 * KiB],
    [1024 * GiB, 4096 * KiB],
  ] as const) {
    assert.equal(regionBytesFor(sizeBytes), expected);
  }
});

test('an extent touches the regions that hold a byte of it', () => {
  const regions = new Regions(10 * 4096 + 512, 4096);
  assert.equal(regions.count, 11);
  for (const [start, end, first, after] of [
    [0, 512, 0, 1],
    [0, 4096, 0, 1],
    [4096 - 512, 4096 + 512, 0, 2],
    [8192, 8192 * 2, 2, 4],
    [4096, 4096, 0, 0],
    [10 * 4096, 10 * 4096 + 512, 10, 11],
  ] as const) {
    assert.deepEqual(regions.of({ start, end, writes: true }), { first, end: after }, `${start} to ${end}`);
  }
  assert.deepEqual(regions.extentOf(10, false), { start: 40960, end: 41472, writes: false });
});

test('a set keeps what was added, in order, and the union has both', () => {
  const set = RegionSet.of(20, [19, 0, 7, 8]);
  assert.deepEqual([...set], [0, 7, 8, 19]);
  set.delete(7);
  assert.deepEqual([set.has(7), set.has(8), set.size], [false, true, 3]);
  assert.deepEqual([...set.union(RegionSet.of(20, [1, 8]))], [0, 1, 8, 19]);
  assert.equal(RegionSet.full(20).size, 20);
  const copy = set.clone();
  copy.add(5);
  assert.equal(set.has(5), false);
});

test('a set comes back from its bytes, and bytes that are none are refused', () => {
  const set = RegionSet.of(20, [0, 13, 19]);
  assert.deepEqual([...RegionSet.fromBytes(20, set.toBytes())!], [0, 13, 19]);
  assert.equal(RegionSet.fromBytes(20, new Uint8Array(2)), undefined);
  assert.equal(RegionSet.fromBytes(20, new Uint8Array([0, 0, 0x10])), undefined);
});
