/**
 * The conformance suite of arbiters: whatever keeps the records, these hold. A suite for another implementation calls
 * `testArbiter` with a way to open it twice (two clients of the same store, as two hosts have) and to break it.
 */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { type TestContext, test } from 'node:test';
import type { Arbiter, PairRecord } from './arbiter.ts';

export type ArbiterStore = {
  /** Another client of the same store. */
  open(): Promise<Arbiter>;
  /** Makes the store look as it does to a host that has lost it: an empty one in its place, or none. */
  lose(how: 'empty' | 'gone'): Promise<void>;
  remove(): Promise<void>;
  /** Starts a process that opens the store, claims once, prints the outcome and ends; resolves with the outcome. */
  claimInProcess(vm: string, generation: number, incarnation: string, token: string): Promise<string>;
};

export const newIdentifier = (): string => randomBytes(16).toString('hex');

export const newFingerprint = (): string => randomBytes(32).toString('hex');

/** A machine with a primary and a backup in generation 0. */
async function pairOf(arbiter: Arbiter) {
  const vm = `vm-${newIdentifier().slice(0, 8)}`;
  const record = { token: newIdentifier(), primary: newIdentifier(), backup: newIdentifier() };
  assert.equal(await arbiter.create(vm, record.primary), 'won');
  assert.equal(await arbiter.writePair(vm, 0, record), 'written');
  return { vm, ...record };
}

