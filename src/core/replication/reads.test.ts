/** `reads: backup`: what the log leaves out, who reads it again, and in what order (PROTOCOL.md, 23). */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DISK, encodeFrame, NET, OP_GET, SimMachine } from '../../../sim/machine.ts';
import { crc32c } from '../base/crc32c.ts';
import type { Input } from '../machine/doors.ts';
import { decodeEntries } from '../replay/log-entry.ts';
import { Replayer } from '../replay/replayer.ts';
import { Backup } from './backup.ts';
import type { CpuReport, DiskStep } from './cpu-link.ts';
import { FollowedReads } from './cpu-reads.ts';
import { CpuSide } from './cpu-side.ts';
import { type Ack, type Message, PROTOCOL_VERSION } from './message.ts';
import { decodeMessage, encodeMessage } from './message-codec.ts';
import { OwnReads } from './own-reads.ts';
import { Primary } from './primary.ts';
import { ReadsAtBackup } from './reads-at-backup.ts';
import type { ReplicaAction } from './replica.ts';
import { Driver, produced, readOutput, writeOutput } from './testing/driver.ts';
import { options, timing } from './testing/options.ts';
import { DEFAULT_TRANSFER } from './transfer.ts';

// ---- the CPU threads ----

const SECTOR = new Uint8Array(512).fill(7);

class Side {
  readonly machine = new SimMachine();
  readonly reports: CpuReport[] = [];
  readonly cpu = new CpuSide({}, { machine: this.machine, report: (report) => this.reports.push(report) });

  all<Type extends CpuReport['type']>(type: Type): (CpuReport & { type: Type })[] {
    return this.reports.filter((report) => report.type === type) as (CpuReport & { type: Type })[];
  }

  input(input: Input): void {
    this.cpu.handle({ type: 'input', input });
  }

  run(): void {
    while (this.cpu.slice(this.machine.position + 40n) === 'again');
    this.cpu.flush();
  }

  /** The guest asks for a sector; returns the request's id. */
  read(request: number): number {
    this.input({ kind: 'clock', time: 1000n * BigInt(request), slope: 2 ** 31 });
    this.input({
      kind: 'net-rx',
      device: NET,
      frame: encodeFrame({ operation: OP_GET, client: 1, key: 3, request, value: 0 }),
    });
    this.run();
    const asked = this.all('produced').flatMap(({ outputs }) => outputs.map(({ output }) => output));
    return asked.findLast((output) => output.kind === 'block')!.request.id;
  }

  log(): ReturnType<typeof decodeEntries> {
    return this.all('produced').flatMap(({ base, bytes }) => decodeEntries(bytes, base));
  }
}

function recording(leanReads: boolean): Side {
  const side = new Side();
  side.cpu.handle({ type: 'record', logging: true, leanReads });
  side.cpu.handle({ type: 'limit', logBytes: 1e9, outputBytes: 1e9 });
  return side;
}

const done = (id: number, ok = true): Input => ({
  kind: 'block-done',
  device: DISK,
  id,
  ok,
  ...(ok ? { data: SECTOR } : {}),
});

/** A primary whose guest has read one sector, and a backup that has its log. */
function readOnce(): { backup: Side; primary: Side; id: number } {
  const primary = recording(true);
  const id = primary.read(1);
  primary.input(done(id));
  primary.run();
  const backup = new Side();
  backup.cpu.handle({ type: 'follow', disk: true });
  for (const { base, bytes, position } of primary.all('produced')) {
    backup.cpu.handle({ type: 'feed', base, bytes, position, arrivedMs: 0 });
  }
  backup.run();
  return { backup, primary, id };
}

test('the log has a read as its length and checksum, and one that failed, or was asked for before it began, as ever', () => {
  const side = recording(false);
  const before = side.read(1);
  side.cpu.handle({ type: 'record', logging: false });
  side.cpu.handle({ type: 'record', logging: true, leanReads: true });
  side.cpu.handle({ type: 'limit', logBytes: 1e9, outputBytes: 1e9 });
  side.reports.length = 0;
  side.input(done(before));
  const ids = [side.read(3), side.read(5)];
  side.input(done(ids[0]!));
  side.input(done(ids[1]!, false));
  side.run();
  const found = side.log().flatMap((entry): object[] => {
    if (entry.kind === 'read-done') return [entry.read];
    return entry.kind === 'input' && entry.input.kind === 'block-done' ? [entry.input] : [];
  });
  assert.deepEqual(found, [
    done(before),
    { device: DISK, id: ids[0], length: 512, checksum: crc32c(SECTOR) },
    { kind: 'block-done', device: DISK, id: ids[1], ok: false },
  ]);
});

