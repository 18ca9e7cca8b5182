import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import type { Owner } from '../arbiter/arbiter.ts';
import { newFingerprint, newIdentifier } from '../arbiter/arbiter-suite.ts';
import { type Admission, Fence } from './fence.ts';

/** A fence over an arbiter whose record the test sets. */
async function newFence(t: TestContext) {
  const stateDir = mkdtempSync(join(tmpdir(), 'understudy-fence-'));
  t.after(() => rmSync(stateDir, { recursive: true, force: true }));
  const arbiter = { record: undefined as Owner | undefined, owner: async () => arbiter.record };
  const open = () => Fence.open({ vm: 'm', stateDir, arbiter });
  return { arbiter, stateDir, open, fence: await open() };
}

async function admitted(fence: Fence, owner: Owner, session?: string): Promise<Admission> {
  const outcome = await fence.admit(owner.generation, owner.incarnation, session);
  assert.ok(outcome.admitted, 'why' in outcome ? outcome.why : '');
  return outcome.admission;
}

const writes = (admission: Admission) => admission.run('refused', async () => 'written');

test('the owner that the arbiter names is admitted, and its predecessor is refused from then on', async (t) => {
  const { fence, arbiter } = await newFence(t);
  const [one, two] = [newIdentifier(), newIdentifier()];
  arbiter.record = { generation: 0, incarnation: one };
  const first = await admitted(fence, arbiter.record);
  assert.equal(await writes(first), 'written');
  arbiter.record = { generation: 1, incarnation: two };
  const second = await admitted(fence, arbiter.record);
  assert.equal(await writes(first), 'refused');
  assert.equal(await writes(second), 'written');
  assert.deepEqual(await fence.admit(0, one, undefined), {
    admitted: false,
    forGood: true,
    why: 'generation 0 belonged to the disk, but 1 was admitted since',
  });
});

test('whoever the arbiter does not name is refused: for good where it names another, for now where it cannot tell', async (t) => {
  const { fence, arbiter } = await newFence(t);
  const [one, two] = [newIdentifier(), newIdentifier()];
  for (const [record, generation, forGood] of [
    [undefined, 0, false],
    [{ generation: 0, incarnation: two }, 0, true],
    [{ generation: 1, incarnation: one }, 0, true],
    [{ generation: 0, incarnation: one }, 1, false],
  ] as const) {
    arbiter.record = record;
    const outcome = await fence.admit(generation, one, undefined);
    assert.ok(!outcome.admitted);
    assert.equal(outcome.forGood, forGood, outcome.why);
  }
  assert.equal(fence.admitted, undefined);
});

test('an admission is answered only when every older request has landed or been refused', async (t) => {
  const { fence, arbiter } = await newFence(t);
  arbiter.record = { generation: 0, incarnation: newIdentifier() };
  const old = await admitted(fence, arbiter.record);
  const events: string[] = [];
  let land: () => void = () => {};
  const underWay = old.run<string>('refused', async () => {
    await new Promise<void>((resolve) => {
      land = resolve;
    });
    events.push('landed');
    return 'landed';
  });
  arbiter.record = { generation: 1, incarnation: newIdentifier() };
  const next = admitted(fence, arbiter.record).then(() => events.push('admitted'));
  while (!old.revoked) await new Promise((resolve) => setImmediate(resolve));
  assert.equal(await writes(old), 'refused');
  // Time enough for an admission that would not wait: others begin and end meanwhile.
  for (let round = 0; round < 5; round++) {
    const elsewhere = await newFence(t);
    elsewhere.arbiter.record = { generation: 0, incarnation: newIdentifier() };
    await admitted(elsewhere.fence, elsewhere.arbiter.record);
  }
  assert.deepEqual(events, []);
  land();
  await Promise.all([underWay, next]);
  assert.deepEqual(events, ['landed', 'admitted']);
});

