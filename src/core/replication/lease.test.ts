import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Lease, type LeaseReply } from './lease.ts';
import { Primary } from './primary.ts';
import type { ReplicaAction } from './replica.ts';
import { Driver, frameOutput, produced, writeOutput } from './testing/driver.ts';
import { bounds, options, timing } from './testing/options.ts';

const LEASE = { ttlMs: 1000, marginMs: 200 };

/** A lease by itself, of a replica that owns its machine. */
function owning(restart?: { note: string | undefined }): { lease: Lease; asked: () => ReplicaAction[] } {
  const actions: ReplicaAction[] = [];
  const lease = new Lease({ incarnation: 'us', restart, timing }, LEASE, (action) => actions.push(action), 0);
  lease.own();
  return { lease, asked: () => actions.splice(0) };
}

function at(lease: Lease, nowMs: number, reply?: LeaseReply): boolean {
  lease.observe(nowMs);
  const lost = reply !== undefined && lease.answered({ type: 'lease', reply });
  lease.tick(true);
  return lost;
}

const held = (sentMs: number): LeaseReply => ({ op: 'renew', outcome: 'held', sentMs });
const renewal = (number: number, sentMs: number): ReplicaAction => ({
  type: 'lease',
  request: { op: 'renew', note: `us ${number}`, incarnation: 'us', sentMs },
});

test('a renewal counts from its sending, and for the time to live', () => {
  const { lease, asked } = owning();
  at(lease, 100);
  assert.deepEqual(asked(), [renewal(1, 100)]);
  assert.equal(lease.holds, false);
  at(lease, 400, held(100));
  assert.equal(lease.holds, true);
  lease.observe(1099);
  assert.equal(lease.holds, true);
  lease.observe(1100);
  assert.equal(lease.holds, false);
});

test('renewals come four times in a time to live, each with a note of its own; unknown ones are asked for again', () => {
  const { lease, asked } = owning();
  at(lease, 100);
  at(lease, 110, held(100));
  at(lease, 349);
  assert.deepEqual(asked(), [renewal(1, 100)]);
  at(lease, 350);
  assert.deepEqual(asked(), [renewal(2, 350)]);
  at(lease, 360, { op: 'renew', outcome: 'unknown', sentMs: 350 });
  at(lease, 379);
  assert.deepEqual(asked(), []);
  at(lease, 380);
  assert.deepEqual(asked(), [renewal(3, 380)]);
});

test('an answer to an old renewal never shortens the lease', () => {
  const { lease } = owning();
  at(lease, 100);
  at(lease, 500, held(500));
  at(lease, 510, held(100));
  lease.observe(1499);
  assert.equal(lease.holds, true);
});

test('nothing is renewed before a generation is won, nor for a dead CPU thread', () => {
  const actions: ReplicaAction[] = [];
  const lease = new Lease({ incarnation: 'us', timing }, LEASE, (action) => actions.push(action), 0);
  at(lease, 100);
  lease.own();
  lease.tick(false);
  assert.deepEqual(actions, []);
  lease.tick(true);
  assert.equal(actions.length, 1);
});

test('the arbiter alone says that the machine is lost', () => {
  const { lease } = owning();
  at(lease, 100);
  assert.equal(at(lease, 110, { op: 'renew', outcome: 'unknown', sentMs: 100 }), false);
  assert.equal(at(lease, 120, { op: 'renew', outcome: 'lost', sentMs: 100 }), true);
});

test('after a cold start the note is read first, until there is an answer', () => {
  const { lease, asked } = owning({ note: 'them 7' });
  at(lease, 100);
  assert.deepEqual(asked(), [{ type: 'lease', request: { op: 'look' } }]);
  at(lease, 110, { op: 'look', outcome: 'unknown' });
  at(lease, 130);
  assert.deepEqual(asked(), [{ type: 'lease', request: { op: 'look' } }]);
  at(lease, 140, { op: 'look', outcome: 'seen', note: 'them 7' });
  assert.deepEqual(asked(), [renewal(1, 140)]);
  at(lease, 150, held(140));
  assert.equal(lease.holds, true);
});

