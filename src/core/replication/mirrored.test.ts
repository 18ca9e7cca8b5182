/** A mirrored disk in the protocol: the backup's own image, flushes on both hosts, and how an image joins a generation. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Backup } from './backup.ts';
import { CommonPoints } from './common-points.ts';
import type { DiskStep } from './cpu-link.ts';
import { FlushGate } from './flush-gate.ts';
import { type Message, PROTOCOL_VERSION } from './message.ts';
import { OwnImage } from './own-image.ts';
import { Primary } from './primary.ts';
import type { ReplicaAction, ReplicaEvent } from './replica.ts';
import { Driver, produced } from './testing/driver.ts';
import { options } from './testing/options.ts';
import { DEFAULT_TRANSFER } from './transfer.ts';

const DISK = 2;
const done = (id: number, ok = true): DiskStep => ({ kind: 'done', device: DISK, id, ok });
const write = (sequence: number, offset = 0): DiskStep => ({
  kind: 'request',
  device: DISK,
  sequence,
  request: { type: 'write', id: sequence, offset, data: new Uint8Array(512).fill(sequence) },
});
const read = (sequence: number, offset = 0): DiskStep => ({
  kind: 'request',
  device: DISK,
  sequence,
  request: { type: 'read', id: sequence, offset, length: 512 },
});
const flush = (sequence: number): DiskStep => ({
  kind: 'request',
  device: DISK,
  sequence,
  request: { type: 'flush', id: sequence },
});

class Image {
  readonly actions: ReplicaAction[] = [];
  readonly image: OwnImage;

  constructor(maxBytes = 10_000) {
    this.image = new OwnImage(maxBytes, (action) => this.actions.push(action));
  }

  /** Types of the requests that were given to the disk, in order. */
  get issued(): string[] {
    return this.actions.flatMap((action) => (action.type === 'disk' ? [action.request.type] : []));
  }

  /** The disk answers its `nth` request, from 0. */
  answer(nth: number, outcome: 'ok' | 'error' = 'ok'): boolean {
    const { generation, device, request } = this.actions.filter((action) => action.type === 'disk')[nth]!;
    return this.image.answered({ type: 'disk-answer', generation, device, id: request.id, outcome });
  }
}

test("the backup's own image gets writes and flushes as the machine makes them, and no reads", () => {
  const own = new Image();
  own.image.join(3, 0, 0);
  own.image.perform([write(1), read(2, 512), write(3, 1024), flush(4)], 0);
  assert.deepEqual(own.issued, ['write', 'write', 'flush']);
  assert.equal(own.image.idle, false);
  assert.equal(own.answer(0), false);
  assert.equal(own.answer(1), false);
  assert.equal(own.image.flushed, 0);
  assert.equal(own.answer(2), true, 'the primary waits for it');
  assert.equal(own.image.flushed, 4);
  assert.equal(own.image.idle, true);
});

test('what the copied machine had in flight is done once the image is a part of the generation, but for flushes', () => {
  const own = new Image();
  const { sequence: _1, ...inFlight } = write(1) as DiskStep & { kind: 'request' };
  const { sequence: _2, ...flushing } = flush(2) as DiskStep & { kind: 'request' };
  own.image.perform([inFlight, flushing], 0);
  assert.deepEqual(own.issued, []);
  own.image.join(3, 17, 0);
  assert.deepEqual(own.issued, ['write']);
  assert.equal(own.image.flushed, 17);
});

test('a write waits for an earlier read of its place until the log has the answer, and those behind it wait too', () => {
  const own = new Image();
  own.image.join(3, 0, 0);
  own.image.perform([read(1), write(2), write(3), write(4, 512)], 0);
  assert.equal(own.issued.length, 1, 'only what touches another place');
  own.image.perform([done(4), done(1)], 0);
  const fills = own.actions.map(
    (action) => action.type === 'disk' && action.request.type === 'write' && action.request.data[0],
  );
  assert.deepEqual(fills, [4, 2, 3]);
});

test('too much that waits for the disk is known, and a request that fails makes the image useless', () => {
  const own = new Image(1000);
  own.image.join(3, 0, 0);
  own.image.perform([write(1), write(2)], 0);
  assert.equal(own.image.full, true);
  own.answer(0);
  assert.equal(own.image.full, false);
  own.answer(1, 'error');
  assert.equal(own.image.failed, true);
  assert.equal(own.image.failure(false).code, 'disk-failed');
  assert.equal(own.image.failure(true).code, 'total-loss');
});

