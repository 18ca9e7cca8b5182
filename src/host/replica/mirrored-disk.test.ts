import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import type { BlockRequest } from '../../core/machine/doors.ts';
import { newIdentifier } from '../arbiter/arbiter-suite.ts';
import { openArbiter } from '../arbiter/open.ts';
import { MirrorRecordFile, recordPathOf } from '../disk/mirror-record-file.ts';
import type { MirroredDisk } from './mirrored-disk.ts';
import { type MirroredStart, startImage } from './mirrored-start.ts';
import type { MirrorEvent } from './replica-disk.ts';

const REGION = 256 * 1024;
const SIZE = 16 * REGION;

/** One host's half, with its events as promises. */
class Host {
  readonly incarnation = newIdentifier();
  readonly path: string;
  disk!: MirroredDisk;
  peer: Host | undefined;
  readonly #heard: MirrorEvent[] = [];
  #wake = () => {};

  constructor(path: string) {
    this.path = path;
  }

  async start(start: Partial<MirroredStart> & Pick<MirroredStart, 'arbiter' | 'as'>): Promise<number | undefined> {
    const options = {
      path: this.path,
      vm: 'm',
      incarnation: this.incarnation,
      onEvent: (event: MirrorEvent) => this.#event(event),
      onNotice: () => {},
      onFailure: (error: unknown) => assert.fail(String(error)),
    };
    const started = await startImage(options, { sizeBytes: undefined, acceptDataLoss: false, ...start });
    this.disk = started.disk;
    return started.endsGeneration;
  }

  /** Messages reach the other host in order, later. */
  #event(event: MirrorEvent): void {
    if (event.type === 'catch-up-send') {
      const { transfer, bytes } = event;
      setImmediate(() => this.peer?.disk.perform({ type: 'catch-up-data', transfer, bytes }));
      return;
    }
    this.#heard.push(event);
    this.#wake();
  }

  async heard<Type extends MirrorEvent['type']>(type: Type): Promise<MirrorEvent & { type: Type }> {
    for (;;) {
      const at = this.#heard.findIndex((event) => event.type === type);
      if (at >= 0) return this.#heard.splice(at, 1)[0] as MirrorEvent & { type: Type };
      await new Promise<void>((wake) => {
        this.#wake = wake;
      });
    }
  }

  async write(region: number, fill: number): Promise<void> {
    const data = new Uint8Array(4096).fill(fill);
    const request: BlockRequest = { type: 'write', id: 0, offset: region * REGION, data };
    assert.deepEqual(await this.disk.request(0, request), { ok: true });
  }
}

async function twoHosts(t: TestContext) {
  const directory = mkdtempSync(join(tmpdir(), 'understudy-mirrored-disk-'));
  const arbiter = await openArbiter(directory, { allowLocal: true });
  const [a, b] = [new Host(join(directory, 'a.raw')), new Host(join(directory, 'b.raw'))];
  writeFileSync(a.path, '');
  truncateSync(a.path, SIZE);
  t.after(async () => {
    await a.disk?.close();
    await b.disk?.close();
    await arbiter.close();
    rmSync(directory, { recursive: true });
  });
  const equal = () => readFileSync(a.path).equals(readFileSync(b.path));
  return { a, b, arbiter, equal, directory };
}

/** From a running owner `a` to a pair, while `meanwhile` writes. */
async function pair(a: Host, b: Host, point: { generation: number; sequence: number }, meanwhile = async () => {}) {
  a.peer = b;
  b.peer = a;
  a.disk.perform({ type: 'catch-up', transfer: 1, step: 'give' });
  b.disk.perform({ type: 'catch-up', transfer: 1, step: 'take' });
  const writing = meanwhile();
  await a.heard('caught-up');
  const { doneBytes, totalBytes } = a.disk.copied ?? { doneBytes: -1, totalBytes: 0 };
  assert.ok(totalBytes > 0 && doneBytes === totalBytes, `${doneBytes} of ${totalBytes} are copied`);
  await writing;
  a.disk.perform({ type: 'catch-up', transfer: 1, step: 'cut', ...point });
  await b.heard('catch-up-complete');
  b.disk.perform({ type: 'disk-join', ...point });
  await b.heard('disk-joined');
  a.disk.perform({ type: 'catch-up', transfer: 1, step: 'paired' });
}

const flush = { type: 'flush', id: 0 } as const;

test('an empty image catches up while the owner writes, and then both are equal, complete and of one generation', async (t) => {
  const { a, b, arbiter, equal } = await twoHosts(t);
  assert.equal(await a.start({ arbiter, as: 'first' }), undefined);
  await arbiter.create('m', a.incarnation);
  assert.equal(await a.disk.admit(0), 'admitted');
  await b.start({ arbiter, as: 'backup', sizeBytes: SIZE });
  assert.equal(b.disk.image.record.state, 'incomplete');
  assert.deepEqual(await b.disk.request(0, flush), { ok: false, error: 'closed' });
  await a.write(3, 7);
  await pair(a, b, { generation: 0, sequence: 5 }, async () => {
    for (let fill = 1; fill < 40; fill++) await a.write(fill % 16, fill);
  });
  assert.ok(equal());
  const { state, generation, incarnations } = b.disk.image.record;
  assert.deepEqual(
    { state, generation, incarnations },
    { state: 'complete', generation: 0, incarnations: [b.incarnation] },
  );
});

