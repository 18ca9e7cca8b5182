/** Every checker accepts a good run, and each has something that it refuses. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Output } from '../src/core/machine/doors.ts';
import { type CheckerName, check, checkers, type Evidence, type History } from './checkers.ts';
import { Cluster } from './cluster.ts';
import { evidenceOf } from './evidence.ts';
import type { Executed, Owned, Released } from './journal.ts';

const frame = (byte: number): Output => ({ kind: 'net-tx', device: 1, frame: Uint8Array.of(byte) });
const write = (id: number, byte: number) => ({ type: 'write', id, offset: 0, data: Uint8Array.of(byte) }) as const;

function owned(order: number, incarnation: string, generation: number): Owned {
  return { atMs: order, order, who: incarnation, incarnation, life: 1, generation, phase: 'alone', runs: true };
}

function released(order: number, generation: number, sequence: number, output: Output): Released {
  return { atMs: order, order, who: `owner of ${generation}`, life: 1, generation, sequence, output };
}

function executed(order: number, generation: number, request: Executed['request']): Executed {
  return { atMs: order, order, life: 1, generation, request };
}

/** The outputs that the survivor remembers, from sequence number 1. */
function history(...outputs: readonly Output[]): History {
  const requests = outputs.flatMap((output) => (output.kind === 'block' ? [output.request] : []));
  return {
    life: 1,
    who: 'the survivor',
    output: (sequence) => outputs[sequence - 1],
    request: (id) => requests.find((request) => request.id === id),
  };
}

const b = { who: 'b', incarnation: 'b', works: true, phase: 'alone', generation: 1 } as const;

/** Owner a says frame 1 and writes; b takes over and says frame 3. */
const good: Evidence = {
  endMs: 100,
  owned: [owned(1, 'a', 0), owned(4, 'b', 1), owned(5, 'b', 1)],
  released: [released(2, 0, 1, frame(1)), released(6, 1, 3, frame(3))],
  executed: [executed(3, 0, write(7, 2)), executed(7, 1, write(8, 4))],
  misreads: [],
  strayReads: [],
  histories: [
    history(frame(1), { kind: 'block', device: 2, request: write(7, 2) }, frame(3), {
      kind: 'block',
      device: 2,
      request: write(8, 4),
    }),
  ],
  promised: [{ client: 0, key: 1, value: 20, found: 20, underWay: undefined }],
  standing: { replicas: [b], newest: { generation: 1, incarnation: 'b' }, answered: true, pairPossible: false },
};

/** Exactly this checker complains, so often. */
function refuses(checker: CheckerName, change: Partial<Evidence>, times = 1): void {
  const found = check({ ...good, ...change });
  assert.deepEqual(
    found.map((violation) => violation.checker),
    Array.from({ length: times }, () => checker),
  );
}

test('a good run is accepted by every checker', () => {
  for (const checker of Object.values(checkers)) assert.deepEqual(checker(good), []);
});

test('a real run with a failover is accepted by every checker', () => {
  const cluster = new Cluster({ seed: 1 });
  cluster.start();
  cluster.schedule.runUntil(400);
  const answered = cluster.clients.map(({ answers }) => answers);
  cluster.kill(cluster.primary, false);
  cluster.schedule.runUntil(1000);
  assert.deepEqual(check(evidenceOf(cluster, answered)), []);
  assert.equal(cluster.backup.phase, 'alone');
});

test('two incarnations in one generation: one owner', () => {
  refuses('one owner', { owned: [...good.owned, owned(8, 'a', 1)] });
});

test('a write of an ended generation after an output of the next: no late write', () => {
  const late = executed(9, 0, write(7, 2));
  refuses('no late write', { executed: [...good.executed, late] });
  // The same before the next owner has said anything is in order.
  assert.deepEqual(
    check({ ...good, executed: [good.executed[0]!, executed(5, 0, write(7, 2)), good.executed[1]!] }),
    [],
  );
});

test('a write of an ended generation after a disk request of the next: no late write', () => {
  const requests = [executed(3, 1, { type: 'flush', id: 9 }), executed(4, 0, write(7, 2))];
  refuses('no late write', { released: [], executed: requests });
});

test('a late frame of the old owner must lie on the surviving history, and may if it does', () => {
  refuses('late frames lie on the surviving history', { released: [...good.released, released(9, 0, 3, frame(9))] });
  assert.deepEqual(check({ ...good, released: [...good.released, released(9, 0, 3, frame(3))] }), []);
});

test('an output that the survivor does not have: released outputs lie on the surviving history', () => {
  const early = [released(2, 0, 1, frame(9)), ...good.released.slice(1)];
  refuses('released outputs lie on the surviving history', { released: early });
  const beyond = [...good.released, released(9, 1, 5, frame(5))];
  refuses('released outputs lie on the surviving history', { released: beyond });
});

test('a disk write that the survivor does not have: released outputs lie on the surviving history', () => {
  const other = [executed(3, 0, write(7, 99)), ...good.executed.slice(1)];
  refuses('released outputs lie on the surviving history', { executed: other });
});

test('each life of the machine has a history of its own', () => {
  const second = { ...released(9, 2, 1, frame(9)), life: 2 };
  const started = { ...history(frame(9)), life: 2 };
  assert.deepEqual(
    check({ ...good, released: [...good.released, second], histories: [...good.histories, started] }),
    [],
  );
  refuses('released outputs lie on the surviving history', { released: [...good.released, second] });
});

test('a promised write that is not on the disk: no acknowledged flush is lost', () => {
  const promise = { client: 0, key: 1, value: 20, found: 10, underWay: undefined };
  refuses('no acknowledged flush is lost', { promised: [promise] });
  assert.deepEqual(check({ ...good, promised: [{ ...promise, underWay: 10 }] }), []);
});

test('a client that reads something else than it wrote: no acknowledged flush is lost', () => {
  refuses('no acknowledged flush is lost', { misreads: [{ atMs: 9, order: 9, what: 'client 0 reads 1' }] });
});

test('a backup that reads something else than its owner did: reads find the same bytes', () => {
  refuses('reads find the same bytes', { strayReads: [{ atMs: 9, order: 9, what: 'read 7' }] });
});

const { standing } = good;

for (const [what, change] of Object.entries({
  'is stuck while it leaves': { replicas: [{ ...b, phase: 'leaving' }] },
  'goes on in a generation that has ended': { newest: { generation: 2, incarnation: 'c' } },
  'is paired with nobody': { replicas: [{ ...b, phase: 'paired' }] },
  'owns the newest generation and has halted': { replicas: [{ ...b, phase: 'halted' }] },
  'goes on and answers nobody': { answered: false },
  'is alone where it could have a backup': { pairPossible: true },
} as const)) {
  test(`a replica that ${what}: redundant again`, () => {
    refuses('redundant again', { standing: { ...standing, ...change } });
  });
}

test('a dead owner, or a cold start that waits for its backup, is nobody to complain of', () => {
  assert.deepEqual(
    check({ ...good, standing: { ...standing, replicas: [{ ...b, works: false }], answered: false } }),
    [],
  );
  const waiting = { ...b, phase: 'waiting-for-backup' } as const;
  assert.deepEqual(check({ ...good, standing: { ...standing, replicas: [waiting], answered: false } }), []);
});
