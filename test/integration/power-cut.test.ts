/**
 * Mirrored images on a host that loses power, with all that was not flushed. The images and their records lie on storage
 * behind a volatile write-back cache (test/e2e/support/power-cut.ts), their process is killed at a random moment, and so
 * is the cache.
 */
import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  closeSync,
  fsyncSync,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { type TestContext, test } from 'node:test';
import { promisify } from 'node:util';
import { newIdentifier } from '../../src/host/arbiter/arbiter-suite.ts';
import { connectDisk } from '../../src/host/disk/client.ts';
import { makeEmptyMirror, makeFirstMirror } from '../../src/host/disk/mirror-files.ts';
import { MirrorRecordFile, recordPathOf } from '../../src/host/disk/mirror-record-file.ts';
import { SECTOR, seeded } from '../../src/host/disk/testing/mirror-pair.ts';
import { VolatileStorage, whyNoPowerCut } from '../e2e/support/power-cut.ts';

const skip = (await whyNoPowerCut()) ?? false;
const MiB = 1024 * 1024;
const run = promisify(execFile);
const SERVER = new URL('../../src/host/disk/fixtures/server-process.ts', import.meta.url).pathname;
const WRITER = new URL('./fixtures/mirror-writer.ts', import.meta.url).pathname;

async function newStorage(t: TestContext): Promise<VolatileStorage> {
  const storage = await VolatileStorage.create(96 * MiB);
  t.after(() => storage.remove());
  return storage;
}

/** A first image `b` on storage that keeps its power, and an empty one `a`, to catch up, on storage that may lose it. */
async function newImages(t: TestContext) {
  const storage = await newStorage(t);
  const stable = mkdtempSync(join(tmpdir(), 'understudy-stable-'));
  t.after(() => rmSync(stable, { recursive: true }));
  const [a, b] = [join(storage.mountPoint, 'a.raw'), join(stable, 'b.raw')];
  writeFileSync(b, '');
  truncateSync(b, 32 * MiB);
  await makeFirstMirror(b, 'm');
  await makeEmptyMirror(a, 'm', 32 * MiB);
  return { storage, a, b };
}

test('what was flushed survives a cut, and what was not is lost', { skip }, async (t) => {
  const storage = await newStorage(t);
  const [kept, lost] = [join(storage.mountPoint, 'kept'), join(storage.mountPoint, 'lost')];
  const file = openSync(kept, 'w');
  writeFileSync(file, 'durable');
  fsyncSync(file);
  closeSync(file);
  writeFileSync(lost, 'not durable');
  writeFileSync(kept, 'overwritten');
  await storage.cutPower();
  assert.equal(statSync(kept, { throwIfNoEntry: false }), undefined); // nothing is there without power
  await storage.powerOn();
  assert.equal(readFileSync(kept, 'utf8').startsWith('overwritten'), false);
  assert.notEqual(statSync(lost, { throwIfNoEntry: false })?.size, 'not durable'.length);
});

/** What the writer's lines have made certain. */
class Ledger {
  count = 0;
  flushed = 0;
  #writes: { readonly count: number; readonly sector: number }[] = [];
  readonly words: string[][] = [];

  take(line: string): void {
    const words = line.split(' ');
    this.words.push(words);
    const [kind, count, sector] = words;
    assert.notEqual(kind, 'problem', line);
    if (kind === 'flushed') this.flushed = Number(count);
    if (kind !== 'write') return;
    this.count = Number(count);
    this.#writes.push({ count: this.count, sector: Number(sector) });
  }

  /** After a cut: what was not flushed may be gone. */
  forgetUnflushed(): void {
    this.#writes = this.#writes.filter(({ count }) => count <= this.flushed);
  }

  /** Every sector holds what was written there last before the last flush, or something later. */
  check(image: Buffer): void {
    for (const { count, sector } of this.#writes) {
      if (count > this.flushed) return;
      const found = image.readUInt32LE(sector * SECTOR);
      assert.ok(found >= count, `sector ${sector} holds ${found}, and ${count} was flushed`);
    }
  }
}