for (const [what, note, holds] of [
  ['a note that is gone', undefined, true],
  ['another note than was seen', 'them 8', false],
] as const) {
  test(`a cold start that finds ${what} ${holds ? 'need not wait' : 'waits until that renewal is over'}`, () => {
    const { lease } = owning({ note: 'them 7' });
    at(lease, 100);
    at(lease, 110, { op: 'look', outcome: 'seen', note });
    at(lease, 120, held(110));
    assert.equal(lease.holds, holds);
    for (let nowMs = 150; nowMs < 1300; nowMs += 50) at(lease, nowMs, held(nowMs));
    lease.observe(1309);
    assert.equal(lease.holds, holds);
    lease.observe(1310);
    assert.equal(lease.holds, true);
  });
}

test('a leap of its own clock does not shorten the wait for another renewal', () => {
  const { lease } = owning({ note: 'them 7' });
  at(lease, 100);
  at(lease, 110, { op: 'look', outcome: 'seen', note: 'them 8' });
  lease.observe(2110);
  at(lease, 2120, held(2110));
  assert.equal(lease.holds, false);
});

// In a primary

function leased(changes: Partial<Parameters<typeof options>[1]> = {}): Driver {
  const settings = options('us', { lease: LEASE, alone: true, ...changes });
  return new Driver((nowMs) => new Primary(settings, nowMs)).event({ type: 'start' });
}

function renewalsOf(driver: Driver): number[] {
  return driver
    .take()
    .flatMap((action) => (action.type === 'lease' && action.request.op === 'renew' ? [action.request.sentMs] : []));
}

/** Alone in generation 0, with a lease from `nowMs` on. */
function alone(): Driver {
  const driver = leased().arbiter({ op: 'create', outcome: 'won' }).pass(10).admitted(0);
  const [sentMs] = renewalsOf(driver);
  return driver.event({ type: 'lease', reply: held(sentMs!) });
}

test('without a lease the outputs of a primary wait, and leave with the first renewal', () => {
  const driver = leased().arbiter({ op: 'create', outcome: 'won' }).pass(10).admitted(0);
  assert.equal(driver.phase, 'alone');
  const [sentMs] = renewalsOf(driver);
  driver.cpu(produced([frameOutput(1), writeOutput(2, 1)]));
  assert.deepEqual([driver.emitted(), driver.issued()], [[], []]);
  driver.event({ type: 'lease', reply: held(sentMs!) });
  assert.deepEqual([driver.emitted(), driver.issued()], [[1], [[1, 0]]]);
});

test("a primary alone that was stopped for longer than its lease lets nothing out, and halts when the machine is another's", () => {
  const driver = alone();
  driver.cpu(produced([frameOutput(1)]));
  assert.deepEqual(driver.emitted(), [1]);
  driver.take();
  driver.sleep(2000);
  driver.cpu(produced([frameOutput(2)]));
  driver.event({ type: 'tick' });
  assert.deepEqual(driver.emitted(), []);
  const [sentMs] = renewalsOf(driver);
  driver.event({ type: 'lease', reply: { op: 'renew', outcome: 'lost', sentMs: sentMs! } });
  assert.equal(driver.haltCode(), 'lost-claim');
  assert.deepEqual(driver.emitted(), []);
});

test('while its lease does not hold a primary alone runs on until the bound on held outputs', () => {
  const driver = leased().arbiter({ op: 'create', outcome: 'won' }).pass(10).admitted(0);
  const commands = driver.actions.flatMap((action) => (action.type === 'cpu' ? [action.command] : []));
  assert.deepEqual(commands, [
    { type: 'record', logging: false },
    { type: 'limit', logBytes: Number.MAX_SAFE_INTEGER, outputBytes: bounds.heldOutputBytes },
  ]);
});

test('a machine without the option needs no lease: nothing is asked, nothing waits, nothing is bounded', () => {
  const driver = leased({ lease: undefined }).arbiter({ op: 'create', outcome: 'won' }).admitted(0).pass(2000);
  driver.cpu(produced([frameOutput(1)]));
  assert.deepEqual(driver.emitted(), [1]);
  assert.deepEqual(driver.commands('limit'), []);
  assert.ok(driver.take().every(({ type }) => type !== 'lease'));
});