test('one replica may have several connections, and a session has one', async (t) => {
  const { fence, arbiter } = await newFence(t);
  arbiter.record = { generation: 3, incarnation: newIdentifier() };
  const [session, other] = [newIdentifier(), newIdentifier()];
  const first = await admitted(fence, arbiter.record, session);
  const second = await admitted(fence, arbiter.record, other);
  const third = await admitted(fence, arbiter.record);
  for (const admission of [first, second, third]) assert.equal(await writes(admission), 'written');
  const again = await admitted(fence, arbiter.record, session);
  assert.equal(await writes(first), 'refused');
  for (const admission of [again, second, third]) assert.equal(await writes(admission), 'written');
});

test('the admitted generation survives the server, and its owner needs no arbiter to come back', async (t) => {
  const { fence, arbiter, open } = await newFence(t);
  const owner = { generation: 7, incarnation: newIdentifier() };
  arbiter.record = owner;
  await admitted(fence, owner);
  arbiter.record = undefined;
  const restarted = await open();
  assert.deepEqual(restarted.admitted, owner);
  await admitted(restarted, owner);
  for (const generation of [6, 7]) {
    const outcome = await restarted.admit(generation, newIdentifier(), undefined);
    assert.ok(!outcome.admitted && outcome.forGood);
  }
});

test('where the record names a certificate, its owner shows that one, with or without the arbiter', async (t) => {
  const { fence, arbiter, open } = await newFence(t);
  const owner = { generation: 7, incarnation: newIdentifier(), fingerprint: newFingerprint() };
  const admit = (to: Fence, shown?: string) => to.admit(7, owner.incarnation, undefined, shown);
  arbiter.record = owner;
  for (const shown of [undefined, newFingerprint()]) {
    const outcome = await admit(fence, shown);
    assert.ok(!outcome.admitted && outcome.forGood);
  }
  assert.equal(fence.admitted, undefined);
  assert.ok((await admit(fence, owner.fingerprint)).admitted);
  arbiter.record = undefined;
  const restarted = await open();
  assert.deepEqual(restarted.admitted, owner);
  assert.ok(!(await admit(restarted, newFingerprint())).admitted);
  assert.ok((await admit(restarted, owner.fingerprint)).admitted);
});

test('a record of an earlier version names no certificate, and its owner may show any', async (t) => {
  const { fence, arbiter } = await newFence(t);
  arbiter.record = { generation: 7, incarnation: newIdentifier() };
  for (const shown of [newFingerprint(), newFingerprint()]) {
    assert.ok((await fence.admit(7, arbiter.record.incarnation, undefined, shown)).admitted);
  }
});

test('a generation that cannot be kept is not admitted, and those before it stay refused', async (t) => {
  const { fence, arbiter, stateDir } = await newFence(t);
  arbiter.record = { generation: 0, incarnation: newIdentifier() };
  const old = await admitted(fence, arbiter.record);
  rmSync(stateDir, { recursive: true });
  arbiter.record = { generation: 1, incarnation: newIdentifier() };
  const outcome = await fence.admit(1, arbiter.record.incarnation, undefined);
  assert.ok(!outcome.admitted && !outcome.forGood);
  assert.equal(await writes(old), 'refused');
});

test('a state that is missing its directory or its sense is refused at the start', async (t) => {
  const { stateDir, open } = await newFence(t);
  for (const content of ['', '{}', '{"generation":-1}', '{"generation":0,"incarnation":"x"}']) {
    writeFileSync(join(stateDir, 'm.generation'), content);
    await assert.rejects(open(), { code: 'fence-state-broken' });
  }
  await assert.rejects(Fence.open({ vm: 'm', stateDir: join(stateDir, 'none') }), { code: 'fence-state-missing' });
});

test('the state is on disk before the admission is answered', async (t) => {
  const { fence, arbiter, stateDir } = await newFence(t);
  arbiter.record = { generation: 2, incarnation: newIdentifier() };
  await admitted(fence, arbiter.record);
  assert.deepEqual(JSON.parse(readFileSync(join(stateDir, 'm.generation'), 'utf8')), arbiter.record);
});
