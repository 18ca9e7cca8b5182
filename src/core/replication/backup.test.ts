import assert from 'node:assert/strict';
import { test } from 'node:test';
import { crc32c } from '../base/crc32c.ts';
import { Backup } from './backup.ts';
import type { CpuReport } from './cpu-link.ts';
import type { Message } from './message.ts';
import { PROTOCOL_VERSION } from './message.ts';
import type { ReplicaOptions } from './replica.ts';
import { Driver, frameOutput } from './testing/driver.ts';
import { bounds, options, timing } from './testing/options.ts';
import { DEFAULT_TRANSFER } from './transfer.ts';

const welcome: Message & { type: 'welcome' } = {
  type: 'welcome',
  generation: 3,
  version: PROTOCOL_VERSION,
  vm: 'vm',
  machine: 'hash',
  incarnation: 'primary',
  resume: false,
  transfer: '',
};
const record = { token: 'token', primary: 'primary', backup: 'backup' };

const batch = (sequence: number): Message => ({
  type: 'log',
  generation: 3,
  sequence,
  base: BigInt(sequence * 100 - 100),
  position: BigInt(sequence * 100),
  time: BigInt(sequence * 1000),
  bytes: new Uint8Array(10),
});

const heartbeat = (changes: Partial<Message & { type: 'heartbeat' }> = {}): Message => ({
  type: 'heartbeat',
  generation: 3,
  stamp: 42,
  position: 0n,
  time: 0n,
  released: 0,
  cpu: 'running',
  ...changes,
});

const drained = (changes: Partial<CpuReport & { type: 'drained' }> = {}): CpuReport => ({
  type: 'drained',
  position: 100n,
  time: 5000n,
  stopped: undefined,
  blockRequests: [],
  entropyRequests: [],
  frames: [],
  outputs: 9,
  ...changes,
});

function started(changes: Partial<ReplicaOptions> = {}): Driver {
  const driver = new Driver((nowMs) => new Backup(options('backup', changes), nowMs));
  return driver.event({ type: 'start' }).event({ type: 'channel-open', channel: 1 });
}

function paired(changes: Partial<ReplicaOptions> = {}): Driver {
  const driver = started(changes).message(welcome).message({ type: 'pair', generation: 3, token: 'token' });
  driver.arbiter({ op: 'read-record', generation: 3, outcome: 'found', record });
  assert.equal(driver.phase, 'paired');
  driver.take();
  return driver;
}

function lost(driver: Driver): Driver {
  return driver.event({ type: 'channel-closed', channel: 1, why: 'reset' });
}

/** The claim is won and the disk has admitted the next generation. */
function won(driver: Driver): Driver {
  return driver.arbiter({ op: 'claim', generation: 3, outcome: 'won' }).admitted(4);
}

const frame = (byte: number): Uint8Array => new Uint8Array(60).fill(byte);

const kept = (...sequences: number[]): CpuReport => ({
  type: 'replayed',
  position: 1n,
  outputs: sequences.map((sequence) => frameOutput(sequence)),
});

test('nothing is acknowledged before the record was read by this host’s own path', () => {
  const driver = started();
  assert.equal(driver.sent('hello')[0]?.resume, false);
  driver.message(welcome).message({ type: 'pair', generation: 3, token: 'token' });
  assert.deepEqual(driver.sent('ack'), []);
  driver.arbiter({ op: 'read-record', generation: 3, outcome: 'missing' });
  driver.pass(20);
  const asked = driver.actions.filter((action) => action.type === 'arbiter');
  assert.equal(asked.length, 2, 'a missing record is asked for again');
  assert.deepEqual(driver.sent('ack'), []);
  driver.arbiter({ op: 'read-record', generation: 3, outcome: 'found', record });
  assert.deepEqual(
    driver.sent('ack').map(({ sequence }) => sequence),
    [0],
  );
});

