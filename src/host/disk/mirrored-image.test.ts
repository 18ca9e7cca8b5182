import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { newIdentifier } from '../arbiter/arbiter-suite.ts';
import type { Disk } from './disk.ts';
import { testDisk } from './disk-suite.ts';
import { makeEmptyMirror, makeFirstMirror } from './mirror-files.ts';
import type { MirrorRecord } from './mirror-record.ts';
import { MirrorRecordFile, recordPathOf } from './mirror-record-file.ts';
import { MirroredImage } from './mirrored-image.ts';
import { RegionSet } from './region-set.ts';

testDisk('a mirrored image', async (path) => {
  const problems: string[] = [];
  if (!existsSync(recordPathOf(path))) await makeFirstMirror(path, 'm');
  const image = await MirroredImage.open(path, (line) => problems.push(line));
  return { disk: image.disk(), problems, close: () => image.close() };
});

const REGION = 256 * 1024;
const REGIONS = 16;

async function newImage(t: TestContext) {
  const directory = mkdtempSync(join(tmpdir(), 'understudy-mirrored-'));
  t.after(() => rmSync(directory, { recursive: true }));
  const path = join(directory, 'disk.raw');
  writeFileSync(path, '');
  truncateSync(path, REGION * REGIONS);
  await makeFirstMirror(path, 'm');
  const image = await MirroredImage.open(path, (line) => assert.fail(line));
  t.after(() => image.close());
  const stored = () => MirrorRecordFile.read(recordPathOf(path));
  return { directory, path, image, stored };
}

/** An image that is paired with `peer`, without a region to copy. */
async function pairedImage(t: TestContext) {
  const made = await newImage(t);
  const peer = newIdentifier();
  await made.image.expectPeer(peer, RegionSet.empty(REGIONS));
  await made.image.pairedWith(peer, { generation: 0, sequence: 0 });
  return { ...made, peer, marked: async () => marksOf(await made.stored(), peer) };
}

function marksOf(record: MirrorRecord, imageId: string): number[] {
  return [...record.peers.find((peer) => peer.imageId === imageId)!.regions];
}

const write = (disk: Disk, region: number, fill = 1) =>
  disk.request({ type: 'write', id: 0, offset: region * REGION, data: new Uint8Array(512).fill(fill) });

test('a region is marked in the record when the first write to it is answered', async (t) => {
  const { image, marked } = await pairedImage(t);
  const disk = image.disk();
  assert.ok((await write(disk, 3)).ok);
  assert.deepEqual(await marked(), [3]);
  const wide = { type: 'write', id: 0, offset: 7 * REGION - 512, data: new Uint8Array(1024) } as const;
  assert.ok((await disk.request(wide)).ok);
  assert.ok((await disk.request({ type: 'write-zeroes', id: 0, offset: 9 * REGION, length: 512 })).ok);
  assert.deepEqual(await marked(), [3, 6, 7, 9]);
});

test('reads, discards and flushes mark nothing, and further writes to a region write no record', async (t) => {
  const { image, path, marked } = await pairedImage(t);
  const disk = image.disk();
  await disk.request({ type: 'read', id: 0, offset: 0, length: REGION });
  await disk.request({ type: 'discard', id: 0, offset: 0, length: REGION });
  await disk.request({ type: 'flush', id: 0 });
  assert.deepEqual(await marked(), []);
  await write(disk, 0);
  const record = readFileSync(recordPathOf(path));
  for (let fill = 0; fill < 20; fill++) assert.ok((await write(disk, 0, fill)).ok);
  assert.ok(readFileSync(recordPathOf(path)).equals(record));
});

test('a common point forgets the regions that were idle since the point before, and no other', async (t) => {
  const { image, marked, peer } = await pairedImage(t);
  const disk = image.disk();
  const flushAndAgree = async (sequence: number) => {
    const at = { generation: 0, sequence };
    assert.ok((await image.flush(at)).ok);
    assert.equal(await image.commonPoint(peer, at), true);
  };
  await write(disk, 1);
  await write(disk, 2);
  await flushAndAgree(10);
  assert.deepEqual(await marked(), [1, 2]);
  await write(disk, 2);
  await flushAndAgree(20);
  assert.deepEqual(await marked(), [2]);
  await flushAndAgree(30);
  assert.deepEqual(await marked(), []);
  await write(disk, 1);
  assert.deepEqual(await marked(), [1]);
});

