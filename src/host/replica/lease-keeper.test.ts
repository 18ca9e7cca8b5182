import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { openArbiter } from '../arbiter/open.ts';
import { findLoss, LeaseKeeper } from './lease-keeper.ts';

const US = '1'.repeat(32);
const OTHER = '2'.repeat(32);
const LEASE = { ttlMs: 5000, marginMs: 500 };

interface Machine {
  readonly keeper: LeaseKeeper;
  readonly directory: string;
  readonly notices: readonly string[];
  /** Another replica wins the machine. */
  lose(): Promise<void>;
}

/** A machine at a directory arbiter, in generation 0. */
async function newMachine(t: TestContext): Promise<Machine> {
  const directory = await mkdtemp(join(tmpdir(), 'us-lease-'));
  const arbiter = await openArbiter(directory, { allowLocal: true });
  const notices: string[] = [];
  const onNotice = (line: string): void => void notices.push(line);
  const keeper = await LeaseKeeper.open('web', LEASE, directory, { allowLocal: true, onNotice });
  t.after(async () => {
    await keeper.close();
    await arbiter.close();
    await rm(directory, { recursive: true, force: true });
  });
  assert.equal(await arbiter.create('web', US), 'won');
  const lose = async (): Promise<void> => {
    assert.equal((await arbiter.coldClaim('web', OTHER)).outcome, 'won');
  };
  return { keeper, directory, notices, lose };
}

const renewal = (number: number) =>
  ({ op: 'renew', note: `${US} ${number}`, incarnation: US, sentMs: number * 10 }) as const;

test('a renewal is held by the owner, and its note is there for others', async (t) => {
  const { keeper } = await newMachine(t);
  assert.deepEqual(await keeper.sight(), { generation: 0, owner: US, note: undefined });
  assert.deepEqual(await keeper.ask(renewal(7)), { op: 'renew', outcome: 'held', sentMs: 70 });
  assert.deepEqual(await keeper.sight(), { generation: 0, owner: US, note: `${US} 7` });
  assert.deepEqual(await keeper.ask({ op: 'look' }), { op: 'look', outcome: 'seen', note: `${US} 7` });
});

test('who does not own the newest generation any more has lost', async (t) => {
  const { keeper, lose } = await newMachine(t);
  await lose();
  assert.deepEqual(await keeper.ask(renewal(1)), { op: 'renew', outcome: 'lost', sentMs: 10 });
});

test('without the arbiter everything is unknown, which is said once', async (t) => {
  const { keeper, directory, notices } = await newMachine(t);
  await rm(directory, { recursive: true });
  assert.deepEqual(await keeper.ask(renewal(1)), { op: 'renew', outcome: 'unknown', sentMs: 10 });
  await keeper.ask(renewal(2));
  assert.deepEqual(await keeper.ask({ op: 'look' }), { op: 'look', outcome: 'unknown' });
  assert.equal(notices.length, 1);
  assert.match(notices[0]!, /^the lease is not renewed: the store in the directory .* outputs wait, from 5 s after/);
  assert.equal(await keeper.sight(), undefined);
});

test('a machine that was taken for lost, and was renewed after all, is not started', async (t) => {
  const { keeper } = await newMachine(t);
  await keeper.ask(renewal(1));
  const description = { name: 'web' } as Parameters<typeof findLoss>[0]['description'];
  const find = (note: string, generation = 0) =>
    findLoss({
      description,
      role: { kind: 'primary', create: false, loss: { generation, note } },
      leaseKeeper: keeper,
    });
  assert.deepEqual(await find(`${US} 1`), { generation: 0, note: `${US} 1` });
  await keeper.ask(renewal(2));
  await assert.rejects(find(`${US} 1`), { code: 'not-lost' });
  await assert.rejects(find(`${US} 2`, 1), { code: 'not-lost' });
  const person = await findLoss({ description, role: { kind: 'primary', create: false }, leaseKeeper: keeper });
  assert.deepEqual([person?.generation, person?.note], [0, `${US} 2`]);
});
