import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { newIdentifier } from '../arbiter/arbiter-suite.ts';
import { decodeSlot, encodeSlot, type MirrorRecord, slotBytesFor } from './mirror-record.ts';
import { MirrorRecordFile } from './mirror-record-file.ts';
import { RegionSet, Regions } from './region-set.ts';

const regions = new Regions(100 * 4096, 4096);

function newRecord(generation = 5): MirrorRecord {
  const peers = [3, 4].map((fill) => ({
    imageId: newIdentifier(),
    point: { generation: 4, sequence: 2 ** 40 + fill },
    pointBefore: undefined,
    regions: RegionSet.of(regions.count, [fill, 99]),
  }));
  return {
    vm: 'm',
    setId: newIdentifier(),
    imageId: newIdentifier(),
    sizeBytes: regions.sizeBytes,
    regionBytes: regions.regionBytes,
    state: 'complete',
    generation,
    incarnations: [newIdentifier()],
    peers,
  };
}

/** JSON has no `undefined`: as it is compared. */
const plain = (record: MirrorRecord) =>
  JSON.parse(
    JSON.stringify({ ...record, peers: record.peers.map((peer) => ({ ...peer, regions: [...peer.regions] })) }),
  );

test('a record comes back from its bytes, behind which anything may stand', () => {
  const record = newRecord();
  const decoded = decodeSlot(Buffer.concat([encodeSlot(record, 77), Buffer.alloc(300, 0xee)]));
  assert.equal(decoded?.serial, 77);
  assert.deepEqual(plain(decoded!.record), plain(record));
});

test('a slot with any byte changed, or cut off anywhere, is not taken', () => {
  const slot = encodeSlot(newRecord(), 1);
  for (let at = 0; at < slot.length; at++) {
    const changed = Buffer.from(slot);
    changed[at]! ^= 0x10;
    assert.equal(decodeSlot(changed), undefined, `byte ${at}`);
    assert.equal(decodeSlot(slot.subarray(0, at)), undefined, `cut at ${at}`);
  }
});

test('the largest record fits in its slot', () => {
  const full: MirrorRecord = {
    ...newRecord(Number.MAX_SAFE_INTEGER),
    vm: 'm'.repeat(63),
    incarnations: Array.from({ length: 32 }, newIdentifier),
    peers: Array.from({ length: 4 }, () => {
      const point = { generation: Number.MAX_SAFE_INTEGER, sequence: Number.MAX_SAFE_INTEGER };
      return { imageId: newIdentifier(), point, pointBefore: point, regions: RegionSet.full(regions.count) };
    }),
  };
  assert.ok(encodeSlot(full, Number.MAX_SAFE_INTEGER).length <= slotBytesFor(regions));
});

async function newFile(t: TestContext) {
  const directory = mkdtempSync(join(tmpdir(), 'understudy-record-'));
  t.after(() => rmSync(directory, { recursive: true }));
  const path = join(directory, 'x.mirror');
  const state = { record: newRecord(0) };
  await MirrorRecordFile.create(path, state.record);
  const file = await MirrorRecordFile.open(path, () => state.record);
  t.after(() => file.close());
  return { path, file, state };
}

test('what was saved last is read, after any number of saves', async (t) => {
  const { path, file, state } = await newFile(t);
  for (let generation = 1; generation <= 5; generation++) {
    state.record = newRecord(generation);
    await file.save();
    assert.deepEqual(plain(await MirrorRecordFile.read(path)), plain(state.record));
  }
});

test('saves that come while one is under way share the next one, which holds all of them', async (t) => {
  const { path, file, state } = await newFile(t);
  const serialOf = () => {
    const content = readFileSync(path);
    const half = content.length / 2;
    return Math.max(
      ...[content.subarray(0, half), content.subarray(half)].map((slot) => decodeSlot(slot)?.serial ?? 0),
    );
  };
  const before = serialOf();
  const saves: Promise<void>[] = [];
  for (let generation = 1; generation <= 50; generation++) {
    state.record = newRecord(generation);
    saves.push(file.save());
    if (generation === 25) await saves[0];
  }
  await Promise.all(saves);
  assert.equal((await MirrorRecordFile.read(path)).generation, 50);
  assert.ok(serialOf() - before <= 3, `${serialOf() - before} writes`);
});

test('a save that is torn at any place leaves the record before it or the whole new one', async (t) => {
  const { path, file, state } = await newFile(t);
  state.record = newRecord(1);
  await file.save();
  const before = readFileSync(path);
  state.record = newRecord(2);
  await file.save();
  const after = readFileSync(path);
  const changed = before.findIndex((byte, at) => byte !== after[at]);
  const end = after.length - [...after].reverse().findIndex((byte, at) => byte !== before[before.length - 1 - at]);
  for (let at = changed; at <= end; at += 7) {
    writeFileSync(path, Buffer.concat([after.subarray(0, at), before.subarray(at)]));
    assert.equal((await MirrorRecordFile.read(path)).generation, 1, `torn at ${at}`);
  }
  writeFileSync(path, after);
  assert.equal((await MirrorRecordFile.read(path)).generation, 2);
});
