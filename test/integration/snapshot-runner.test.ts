/**
 * A snapshot taken of a machine on its own thread while it writes all over its memory, and the machine put together from it on
 * another: both threads compare the hash of everything.
 */
import assert from 'node:assert/strict';
import { rmSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { OperatingError } from '../../src/core/base/error.ts';
import type { EngineKind } from '../../src/core/engine/engine.ts';
import type { CpuReport } from '../../src/core/replication/cpu-link.ts';
import type { MachineConfig } from '../../src/core/vm/machine-config.ts';
import { Runner } from '../../src/host/runner/runner.ts';
import { restoreSnapshot } from '../../src/host/snapshot/restore.ts';
import { SnapshotReader } from '../../src/host/snapshot/snapshot-file.ts';
import { type SnapshotProgress, takeSnapshot } from '../../src/host/snapshot/take.ts';
import { assemble } from '../conformance/testing/assembler.ts';
import { makeElf } from '../conformance/testing/elf.ts';

/** Writes all over 2 MiB, without end. */
const scribbler = assemble(`
  li s4, 0x80100000; li s8, 0x6d2b79f5; li s9, 0x1ffff8; li s5, 0
  1: addi s5, s5, 1; mul s6, s6, s8; add s6, s6, s5
  srli t4, s6, 20; and t4, t4, s9; add t4, t4, s4; sd s6, 0(t4)
  j 1b
`);

const RAM_BYTES = 8 * 1024 * 1024;
const config: MachineConfig = {
  ramBytes: RAM_BYTES,
  firmware: 'none',
  boot: { kind: 'elf', file: makeElf(scribbler) },
  virtio: [],
  clock: { kind: 'input' },
};
const header = { identity: '{}', digest: '00', ramPages: RAM_BYTES / 4096 };

interface Started {
  readonly runner: Runner;
  /** Resolves once the machine is beyond this position. */
  readonly beyond: (position: bigint) => Promise<void>;
}

async function start(t: TestContext, engine: EngineKind): Promise<Started> {
  let waiting: { readonly position: bigint; readonly resolve: () => void }[] = [];
  const onReport = (report: CpuReport): void => {
    if (report.type !== 'progress') return;
    for (const waiter of waiting) if (report.position > waiter.position) waiter.resolve();
    waiting = waiting.filter(({ position }) => report.position <= position);
  };
  const onCrash = (error: Error): void => assert.fail(error);
  const runner = await Runner.start(config, engine, { onReport, onCrash, onNotice: () => {} });
  t.after(() => runner.stop());
  const beyond = (position: bigint): Promise<void> => new Promise((resolve) => waiting.push({ position, resolve }));
  return { runner, beyond };
}

async function directory(t: TestContext): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), 'understudy-snapshot-'));
  t.after(() => rm(path, { recursive: true, force: true }));
  return path;
}

for (const [from, to] of [
  ['interpreter', 'translator'],
  ['translator', 'interpreter'],
] as const) {
  test(`a machine in the ${from} is snapshot while it writes, runs on, and goes on in the ${to}`, async (t) => {
    const path = join(await directory(t), 'a.snap');
    const source = await start(t, from);
    source.runner.send({ type: 'record', logging: false });
    await source.beyond(1_000_000n);
    const progress: SnapshotProgress[] = [];
    const onProgress = (now: SnapshotProgress): void => void progress.push(now);
    const taken = await takeSnapshot(source.runner, { path, header, stop: false, onProgress });
    assert.equal(progress[0]?.pages, header.ramPages);
    assert.equal(progress.length, taken.rounds);
    await source.beyond(taken.position + 1_000_000n);

    const target = await start(t, to);
    const { end, waitsFor } = await restoreSnapshot(target.runner, await opened(t, path));
    assert.equal(end.position, taken.position);
    assert.deepEqual([waitsFor.blockRequests, waitsFor.entropyRequests], [[], []]);
    target.runner.send({ type: 'record', logging: false });
    await target.beyond(taken.position + 1_000_000n);
  });
}

