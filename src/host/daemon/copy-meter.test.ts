import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CopyMeter } from './copy-meter.ts';

const MIB = 2 ** 20;
const memory = (round: number, doneMib: number, leftMib: number) => ({
  round,
  doneBytes: doneMib * MIB,
  leftBytes: leftMib * MIB,
  sentBytes: doneMib * MIB,
});

test('a copy goes through its stages, each with its own pace and an end in sight', () => {
  const meter = new CopyMeter();
  assert.equal(meter.observe(undefined, undefined, 0), undefined);
  assert.equal(meter.observe(memory(0, 0, 0), undefined, 0)?.stage, 'starting');
  const image = { doneBytes: 0, totalBytes: 100 * MIB };
  assert.deepEqual(meter.observe(memory(0, 0, 0), image, 1000), { stage: 'disk', ...image });
  const half = { doneBytes: 50 * MIB, totalBytes: 100 * MIB };
  const disk = { stage: 'disk', ...half, bytesPerSecond: 25 * MIB, restMs: 2000 };
  assert.deepEqual(meter.observe(memory(0, 0, 0), half, 3000), disk);
  const full = { doneBytes: 100 * MIB, totalBytes: 100 * MIB };
  assert.equal(meter.observe(memory(1, 0, 512), full, 5000)?.bytesPerSecond, undefined);
  assert.deepEqual(meter.observe(memory(1, 128, 384), full, 6000), {
    stage: 'memory',
    doneBytes: 128 * MIB,
    totalBytes: 512 * MIB,
    bytesPerSecond: 128 * MIB,
    restMs: 3000,
  });
  const finishing = { stage: 'finishing', doneBytes: 520 * MIB, totalBytes: 520 * MIB };
  assert.deepEqual(meter.observe(memory(3, 520, 0), full, 9000), finishing);
});

test('the pace is that of the last seconds, and a copy that stands still has no end', () => {
  const meter = new CopyMeter();
  meter.observe(memory(1, 0, 512), undefined, 0);
  meter.observe(memory(1, 256, 256), undefined, 1000);
  for (const atMs of [3000, 5000]) meter.observe(memory(1, 256, 256), undefined, atMs);
  const still = meter.observe(memory(1, 256, 256), undefined, 7000);
  assert.equal(still?.bytesPerSecond, 0);
  assert.equal(still?.restMs, undefined);
});

test('another copy begins without the pace of the one before', () => {
  const meter = new CopyMeter();
  meter.observe(memory(1, 0, 512), undefined, 0);
  meter.observe(memory(1, 400, 112), undefined, 1000);
  assert.equal(meter.observe(memory(1, 0, 512), undefined, 2000)?.bytesPerSecond, undefined);
});
