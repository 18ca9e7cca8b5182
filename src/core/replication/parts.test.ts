/** The small parts that primary and backup are made of, each by itself. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { crc32c } from '../base/crc32c.ts';
import type { BlockRequest } from '../machine/doors.ts';
import { Announcer } from './announcer.ts';
import { Asking } from './asking.ts';
import { BlockOrder } from './block-order.ts';
import { CpuLimit } from './cpu-limit.ts';
import { FailureDetector } from './failure-detector.ts';
import { GuestTime } from './guest-time.ts';
import { InboundFrames } from './inbound-frames.ts';
import { LagControl } from './lag-control.ts';
import { LogStream } from './log-stream.ts';
import { OutputGate } from './output-gate.ts';
import { frameOutput, readOutput, writeOutput } from './testing/driver.ts';

const ids = (outputs: readonly { sequence: number }[]): number[] => outputs.map(({ sequence }) => sequence);

test('silence makes a peer suspect, and a word from it clears it', () => {
  const detector = new FailureDetector({ silenceMs: 100, ownPauseMs: 50 }, 0);
  for (let now = 10; now <= 90; now += 10) detector.observe(now);
  assert.equal(detector.suspects(90), false);
  detector.observe(100);
  assert.equal(detector.suspects(100), true);
  detector.heard(100);
  assert.equal(detector.suspects(199), false);
});

test('silence while the observer itself stood still does not count', () => {
  const detector = new FailureDetector({ silenceMs: 100, ownPauseMs: 50 }, 0);
  detector.observe(5000);
  assert.equal(detector.suspects(5000), false);
  for (let now = 5010; now <= 5100; now += 10) detector.observe(now);
  assert.equal(detector.suspects(5100), true);
});

test('an output leaves when the batch of its mark is acknowledged, and not before', () => {
  const gate = new OutputGate();
  assert.deepEqual(gate.hold([frameOutput(1), frameOutput(2)], 1), []);
  gate.hold([frameOutput(3)], 2);
  assert.deepEqual(gate.release(), []);
  gate.acknowledge(1);
  assert.equal(gate.ready, true);
  assert.deepEqual(ids(gate.release()), [1, 2]);
  assert.equal(gate.released, 2);
  gate.acknowledge(0);
  assert.deepEqual(gate.release(), []);
  gate.acknowledge(2);
  assert.deepEqual(ids(gate.release()), [3]);
  assert.equal(gate.releasedBytes, 3 * (64 + 60));
});

test('a disk read passes the gate at once, unless a held write overlaps it', () => {
  const gate = new OutputGate();
  assert.deepEqual(ids(gate.hold([writeOutput(1, 1, 0), readOutput(2, 2, 512), readOutput(3, 3, 0)], 1)), [2]);
  gate.acknowledge(1);
  assert.deepEqual(ids(gate.release()), [1, 3]);
});

test('requests for entropy pass the gate at once; power waits', () => {
  const gate = new OutputGate();
  const entropy = { sequence: 1, output: { kind: 'entropy', device: 4, id: 1, length: 8 } } as const;
  const power = { sequence: 2, output: { kind: 'power', action: 'off' } } as const;
  assert.deepEqual(ids(gate.hold([entropy, power], 1)), [1]);
  assert.equal(gate.heldCount, 1);
});

test('a lost generation takes its held outputs with it; a won one lets them all go', () => {
  const lost = new OutputGate();
  lost.hold([frameOutput(1)], 1);
  lost.discardAll();
  assert.deepEqual(lost.releaseAll(), []);
  const won = new OutputGate();
  won.hold([frameOutput(1), frameOutput(2)], Number.POSITIVE_INFINITY);
  assert.deepEqual(ids(won.releaseAll()), [1, 2]);
  assert.equal(won.released, 2);
});

test('disk requests that overlap run one after the other in order; all others together', () => {
  const order = new BlockOrder();
  const submit = (request: BlockRequest): number[] =>
    order.submit({ device: 2, request }).map((started) => started.request.id);
  const data = new Uint8Array(1024);
  assert.deepEqual(submit({ type: 'write', id: 1, offset: 0, data }), [1]);
  assert.deepEqual(submit({ type: 'read', id: 2, offset: 1024, length: 512 }), [2]);
  assert.deepEqual(submit({ type: 'read', id: 3, offset: 512, length: 1024 }), [], 'overlaps write 1');
  assert.deepEqual(submit({ type: 'discard', id: 4, offset: 1024, length: 512 }), [], 'overlaps reads 2 and 3');
  assert.deepEqual(submit({ type: 'flush', id: 5 }), [5]);
  assert.deepEqual(
    order.done(2, 1).map((started) => started.request.id),
    [3],
  );
  assert.deepEqual(order.done(2, 2), [], 'read 3 still stands before discard 4');
  assert.deepEqual(
    order.started().map((started) => started.request.id),
    [3, 5],
  );
  assert.deepEqual(
    order.done(2, 3).map((started) => started.request.id),
    [4],
  );
  assert.equal(order.has(2, 3), false);
  assert.equal(order.size, 2);
});

test('batches are sent only while there is credit, and resumed from where the far end stands', () => {
  const stream = new LogStream();
  const batch = { generation: 1, base: 0n, position: 10n, time: 0n, bytes: new Uint8Array(100) };
  for (let count = 0; count < 3; count++) stream.append(batch);
  assert.deepEqual(stream.takeSendable(), [], 'no credit yet');
  assert.equal(stream.acknowledge(0, 150), true);
  assert.deepEqual(ids(stream.takeSendable()), [1, 2], 'the second begins within the credit');
  assert.equal(stream.acknowledge(3, 1000), false, 'the third was never sent');
  assert.equal(stream.acknowledge(1, 1000), true);
  assert.equal(stream.acknowledgedBytes, 100);
  assert.deepEqual(ids(stream.takeSendable()), [3]);
  assert.equal(stream.resume(0), false, 'what was acknowledged is gone');
  assert.equal(stream.resume(4), false);
  assert.equal(stream.resume(2), true);
  assert.deepEqual(ids(stream.takeSendable()), [3]);
  assert.equal(stream.acknowledge(3, 1000), true);
  assert.equal(stream.allAcknowledged, true);
});

test('the backup may not execute past a batch that it has not been sent', () => {
  const stream = new LogStream();
  assert.equal(stream.executable(500n), 500n);
  stream.append({ generation: 1, base: 100n, position: 200n, time: 0n, bytes: new Uint8Array(10) });
  assert.equal(stream.executable(500n), 100n);
  stream.acknowledge(0, 1000);
  stream.takeSendable();
  assert.equal(stream.executable(500n), 500n);
});

test('a lagging backup slows the guest by a few per cent at a time, and speeds it up again', () => {
  const lag = new LagControl({ targetLagMs: 50, intervalMs: 100 });
  lag.produced(10n, 0);
  lag.produced(20n, 60);
  assert.equal(lag.lagMs(60), 60);
  const slower = lag.adjust(60, false);
  assert.ok(slower !== undefined && slower < 1 && slower > 0.9);
  assert.equal(lag.adjust(70, false), undefined, 'not again so soon');
  lag.executed(20n, 100);
  assert.equal(lag.lagMs(200), 0);
  const faster = lag.adjust(200, false);
  assert.ok(faster !== undefined && faster > slower);
  for (let now = 1000; now < 20_000; now += 100) {
    lag.produced(BigInt(now), now - 1000);
    lag.adjust(now, false);
  }
  assert.equal(lag.fraction, 0.1, 'never stopped');
  assert.equal(lag.end(), true);
  assert.deepEqual([lag.fraction, lag.lagMs(30_000)], [1, 0], 'what a backup was slow in, the next one is not');
  assert.deepEqual([lag.adjust(30_000, false), lag.end()], [undefined, false]);
});

/** The least and most that the guest gets and the greatest lag, once a backup of this speed has been there for a while. */
function settled(backupSpeed: number): { least: number; most: number; lagMs: number } {
  const lag = new LagControl({ targetLagMs: 100, intervalMs: 100 });
  const found = { least: 1, most: 0, lagMs: 0 };
  let made = 0;
  let done = 0;
  for (let now = 0; now < 120_000; now += 10) {
    made += 1000 * lag.fraction;
    done = Math.min(made, done + 1000 * backupSpeed);
    lag.produced(BigInt(Math.round(made)), now);
    lag.executed(BigInt(Math.round(done)), now);
    lag.adjust(now, false);
    if (now < 60_000) continue;
    found.least = Math.min(found.least, lag.fraction);
    found.most = Math.max(found.most, lag.fraction);
    found.lagMs = Math.max(found.lagMs, lag.lagMs(now));
  }
  return found;
}

