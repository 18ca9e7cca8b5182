import assert from 'node:assert/strict';
import { test } from 'node:test';
import { describeCopy, type RedundancyFacts, whyNotRedundant } from './redundancy.ts';

const MIB = 2 ** 20;
const alone: RedundancyFacts = {
  machine: 'web',
  phase: 'alone',
  speed: 1,
  lagMs: 0,
  copy: undefined,
  arbiter: undefined,
  store: undefined,
  hosts: ['a', 'b', 'c', 'd'],
  own: 'a',
  memoryBytes: 704 * MIB,
  present: [
    { name: 'a', freeBytes: 0 },
    { name: 'c', freeBytes: 100 * MIB },
    { name: 'd', freeBytes: 800 * MIB },
  ],
  asked: undefined,
  trouble: (host) => (host === 'd' ? { why: 'its replica does not connect', restMs: 3900 } : undefined),
};
const codes = (facts: Partial<RedundancyFacts>): string[] =>
  whyNotRedundant({ ...alone, ...facts }).map(({ code }) => code);

test('of every host that the machine may use it is said why there is no backup, and what to do', () => {
  assert.deepEqual(whyNotRedundant(alone), [
    {
      code: 'host-absent',
      message: 'host b is not there',
      advice: 'Start "understudy host" on b, with the same arbiter.',
    },
    {
      code: 'no-memory',
      message: 'host c has 100 MiB free, and a replica of web needs 704 MiB',
      advice: 'Offer more memory there ("memory" in host.yaml), or move another machine away.',
    },
    {
      code: 'host-failed',
      message: 'host d has given no backup: its replica does not connect',
      advice: 'It is asked again in 4 s.',
    },
  ]);
  assert.deepEqual(codes({ asked: 'd' }), ['host-absent', 'no-memory', 'asked']);
  assert.deepEqual(codes({ hosts: ['a'] }), ['no-spare']);
  assert.deepEqual(codes({ present: undefined }), ['looking']);
});

test('a complete pair has nothing against it, unless its backup is far behind', () => {
  assert.deepEqual(codes({ phase: 'paired', lagMs: 300 }), []);
  const [reason] = whyNotRedundant({ ...alone, phase: 'paired', lagMs: 2340, speed: 0.6 });
  assert.equal(reason?.code, 'backup-lags');
  assert.match(reason?.message ?? '', /2\.3 s behind.*60 % of its speed/);
});

test('an arbiter or a store that is away comes first', () => {
  assert.deepEqual(codes({ phase: 'leaving', arbiter: 'etcd is away' }), ['arbiter-unreachable', 'deciding']);
  assert.deepEqual(codes({ store: 'etcd is away' }), ['store-away']);
  assert.match(
    whyNotRedundant({ ...alone, phase: 'leaving' })[0]?.message ?? '',
    /asks the arbiter whether it may go on/,
  );
  const copy = { stage: 'finishing', doneBytes: 512 * MIB, totalBytes: 512 * MIB } as const;
  assert.deepEqual(codes({ phase: 'copying', arbiter: 'etcd is away', copy }), ['arbiter-unreachable', 'copying']);
});

test('a copy is told in per cent, MiB, pace and rest', () => {
  const copy = { stage: 'memory', doneBytes: 205 * MIB, totalBytes: 512 * MIB } as const;
  assert.equal(describeCopy(copy), 'copying memory: 40 %, 205 of 512 MiB');
  assert.equal(
    describeCopy({ ...copy, bytesPerSecond: 95.9 * MIB, restMs: 3200 }),
    'copying memory: 40 %, 205 of 512 MiB, 95 MiB/s, about 3 s to go',
  );
});