test('a follower stands at a completion until it has the data, and then is the same machine', () => {
  const { backup, primary, id } = readOnce();
  assert.deepEqual(backup.all('read-needed'), [{ type: 'read-needed', device: DISK, id, tried: false }]);
  assert.ok(backup.machine.position < primary.machine.position);
  backup.run();
  assert.equal(backup.all('read-needed').length, 1, 'said once');
  backup.cpu.handle({ type: 'read-data', device: DISK, id, data: SECTOR });
  backup.run();
  assert.equal(backup.machine.position, primary.machine.position);
  assert.equal(backup.machine.hash(), primary.machine.hash());
  const steps = backup.all('replayed').flatMap(({ disk }) => disk ?? []);
  assert.deepEqual(
    steps.map(({ kind }) => kind),
    ['request', 'done'],
  );
});

test('other bytes, or none, are refused and asked for again; the machine never gets them', () => {
  const { backup, primary, id } = readOnce();
  const { position } = backup.machine;
  for (const data of [new Uint8Array(512), SECTOR.subarray(1), undefined]) {
    backup.cpu.handle({ type: 'read-data', device: DISK, id, data });
    backup.run();
    assert.equal(backup.machine.position, position);
    assert.equal(backup.reports.at(-1)?.type === 'read-needed' && backup.all('read-needed').at(-1)!.tried, true);
  }
  assert.equal(backup.all('read-needed').length, 4);
  backup.cpu.handle({ type: 'read-data', device: DISK, id, data: SECTOR });
  backup.run();
  assert.equal(backup.machine.hash(), primary.machine.hash());
});

test('a log that ends waits for the data of its last read before it is drained', () => {
  const { backup, id } = readOnce();
  backup.cpu.handle({ type: 'drain', onDivergence: 'stop' });
  backup.run();
  assert.equal(backup.all('drained').length, 0);
  backup.cpu.handle({ type: 'read-data', device: DISK, id, data: SECTOR });
  backup.run();
  assert.deepEqual(backup.all('drained')[0]!.blockRequests, []);
});

test('a finished read that the follower has not asked for is a divergence, and so is one in a log that nobody can complete', () => {
  const { primary } = readOnce();
  const log = primary.log();
  const first = log.find((entry) => entry.kind === 'read-done')!;
  const follower = new FollowedReads(
    () => [],
    () => {},
  );
  const machine = new SimMachine();
  const replayer = new Replayer({}, { machine, readData: (read) => follower.find(read) });
  replayer.push([{ ...first, position: 0n }]);
  assert.equal(replayer.advance(), 'diverged');
  assert.equal(replayer.divergence!.machine, 'no such read');
  const file = new Replayer({}, { machine: new SimMachine() });
  file.push(log);
  assert.equal(file.advance(), 'diverged');
  assert.match(file.divergence!.log, /without its data/);
});

// ---- the messages ----

test('acknowledgements and answers carry reads, and an acknowledgement without them has the bytes that it always had', () => {
  const ack: Ack = {
    type: 'ack',
    generation: 3,
    sequence: 1,
    executed: 5n,
    credit: 10,
    echo: 1,
    cpu: 'running',
    uplink: true,
  };
  const image = { flushed: 4, common: 2 };
  const all: Message[] = [
    ack,
    { ...ack, image },
    { ...ack, reads: 0 },
    { ...ack, image, reads: 700 },
    { type: 'read-wanted', generation: 3, sequence: 12 },
    { type: 'read-data', generation: 3, sequence: 12, found: true, bytes: Uint8Array.of(1, 2) },
    { type: 'read-data', generation: 3, sequence: 12, found: false, bytes: new Uint8Array() },
  ];
  for (const message of all) assert.deepEqual(decodeMessage(encodeMessage(message)), message);
  assert.equal(encodeMessage({ ...ack, reads: 0 }).length, encodeMessage(ack).length + 1);
});

// ---- the owner ----

const pending = (output: ReturnType<typeof readOutput>['output']) => {
  assert.equal(output.kind, 'block');
  return output.kind === 'block' ? { device: output.device, request: output.request } : assert.fail();
};

