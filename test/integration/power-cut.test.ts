/**
 * Mirrored images on a host that loses power, with all that was not flushed. The images and their records lie on storage
 * behind a volatile write-back cache (test/e2e/support/power-cut.ts), their process is killed at a random moment, and so
 * is the cache.
 */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
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
import { makeEmptyMirror, makeFirstMirror } from '../../src/host/disk/mirror-files.ts';
import { SECTOR, seeded } from '../../src/host/disk/testing/mirror-pair.ts';
import { VolatileStorage, whyNoPowerCut } from '../e2e/support/power-cut.ts';

const skip = (await whyNoPowerCut()) ?? false;
const MiB = 1024 * 1024;
const WRITER = new URL('./fixtures/mirror-writer.ts', import.meta.url).pathname;

async function newStorage(t: TestContext): Promise<VolatileStorage> {
  const storage = await VolatileStorage.create(96 * MiB);
  t.after(() => storage.remove());
  return storage;
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

/** Runs the writer until it has said `lines` lines, and kills it. */
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

const ROUNDS = Number(process.env.POWER_CUT_ROUNDS ?? 6);

test(`${ROUNDS} cuts under load: no flushed write is lost, and the marked regions make both images equal`, {
  skip,
}, async (t) => {
  const storage = await newStorage(t);
  const stable = mkdtempSync(join(tmpdir(), 'understudy-stable-'));
  t.after(() => rmSync(stable, { recursive: true }));
  const random = seeded(Number(process.env.POWER_CUT_SEED ?? 1));
  const [a, b] = [join(storage.mountPoint, 'a.raw'), join(stable, 'b.raw')];
  writeFileSync(a, '');
  truncateSync(a, 32 * MiB);
  await makeFirstMirror(a, 'm');
  await makeEmptyMirror(b, 'm', 32 * MiB);
  const ledger = new Ledger();
  const plans: string[][] = [];
  for (let round = 0; round < ROUNDS; round++) {
    // The host that loses power is the survivor of one round and the one that returns in the next.
    const [here, there] = round % 2 === 0 ? [a, b] : [b, a];
    await writeUntilKilled(
      [here, there, String(random.below(2 ** 31)), String(ledger.count)],
      ledger,
      3 + random.below(600),
    );
    plans.push(ledger.words.findLast(([kind]) => kind === 'plan')!);
    await storage.cutPower();
    await storage.powerOn();
    ledger.check(readFileSync(a));
    ledger.check(readFileSync(b));
    ledger.forgetUnflushed();
  }
  assert.equal(plans[0]![1], 'everything');
  assert.ok(
    plans.slice(1).every(([, kind]) => kind === 'regions'),
    plans.join('; '),
  );
  assert.ok(
    plans.slice(1).some(([, , regions]) => Number(regions) < 128),
    plans.join('; '),
  );
});
