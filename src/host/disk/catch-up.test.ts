import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmdirSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { CatchUp } from './catch-up.ts';
import { makeEmptyMirror, makeFirstMirror } from './mirror-files.ts';
import { MirrorRecordFile, recordPathOf } from './mirror-record-file.ts';
import { type CatchUpTarget, MirroredImage } from './mirrored-image.ts';
import { RegionSet } from './region-set.ts';
import { beginCatchUp, catchUp, seeded, writeSomewhere } from './testing/mirror-pair.ts';

const REGION = 256 * 1024;
const REGIONS = 24;
const SIZE = REGION * REGIONS - 512;

const open = (path: string) => MirroredImage.open(path, (line) => assert.fail(line));

/** A survivor with random content and an empty image. */
async function newPair(t: TestContext, seed: number) {
  const directory = mkdtempSync(join(tmpdir(), 'understudy-catch-up-'));
  t.after(() => rmSync(directory, { recursive: true }));
  const [here, there] = [join(directory, 'here.raw'), join(directory, 'there.raw')];
  writeFileSync(here, '');
  truncateSync(here, SIZE);
  await makeFirstMirror(here, 'm');
  await makeEmptyMirror(there, 'm', SIZE);
  const random = seeded(seed);
  const pair = { here, there, random, survivor: await open(here), returning: await open(there) };
  for (let count = 0; count < 12; count++) await writeSomewhere([pair.survivor.disk()], random);
  t.after(() => Promise.all([pair.survivor.close(), pair.returning.close()]));
  const equal = () => readFileSync(here).equals(readFileSync(there));
  return Object.assign(pair, { equal });
}

test('an empty image becomes equal while the survivor is written, and then boots as its pair', async (t) => {
  for (let seed = 1; seed <= 8; seed++) {
    const { survivor, returning, random, equal } = await newPair(t, seed);
    const disk = survivor.disk();
    const writes = async () => {
      for (let count = 0; count < 60; count++) await writeSomewhere([disk], random);
    };
    const guests = () => Promise.all([writes(), writes(), writes()]).then(() => {});
    const plan = await catchUp(survivor, returning, {
      meanwhile: guests,
      windowBytes: REGION,
      settleBytes: REGION * 3,
    });
    assert.equal(plan.kind, 'everything');
    assert.ok(equal(), `seed ${seed}`);
    assert.equal(returning.record.state, 'complete');
    assert.deepEqual(returning.record.generation, 1);
    // Both go on as a pair, and stay equal.
    await Promise.all([
      writeSomewhere([disk, returning.disk()], random),
      writeSomewhere([disk, returning.disk()], random),
    ]);
    assert.ok(equal(), `seed ${seed}, as a pair`);
  }
});

test('holes stay holes', async (t) => {
  const { survivor, returning, there, equal } = await newPair(t, 3);
  await survivor.disk().request({ type: 'write-zeroes', id: 0, offset: 0, length: SIZE });
  await catchUp(survivor, returning);
  assert.ok(equal());
  assert.equal(statSync(there).blocks, 0);
});

test('zeroes that follow each other are one request', async (t) => {
  const { survivor, returning, equal } = await newPair(t, 4);
  const disk = survivor.disk();
  await disk.request({ type: 'write-zeroes', id: 0, offset: 0, length: SIZE });
  await disk.request({ type: 'write', id: 0, offset: 10 * REGION, data: new Uint8Array(512).fill(1) });
  const requests: string[] = [];
  const around = (target: CatchUpTarget): CatchUpTarget => ({
    request: (request) => {
      requests.push(request.type);
      return target.request(request);
    },
    settle: (regions) => target.settle(regions),
  });
  await catchUp(survivor, returning, { around });
  assert.ok(equal());
  assert.equal(requests.filter((type) => type === 'write').length, 1);
  // Before the write and after it; two reads are under way at once, so that a neighbour of it may come out of its order.
  assert.ok(requests.length <= 6, requests.join(' '));
});

test('a new image that somebody has filled is not taken for empty', async (t) => {
  const pair = await newPair(t, 11);
  await pair.returning.close();
  writeFileSync(pair.there, Buffer.alloc(SIZE, 0xee));
  pair.returning = await open(pair.there);
  await catchUp(pair.survivor, pair.returning);
  assert.ok(pair.equal());
});