test('common points are flushes that the log has, five seconds apart, and each waits until both records have the one before', () => {
  const own = new Image();
  const points = (): number[] =>
    own.actions.flatMap((action) => (action.type === 'disk-common' ? [action.sequence] : []));
  const flushedAt = (sequence: number, nowMs: number, ok = true): void => {
    own.image.perform([flush(sequence), done(sequence, ok)], nowMs);
  };
  own.image.join(3, 10, 0);
  flushedAt(11, 4999);
  assert.deepEqual(points(), []);
  flushedAt(12, 5000, false);
  assert.deepEqual(points(), [], 'a flush that failed at the primary is none');
  flushedAt(13, 5001);
  assert.deepEqual(points(), [13]);
  flushedAt(14, 20_000);
  assert.deepEqual(points(), [13], 'its own record has no answer yet');
  own.image.pointNoted({ type: 'disk-common', sequence: 13, noted: true });
  assert.equal(own.image.common, 13);
  flushedAt(15, 21_000);
  assert.deepEqual(points(), [13], "nor the primary's");
  own.image.primaryNoted(13);
  flushedAt(16, 22_000);
  assert.deepEqual(points(), [13, 16]);
});

test('the owner notes a common point when the backup has, once, and tells it when its record has it', () => {
  const actions: ReplicaAction[] = [];
  const points = new CommonPoints((action) => actions.push(action));
  points.startAt(10);
  points.atBackup(10, 3);
  points.atBackup(13, 3);
  points.atBackup(13, 3);
  assert.deepEqual(actions, [{ type: 'disk-common', generation: 3, sequence: 13 }]);
  assert.equal(points.noted, 10);
  points.noticed({ type: 'disk-common', sequence: 13, noted: true });
  assert.equal(points.noted, 13);
});

test('a flush is answered when the backup has it too, or when no backup counts any more', () => {
  const gate = new FlushGate();
  const answer = (id: number) => ({ kind: 'block-done', device: DISK, id, ok: true }) as const;
  assert.deepEqual(gate.answered(5, answer(5)), answer(5), 'alone');
  gate.pairAt(10);
  assert.deepEqual(gate.answered(10, answer(10)), answer(10), 'before the cut');
  assert.deepEqual(gate.answered(undefined, answer(11)), answer(11), 'no flush');
  for (const sequence of [12, 13, 14]) assert.equal(gate.answered(sequence, answer(sequence)), undefined);
  assert.deepEqual(gate.durable(13), [answer(12), answer(13)]);
  assert.deepEqual(gate.durable(11), []);
  assert.deepEqual(gate.alone(), [answer(14)]);
  assert.deepEqual(gate.answered(15, answer(15)), answer(15));
});

// ---- the replicas ----

const mirrored = { mirrored: true, transfer: DEFAULT_TRANSFER };
const cut = { position: 50n, time: 500n, outputs: 17, hash: 1n, entropyRequests: [] };

/** A backup whose copy is complete, with `final` on its way. */
function receiving(): Driver {
  const driver = new Driver((nowMs) => new Backup(options('backup', mirrored), nowMs));
  driver.event({ type: 'start' }).event({ type: 'channel-open', channel: 1 });
  const identity = { version: PROTOCOL_VERSION, vm: 'vm', machine: 'hash', incarnation: 'primary' };
  driver.message({ type: 'welcome', generation: 3, ...identity, resume: false, transfer: 'copy' });
  driver.event({ type: 'channel-open', channel: 2 }).message({ type: 'pair', generation: 3, token: 'token' });
  const record = { token: 'token', primary: 'primary', backup: 'backup' };
  driver.arbiter({ op: 'read-record', generation: 3, outcome: 'found', record });
  return driver.message({ type: 'cut', generation: 3, ...cut, pieces: 0 });
}

const verified = (driver: Driver): boolean => driver.sent('receiving').some((message) => message.verified);

test('a backup says that it has the whole machine when its image has caught up as well', () => {
  const driver = receiving();
  const steps = driver.actions.flatMap((action) => (action.type === 'catch-up' ? [action.step] : []));
  assert.deepEqual(steps, ['take']);
  driver.cpu({ type: 'install-verified', transfer: 1 });
  assert.equal(verified(driver), false);
  driver.event({ type: 'catch-up-complete', transfer: 1 });
  assert.equal(verified(driver), true);
});

test('after final a backup acknowledges nothing before its image is durably a part of the generation', () => {
  const driver = receiving().cpu({ type: 'install-verified', transfer: 1 });
  driver.event({ type: 'catch-up-complete', transfer: 1 }).take();
  driver.message({ type: 'final', generation: 3 });
  assert.deepEqual(driver.take().at(-1), { type: 'disk-join', generation: 3, sequence: 17 });
  assert.equal(driver.phase, 'receiving');
  driver.event({ type: 'disk-joined', generation: 3 });
  assert.equal(driver.phase, 'paired');
  assert.deepEqual(driver.sent('ack')[0]?.image, { flushed: 17, common: 17 });
});