test('another record than the one that the primary wrote is another arbiter: the backup halts', () => {
  for (const change of [{ token: 'x' }, { primary: 'x' }, { backup: 'x' }]) {
    const driver = started().message(welcome).message({ type: 'pair', generation: 3, token: 'token' });
    driver.arbiter({ op: 'read-record', generation: 3, outcome: 'found', record: { ...record, ...change } });
    assert.equal(driver.haltCode(), 'arbiter-conflict');
    assert.deepEqual(driver.sent('ack'), []);
  }
});

const certificates = { own: 'b-certificate', peer: 'a-certificate' };
const named = { ...record, primaryFingerprint: 'a-certificate', backupFingerprint: 'b-certificate' };

function startedWithKeys(changes: Partial<ReplicaOptions> = {}): Driver {
  const driver = new Driver((nowMs) => new Backup(options('backup', changes), nowMs));
  return driver.event({ type: 'start' }).event({ type: 'channel-open', channel: 1, certificates });
}

test('a record that names other certificates than the channel has shown ends the backup, and the primary is told', () => {
  const cases = [
    { primaryFingerprint: 'x-certificate' },
    { backupFingerprint: 'x-certificate' },
    { primaryFingerprint: certificates.own, backupFingerprint: certificates.peer },
  ];
  for (const change of cases) {
    const driver = startedWithKeys().message(welcome).message({ type: 'pair', generation: 3, token: 'token' });
    driver.arbiter({ op: 'read-record', generation: 3, outcome: 'found', record: { ...named, ...change } });
    assert.equal(driver.haltCode(), 'other-host');
    assert.deepEqual(driver.sent('ack'), []);
    assert.match(driver.sent('refuse')[0]?.message ?? '', /the arbiter's record has the certificate/);
  }
  const plain = started().message(welcome).message({ type: 'pair', generation: 3, token: 'token' });
  plain.arbiter({ op: 'read-record', generation: 3, outcome: 'found', record: named });
  assert.equal(plain.haltCode(), 'other-host', 'a record of hosts with keys, and a channel without');
});

test('a record with the certificates of the channel is acknowledged, and so is one of an earlier version without any', () => {
  for (const found of [named, record]) {
    const driver = startedWithKeys().message(welcome).message({ type: 'pair', generation: 3, token: 'token' });
    driver.arbiter({ op: 'read-record', generation: 3, outcome: 'found', record: found });
    assert.equal(driver.phase, 'paired');
    assert.equal(driver.sent('ack').length, 1);
  }
});

test('a channel that is resumed, or brings a copy, leads to the host of the first one or to nobody', () => {
  const other = { ...certificates, peer: 'x-certificate' };
  const resuming = startedWithKeys({ timing: { ...timing, resumeMs: 100 } });
  resuming.message(welcome).message({ type: 'pair', generation: 3, token: 'token' });
  resuming.arbiter({ op: 'read-record', generation: 3, outcome: 'found', record: named });
  lost(resuming).pass(20).take();
  resuming.event({ type: 'channel-open', channel: 2, certificates: other });
  assert.deepEqual(resuming.sent('hello'), []);
  assert.equal(resuming.phase, 'paired', 'it is no reason to claim: the primary may answer the next time');
  resuming.pass(20).event({ type: 'channel-open', channel: 3, certificates });
  assert.equal(resuming.sent('hello')[0]?.resume, true);

  const copied = startedWithKeys({ transfer: DEFAULT_TRANSFER }).message({ ...welcome, transfer: 'copy' });
  copied.event({ type: 'channel-open', channel: 2, certificates: other });
  assert.deepEqual(copied.sent('join'), []);
  assert.equal(copied.phase, 'connecting');
});

test('a refusal ends the backup with its reason, unless the primary is only busy', () => {
  const refused = started().message({ type: 'refuse', generation: 0, code: 'other-machine', message: 'not mine' });
  assert.equal(refused.haltCode(), 'refused');
  const busy = started().message({ type: 'refuse', generation: 0, code: 'busy', message: 'forming' });
  assert.equal(busy.haltCode(), undefined);
  busy.take();
  busy.pass(20);
  assert.deepEqual(busy.take(), [{ type: 'connect', channel: 2 }]);
});

test('a primary of another version, name or machine is refused by the backup too', () => {
  for (const change of [{ version: 9 }, { vm: 'x' }, { machine: 'x' }]) {
    assert.equal(
      started()
        .message({ ...welcome, ...change })
        .haltCode(),
      'refused',
    );
  }
  assert.equal(started().event({ type: 'other-version', channel: 1, version: 9 }).haltCode(), 'refused');
});

test('a batch is acknowledged when it is in memory, with the position executed to and room for more', () => {
  const driver = paired();
  driver.cpu({ type: 'progress', position: 77n, time: 0n, state: 'running', consumed: 30 });
  driver.message(heartbeat({ stamp: 1234 })).message(batch(1));
  assert.deepEqual(driver.sent('ack').at(-1), {
    type: 'ack',
    generation: 3,
    sequence: 1,
    executed: 77n,
    credit: 30 + bounds.backupBufferBytes,
    echo: 1234,
    cpu: 'running',
    uplink: true,
  });
  assert.equal(driver.commands('feed')[0]?.position, 100n);
  driver.message(batch(1));
  assert.equal(driver.commands('feed').length, 1, 'a batch that comes twice is one batch');
});

test('a gap in the log is a broken protocol, and not acknowledged', () => {
  const driver = paired().message(batch(2));
  assert.deepEqual(driver.sent('ack'), []);
  assert.equal(driver.phase, 'leaving');
});

test('execution goes on to the position that a heartbeat confirms, never back', () => {
  const driver = paired()
    .message(heartbeat({ position: 500n }))
    .message(heartbeat({ position: 400n }));
  assert.deepEqual(driver.commands('executable'), [{ type: 'executable', position: 500n }]);
});

test('the primary died: the backup leaves the generation, drains, claims, and acknowledges no more', () => {
  const driver = paired().message(batch(1));
  driver.take();
  lost(driver);
  assert.deepEqual(driver.claims(), [3], 'on a closed channel it does not wait');
  assert.equal(driver.commands('drain').length, 1);
  driver.message(batch(2)).pass(200);
  assert.deepEqual(driver.sent('ack'), []);
  assert.deepEqual(driver.commands('feed'), []);
});

test('on silence the backup waits longer than the primary does', () => {
  const driver = paired();
  driver.pass(timing.suspicionMs);
  assert.equal(driver.phase, 'paired');
  driver.pass(timing.backupExtraMs);
  assert.deepEqual(driver.claims(), [3]);
});

test('a backup that waits for its copy bears a long silence: its owner is busy, and nothing is at stake', () => {
  const driver = started({ transfer: DEFAULT_TRANSFER }).message({ ...welcome, transfer: 'copy' });
  for (let passed = 0; passed < 10 * timing.suspicionMs; passed += 10) {
    assert.equal(driver.phase, 'receiving');
    driver.cpu({ type: 'progress', position: 0n, time: 0n, state: 'starved', consumed: 0 }).pass(10);
  }
  assert.equal(driver.phase, 'connecting');
  assert.deepEqual(driver.claims(), []);
});

test('heartbeats of a dead CPU thread are silence', () => {
  const driver = paired();
  for (let passed = 0; passed < timing.suspicionMs + timing.backupExtraMs; passed += 10) {
    driver.message(heartbeat({ cpu: 'silent' })).pass(10);
  }
  assert.deepEqual(driver.claims(), [3]);
});

test('before it has acknowledged anything a backup claims nothing: it connects again', () => {
  const driver = started().message(welcome);
  lost(driver);
  driver.pass(500);
  assert.deepEqual(driver.claims(), []);
  assert.ok(driver.actions.some((action) => action.type === 'connect' && action.channel === 2));
});

test('go-live waits for the claim, the disk and the end of the log, in whatever order they come', () => {
  const steps = {
    claim: (driver: Driver) => driver.arbiter({ op: 'claim', generation: 3, outcome: 'won' }),
    drain: (driver: Driver) => driver.cpu(drained()),
  };
  for (const order of [['claim', 'drain'] as const, ['drain', 'claim'] as const]) {
    const driver = lost(paired());
    for (const step of order) {
      steps[step](driver);
      assert.deepEqual(driver.commands('go-live'), []);
    }
    driver.admitted(4);
    assert.equal(driver.commands('go-live').length, 1);
    assert.equal(driver.phase, 'alone');
    assert.equal(driver.generation, 4);
  }
});

test('an unknown outcome of the claim is asked again, a lost one ends the backup without an output', () => {
  const driver = lost(paired().cpu(kept(1)));
  driver.cpu(drained()).take();
  driver.arbiter({ op: 'claim', generation: 3, outcome: 'unknown' }).pass(20);
  assert.deepEqual(driver.claims(), [3]);
  driver.arbiter({ op: 'claim', generation: 3, outcome: 'lost' });
  assert.equal(driver.haltCode(), 'lost-claim');
  assert.deepEqual(driver.emitted(), []);
});

test('at go-live what the primary may not have sent is emitted, in order, and nothing that it has', () => {
  const driver = paired()
    .cpu(kept(1, 2))
    .message(heartbeat({ released: 3 }))
    .cpu(kept(3, 4))
    .cpu(kept(5));
  won(lost(driver).cpu(kept(6)).cpu(drained()));
  assert.deepEqual(driver.emitted(), [4, 5, 6]);
});

test('at go-live disk requests and requests for entropy without an answer are issued again', () => {
  const read = (id: number) => ({ device: 2, request: { type: 'read', id, offset: 0, length: 512 } as const });
  const driver = lost(paired());
  won(driver.cpu(drained({ blockRequests: [read(4), read(5)], entropyRequests: [{ device: 4, id: 6, length: 8 }] })));
  assert.deepEqual(driver.issued(), [
    [4, 4],
    [5, 4],
  ]);
  const entropy = driver.actions.flatMap((action) => (action.type === 'emit' ? action.outputs : []));
  assert.deepEqual(entropy, [{ sequence: 9, output: { kind: 'entropy', device: 4, id: 6, length: 8 } }]);
  driver.event({ type: 'disk-answer', generation: 4, device: 2, id: 4, outcome: 'ok', data: new Uint8Array(512) });
  assert.equal(driver.commands('input').length, 1);
});

test("at go-live the guest's time has gone on by what has passed since it was last heard", () => {
  const driver = paired()
    .message(heartbeat({ time: 1_000_000n }))
    .sleep(50);
  lost(driver)
    .cpu(drained({ time: 900_000n }))
    .sleep(30);
  won(driver);
  assert.equal(driver.commands('go-live')[0]?.time, 1_000_000n + 80n * 10_000n);
});

test('at go-live the frames that the log lacks are applied as fresh inputs', () => {
  const driver = paired();
  const inbound = (byte: number): Driver =>
    driver.event({ type: 'input', input: { kind: 'net-rx', device: 1, frame: frame(byte) } });
  inbound(1);
  driver.sleep(1500).message(batch(1));
  inbound(2);
  inbound(3);
  lost(driver);
  inbound(4);
  const logged = { length: 60, checksum: crc32c(frame(2)), arrivedMs: driver.nowMs };
  won(driver.cpu(drained({ frames: [logged] })));
  const applied = driver.commands('input').map(({ input }) => (input.kind === 'net-rx' ? input.frame[0] : undefined));
  assert.deepEqual(applied, [3, 4]);
});

test('at go-live the network hears of it at once, and again', () => {
  const driver = won(lost(paired()).cpu(drained()));
  const announced = (): number => driver.take().filter((action) => action.type === 'announce').length;
  assert.equal(announced(), 1);
  driver.pass(300);
  assert.equal(announced(), 2);
  driver.pass(5000).take();
  driver.event({ type: 'own-address-seen' }).pass(10);
  assert.equal(announced(), 1);
});

test('a backup that has diverged says so, and never claims', () => {
  const driver = paired().cpu({ type: 'diverged', divergence: { position: 5n, log: 'hash 1', machine: 'hash 2' } });
  assert.equal(driver.sent('diverged')[0]?.machine, 'hash 2');
  assert.equal(driver.haltCode(), 'diverged');
  lost(driver).pass(500);
  assert.deepEqual(driver.claims(), []);
});

test('a difference met while draining after the claim is total loss, unless the description says to continue', () => {
  const divergence = { position: 5n, log: 'hash 1', machine: 'hash 2' };
  const stopping = won(lost(paired()).cpu({ type: 'diverged', divergence }));
  assert.equal(stopping.haltCode(), 'total-loss');
  const continuing = lost(paired({ onDivergence: 'continue' }));
  won(continuing.cpu({ type: 'diverged', divergence }).cpu(drained()));
  assert.equal(continuing.phase, 'alone');
});

test('too many kept outputs stop the backup’s guest until the primary has released some', () => {
  const driver = paired().cpu({
    type: 'replayed',
    position: 1n,
    outputs: Array.from({ length: 10 }, (_, index) => frameOutput(index + 1)),
  });
  assert.equal(driver.commands('pause').length, 1);
  driver.message(heartbeat()).pass(10);
  assert.equal(driver.sent('ack').at(-1)?.cpu, 'stopped-on-purpose');
  driver.message(heartbeat({ released: 8 }));
  assert.equal(driver.commands('resume').length, 1);
});

test('a broken channel is resumed with the number of the last batch; a refusal to resume means a claim', () => {
  const driver = paired({ timing: { ...timing, resumeMs: 100 } }).message(batch(1));
  lost(driver).pass(20).event({ type: 'channel-open', channel: 2 });
  const again = driver.sent('hello').at(-1);
  assert.deepEqual([again?.resume, again?.generation, again?.received], [true, 3, 1]);
  driver.message({ ...welcome, resume: true }, 2).message(batch(2), 2);
  assert.equal(driver.sent('ack').at(-1)?.sequence, 2);
  assert.deepEqual(driver.claims(), []);

  const refused = paired({ timing: { ...timing, resumeMs: 100 } });
  lost(refused).pass(20).event({ type: 'channel-open', channel: 2 });
  refused.message({ type: 'refuse', generation: 3, code: 'other-generation', message: 'left' }, 2);
  assert.deepEqual(refused.claims(), [3]);
});

test('a channel that is not replaced in time means a claim', () => {
  const driver = lost(paired({ timing: { ...timing, resumeMs: 100 } }));
  assert.deepEqual(driver.claims(), []);
  driver.pass(100);
  assert.deepEqual(driver.claims(), [3]);
});

test('a hand-over makes the backup claim at once, if it has all of the log', () => {
  const driver = paired().message(batch(1));
  driver.message({ type: 'hand-over', generation: 3, sequence: 1, released: 4 });
  assert.deepEqual(driver.claims(), [3]);
});

test('a guest that has stopped at the primary stops here too, after the log’s end', () => {
  const driver = paired().message({ type: 'bye', generation: 3, reason: 'guest-stopped' });
  assert.equal(driver.haltCode(), undefined);
  driver.cpu(drained({ stopped: { reason: 'power', action: 'off' } }));
  assert.equal(driver.haltCode(), 'guest-stopped');
  assert.deepEqual(driver.claims(), []);
});

test('a primary that died after its guest had stopped: the backup says what was left to say, and ends', () => {
  const power = { sequence: 2, output: { kind: 'power', action: 'off' } } as const;
  const driver = lost(paired().cpu({ type: 'replayed', position: 1n, outputs: [frameOutput(1), power] }));
  won(driver.cpu(drained({ stopped: { reason: 'power', action: 'off' } })));
  assert.deepEqual(driver.emitted(), [1, 2]);
  assert.deepEqual(driver.commands('go-live'), []);
  assert.equal(driver.haltCode(), 'guest-stopped');
});