async function opened(t: TestContext, path: string): Promise<SnapshotReader> {
  const reader = await SnapshotReader.open(path);
  t.after(() => reader.close());
  return reader;
}

test('a snapshot that cannot be written leaves no file, and the machine runs on and can be snapshot again', async (t) => {
  const place = await directory(t);
  const { runner, beyond } = await start(t, 'translator');
  runner.send({ type: 'record', logging: false });
  await beyond(1000n);
  // Before the cut.
  const full = (): void => {
    throw new OperatingError('test', 'the disk is full');
  };
  const path = join(place, 'a.snap');
  const failing = takeSnapshot(runner, { path, header, stop: true, onProgress: full });
  await assert.rejects(failing, { message: 'the disk is full' });
  assert.deepEqual(await readdir(place), []);
  // And behind it, when the machine stands still already: where the file was to be is no place any more.
  const gone = join(place, 'gone');
  await mkdir(gone);
  const lost = (): void => rmSync(gone, { recursive: true, force: true });
  const late = takeSnapshot(runner, { path: join(gone, 'a.snap'), header, stop: true, onProgress: lost });
  await assert.rejects(late, { code: 'snapshot-unwritable' });
  const taken = await takeSnapshot(runner, { path: join(place, 'b.snap'), header, stop: false, onProgress: () => {} });
  await beyond(taken.position);
});

test('a copy for a new backup goes before a snapshot: one under way is given up, and none begins until it has ended', async (t) => {
  const place = await directory(t);
  const { runner, beyond } = await start(t, 'interpreter');
  runner.send({ type: 'record', logging: false });
  await beyond(100_000n);
  const path = join(place, 'a.snap');
  const copyBegins = (): void => runner.send({ type: 'copy-begin', transfer: 1 });
  const interrupted = takeSnapshot(runner, { path, header, stop: false, onProgress: copyBegins });
  await assert.rejects(interrupted, { code: 'snapshot-interrupted', advice: /redundant again/ });
  const tooEarly = takeSnapshot(runner, { path, header, stop: false, onProgress: () => {} });
  await assert.rejects(tooEarly, { code: 'snapshot-interrupted' });
  assert.deepEqual(await readdir(place), []);
  // The copy has lost nothing by it.
  runner.send({ type: 'copy-collect', transfer: 1 });
  runner.send({ type: 'copy-end' });
  await takeSnapshot(runner, { path, header, stop: false, onProgress: () => {} });
  const target = await start(t, 'interpreter');
  await restoreSnapshot(target.runner, await opened(t, path));
});

test('a snapshot with a byte changed in a page or in the state is refused with one clear error', async (t) => {
  const place = await directory(t);
  const path = join(place, 'a.snap');
  const { runner, beyond } = await start(t, 'translator');
  runner.send({ type: 'record', logging: false });
  await beyond(100_000n);
  await takeSnapshot(runner, { path, header, stop: true, onProgress: () => {} });
  const bytes = await readFile(path);
  const target = await start(t, 'interpreter');
  const damaged = join(place, 'damaged.snap');
  for (let i = 1; i < 12; i++) {
    const copy = Buffer.from(bytes);
    copy[Math.floor((bytes.length * i) / 12)]! ^= 4;
    await writeFile(damaged, copy);
    const attempt = async (): Promise<void> => {
      const reader = await SnapshotReader.open(damaged);
      await restoreSnapshot(target.runner, reader).finally(() => reader.close());
    };
    await assert.rejects(attempt(), OperatingError, `part ${i} of 12`);
  }
  // None of them has got as far as a state: the machine is still new, and takes the right one.
  const { end } = await restoreSnapshot(target.runner, await opened(t, path));
  assert.ok(end.position > 100_000n);
});

test('a machine that has ended says so to whoever still asks', async (t) => {
  const { runner } = await start(t, 'interpreter');
  const asked = runner.ask({ ask: 'prepare' });
  asked.catch(() => {});
  await runner.stop();
  await assert.rejects(runner.ask({ ask: 'prepare' }), { code: 'machine-gone' });
});