test('what a catch-up finds in its place already is no difference from any other host', async (t) => {
  const pair = await newPair(t, 12);
  const { survivor, returning } = pair;
  await catchUp(survivor, returning);
  const thirdPath = join(dirname(pair.there), 'third.raw');
  await makeEmptyMirror(thirdPath, 'm', SIZE);
  const third = await open(thirdPath);
  t.after(() => third.close());
  await catchUp(returning, third);
  const at = { generation: 9, sequence: 1 };
  for (const image of [third, returning]) assert.ok((await image.flush(at)).ok);
  assert.ok(await third.commonPoint(returning.imageId, at));
  assert.ok(await returning.commonPoint(third.imageId, at));
  const data = new Uint8Array(512).fill(0xab);
  await survivor.disk().request({ type: 'write', id: 0, offset: 5 * REGION, data });
  await survivor.disk().request({ type: 'write-zeroes', id: 0, offset: 7 * REGION, length: REGION });
  const differ = [5, 7].filter((region) => {
    const [mine, theirs] = [readFileSync(pair.here), readFileSync(pair.there)];
    const extent = [region * REGION, (region + 1) * REGION] as const;
    return !mine.subarray(...extent).equals(theirs.subarray(...extent));
  });
  assert.ok(differ.includes(5));
  const everything = RegionSet.full(REGIONS);
  const target = await returning.beginCatchUp({ imageId: survivor.imageId, setId: survivor.record.setId }, everything);
  const session = await CatchUp.start(survivor, returning.imageId, everything, target);
  await session.copied;
  await session.cutOver();
  assert.ok(pair.equal());
  const marked = returning.record.peers.find(({ imageId }) => imageId === third.imageId)!.regions;
  assert.deepEqual([...marked], differ);
});

test('after a separation only what either side wrote is copied, and both are equal', async (t) => {
  const pair = await newPair(t, 5);
  const { survivor, random } = pair;
  await catchUp(survivor, pair.returning);
  const disks = [survivor.disk(), pair.returning.disk()] as const;
  for (let count = 0; count < 5; count++) await writeSomewhere(disks, random);
  for (const sequence of [1, 2, 3]) {
    const at = { generation: 1, sequence };
    for (const image of [survivor, pair.returning]) assert.ok((await image.flush(at)).ok);
    assert.ok(await pair.returning.commonPoint(survivor.imageId, at));
    assert.ok(await survivor.commonPoint(pair.returning.imageId, at));
  }
  const write = (image: MirroredImage, region: number, fill: number) =>
    image.disk().request({ type: 'write', id: 0, offset: region * REGION, data: new Uint8Array(512).fill(fill) });
  await write(survivor, 2, 0xaa);
  await write(pair.returning, 3, 0xbb); // it holds what the survivor never wrote
  await pair.returning.close();
  await write(survivor, 4, 0xcc);
  pair.returning = await open(pair.there);
  assert.ok(!pair.equal());
  const plan = await catchUp(survivor, pair.returning);
  assert.equal(plan.kind, 'regions');
  assert.deepEqual([...plan.regions], [2, 3, 4]);
  assert.ok(pair.equal());
});

test('the roles may be changed: the returning host can be the survivor of the next time', async (t) => {
  const pair = await newPair(t, 6);
  await catchUp(pair.survivor, pair.returning);
  await writeSomewhere([pair.survivor.disk()], pair.random); // dies with this
  await writeSomewhere([pair.returning.disk()], pair.random);
  const plan = await catchUp(pair.returning, pair.survivor);
  assert.equal(plan.kind, 'regions');
  assert.ok(pair.equal());
});