test('a write is placed behind the last read of its bytes that the backup has not done', () => {
  const reads = new ReadsAtBackup();
  const place = (numbered: ReturnType<typeof readOutput>): number =>
    reads.place(numbered.sequence, pending(numbered.output));
  assert.equal(place(readOutput(1, 1)), 0);
  assert.equal(place(writeOutput(2, 2)), 0, 'no log, nothing to wait for');
  reads.begin(2);
  place(readOutput(1, 1));
  for (const sequence of [3, 4]) place(readOutput(sequence, sequence));
  place(readOutput(5, 5, 512));
  assert.equal(place(writeOutput(6, 6)), 4);
  assert.equal(place(writeOutput(7, 7, 512)), 5);
  assert.equal(place(writeOutput(8, 8, 1024)), 0);
  reads.done(4);
  assert.equal(place(writeOutput(9, 9)), 0);
  assert.equal(reads.end(), 5, 'all that anything waits for');
});

test('what was read is kept until the backup has done it, and the oldest goes when it is too much', () => {
  const reads = new ReadsAtBackup(1000);
  reads.begin(0);
  for (const sequence of [1, 2]) reads.place(sequence, pending(readOutput(sequence, sequence).output));
  reads.answered(2, 1, SECTOR);
  assert.equal(reads.data(1), SECTOR);
  reads.answered(2, 2, SECTOR);
  assert.equal(reads.data(1), undefined);
  assert.equal(reads.data(2), SECTOR);
  reads.done(2);
  assert.equal(reads.data(2), undefined);
});

const reading = { reads: 'backup', transfer: DEFAULT_TRANSFER } as const;
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

function owner(): Driver {
  const driver = new Driver((nowMs) => new Primary(options('primary', reading), nowMs));
  driver.event({ type: 'start' }).arbiter({ op: 'create', outcome: 'won' }).admitted(0);
  driver.event({ type: 'channel-open', channel: 1 }).message(hello);
  driver.arbiter({ op: 'write-record', generation: 0, outcome: 'written' });
  return ack(driver, 0, 0);
}

function ack(driver: Driver, sequence: number, reads: number): Driver {
  const rest = { executed: 50n, credit: 10_000, echo: driver.nowMs, cpu: 'running', uplink: true } as const;
  return driver.message({ type: 'ack', generation: 0, sequence, reads, ...rest });
}

test('an owner has its CPU thread leave out what reads bring, and holds a write until the backup has read', () => {
  const driver = owner();
  assert.deepEqual(driver.commands('record'), [{ type: 'record', logging: true, leanReads: true }]);
  driver.cpu(produced([readOutput(1, 1), writeOutput(2, 2), writeOutput(3, 3, 512)]));
  driver.event({ type: 'disk-answer', generation: 0, device: 2, id: 1, outcome: 'ok', data: SECTOR });
  ack(driver, 1, 0);
  assert.deepEqual(
    driver.issued().map(([id]) => id),
    [1, 3],
    'the other place is free',
  );
  ack(driver, 1, 1);
  assert.deepEqual(
    driver.issued().map(([id]) => id),
    [1, 3, 2],
  );
});

test('an owner that loses its backup waits for it no longer, once it has won', () => {
  const driver = owner().cpu(produced([readOutput(1, 1), writeOutput(2, 2)]));
  driver.event({ type: 'disk-answer', generation: 0, device: 2, id: 1, outcome: 'ok', data: SECTOR });
  ack(driver, 1, 0).event({ type: 'channel-closed', channel: 1, why: 'reset' });
  driver.arbiter({ op: 'claim', generation: 0, outcome: 'won' });
  assert.deepEqual(driver.issued(), [[1, 0]]);
  driver.admitted(1);
  assert.deepEqual(driver.issued().at(-1), [2, 1]);
});

test('an owner gives a backup that cannot read what it has read, if it still has it', () => {
  const driver = owner().cpu(produced([readOutput(1, 1)]));
  driver.event({ type: 'disk-answer', generation: 0, device: 2, id: 1, outcome: 'ok', data: SECTOR });
  driver.message({ type: 'read-wanted', generation: 0, sequence: 1 });
  driver.message({ type: 'read-wanted', generation: 0, sequence: 7 });
  assert.deepEqual(driver.sent('read-data'), [
    { type: 'read-data', generation: 0, sequence: 1, found: true, bytes: SECTOR },
    { type: 'read-data', generation: 0, sequence: 7, found: false, bytes: new Uint8Array() },
  ]);
});

// ---- the backup ----

const step = ({ sequence, output }: ReturnType<typeof readOutput>): DiskStep => ({
  kind: 'request',
  sequence,
  ...pending(output),
});
const finished = (id: number): DiskStep => ({ kind: 'done', device: 2, id, ok: true });