test('a backup that loses its primary between final and its image becoming a part of the generation claims nothing', () => {
  const driver = receiving().cpu({ type: 'install-verified', transfer: 1 });
  driver.event({ type: 'catch-up-complete', transfer: 1 }).message({ type: 'final', generation: 3 });
  driver.event({ type: 'channel-closed', channel: 1, why: 'reset' }).event({ type: 'disk-joined', generation: 3 });
  assert.deepEqual(driver.claims(), []);
  assert.equal(driver.haltCode(), 'transfer-failed');
});

function paired(): Driver {
  const driver = receiving().cpu({ type: 'install-verified', transfer: 1 });
  driver.event({ type: 'catch-up-complete', transfer: 1 }).message({ type: 'final', generation: 3 });
  driver.event({ type: 'disk-joined', generation: 3 }).take();
  return driver;
}

/** The disk answers the request with this number among those of `driver`. */
function answerTo(driver: Driver, nth: number, outcome: 'ok' | 'error' = 'ok'): ReplicaEvent {
  const { generation, device, request } = driver.actions.filter((action) => action.type === 'disk')[nth]!;
  return { type: 'disk-answer', generation, device, id: request.id, outcome };
}

test('a flush that is durable on the backup is acknowledged at once', () => {
  const driver = paired().cpu({ type: 'replayed', position: 1n, outputs: [], disk: [write(18), flush(19)] });
  driver.event(answerTo(driver, 0));
  assert.deepEqual(driver.sent('ack'), []);
  driver.event(answerTo(driver, 1));
  assert.deepEqual(driver.sent('ack').at(-1)?.image, { flushed: 19, common: 17 });
});

test('a backup whose image fails is none: it says so, and does not claim', () => {
  const driver = paired().cpu({ type: 'replayed', position: 1n, outputs: [], disk: [write(18)] });
  driver.event(answerTo(driver, 0, 'error'));
  assert.equal(driver.haltCode(), 'disk-failed');
  assert.equal(driver.sent('bye').length, 1);
});

test('a backup goes live when its own disk has done what it has in hand', () => {
  const driver = paired().cpu({ type: 'replayed', position: 1n, outputs: [], disk: [write(18)] });
  const writing = answerTo(driver, 0);
  driver.event({ type: 'channel-closed', channel: 1, why: 'reset' });
  driver.arbiter({ op: 'claim', generation: 3, outcome: 'won' }).admitted(4);
  const drained = { position: 60n, time: 600n, stopped: undefined, blockRequests: [], entropyRequests: [], frames: [] };
  driver.cpu({ type: 'drained', ...drained, outputs: 18 });
  assert.deepEqual(driver.commands('go-live'), []);
  driver.event(writing);
  assert.equal(driver.commands('go-live').length, 1);
  assert.equal(driver.phase, 'alone');
});

/** An owner with a mirrored disk, alone in generation 0. */
function owner(): Driver {
  const driver = new Driver((nowMs) => new Primary(options('primary', mirrored), nowMs));
  return driver.event({ type: 'start' }).arbiter({ op: 'create', outcome: 'won' }).admitted(0);
}

const hello: Message = {
  type: 'hello',
  generation: 0,
  version: PROTOCOL_VERSION,
  vm: 'vm',
  machine: 'hash',
  incarnation: 'backup',
  role: 'backup',
  resume: false,
  received: 0,
};

/** Its image and its memory are copied, and the backup has acknowledged. */
function ownerWithBackup(): Driver {
  const driver = owner().event({ type: 'channel-open', channel: 1 }).message(hello);
  const transfer = driver.sent('welcome')[0]!.transfer;
  driver.event({ type: 'channel-open', channel: 2 }).message({ type: 'join', generation: 0, transfer }, 2);
  driver.event({ type: 'caught-up', transfer: 1 });
  const receiving = { type: 'receiving', generation: 0, installed: 0, credit: 1_000_000 } as const;
  for (let round = 0; round < 2; round++)
    driver
      .cpu({ type: 'copy-pages', transfer: 1, pages: new Uint32Array() })
      .message({ ...receiving, recorded: false, verified: false });
  driver.arbiter({ op: 'write-record', generation: 0, outcome: 'written' });
  driver.message({ ...receiving, recorded: true, verified: false });
  driver.cpu({ type: 'copy-pages', transfer: 1, pages: new Uint32Array() });
  driver.cpu({ type: 'copy-cut', transfer: 1, cut, rest: [], state: [] });
  driver.message({ ...receiving, recorded: true, verified: true });
  return driver;
}