test('cut off at any request, it goes on from there, and the image is incomplete until it is done', async (t) => {
  const pair = await newPair(t, 7);
  const { random } = pair;
  let copies = 0;
  const planned: number[] = [];
  for (let cutAt = 2; ; cutAt += 3) {
    let requests = 0;
    const failing = (target: CatchUpTarget): CatchUpTarget => ({
      request: async (request) => {
        if (++requests > cutAt) return { ok: false, error: 'io' };
        copies++;
        return target.request(request);
      },
      settle: (regions) => target.settle(regions),
    });
    const meanwhile = async () => {
      for (let count = 0; count < 3; count++) await writeSomewhere([pair.survivor.disk()], random);
    };
    const attempt = catchUp(pair.survivor, pair.returning, {
      around: failing,
      meanwhile,
      windowBytes: REGION,
      settleBytes: REGION,
    });
    const done = await attempt.then(
      (plan) => {
        planned.push(plan.regions.size);
        return true;
      },
      () => false,
    );
    if (done) break;
    assert.equal((await MirrorRecordFile.read(recordPathOf(pair.there))).state, 'incomplete');
    assert.ok((await pair.survivor.disk().request({ type: 'flush', id: 0 })).ok); // the guest is not disturbed
    await Promise.all([pair.survivor.close(), pair.returning.close()]);
    [pair.survivor, pair.returning] = [await open(pair.here), await open(pair.there)];
  }
  assert.ok(pair.equal());
  assert.ok(planned[0]! < REGIONS, 'the last attempt did not begin from nothing');
  assert.ok(copies < REGIONS * 4);
});

test('what is under way to the target is bounded, and the guest waits for room', async (t) => {
  const { survivor, returning, equal } = await newPair(t, 8);
  let underWay = 0;
  let most = 0;
  const slow = (target: CatchUpTarget): CatchUpTarget => ({
    request: async (request) => {
      const bytes = request.type === 'write' ? request.data.length : 0;
      underWay += bytes;
      most = Math.max(most, underWay);
      await new Promise((resolve) => setImmediate(resolve));
      const result = await target.request(request);
      underWay -= bytes;
      return result;
    },
    settle: (regions) => target.settle(regions),
  });
  const disk = survivor.disk();
  const meanwhile = async () => {
    const data = new Uint8Array(REGION).fill(7);
    const writes = Array.from({ length: 40 }, (_, index) =>
      disk.request({ type: 'write', id: 0, offset: (index % (REGIONS - 1)) * REGION, data }),
    );
    assert.ok((await Promise.all(writes)).every((result) => result.ok));
  };
  await catchUp(survivor, returning, { around: slow, meanwhile, windowBytes: 2 * REGION });
  assert.ok(most <= 2 * REGION, `${most} bytes`);
  assert.ok(equal());
});

test('a target that never answers holds nobody up once the catch-up is given up', async (t) => {
  const { survivor, returning } = await newPair(t, 9);
  const { plan } = await beginCatchUp(survivor, returning);
  const silent: CatchUpTarget = { request: () => new Promise(() => {}), settle: () => new Promise(() => {}) };
  const session = await CatchUp.start(survivor, returning.imageId, plan.regions, silent, { windowBytes: REGION });
  const data = new Uint8Array(SIZE).fill(3);
  const stuck = survivor.disk().request({ type: 'write', id: 0, offset: 0, data });
  session.abort();
  await assert.rejects(session.copied, { name: 'CatchUpAborted' });
  assert.deepEqual(await stuck, { ok: true });
  const next = await CatchUp.start(survivor, returning.imageId, plan.regions, silent); // and another may begin
  next.abort();
});

test('what a failed write left on the survivor is copied, so that both images hold the same', async (t) => {
  const pair = await newPair(t, 10);
  const mount = mkdtempSync(join(tmpdir(), 'understudy-small-'));
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=2m', 'tmpfs', mount], { stdio: 'ignore' });
  } catch {
    rmdirSync(mount);
    t.skip('a small file system cannot be mounted here');
    return;
  }
  t.after(() => {
    execFileSync('umount', ['--lazy', mount]);
    rmdirSync(mount);
  });
  const here = join(mount, 'here.raw');
  writeFileSync(here, '');
  truncateSync(here, SIZE);
  await makeFirstMirror(here, 'm');
  const survivor = await MirroredImage.open(here, () => {}); // its problems are the test's purpose
  t.after(() => survivor.close());
  const { plan, target } = await beginCatchUp(survivor, pair.returning);
  const session = await CatchUp.start(survivor, pair.returning.imageId, plan.regions, target);
  await session.copied;
  const data = new Uint8Array(4 * 1024 * 1024).fill(5);
  const result = await survivor.disk().request({ type: 'write', id: 0, offset: 0, data });
  assert.deepEqual(result, { ok: false, error: 'no-space' });
  await session.cutOver();
  assert.equal(readFileSync(here)[0], 5);
  assert.ok(readFileSync(here).equals(readFileSync(pair.there)));
});