test('a guest settles at the speed of a backup that is a little slower, and does not swing around it', () => {
  const { least, most, lagMs } = settled(0.95);
  assert.ok(least > 0.93 && most < 0.97, `from ${least} to ${most}`);
  assert.ok(lagMs < 150, `${lagMs} ms`);
  assert.deepEqual(settled(1), { least: 1, most: 1, lagMs: 0 });
});

test('a backup of half the speed is waited for, and its lag stays near the bound', () => {
  const { least, most, lagMs } = settled(0.5);
  assert.ok(least > 0.3 && most < 0.75, `from ${least} to ${most}`);
  assert.ok(lagMs < 400, `${lagMs} ms`);
});

test('a lag that goes up and down with the beats slows nothing', () => {
  const lag = new LagControl({ targetLagMs: 100, intervalMs: 100 });
  for (let now = 0; now < 10_000; now += 10) {
    lag.produced(BigInt(now), now);
    // What the backup had done 40 ms ago, heard every 40 ms.
    if (now % 40 === 0) lag.executed(BigInt(Math.max(0, now - 40)), now);
    lag.adjust(now, false);
    assert.equal(lag.fraction, 1, `${now}: ${lag.lagMs(now)} ms`);
  }
});

test('while a flush waits for a backup that is behind the guest gets half of its time, and all of it right after', () => {
  const lag = new LagControl({ targetLagMs: 100, intervalMs: 100 });
  lag.produced(10n, 0);
  lag.executed(5n, 5);
  assert.equal(lag.adjust(5, true), undefined, 'it is not behind');
  lag.produced(20n, 10);
  lag.executed(5n, 25);
  assert.equal(lag.adjust(26, false), undefined, 'nothing waits for it');
  assert.equal(lag.adjust(27, true), 0.5);
  assert.equal(lag.adjust(28, true), undefined);
  lag.executed(20n, 30);
  assert.equal(lag.adjust(30, false), 1);
  lag.produced(30n, 31);
  lag.executed(20n, 60);
  assert.equal(lag.adjust(60, true), 0.5);
  assert.deepEqual([lag.end(), lag.fraction], [true, 1]);
});

