import assert from 'node:assert/strict';
import { test } from 'node:test';
import { tokenOf } from './arbiter-protocol.ts';
import type { Message } from './message.ts';
import { PROTOCOL_VERSION } from './message.ts';
import { Primary } from './primary.ts';
import type { ReplicaOptions } from './replica.ts';
import { Driver, frameOutput, produced, readOutput, writeOutput } from './testing/driver.ts';
import { bounds, options, timing } from './testing/options.ts';
import { DEFAULT_TRANSFER } from './transfer.ts';

const hello: Message & { type: 'hello' } = {
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

function started(changes: Partial<ReplicaOptions> = {}): Driver {
  const driver = new Driver((nowMs) => new Primary(options('primary', changes), nowMs));
  driver.event({ type: 'start' }).arbiter({ op: 'create', outcome: 'won' }).admitted(0);
  return driver;
}

/** An acknowledgement that answers the primary's latest heartbeat. */
function ack(driver: Driver, sequence: number, changes: Partial<Message & { type: 'ack' }> = {}): Driver {
  return driver.message({
    type: 'ack',
    generation: driver.generation,
    sequence,
    executed: 0n,
    credit: 1e6,
    echo: driver.nowMs,
    cpu: 'running',
    uplink: true,
    ...changes,
  });
}

function connected(driver: Driver, message: Message = hello, channel = 1): Driver {
  return driver.event({ type: 'channel-open', channel }).message(message, channel);
}

function paired(changes: Partial<ReplicaOptions> = {}): Driver {
  const driver = connected(started(changes));
  driver.arbiter({ op: 'write-record', generation: 0, outcome: 'written' });
  ack(driver, 0);
  assert.equal(driver.phase, 'paired');
  driver.take();
  return driver;
}

/** Time passes while the backup answers. */
function passWithBackup(driver: Driver, ms: number, sequence = 0): void {
  for (let passed = 0; passed < ms; passed += 10) {
    driver.pass(10).cpu({ type: 'progress', position: 0n, time: 0n, state: 'running', consumed: 0 });
    ack(driver, sequence);
  }
}

test('the machine starts only when its creation is won, the disk has admitted it, and a backup has read the record', () => {
  const driver = new Driver((nowMs) => new Primary(options('primary'), nowMs));
  driver.event({ type: 'start' });
  assert.deepEqual(driver.take().at(-1), { type: 'arbiter', request: { op: 'create', incarnation: 'primary' } });
  driver.arbiter({ op: 'create', outcome: 'unknown' });
  assert.equal(driver.phase, 'claiming-first');
  driver.pass(20);
  assert.equal(driver.take().filter((action) => action.type === 'arbiter').length, 1, 'unknown is asked again');
  driver.arbiter({ op: 'create', outcome: 'won' });
  assert.deepEqual(driver.take().at(-1), { type: 'admit', generation: 0 });
  driver.admitted(0);
  assert.equal(driver.phase, 'waiting-for-backup');
  connected(driver);
  const record = { token: tokenOf('secret', 0), primary: 'primary', backup: 'backup' };
  assert.deepEqual(driver.take().at(-1), {
    type: 'arbiter',
    request: { op: 'write-record', generation: 0, record },
  });
  driver.arbiter({ op: 'write-record', generation: 0, outcome: 'written' });
  assert.equal(driver.sent('pair')[0]?.token, record.token);
  assert.deepEqual(driver.commands('record'), []);
  ack(driver, 0);
  assert.deepEqual(driver.commands('record'), [{ type: 'record', logging: true }]);
});

const certificates = { own: 'a-certificate', peer: 'b-certificate' };
const other = { own: 'a-certificate', peer: 'x-certificate' };

test('the record names both hosts by the certificates that the channel has shown', () => {
  const driver = started().event({ type: 'channel-open', channel: 1, certificates }).message(hello);
  const names = { primaryFingerprint: 'a-certificate', backupFingerprint: 'b-certificate' };
  const record = { token: tokenOf('secret', 0), primary: 'primary', backup: 'backup', ...names };
  assert.deepEqual(driver.take().at(-1), { type: 'arbiter', request: { op: 'write-record', generation: 0, record } });
});

test('a channel of a pair is resumed by the host of its record only', () => {
  const driver = started({ timing: { ...timing, resumeMs: 100 } });
  driver.event({ type: 'channel-open', channel: 1, certificates }).message(hello);
  ack(driver.arbiter({ op: 'write-record', generation: 0, outcome: 'written' }), 0);
  driver.event({ type: 'channel-closed', channel: 1, why: 'reset' }).take();
  const again = { ...hello, resume: true, received: 0 };
  driver.event({ type: 'channel-open', channel: 2, certificates: other }).message(again, 2);
  assert.equal(driver.sent('refuse')[0]?.code, 'other-host');
  driver.event({ type: 'channel-open', channel: 3, certificates }).message(again, 3);
  assert.equal(driver.sent('welcome')[0]?.resume, true);
});

test('a copy of the machine is given to the host that asked for it only', () => {
  const driver = started({ alone: true, transfer: DEFAULT_TRANSFER });
  driver.event({ type: 'channel-open', channel: 1, certificates }).message(hello);
  const { transfer = '', generation = 0 } = driver.sent('welcome')[0] ?? {};
  const join: Message = { type: 'join', generation, transfer };
  driver.event({ type: 'channel-open', channel: 2, certificates: other }).message(join, 2);
  assert.equal(driver.sent('refuse')[0]?.code, 'other-host');
  assert.deepEqual(driver.commands('copy-begin'), []);
  driver.event({ type: 'channel-open', channel: 3, certificates }).message(join, 3);
  assert.equal(driver.sent('refuse').length, 1);
});

test('a backup that refuses the primary is given up, with its words', () => {
  const driver = started().event({ type: 'channel-open', channel: 1, certificates }).message(hello);
  driver.arbiter({ op: 'write-record', generation: 0, outcome: 'written' });
  driver.message({ type: 'refuse', generation: 0, code: 'other-host', message: 'another certificate' });
  assert.equal(driver.phase, 'leaving');
  const phases = driver.actions.filter((action) => action.type === 'phase');
  assert.match(phases.at(-1)?.why ?? '', /refuses this primary: another certificate/);
});

test('a machine that the arbiter knows is not started twice', () => {
  const driver = new Driver((nowMs) => new Primary(options('primary'), nowMs));
  driver.event({ type: 'start' }).arbiter({ op: 'create', outcome: 'lost' });
  assert.equal(driver.haltCode(), 'already-created');
});

test('a cold start claims the newest generation', () => {
  const driver = new Driver((nowMs) => new Primary(options('primary', { coldStart: true, alone: true }), nowMs));
  driver.event({ type: 'start' });
  assert.deepEqual(driver.take().at(-1), { type: 'arbiter', request: { op: 'cold-claim', incarnation: 'primary' } });
  driver.arbiter({ op: 'cold-claim', outcome: 'won', generation: 7 }).admitted(7);
  assert.equal(driver.phase, 'alone');
  assert.deepEqual(driver.commands('record'), [{ type: 'record', logging: false }]);
});

test('a primary that runs alone has no gate', () => {
  const driver = started({ alone: true });
  driver.cpu(produced([frameOutput(1), writeOutput(2, 1)], 100n, 0));
  assert.deepEqual(driver.emitted(), [1]);
  assert.deepEqual(driver.issued(), [[1, 0]]);
});

test('a stranger of another version, machine or name is refused with the reason; so is one who comes too late', () => {
  const cases: [Partial<typeof hello>, string][] = [
    [{ version: 99 }, 'other-version'],
    [{ vm: 'other' }, 'other-vm'],
    [{ machine: 'other' }, 'other-machine'],
    [{ resume: true }, 'other-generation'],
  ];
  for (const [change, code] of cases) {
    const driver = connected(started(), { ...hello, ...change });
    assert.equal(driver.sent('refuse')[0]?.code, code);
    assert.equal(driver.phase, 'waiting-for-backup');
  }
  const busy = connected(paired(), { ...hello, incarnation: 'third' }, 2);
  assert.equal(busy.sent('refuse')[0]?.code, 'busy');
  assert.equal(busy.phase, 'paired');
  const late = connected(started({ alone: true }));
  assert.equal(late.sent('refuse')[0]?.code, 'too-late');
  const foreign = started().event({ type: 'channel-open', channel: 1 });
  foreign.event({ type: 'other-version', channel: 1, version: 9 });
  assert.equal(foreign.sent('refuse')[0]?.code, 'other-version');
});

test('an output leaves when its mark is acknowledged, and not one entry earlier', () => {
  const driver = paired();
  driver.cpu(produced([frameOutput(1)], 100n)).cpu(produced([frameOutput(2), writeOutput(3, 1)], 200n));
  assert.deepEqual(driver.emitted(), []);
  ack(driver, 1);
  assert.deepEqual(driver.emitted(), [1]);
  assert.deepEqual(driver.issued(), []);
  ack(driver, 2);
  assert.deepEqual(driver.emitted(), [1, 2]);
  assert.deepEqual(driver.issued(), [[1, 0]]);
  driver.take();
  passWithBackup(driver, 20, 2);
  assert.equal(driver.sent('heartbeat').at(-1)?.released, 3);
});

test('an acknowledgement of what was never sent is a broken protocol', () => {
  const driver = paired();
  driver.cpu(produced([frameOutput(1)]));
  ack(driver, 2);
  assert.deepEqual(driver.emitted(), []);
  assert.equal(driver.phase, 'leaving');
});

test('batches are sent with credit only; the guest may run on until the bound on log is reached', () => {
  const driver = connected(started());
  driver.arbiter({ op: 'write-record', generation: 0, outcome: 'written' });
  ack(driver, 0, { credit: 15 });
  for (let batch = 1; batch <= 4; batch++) driver.cpu(produced([], BigInt(batch * 100), 10));
  assert.deepEqual(
    driver.sent('log').map(({ sequence }) => sequence),
    [1, 2],
  );
  assert.equal(driver.commands('limit').at(-1)?.logBytes, bounds.logBufferBytes);
  ack(driver, 2, { credit: 1000 });
  assert.equal(driver.sent('log').at(-1)?.sequence, 4);
});

test('heartbeats let the backup execute to the position that the CPU thread has confirmed, but not past unsent log', () => {
  const driver = connected(started());
  driver.arbiter({ op: 'write-record', generation: 0, outcome: 'written' });
  ack(driver, 0, { credit: 10 });
  driver.cpu(produced([], 100n, 10)).cpu(produced([], 200n, 10));
  driver.take();
  passWithBackup(driver, 10, 0);
  driver.cpu({ type: 'progress', position: 300n, time: 5n, state: 'running', consumed: 0 });
  driver.take();
  driver.pass(10);
  assert.equal(driver.sent('heartbeat')[0]?.position, 300n, 'the credit of the later acknowledgements let all go');
  const short = connected(started());
  short.arbiter({ op: 'write-record', generation: 0, outcome: 'written' });
  ack(short, 0, { credit: 10 });
  short
    .cpu(produced([], 100n, 10))
    .cpu(produced([], 200n, 10))
    .take();
  short.pass(10);
  assert.equal(short.sent('heartbeat')[0]?.position, 190n, 'the second batch begins there');
});

test('a dead CPU thread shows in the heartbeats; one that is stopped on purpose says so', () => {
  const driver = paired();
  for (let passed = 0; passed < 250; passed += 10) {
    driver.pass(10);
    ack(driver, 0);
  }
  assert.equal(driver.sent('heartbeat').at(-1)?.cpu, 'silent');
  driver.event({ type: 'hand-over' }).cpu(produced([frameOutput(1)]));
  driver.cpu({ type: 'paused', position: 100n }).take();
  driver.pass(10);
  assert.equal(driver.sent('heartbeat').at(-1)?.cpu, 'stopped-on-purpose');
});

test('a primary whose own CPU thread is dead does not claim before that thread shows life', () => {
  const driver = paired();
  for (let passed = 0; passed < 250; passed += 10) {
    driver.pass(10);
    ack(driver, 0);
  }
  driver.event({ type: 'channel-closed', channel: 1, why: 'closed by the peer' }).pass(500);
  assert.deepEqual([driver.phase, driver.claims()], ['leaving', []]);
  driver.cpu({ type: 'progress', position: 5n, time: 0n, state: 'running', consumed: 0 });
  assert.deepEqual(driver.claims(), [0]);
});

test('a backup whose CPU thread is dead is left behind like a silent one', () => {
  const driver = paired();
  for (let passed = 0; passed < 110; passed += 10) {
    driver.pass(10);
    ack(driver, 0, { cpu: 'silent' });
  }
  assert.equal(driver.phase, 'leaving');
});

test('silence: the primary leaves the generation, closes the channel, holds everything, and claims', () => {
  const driver = paired();
  driver.cpu(produced([frameOutput(1)]));
  driver.pass(100);
  assert.equal(driver.phase, 'leaving');
  assert.deepEqual(driver.claims(), [0]);
  const close = driver.actions.findIndex((action) => action.type === 'close');
  const claim = driver.actions.findIndex((action) => action.type === 'arbiter');
  assert.ok(close >= 0 && close < claim, 'the channel is closed before the claim is sent');
  ack(driver, 1);
  driver.cpu(produced([frameOutput(2)], 200n));
  assert.deepEqual(driver.emitted(), [], 'an acknowledgement that comes now has no effect');
});

test('a claim that is won releases what was held, after the disk has admitted the new generation', () => {
  const driver = paired();
  driver.cpu(produced([frameOutput(1), writeOutput(2, 1)])).cpu(produced([readOutput(3, 2, 512)], 150n));
  assert.deepEqual(driver.issued(), [[2, 0]], 'the read need not wait');
  driver.event({ type: 'channel-closed', channel: 1, why: 'reset' });
  assert.deepEqual(driver.claims(), [0], 'on a closed channel it does not wait');
  driver.take();
  driver.arbiter({ op: 'claim', generation: 0, outcome: 'unknown' }).pass(20);
  assert.deepEqual(driver.claims(), [0], 'unknown is asked again');
  driver.arbiter({ op: 'claim', generation: 0, outcome: 'won' });
  assert.deepEqual(driver.emitted(), []);
  assert.equal(driver.phase, 'admitting');
  driver.cpu(produced([frameOutput(4)], 160n));
  driver.admitted(1);
  assert.deepEqual(driver.emitted(), [1, 4]);
  assert.deepEqual(driver.issued(), [
    [2, 1],
    [1, 1],
  ]);
  assert.deepEqual(driver.commands('record').at(-1), { type: 'record', logging: false });
  assert.equal(driver.phase, 'alone');
  assert.equal(driver.generation, 1);
});

test('an answer of the ended generation after the request was issued again is one too many', () => {
  const driver = paired();
  driver.cpu(produced([readOutput(1, 7)]));
  driver.event({ type: 'channel-closed', channel: 1, why: 'reset' });
  driver.arbiter({ op: 'claim', generation: 0, outcome: 'won' }).admitted(1);
  const answer = { type: 'disk-answer', device: 2, id: 7, outcome: 'ok' } as const;
  driver.event({ ...answer, generation: 0 });
  assert.deepEqual(driver.commands('input'), []);
  driver.event({ ...answer, generation: 1 });
  driver.event({ ...answer, generation: 1 });
  assert.equal(driver.commands('input').length, 1);
});

test('a claim that is lost discards what was held, and halts', () => {
  const driver = paired();
  driver.cpu(produced([frameOutput(1)]));
  driver.event({ type: 'channel-closed', channel: 1, why: 'reset' });
  driver.arbiter({ op: 'claim', generation: 0, outcome: 'lost' });
  assert.equal(driver.haltCode(), 'lost-claim');
  driver.pass(500).cpu(produced([frameOutput(2)], 200n));
  assert.deepEqual(driver.emitted(), []);
});

test('while the arbiter is not reached the guest runs on, until the bound on held outputs', () => {
  const driver = paired();
  driver.event({ type: 'channel-closed', channel: 1, why: 'reset' });
  const limit = driver.commands('limit').at(-1)!;
  assert.equal(limit.outputBytes, bounds.heldOutputBytes);
  assert.ok(limit.logBytes > 1e15, 'no log is needed any more');
  driver.cpu(produced([frameOutput(1, 5000)])).pass(1000);
  assert.deepEqual(driver.emitted(), []);
  assert.equal(driver.phase, 'leaving');
});

test('an acknowledged output does not leave if the backup has not been alive lately: SIGCONT flushes nothing', () => {
  const driver = paired();
  const { nowMs } = driver;
  driver.cpu(produced([frameOutput(1)]));
  driver.sleep(5000);
  ack(driver, 1, { echo: nowMs });
  assert.deepEqual(driver.emitted(), [], 'the acknowledgement waited in the socket while this process stood still');
  ack(driver, 1, { echo: driver.nowMs - 20 });
  assert.deepEqual(driver.emitted(), [1], 'the backup has answered a heartbeat sent since');
});

test('a primary that was stopped does not announce the guest, whose address it sees at another host', () => {
  const announces = (driver: Driver): boolean => driver.take().some(({ type }) => type === 'announce');
  const driver = paired();
  passWithBackup(driver.event({ type: 'own-address-seen' }), 20);
  assert.equal(announces(driver), true, 'its backup is alive: something else still points at another host');
  driver.sleep(3000).event({ type: 'own-address-seen' }).pass(50);
  assert.equal(announces(driver), false);
});

test('silence while this process stood still does not count', () => {
  const driver = paired();
  driver.sleep(5000).event({ type: 'tick' });
  assert.equal(driver.phase, 'paired');
  driver.pass(100);
  assert.equal(driver.phase, 'leaving');
});

test('a broken channel is resumed in the same generation from the batch that the backup has', () => {
  const driver = paired({ timing: { ...timing, resumeMs: 50 } });
  driver.cpu(produced([frameOutput(1)], 100n)).cpu(produced([frameOutput(2)], 200n));
  driver.event({ type: 'channel-closed', channel: 1, why: 'reset' }).take();
  driver.pass(30);
  connected(driver, { ...hello, resume: true, received: 1 }, 2);
  assert.equal(driver.sent('welcome')[0]?.resume, true);
  assert.deepEqual(
    driver.sent('log').map(({ sequence }) => sequence),
    [2],
  );
  assert.equal(driver.phase, 'paired');
});

test('a pair never resumes after a claim was sent', () => {
  const driver = paired({ timing: { ...timing, resumeMs: 50 } });
  driver.event({ type: 'channel-closed', channel: 1, why: 'reset' }).pass(50);
  assert.deepEqual(driver.claims(), [0]);
  connected(driver, { ...hello, resume: true }, 2);
  assert.equal(driver.sent('refuse')[0]?.code, 'other-generation');
  assert.equal(driver.phase, 'leaving');
});

test('a record that may have been written is known before the generation is claimed', () => {
  const driver = connected(started());
  driver.event({ type: 'channel-closed', channel: 1, why: 'reset' });
  assert.deepEqual(driver.claims(), []);
  driver.arbiter({ op: 'write-record', generation: 0, outcome: 'unknown' }).pass(20);
  assert.deepEqual(driver.claims(), []);
  driver.arbiter({ op: 'write-record', generation: 0, outcome: 'written' });
  assert.deepEqual(driver.claims(), [0]);
  driver.arbiter({ op: 'claim', generation: 0, outcome: 'won' }).admitted(1);
  assert.equal(driver.phase, 'waiting-for-backup', 'the machine has not started: another backup may come');
  connected(driver, { ...hello, incarnation: 'second' }, 2);
  assert.equal(driver.phase, 'forming');
});

test('a diverged backup is left behind: the primary wins the claim before it goes on', () => {
  const driver = paired();
  driver.message({ type: 'diverged', generation: 0, position: 5n, log: 'hash 1', machine: 'hash 2' });
  assert.equal(driver.phase, 'leaving');
  assert.deepEqual(driver.claims(), [0]);
});

test('hand-over: the guest stops, everything leaves, and only then the backup may claim', () => {
  const driver = paired();
  driver.event({ type: 'hand-over' });
  assert.equal(driver.commands('pause').length, 1);
  driver.cpu(produced([frameOutput(1)])).cpu({ type: 'paused', position: 100n });
  assert.deepEqual(driver.sent('hand-over'), []);
  ack(driver, 1);
  assert.deepEqual(driver.emitted(), [1]);
  assert.deepEqual(
    driver.sent('hand-over').map(({ sequence, released }) => [sequence, released]),
    [[1, 1]],
  );
  driver.event({ type: 'channel-closed', channel: 1, why: 'closed by the peer' });
  assert.deepEqual(driver.claims(), [], 'the backup claims first');
  driver.pass(200);
  assert.deepEqual(driver.claims(), [0]);
  driver.arbiter({ op: 'claim', generation: 0, outcome: 'lost' });
  assert.equal(driver.haltCode(), 'handed-over');
});

test('a backup that dies instead of taking over leaves the guest where it was', () => {
  const driver = paired();
  driver.event({ type: 'hand-over' }).cpu({ type: 'paused', position: 100n });
  ack(driver, 0);
  assert.equal(driver.phase, 'handed-over');
  driver.event({ type: 'channel-closed', channel: 1, why: 'reset' }).pass(200);
  driver.arbiter({ op: 'claim', generation: 0, outcome: 'won' }).admitted(1);
  assert.equal(driver.phase, 'alone');
  assert.equal(driver.commands('resume').length, 1);
});

test('a hand-over that is given up while the CPU thread hangs leaves no guest standing still', () => {
  const driver = paired().event({ type: 'hand-over' });
  driver.event({ type: 'channel-closed', channel: 1, why: 'reset' }).pass(200);
  driver.arbiter({ op: 'claim', generation: 0, outcome: 'won' }).admitted(1);
  assert.equal(driver.phase, 'alone');
  assert.equal(driver.commands('resume').length, 1, 'it may not have heard the wish yet');
  driver.take();
  driver.cpu({ type: 'paused', position: 100n }).cpu(produced([frameOutput(1)]));
  assert.deepEqual(driver.emitted(), [1]);
});

test('a primary that loses its uplink hands over, but not to a backup that has none either', () => {
  const driver = paired();
  driver.event({ type: 'uplink', up: false });
  ack(driver, 0, { uplink: true });
  assert.equal(driver.phase, 'paired', 'the backup may have lost its own in the same instant');
  for (let i = 0; i < 2 * timing.suspicionMs; i += 10) ack(driver.pass(10), 0, { uplink: false });
  assert.equal(driver.phase, 'paired');
  ack(driver, 0, { uplink: true });
  assert.equal(driver.phase, 'handing-over');
});

test('a guest that powers off ends both replicas, once all that it said has left and its disk requests are done', () => {
  const driver = paired();
  const off = { sequence: 2, output: { kind: 'power', action: 'off' } } as const;
  driver.cpu(produced([writeOutput(1, 1), off]));
  driver.cpu({ type: 'stopped', stop: { reason: 'power', action: 'off' }, position: 100n });
  ack(driver, 1);
  assert.deepEqual(driver.emitted(), [2]);
  assert.equal(driver.haltCode(), undefined);
  driver.event({ type: 'disk-answer', generation: 0, device: 2, id: 1, outcome: 'ok' });
  assert.equal(driver.sent('bye')[0]?.reason, 'guest-stopped');
  assert.equal(driver.haltCode(), 'guest-stopped');
});

test('a primary whose disk has admitted a later generation halts without another output', () => {
  const driver = started({ alone: true });
  driver.cpu(produced([writeOutput(1, 1)], 100n, 0));
  driver.event({ type: 'disk-answer', generation: 0, device: 2, id: 1, outcome: 'refused' });
  assert.equal(driver.haltCode(), 'fenced');
  driver.cpu(produced([frameOutput(2)], 200n, 0));
  assert.deepEqual(driver.emitted(), []);
});