test('what is written after the flush of a point keeps its mark, however old the mark is', async (t) => {
  const { image, marked, peer } = await pairedImage(t);
  const disk = image.disk();
  await write(disk, 1);
  for (const sequence of [1, 2]) await image.flush({ generation: 0, sequence });
  await write(disk, 1);
  assert.equal(await image.commonPoint(peer, { generation: 0, sequence: 1 }), true);
  assert.equal(await image.commonPoint(peer, { generation: 0, sequence: 2 }), true);
  assert.deepEqual(await marked(), [1]);
});

test('what a catch-up settles keeps its mark where it was written after the flush', async (t) => {
  const { image, marked, peer } = await pairedImage(t);
  const disk = image.disk();
  await write(disk, 1);
  await write(disk, 2);
  const epoch = await image.flushedEpoch();
  await write(disk, 2);
  await image.forget(peer, [1, 2], epoch);
  assert.deepEqual(await marked(), [2]);
});

test('a point that this image did not flush up to, or that is past, is not confirmed', async (t) => {
  const { image, peer, stored } = await pairedImage(t);
  await image.flush({ generation: 0, sequence: 5 });
  const before = await stored();
  assert.equal(await image.commonPoint(peer, { generation: 0, sequence: 6 }), false);
  assert.equal(await image.commonPoint(peer, { generation: 1, sequence: 5 }), false);
  assert.equal(await image.commonPoint(newIdentifier(), { generation: 0, sequence: 5 }), false);
  assert.deepEqual(await stored(), before);
  assert.equal(await image.commonPoint(peer, { generation: 0, sequence: 5 }), true);
  assert.equal(await image.commonPoint(peer, { generation: 0, sequence: 5 }), false);
});

test('marks survive a reopening, and a pair does not: it has to catch up first', async (t) => {
  const { image, path, peer, marked } = await pairedImage(t);
  await write(image.disk(), 4);
  await image.close();
  const again = await MirroredImage.open(path, (line) => assert.fail(line));
  t.after(() => again.close());
  await again.flush({ generation: 0, sequence: 1 });
  assert.equal(await again.commonPoint(peer, { generation: 0, sequence: 1 }), false);
  assert.deepEqual(await marked(), [4]);
});

test('every peer has marks of its own, and of many the oldest is forgotten', async (t) => {
  const { image, stored, peer } = await pairedImage(t);
  const others = Array.from({ length: 3 }, newIdentifier);
  for (const other of others) await image.expectPeer(other, RegionSet.of(REGIONS, [1]));
  await write(image.disk(), 8);
  assert.deepEqual(marksOf(await stored(), peer), [8]);
  assert.deepEqual(marksOf(await stored(), others[2]!), [1, 8]);
  await image.expectPeer(peer, RegionSet.empty(REGIONS)); // the one used last now
  const more = newIdentifier();
  await image.expectPeer(more, RegionSet.full(REGIONS));
  assert.deepEqual(
    (await stored()).peers.map((each) => each.imageId),
    [others[1], others[2], peer, more],
  );
});

test('a flush waits for writes that were submitted before it and are not answered', async (t) => {
  const { image, path } = await pairedImage(t);
  const disk = image.disk();
  const answered: string[] = [];
  const writes = Array.from({ length: REGIONS }, (_, region) =>
    write(disk, region, 5).then(() => answered.push('write')),
  );
  await disk.request({ type: 'flush', id: 0 });
  answered.push('flush');
  await Promise.all(writes);
  assert.equal(answered.indexOf('flush'), REGIONS);
  assert.equal(readFileSync(path)[(REGIONS - 1) * REGION], 5);
});