class Reads {
  readonly actions: ReplicaAction[] = [];
  readonly sent: Message[] = [];
  readonly own = new OwnReads(timing, {
    act: (action) => this.actions.push(action),
    send: (message) => this.sent.push(message),
  });

  /** Ids of the reads that were begun, in order. */
  get begun(): number[] {
    return this.actions.flatMap((action) => (action.type === 'disk-read' ? [action.request.id] : []));
  }

  answer(id: number, data?: Uint8Array): this {
    this.own.answered({ type: 'disk-read-answer', device: 2, id, ...(data && { data }) });
    return this;
  }

  needed(id: number, tried: boolean, nowMs = 0): this {
    this.own.needed({ type: 'read-needed', device: 2, id, tried }, nowMs);
    return this;
  }

  given(): (Uint8Array | undefined)[] {
    return this.actions.flatMap((action) =>
      action.type === 'cpu' && action.command.type === 'read-data' ? [action.command.data] : [],
    );
  }
}

test('a read waits for an earlier write of its bytes, also one that was in flight when the machine was copied', () => {
  const reads = new Reads();
  reads.own.follow(3);
  const { sequence: _, ...inFlight } = step(writeOutput(1, 1)) as DiskStep & { kind: 'request' };
  reads.own.perform([inFlight, step(readOutput(5, 5)), step(writeOutput(6, 6, 512)), step(readOutput(7, 7, 512))]);
  reads.own.perform([step(readOutput(8, 8, 1024)), step(writeOutput(9, 9, 1024))]);
  assert.deepEqual(reads.begun, [8], 'a later write is the owner’s to hold');
  reads.own.perform([finished(6)]);
  reads.own.perform([finished(1)]);
  assert.deepEqual(reads.begun, [8, 7, 5]);
});

test('reads are done, in their order, when the machine has them behind it', () => {
  const reads = new Reads();
  reads.own.follow(3);
  assert.equal(reads.own.perform([step(readOutput(4, 4)), step(readOutput(6, 6))]), true);
  assert.equal(reads.own.done, 3);
  assert.equal(reads.own.perform([finished(6)]), false);
  assert.equal(reads.own.done, 3);
  assert.equal(reads.own.perform([finished(4)]), true);
  assert.equal(reads.own.done, 6);
});

test('a read that fails, differs or takes too long is asked of the owner, and again on another channel', () => {
  const reads = new Reads();
  reads.own.follow(3);
  reads.own.perform([step(readOutput(4, 4)), step(readOutput(6, 6, 512))]);
  reads.answer(4).needed(4, true);
  const wanted = { type: 'read-wanted', generation: 3, sequence: 4 };
  assert.deepEqual(reads.sent, [wanted]);
  reads.own.follow(3);
  assert.deepEqual(reads.sent, [wanted, wanted]);
  reads.own.fetched({ type: 'read-data', generation: 3, sequence: 4, found: true, bytes: SECTOR });
  assert.deepEqual(reads.given(), [undefined, SECTOR]);
  reads.needed(6, false, 10);
  reads.own.tick(10 + timing.suspicionMs - 1);
  assert.equal(reads.sent.length, 2);
  reads.own.tick(10 + timing.suspicionMs);
  assert.equal(reads.sent.length, 3);
  assert.equal(reads.own.failure(false), undefined);
});

test('a backup whom nobody can give the data is none', () => {
  const gone = new Reads();
  gone.own.follow(3);
  gone.own.perform([step(readOutput(4, 4))]);
  gone.answer(4).needed(4, true);
  gone.own.fetched({ type: 'read-data', generation: 3, sequence: 4, found: false, bytes: new Uint8Array() });
  assert.equal(gone.own.failure(false)?.code, 'disk-failed');
  assert.equal(gone.own.failure(true)?.code, 'total-loss');
  const wrong = new Reads();
  wrong.own.follow(3);
  wrong.own.perform([step(readOutput(4, 4))]);
  wrong.answer(4).needed(4, true);
  wrong.own.fetched({ type: 'read-data', generation: 3, sequence: 4, found: true, bytes: SECTOR });
  wrong.needed(4, true);
  assert.equal(wrong.own.failure(false)?.code, 'disk-failed');
});