test('a host that returns gets the regions that either side wrote since the last common point', async (t) => {
  const { a, b, arbiter, equal } = await twoHosts(t);
  await a.start({ arbiter, as: 'first' });
  await a.disk.admit(0);
  await b.start({ arbiter, as: 'backup', sizeBytes: SIZE });
  await pair(a, b, { generation: 0, sequence: 5 });
  for (const sequence of [6, 7]) {
    for (const host of [a, b]) assert.ok((await host.disk.request(0, flush, sequence)).ok);
    for (const host of [b, a]) {
      host.disk.perform({ type: 'disk-common', generation: 0, sequence });
      assert.deepEqual(await host.heard('disk-common'), { type: 'disk-common', sequence, noted: true });
    }
  }
  await a.write(2, 1);
  await b.write(9, 1);
  await a.disk.close();
  const notices: string[] = [];
  const again = new Host(a.path);
  await again.start({ arbiter, as: 'backup' });
  Object.assign(a, { disk: again.disk }); // closed by the test's end
  assert.equal(await b.disk.admit(1), 'admitted');
  await b.write(4, 1);
  const { imageId } = again.disk.image;
  const lacking = [...b.disk.image.record.peers.find((peer) => peer.imageId === imageId)!.regions];
  assert.deepEqual(lacking, [4, 9], notices.join());
  await pair(b, again, { generation: 1, sequence: 20 });
  assert.ok(equal());
});

test('a transfer that ends early leaves an image that never boots, and that the next one completes', async (t) => {
  const { a, b, arbiter, equal } = await twoHosts(t);
  await a.start({ arbiter, as: 'first' });
  await arbiter.create('m', a.incarnation);
  await a.disk.admit(0);
  await a.write(1, 1);
  await b.start({ arbiter, as: 'backup', sizeBytes: SIZE });
  a.peer = b;
  b.peer = a;
  a.disk.perform({ type: 'catch-up', transfer: 7, step: 'give' });
  b.disk.perform({ type: 'catch-up', transfer: 7, step: 'take' });
  await a.heard('caught-up');
  for (const host of [a, b]) host.disk.perform({ type: 'catch-up', transfer: 7, step: 'end' });
  assert.equal(a.disk.copied, undefined);
  await a.write(5, 9);
  await b.disk.close();
  await assert.rejects(new Host(b.path).start({ arbiter, as: 'cold' }), { code: 'disk-incomplete' });
  await b.start({ arbiter, as: 'backup' });
  await pair(a, b, { generation: 0, sequence: 5 });
  assert.ok(equal());
});

test('a cold start is for the newest image, and ends no later generation than the one that it looked at', async (t) => {
  const { a, b, arbiter } = await twoHosts(t);
  await a.start({ arbiter, as: 'first' });
  await arbiter.create('m', a.incarnation);
  await a.disk.admit(0);
  await b.start({ arbiter, as: 'backup', sizeBytes: SIZE });
  await pair(a, b, { generation: 0, sequence: 5 });
  const token = newIdentifier();
  await arbiter.writePair('m', 0, { token, primary: a.incarnation, backup: b.incarnation });
  await a.disk.close();
  await b.disk.close();

  const [oneOf, other] = [new Host(a.path), new Host(b.path)];
  assert.equal(await oneOf.start({ arbiter, as: 'cold' }), 0, 'nobody ended the generation of the pair');
  assert.equal(await other.start({ arbiter, as: 'cold' }), 0);
  assert.equal((await arbiter.coldClaim('m', other.incarnation, undefined, 0)).outcome, 'won');
  assert.equal((await arbiter.coldClaim('m', oneOf.incarnation, undefined, 0)).outcome, 'lost');
  assert.equal(await other.disk.admit(1), 'admitted');
  await oneOf.disk.close();
  await other.disk.close();

  const late = new Host(a.path);
  await assert.rejects(late.start({ arbiter, as: 'cold' }), { code: 'disk-stale' });
  assert.equal(await late.start({ arbiter, as: 'cold', acceptDataLoss: true }), 1);
  await late.disk.close();
  await assert.rejects(new Host(b.path).start({ arbiter, as: 'first' }), { code: 'disk-was-used' });
});

test('an image of another size than the description says, and one of another machine, are not used', async (t) => {
  const { a, b, arbiter } = await twoHosts(t);
  await assert.rejects(a.start({ arbiter, as: 'first', sizeBytes: SIZE * 2 }), { code: 'disk-size-differs' });
  writeFileSync(b.path, 'what somebody needs');
  await assert.rejects(b.start({ arbiter, as: 'backup', sizeBytes: SIZE }), { code: 'mirror-exists' });
  assert.equal(readFileSync(b.path, 'utf8'), 'what somebody needs');
  const record = await MirrorRecordFile.read(recordPathOf(a.path));
  await MirrorRecordFile.create(recordPathOf(a.path), { ...record, vm: 'other' });
  await arbiter.create('m', a.incarnation);
  await assert.rejects(a.start({ arbiter, as: 'cold' }), { code: 'disk-foreign' });
});
