import assert from 'node:assert/strict';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { OperatingError } from '../../core/base/error.ts';
import { sealPiece } from '../../core/vm/page-pieces.ts';
import { sealSection } from '../../core/vm/plain-codec.ts';
import { type SnapshotHeader, type SnapshotPart, SnapshotReader, SnapshotWriter } from './snapshot-file.ts';

const header: SnapshotHeader = { identity: '{"name":"test"}', digest: 'ab12', ramPages: 1024 };
const end = { position: 12_345n, time: 678n, hash: 0xfedc_ba98_7654_3210n };

async function directory(t: TestContext): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), 'understudy-snapshot-'));
  t.after(() => rm(path, { recursive: true, force: true }));
  return path;
}

function pieces(): Uint8Array[] {
  return [3, 4, 5].map((first) => {
    const content = new Uint8Array(4096).fill(first);
    return sealPiece({ runs: [{ first, count: 1, zero: false }], content });
  });
}

const state = sealSection('TEST', 1, { version: 1, some: 'state' });

async function write(path: string): Promise<void> {
  const writer = await SnapshotWriter.create(path, header);
  for (const piece of pieces()) await writer.piece(piece);
  await writer.state(state);
  await writer.finish(end);
}

async function read(path: string): Promise<{ header: SnapshotHeader; parts: SnapshotPart[] }> {
  const reader = await SnapshotReader.open(path);
  try {
    const parts: SnapshotPart[] = [];
    for await (const part of reader.parts()) parts.push(part);
    return { header: reader.header, parts };
  } finally {
    await reader.close();
  }
}

test('what was written is read again, in order', async (t) => {
  const path = join(await directory(t), 'a.snap');
  await write(path);
  const found = await read(path);
  assert.deepEqual(found.header, header);
  assert.deepEqual(
    found.parts.map(({ kind }) => kind),
    ['piece', 'piece', 'piece', 'state', 'end'],
  );
  const [first, , , last] = found.parts;
  assert.deepEqual(first, { kind: 'piece', bytes: pieces()[0] });
  assert.deepEqual(last, { kind: 'state', bytes: state });
  assert.deepEqual(found.parts[4], { kind: 'end', end });
});

test('a file has its name only when it is whole, and one that was given up leaves nothing', async (t) => {
  const place = await directory(t);
  const path = join(place, 'a.snap');
  const writer = await SnapshotWriter.create(path, header);
  assert.equal((await readdir(place)).includes('a.snap'), false);
  await writer.abandon();
  assert.deepEqual(await readdir(place), []);
  await write(path);
  assert.deepEqual(await readdir(place), ['a.snap']);
});

test('a file that exists is never written over, and a place that does not exist is one clear error', async (t) => {
  const place = await directory(t);
  const path = join(place, 'a.snap');
  await writeFile(path, 'precious');
  await assert.rejects(SnapshotWriter.create(path, header), { code: 'snapshot-exists' });
  assert.equal(await readFile(path, 'utf8'), 'precious');
  await assert.rejects(SnapshotWriter.create(join(place, 'no', 'a.snap'), header), { code: 'snapshot-unwritable' });
});

test('a foreign file and one of a newer format are told apart', async (t) => {
  const place = await directory(t);
  const path = join(place, 'a.snap');
  for (const content of ['', 'short', 'something quite different, and long enough']) {
    await writeFile(path, content);
    await assert.rejects(read(path), { code: 'snapshot-foreign' });
  }
  await rm(path);
  await write(path);
  const bytes = await readFile(path);
  bytes[8] = 2;
  await writeFile(path, bytes);
  await assert.rejects(read(path), { code: 'snapshot-version', message: /format 2, and this program reads format 1/ });
});

test('a file cut short anywhere is an operating error', async (t) => {
  const path = join(await directory(t), 'a.snap');
  await write(path);
  const bytes = await readFile(path);
  for (let length = 10; length < bytes.length; length += length < 60 || length > bytes.length - 60 ? 1 : 997) {
    await writeFile(path, bytes.subarray(0, length));
    await assert.rejects(read(path), { code: 'snapshot-damaged' }, `${length} bytes`);
  }
});

/** Pieces and the state have checksums of their own, which those who take them in look at. */
test('a changed byte in the frame, the header or the end is an operating error', async (t) => {
  const path = join(await directory(t), 'a.snap');
  await write(path);
  const bytes = await readFile(path);
  const sections: { readonly at: number; readonly length: number }[] = [];
  for (let at = 10; at < bytes.length; ) {
    const length = bytes.readUInt32LE(at + 1);
    sections.push({ at, length });
    at += 5 + length;
  }
  const refused = async (at: number): Promise<void> => {
    const damaged = Buffer.from(bytes);
    damaged[at]! ^= 0x41;
    await writeFile(path, damaged);
    await assert.rejects(read(path), OperatingError, `byte ${at}`);
  };
  for (let at = 0; at < 10; at++) await refused(at);
  for (const { at, length } of sections) {
    for (let i = 0; i < 5; i++) await refused(at + i);
    for (let i = 1; i <= 4; i++) await refused(at + 5 + length - i);
  }
  for (const { at, length } of [sections[0]!, sections.at(-1)!]) {
    for (let i = 0; i < length; i++) await refused(at + 5 + i);
  }
});

test('parts that are missing or stand in another order are found', async (t) => {
  const path = join(await directory(t), 'a.snap');
  await write(path);
  const bytes = await readFile(path);
  const parts: Buffer[] = [bytes.subarray(0, 10)];
  for (let at = 10; at < bytes.length; at += parts.at(-1)!.length) {
    parts.push(bytes.subarray(at, at + 5 + bytes.readUInt32LE(at + 1)));
  }
  const without = (index: number): Buffer[] => parts.filter((_, i) => i !== index);
  const swapped = [parts[0]!, parts[1]!, parts[3]!, parts[2]!, ...parts.slice(4)];
  const twice = [parts[0]!, parts[1]!, parts[2]!, parts[2]!, ...parts.slice(3)];
  for (const list of [without(2), without(5), without(6), swapped, twice]) {
    await writeFile(path, Buffer.concat(list));
    await assert.rejects(read(path), { code: 'snapshot-damaged' });
  }
});