test('a slow disk is waited for, also when the owner has forgotten what it read', () => {
  const reads = new Reads();
  reads.own.follow(3);
  reads.own.perform([step(readOutput(4, 4)), step(readOutput(6, 6, 512))]);
  for (const id of [4, 6]) reads.needed(id, false, 10);
  reads.own.tick(10 + timing.suspicionMs);
  assert.equal(reads.sent.length, 2);
  reads.answer(4, SECTOR);
  assert.deepEqual(reads.given(), [SECTOR], 'it came before the answer');
  for (const sequence of [4, 6])
    reads.own.fetched({ type: 'read-data', generation: 3, sequence, found: false, bytes: new Uint8Array() });
  reads.own.tick(1000);
  assert.equal(reads.own.failure(false), undefined);
  assert.equal(reads.sent.length, 2, 'asked once');
  reads.answer(6, SECTOR);
  assert.deepEqual(reads.given(), [SECTOR, SECTOR]);
  assert.deepEqual(reads.begun, [4, 6]);
});

test('without an owner a read is tried again, some times', () => {
  const reads = new Reads();
  reads.own.follow(3);
  reads.own.perform([step(readOutput(4, 4))]);
  reads.answer(4).needed(4, true);
  reads.own.alone();
  assert.deepEqual(reads.begun, [4, 4], 'what was asked of the owner is read here again');
  let nowMs = 0;
  while (reads.own.failure(false) === undefined && reads.begun.length < 1000) {
    reads.answer(4).needed(4, true);
    nowMs += timing.retryMs;
    reads.own.tick(nowMs);
  }
  assert.equal(reads.begun.length, 50);
  assert.equal(reads.sent.length, 1);
});

function backup(): Driver {
  const driver = new Driver((nowMs) => new Backup(options('backup', reading), nowMs));
  driver.event({ type: 'start' }).event({ type: 'channel-open', channel: 1 });
  const identity = { version: PROTOCOL_VERSION, vm: 'vm', machine: 'hash', incarnation: 'primary' };
  driver.message({ type: 'welcome', generation: 0, ...identity, resume: false, transfer: '' });
  driver.message({ type: 'pair', generation: 0, token: 'token' });
  const record = { token: 'token', primary: 'primary', backup: 'backup' };
  return driver.arbiter({ op: 'read-record', generation: 0, outcome: 'found', record });
}

test('a backup follows what happens to the disk, reads, and says at once how far it is', () => {
  const driver = backup();
  assert.deepEqual(driver.commands('follow'), [{ type: 'follow', disk: true }]);
  assert.equal(driver.sent('ack')[0]!.reads, 0);
  driver.take();
  driver.cpu({ type: 'replayed', position: 1n, outputs: [], disk: [step(readOutput(1, 9))] });
  assert.ok(driver.actions.some((action) => action.type === 'disk-read' && action.request.id === 9));
  driver.event({ type: 'disk-read-answer', device: 2, id: 9, data: SECTOR });
  assert.deepEqual(driver.commands('read-data'), [{ type: 'read-data', device: 2, id: 9, data: SECTOR }]);
  driver.cpu({ type: 'replayed', position: 1n, outputs: [], disk: [finished(9)] });
  assert.equal(driver.sent('ack').at(-1)!.reads, 1);
});

test('a backup that can get the data nowhere says so, and does not claim', () => {
  const driver = backup().cpu({ type: 'replayed', position: 1n, outputs: [], disk: [step(readOutput(1, 9))] });
  driver.event({ type: 'disk-read-answer', device: 2, id: 9 });
  driver.cpu({ type: 'read-needed', device: 2, id: 9, tried: true });
  driver.message({ type: 'read-data', generation: 0, sequence: 1, found: false, bytes: new Uint8Array() });
  assert.equal(driver.haltCode(), 'disk-failed');
  assert.equal(driver.sent('bye').length, 1);
  assert.deepEqual(driver.claims(), []);
});

test('a backup that takes over reads for itself what it had asked of the dead owner', () => {
  const driver = backup().cpu({ type: 'replayed', position: 1n, outputs: [], disk: [step(readOutput(1, 9))] });
  driver
    .event({ type: 'disk-read-answer', device: 2, id: 9 })
    .cpu({ type: 'read-needed', device: 2, id: 9, tried: true });
  assert.equal(driver.sent('read-wanted').length, 1);
  driver.take();
  driver.event({ type: 'channel-closed', channel: 1, why: 'reset' });
  assert.ok(driver.actions.some((action) => action.type === 'disk-read'));
  driver.event({ type: 'disk-read-answer', device: 2, id: 9, data: SECTOR });
  assert.equal(driver.commands('read-data').length, 1);
  assert.equal(driver.haltCode(), undefined);
});