/** Runs the writer until it has said `lines` lines, and kills it, if it does not itself. */
async function writeUntilKilled(words: readonly string[], ledger: Ledger, lines: number): Promise<void> {
  const child = spawn(process.execPath, [WRITER, ...words], { stdio: ['ignore', 'pipe', 'inherit'] });
  const closed = once(child, 'close');
  let said = 0;
  for await (const line of createInterface({ input: child.stdout })) {
    ledger.take(line);
    if (++said === lines) child.kill('SIGKILL');
  }
  const [code, signal] = await closed;
  assert.equal(signal, 'SIGKILL', `the writer ended with ${code}`);
}

test('a flush left out is found: what the writer calls durable is gone after the cut', { skip }, async (t) => {
  const { a, b, storage } = await newImages(t);
  const ledger = new Ledger();
  await writeUntilKilled([b, a, '1', '0', 'lying'], ledger, 500);
  await storage.cutPower();
  await storage.powerOn();
  assert.throws(() => ledger.check(readFileSync(a)), /was flushed/);
  ledger.check(readFileSync(b)); // whose host had its power all the time
});

test('the disk server keeps the generation that it admitted, and what it flushed, over a cut', { skip }, async (t) => {
  const storage = await newStorage(t);
  const directory = mkdtempSync(join(tmpdir(), 'understudy-cut-server-'));
  t.after(() => rmSync(directory, { recursive: true }));
  const [path, socket] = [join(storage.mountPoint, 'disk.raw'), join(directory, 'disk.sock')];
  writeFileSync(path, '');
  truncateSync(path, MiB);
  await run('sync', ['-f', path]);
  const start = async () => {
    const child = spawn(process.execPath, [SERVER, path, socket, storage.mountPoint], {
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    await once(child.stdout, 'data');
    return child;
  };
  const open = (generation: number, incarnation: string) =>
    connectDisk({ address: { path: socket }, vm: 'm', writer: { generation, incarnation }, onFenced: () => {} });
  const [old, next] = [newIdentifier(), newIdentifier()];

  const server = await start();
  const first = await open(0, old);
  const data = new Uint8Array(SECTOR).fill(1);
  assert.ok((await first.request({ type: 'write', id: 0, offset: 0, data })).ok);
  assert.ok((await first.request({ type: 'flush', id: 0 })).ok);
  const second = await open(1, next); // answered: so it must be durable
  const gone = once(server, 'exit');
  server.kill('SIGKILL');
  await gone;
  await Promise.all([first.close(), second.close()]);
  await storage.cutPower();
  await storage.powerOn();

  const restarted = await start();
  await assert.rejects(open(0, old), { code: 'disk-refused', message: /1 was admitted/ });
  const reader = await open(1, next);
  const result = await reader.request({ type: 'read', id: 0, offset: 0, length: SECTOR });
  assert.ok(result.ok && result.data?.[0] === 1);
  await reader.close();
  const ended = once(restarted, 'exit');
  restarted.kill('SIGTERM');
  await ended;
});

const ROUNDS = Number(process.env.POWER_CUT_ROUNDS ?? 6);
const SEED = Number(process.env.POWER_CUT_SEED ?? 1);

test(`${ROUNDS} cuts under load: no flushed write is lost, and the marked regions make both images equal`, {
  skip,
}, async (t) => {
  const { a, b, storage } = await newImages(t);
  const random = seeded(SEED);
  const ledger = new Ledger();
  let [here, there] = [b, a];
  for (let round = 0; round < ROUNDS; round++) {
    const words = [here, there, String(random.below(2 ** 31)), String(ledger.count)];
    ledger.words.length = 0;
    const lines = 3 + random.below(700);
    await (round === 0
      ? writeUntilKilled([...words, 'dying'], ledger, Infinity)
      : writeUntilKilled(words, ledger, lines));
    const [, kind, regions] = ledger.words.find(([word]) => word === 'plan')!;
    assert.equal(kind, round === 0 ? 'everything' : 'regions', `round ${round}`);
    if (round === 1) assert.ok(Number(regions) < 128, 'the second catch-up goes on where the first was cut off');
    await storage.cutPower();
    await storage.powerOn();
    ledger.check(readFileSync(here));
    if (ledger.words.some(([word]) => word === 'paired')) {
      ledger.check(readFileSync(there));
      [here, there] = [there, here]; // who lost power is the survivor of one round and returns in another
    } else if (round === 0) assert.equal((await MirrorRecordFile.read(recordPathOf(there))).state, 'incomplete');
    ledger.forgetUnflushed();
  }
});