function ack(driver: Driver, flushed: number, sequence = 0): Driver {
  const image = { flushed, common: 17 };
  const rest = { executed: 50n, credit: 10_000, echo: driver.nowMs, cpu: 'running', uplink: true } as const;
  return driver.message({ type: 'ack', generation: 0, sequence, ...rest, image });
}

test('with a mirrored disk the machine starts alone, and no page is copied before the image has caught up', () => {
  const driver = owner();
  assert.equal(driver.phase, 'alone');
  driver.event({ type: 'channel-open', channel: 1 }).message(hello);
  const transfer = driver.sent('welcome')[0]!.transfer;
  driver.event({ type: 'channel-open', channel: 2 }).message({ type: 'join', generation: 0, transfer }, 2);
  assert.deepEqual(driver.actions.at(-1), { type: 'catch-up', transfer: 1, step: 'give' });
  driver.message({ type: 'blocks', generation: 0, bytes: Uint8Array.of(1) }, 2);
  assert.deepEqual(driver.actions.at(-1), { type: 'catch-up-data', transfer: 1, bytes: Uint8Array.of(1) });
  driver.event({ type: 'catch-up-send', transfer: 1, bytes: Uint8Array.of(2) });
  assert.deepEqual(driver.sent('blocks').at(-1)?.bytes, Uint8Array.of(2));
  assert.deepEqual(driver.commands('copy-begin'), []);
  driver.event({ type: 'caught-up', transfer: 1 });
  assert.equal(driver.commands('copy-begin').length, 1);
});

test('an image that cannot catch up ends the copy, and the owner goes on alone', () => {
  const driver = owner().event({ type: 'channel-open', channel: 1 }).message(hello);
  const transfer = driver.sent('welcome')[0]!.transfer;
  driver.event({ type: 'channel-open', channel: 2 }).message({ type: 'join', generation: 0, transfer }, 2);
  driver.event({ type: 'catch-up-failed', transfer: 1, why: 'another disk' });
  assert.equal(driver.phase, 'alone');
  assert.deepEqual(driver.claims(), []);
  assert.ok(driver.actions.some((action) => action.type === 'catch-up' && action.step === 'end'));
});

test('behind the cut the guest hears of a flush when it is durable on both hosts', () => {
  const driver = ownerWithBackup();
  assert.equal(driver.phase, 'cutting-over');
  assert.deepEqual(
    driver.actions.flatMap((action) => (action.type === 'catch-up' ? [action.step] : [])),
    ['give', 'cut'],
  );
  ack(driver, 17);
  assert.equal(driver.phase, 'paired');
  assert.ok(driver.actions.some((action) => action.type === 'catch-up' && action.step === 'paired'));
  const output = { kind: 'block', device: DISK, request: { type: 'flush', id: 9 } } as const;
  ack(driver.cpu(produced([{ sequence: 18, output }])), 17, 1);
  const request = driver.actions.find((action) => action.type === 'disk')!;
  assert.equal(request.sequence, 18);
  driver.event({ type: 'disk-answer', generation: 0, device: DISK, id: 9, outcome: 'ok' });
  assert.deepEqual(driver.commands('input'), []);
  ack(driver, 18, 1);
  const answer = { kind: 'block-done', device: DISK, id: 9, ok: true };
  assert.deepEqual(driver.commands('input'), [{ type: 'input', input: answer }]);
});

test('a flush that waited for a lost backup is answered when the generation is won, in which it counts no more', () => {
  const driver = ack(ownerWithBackup(), 17);
  const output = { kind: 'block', device: DISK, request: { type: 'flush', id: 9 } } as const;
  ack(driver.cpu(produced([{ sequence: 18, output }])), 17, 1);
  driver.event({ type: 'disk-answer', generation: 0, device: DISK, id: 9, outcome: 'ok' });
  driver.event({ type: 'channel-closed', channel: 1, why: 'reset' });
  assert.deepEqual(driver.commands('input'), []);
  driver.arbiter({ op: 'claim', generation: 0, outcome: 'won' }).admitted(1);
  assert.equal(driver.commands('input').length, 1);
});

test('a primary whose disk fails hands over, and its guest does not hear of it', () => {
  const driver = ack(ownerWithBackup(), 17);
  const output = { kind: 'block', device: DISK, request: { type: 'read', id: 9, offset: 0, length: 512 } } as const;
  driver.cpu(produced([{ sequence: 18, output }]));
  driver.event({ type: 'disk-answer', generation: 0, device: DISK, id: 9, outcome: 'error' });
  assert.equal(driver.phase, 'handing-over');
  assert.deepEqual(driver.commands('input'), []);
});