export function testArbiter(name: string, makeStore: () => Promise<ArbiterStore>): void {
  const run = (title: string, body: (first: Arbiter, second: Arbiter, store: ArbiterStore) => Promise<void>) =>
    test(`${name}: ${title}`, async (t: TestContext) => {
      const store = await makeStore();
      const [first, second] = [await store.open(), await store.open()];
      t.after(async () => {
        await first.close();
        await second.close();
        await store.remove();
      });
      await body(first, second, store);
    });

  run('a machine is created once, and the same creation may be repeated', async (first, second) => {
    const [one, two] = [newIdentifier(), newIdentifier()];
    assert.equal(await first.create('m', one), 'won');
    assert.equal(await second.create('m', two), 'lost');
    assert.equal(await second.create('m', one), 'won');
    assert.deepEqual(await second.owner('m'), { generation: 0, incarnation: one });
  });

  run('a machine that was never created has no owner, no pair and no winner', async (first) => {
    assert.equal(await first.owner('m'), undefined);
    assert.equal(await first.readPair('m', 0), undefined);
    assert.equal(await first.claim('m', 0, newIdentifier(), newIdentifier()), 'unknown');
    assert.equal((await first.coldClaim('m', newIdentifier())).outcome, 'unknown');
    const record = { token: newIdentifier(), primary: newIdentifier(), backup: null };
    assert.equal(await first.writePair('m', 0, record), 'unknown');
  });

  run('the backup reads by its own path the record that the primary wrote', async (first, second) => {
    const { vm, token, primary, backup } = await pairOf(first);
    assert.deepEqual(await second.readPair(vm, 0), { token, primary, backup });
  });

  run('the record of a pair names both hosts by their certificates, for ever', async (first, second) => {
    const { vm, token, backup } = await pairOf(first);
    assert.equal(await first.claim(vm, 0, backup, token), 'won');
    const certificates = { primaryFingerprint: newFingerprint(), backupFingerprint: newFingerprint() };
    const record = { token: newIdentifier(), primary: backup, backup: newIdentifier(), ...certificates };
    assert.equal(await first.writePair(vm, 1, record), 'written');
    assert.deepEqual(await second.readPair(vm, 1), record);
    assert.equal(await second.writePair(vm, 1, record), 'written');
    assert.equal(await first.writePair(vm, 1, { ...record, backupFingerprint: newFingerprint() }), 'refused');
    const { primaryFingerprint: _, ...without } = record;
    assert.equal(await first.writePair(vm, 1, without), 'refused');
    assert.deepEqual(await second.readPair(vm, 1), record);
  });

  run('the record of an owner names its host by the certificate with which it was won', async (first, second) => {
    const [one, two, three] = [newIdentifier(), newIdentifier(), newIdentifier()];
    const [keyOne, keyTwo, keyThree] = [newFingerprint(), newFingerprint(), newFingerprint()];
    assert.equal(await first.create('m', one, keyOne), 'won');
    assert.deepEqual(await second.owner('m'), { generation: 0, incarnation: one, fingerprint: keyOne });
    const record = { token: newIdentifier(), primary: one, backup: two };
    assert.equal(await first.writePair('m', 0, record), 'written');
    assert.equal(await second.claim('m', 0, two, record.token, keyTwo), 'won');
    assert.equal(
      await second.claim('m', 0, two, record.token, newFingerprint()),
      'won',
      'it is the incarnation that wins',
    );
    assert.deepEqual(await first.owner('m'), { generation: 1, incarnation: two, fingerprint: keyTwo });
    const owner = { generation: 2, incarnation: three, fingerprint: keyThree };
    assert.deepEqual(await first.coldClaim('m', three, keyThree), { outcome: 'won', owner });
    assert.deepEqual(await second.owner('m'), owner);
  });

  run('the winner of a claim owns the next generation, the other has lost, for ever', async (first, second) => {
    const { vm, token, primary, backup } = await pairOf(first);
    assert.equal(await second.claim(vm, 0, backup, token), 'won');
    assert.equal(await first.claim(vm, 0, primary, token), 'lost');
    for (let again = 0; again < 3; again++) {
      assert.equal(await first.claim(vm, 0, backup, token), 'won');
      assert.equal(await second.claim(vm, 0, primary, token), 'lost');
    }
    assert.deepEqual(await first.owner(vm), { generation: 1, incarnation: backup });
  });

  run('an old claim has its old answer generations later', async (first, second) => {
    const { vm, token, primary, backup } = await pairOf(first);
    assert.equal(await second.claim(vm, 0, backup, token), 'won');
    const solo = { token: newIdentifier(), primary: backup, backup: null };
    assert.equal(await second.writePair(vm, 1, solo), 'written');
    assert.equal(await second.claim(vm, 1, backup, solo.token), 'won');
    assert.equal(await first.claim(vm, 0, primary, token), 'lost');
    assert.equal(await first.claim(vm, 0, backup, token), 'won');
    assert.deepEqual(await first.owner(vm), { generation: 2, incarnation: backup });
  });

  run('a claim with a token that the arbiter does not show is unknown', async (first) => {
    const { vm, primary, backup } = await pairOf(first);
    assert.equal(await first.claim(vm, 0, backup, newIdentifier()), 'unknown');
    assert.equal(await first.claim(vm, 1, primary, newIdentifier()), 'unknown');
    assert.deepEqual(await first.owner(vm), { generation: 0, incarnation: primary });
  });

  run('a stranger with the token never wins', async (first) => {
    const { vm, token, primary } = await pairOf(first);
    assert.equal(await first.claim(vm, 0, newIdentifier(), token), 'lost');
    assert.deepEqual(await first.owner(vm), { generation: 0, incarnation: primary });
  });

  run('an owner without a backup claims with the token of its solo record', async (first) => {
    const primary = newIdentifier();
    await first.create('m', primary);
    const solo: PairRecord = { token: newIdentifier(), primary, backup: null };
    assert.equal(await first.writePair('m', 0, solo), 'written');
    assert.deepEqual(await first.readPair('m', 0), solo);
    assert.equal(await first.claim('m', 0, primary, solo.token), 'won');
  });

  run('a generation takes one backup, after its solo record', async (first, second) => {
    const primary = newIdentifier();
    await first.create('m', primary);
    const solo = { token: newIdentifier(), primary, backup: null };
    const pair = { token: newIdentifier(), primary, backup: newIdentifier() };
    assert.equal(await first.writePair('m', 0, solo), 'written');
    assert.equal(await first.writePair('m', 0, pair), 'written');
    assert.equal(await second.writePair('m', 0, pair), 'written');
    assert.equal(await first.writePair('m', 0, { ...pair, token: newIdentifier() }), 'refused');
    assert.equal(await first.writePair('m', 0, { ...pair, backup: newIdentifier() }), 'refused');
    assert.deepEqual(await second.readPair('m', 0), pair);
  });

  run('only the owner of a generation that goes on may write its pair', async (first) => {
    const { vm, token, backup } = await pairOf(first);
    const record = { token: newIdentifier(), primary: newIdentifier(), backup: newIdentifier() };
    assert.equal(await first.writePair(vm, 0, record), 'refused');
    await first.claim(vm, 0, backup, token);
    assert.equal(await first.writePair(vm, 1, record), 'refused');
    assert.equal(await first.writePair(vm, 0, { ...record, primary: backup }), 'refused');
    assert.equal(await first.writePair(vm, 2, record), 'unknown');
  });

  run('a cold start ends the newest generation, once', async (first, second) => {
    const { vm, token, primary } = await pairOf(first);
    const [one, two] = [newIdentifier(), newIdentifier()];
    assert.deepEqual(await first.coldClaim(vm, one), { outcome: 'won', owner: { generation: 1, incarnation: one } });
    assert.deepEqual(await first.coldClaim(vm, one), { outcome: 'won', owner: { generation: 1, incarnation: one } });
    assert.equal(await first.claim(vm, 0, primary, token), 'lost');
    assert.deepEqual(await second.coldClaim(vm, two), { outcome: 'won', owner: { generation: 2, incarnation: two } });
  });

  run('of many rivals in one process exactly one wins', async (first, second) => {
    const { vm, token, primary, backup } = await pairOf(first);
    const asked = Array.from({ length: 40 }, (_, index) => {
      const who = index % 2 === 0 ? primary : backup;
      return (index % 4 < 2 ? first : second).claim(vm, 0, who, token).then((outcome) => ({ who, outcome }));
    });
    const answers = await Promise.all(asked);
    const { incarnation } = (await first.owner(vm))!;
    for (const { who, outcome } of answers) assert.equal(outcome, who === incarnation ? 'won' : 'lost');
  });

  run('of many rivals in many processes exactly one wins', async (first, _second, store) => {
    const { vm, token, primary, backup } = await pairOf(first);
    const rivals = [primary, backup, primary, backup, primary, backup];
    const outcomes = await Promise.all(rivals.map((who) => store.claimInProcess(vm, 0, who, token)));
    const { incarnation } = (await first.owner(vm))!;
    assert.deepEqual(
      outcomes,
      rivals.map((who) => (who === incarnation ? 'won' : 'lost')),
    );
  });

  run('of many who create one machine exactly one wins', async (first, second) => {
    const incarnations = Array.from({ length: 20 }, newIdentifier);
    const outcomes = await Promise.all(incarnations.map((who, at) => (at % 2 === 0 ? first : second).create('m', who)));
    assert.equal(outcomes.filter((outcome) => outcome === 'won').length, 1);
    assert.equal(outcomes.filter((outcome) => outcome === 'lost').length, 19);
  });

  for (const how of ['empty', 'gone'] as const) {
    run(`where the store is ${how}, every claim is unknown and nothing is written`, async (first, _second, store) => {
      const { vm, token, primary, backup } = await pairOf(first);
      await store.lose(how);
      assert.equal(await first.claim(vm, 0, backup, token), 'unknown');
      assert.equal(await first.claim(vm, 0, primary, token), 'unknown');
      assert.equal((await first.coldClaim(vm, newIdentifier())).outcome, 'unknown');
      assert.equal(await first.owner(vm), undefined);
      assert.equal(await first.readPair(vm, 0), undefined);
      assert.equal(await first.writePair(vm, 0, { token, primary, backup }), 'unknown');
      assert.equal(await first.claim(vm, 0, backup, token), 'unknown');
    });
  }

  run('a name that could leave the store is refused', async (first) => {
    for (const vm of ['', '..', '../m', 'a/b', '.m', 'M', 'x'.repeat(64)]) {
      await assert.rejects(async () => first.owner(vm), { code: 'bad-machine-name' }, vm);
    }
  });
}