test('generations and incarnations are in the record when the call has resolved', async (t) => {
  const { image, stored } = await newImage(t);
  const [one, two, three] = [newIdentifier(), newIdentifier(), newIdentifier()];
  await image.willClaimAs(one);
  await image.enter(0, one);
  assert.deepEqual([(await stored()).generation, (await stored()).incarnations], [0, [one]]);
  await image.willClaimAs(two);
  await image.willClaimAs(three);
  assert.deepEqual((await stored()).incarnations, [one, two, three]);
  await image.enter(4, three);
  assert.deepEqual([(await stored()).generation, (await stored()).incarnations], [4, [three]]);
});

test('cold starts without an answer are not counted beyond all bounds', async (t) => {
  const { image } = await newImage(t);
  for (let attempt = 0; attempt < 32; attempt++) await image.willClaimAs(newIdentifier());
  await assert.rejects(image.willClaimAs(newIdentifier()), { code: 'too-many-cold-starts' });
});

test('an incomplete image gives no disk, and one that was given is shut by a catch-up', async (t) => {
  const { image, directory, stored } = await newImage(t);
  const disk = image.disk();
  const target = await image.beginCatchUp(
    { imageId: newIdentifier(), setId: (await stored()).setId },
    RegionSet.of(REGIONS, [0]),
  );
  assert.deepEqual(await write(disk, 0), { ok: false, error: 'closed' });
  assert.throws(() => image.disk(), { code: 'image-incomplete' });
  assert.ok((await target.request({ type: 'write', id: 0, offset: 0, data: new Uint8Array(512) })).ok);

  const empty = join(directory, 'empty.raw');
  await makeEmptyMirror(empty, 'm', REGION * REGIONS);
  const other = await MirroredImage.open(empty, (line) => assert.fail(line));
  t.after(() => other.close());
  assert.throws(() => other.disk(), { code: 'image-incomplete', advice: /backup/ });
  assert.ok(statSync(empty).blocks * 512 < REGION);
});

test('a record that cannot be written fails the write, and later ones that rely on the mark', async (t) => {
  const { image, directory, path } = await pairedImage(t);
  await image.close();
  const problems: string[] = [];
  const again = await MirroredImage.open(path, (line) => problems.push(line));
  t.after(() => again.close());
  const failing = t.mock.method(Object.getPrototypeOf(await anyFileHandle(directory)), 'datasync', async () => {
    throw new Error('the medium is gone');
  });
  const disk = again.disk();
  assert.deepEqual(await write(disk, 1), { ok: false, error: 'io' });
  failing.mock.restore();
  assert.deepEqual(await write(disk, 1), { ok: false, error: 'io' });
  assert.equal(readFileSync(path)[REGION], 0);
  assert.match(problems[0]!, /disk\.raw\.mirror: cannot be written.*the medium is gone/);
});

async function anyFileHandle(directory: string): Promise<object> {
  const { open } = await import('node:fs/promises');
  const file = await open(directory);
  await file.close();
  return file;
}

test('files that are missing, broken, of another size or there already are clear errors', async (t) => {
  const { image, path, directory } = await newImage(t);
  await image.close();
  const open = (at: string) => MirroredImage.open(at, (line) => assert.fail(line));
  await assert.rejects(makeFirstMirror(path, 'm'), {
    code: 'mirror-exists',
    advice: /remove the image and its record/,
  });
  await assert.rejects(makeEmptyMirror(path, 'm', REGION), { code: 'mirror-exists' });
  await assert.rejects(makeEmptyMirror(join(directory, 'none', 'x'), 'm', REGION), { code: 'mirror-not-made' });
  truncateSync(path, REGION);
  await assert.rejects(open(path), { code: 'image-size-changed' });
  truncateSync(path, REGION * REGIONS);
  await (await open(path)).close(); // and nothing was left locked
  const record = readFileSync(recordPathOf(path));
  writeFileSync(recordPathOf(path), record.fill(0xff, 0, 64).fill(0xff, record.length / 2, record.length / 2 + 64));
  await assert.rejects(open(path), { code: 'mirror-record-broken' });
  rmSync(recordPathOf(path));
  await assert.rejects(open(path), { code: 'mirror-record-missing' });
});