test('frames that the log lacks come back in order, each as often as it is missing', () => {
  const frame = (byte: number): Uint8Array => new Uint8Array(60).fill(byte);
  const logged = (byte: number, arrivedMs: number) => ({ length: 60, checksum: crc32c(frame(byte)), arrivedMs });
  const inbound = new InboundFrames({ keepMs: 1000, keepBytes: 100_000 });
  inbound.add(1, frame(1), 0);
  for (const byte of [2, 3, 3, 4]) inbound.add(1, frame(byte), 1500);
  inbound.freeze(1600);
  inbound.add(1, frame(5), 9000);
  const unlogged = inbound.takeUnlogged([logged(3, 1500), logged(2, 1500), logged(4, 100)]);
  assert.deepEqual(
    unlogged.map(({ frame: [byte] }) => byte),
    [3, 4, 5],
    '1 is too old; the 4 in the log is another, much earlier one; 5 came after the freeze',
  );
  assert.deepEqual(inbound.takeUnlogged([]), []);
});

test('kept frames are bounded in bytes, the oldest go first', () => {
  const inbound = new InboundFrames({ keepMs: 1e9, keepBytes: 100 });
  for (let byte = 0; byte < 1000; byte++) inbound.add(1, new Uint8Array(50).fill(byte), byte);
  assert.deepEqual(
    inbound.takeUnlogged([]).map(({ frame: [byte] }) => byte),
    [998 & 0xff, 999 & 0xff],
  );
});

test("the guest's time at go-live is what has passed since it was last heard, and never earlier than the log's end", () => {
  const time = new GuestTime();
  assert.equal(time.atGoLive(70n, 5), 70n);
  time.heard(1_000_000n, 100);
  assert.equal(time.atGoLive(70n, 350), 1_000_000n + 2_500_000n);
  assert.equal(time.atGoLive(9_000_000n, 350), 9_000_000n);
  assert.equal(time.atGoLive(0n, 50), 1_000_000n, 'a clock that stood still adds nothing');
});

test('announcements come at once, then with growing intervals, then stop; and again when they are contradicted', () => {
  const announcer = new Announcer();
  assert.equal(announcer.due(0), false);
  announcer.start(0);
  const times: number[] = [];
  for (let now = 0; now < 10_000; now += 10) if (announcer.due(now)) times.push(now);
  assert.deepEqual(times.slice(0, 5), [0, 50, 200, 450, 800]);
  assert.equal(times.length, 10);
  announcer.contradicted(20_000);
  assert.equal(announcer.due(20_000), true);
  announcer.contradicted(20_010);
  assert.equal(announcer.due(20_010), false, 'no flood');
});

test('a question is asked again until its answer is known, and an answer to another question is ignored', () => {
  const asking = new Asking(20);
  const claim = { op: 'claim', generation: 4, incarnation: 'a', token: 't' } as const;
  asking.ask(claim);
  assert.equal(asking.again(100), undefined, 'its answer is still to come');
  assert.equal(asking.settles({ op: 'claim', generation: 3, outcome: 'won' }, 100), false);
  assert.equal(asking.settles({ op: 'create', outcome: 'won' }, 100), false);
  assert.equal(asking.settles({ op: 'claim', generation: 4, outcome: 'unknown' }, 100), false);
  assert.equal(asking.again(119), undefined);
  assert.deepEqual(asking.again(120), claim);
  assert.equal(asking.again(500), undefined, 'one question at a time');
  assert.equal(asking.settles({ op: 'claim', generation: 4, outcome: 'lost' }, 500), true);
  assert.equal(asking.settles({ op: 'claim', generation: 4, outcome: 'won' }, 501), false, 'it is settled');
});

test('the CPU thread hears of its limits in steps that are worth a message', () => {
  const limit = new CpuLimit(800, 800);
  assert.deepEqual(limit.update(0, 0), { type: 'limit', logBytes: 800, outputBytes: 800 });
  assert.equal(limit.update(99, 99), undefined);
  assert.deepEqual(limit.update(100, 0), { type: 'limit', logBytes: 900, outputBytes: 800 });
  const free = limit.update(undefined, 0);
  assert.ok(free?.type === 'limit' && free.logBytes > 1e15 && free.outputBytes === 800);
});
