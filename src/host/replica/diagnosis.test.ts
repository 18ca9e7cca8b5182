import assert from 'node:assert/strict';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import type { Evidence, Message } from '../../core/replication/message.ts';
import { Diagnosis } from './diagnosis.ts';

const LOG_CHANNEL = 1;
const BACKUP = 'b'.repeat(32);

/** A primary's, whose machine must not be asked, with a backup on its log channel. */
async function primaryOf(t: TestContext) {
  const directory = await mkdtemp(join(tmpdir(), 'understudy-diagnosis-'));
  t.after(() => rm(directory, { recursive: true }));
  const closed: number[] = [];
  const diagnosis = new Diagnosis(
    { directory, vm: 'web', incarnation: 'a'.repeat(32), hashIntervalMs: 1000, patienceMs: 50 },
    {
      nowMs: () => 0,
      ask: () => assert.fail('nobody may make the machine work'),
      connect: () => assert.fail('a primary connects to nobody'),
      send: () => assert.fail('nobody is told anything'),
      close: (channel) => void closed.push(channel),
      onNotice: () => {},
    },
  );
  const hello = { version: 2, vm: 'web', machine: '', incarnation: BACKUP, role: 'backup' } as const;
  diagnosis.takes(LOG_CHANNEL, { type: 'hello', generation: 3, ...hello, resume: false, received: 0 });
  const batch = { generation: 3, sequence: 1, base: 0n, position: 5n, time: 0n, bytes: new Uint8Array(0) } as const;
  diagnosis.sent(LOG_CHANNEL, { type: 'log', ...batch });
  return { diagnosis, directory, closed };
}

const evidence = (part: Evidence['part'], bytes: Uint8Array<ArrayBuffer>): Message => ({
  type: 'evidence',
  generation: 3,
  part,
  bytes,
});
const introduction = (incarnation: string): Message =>
  evidence('introduction', new TextEncoder().encode(JSON.stringify({ incarnation, position: '9', hash: '1' })));
const diverged: Message = { type: 'diverged', generation: 3, position: 9n, log: 'hash 1', machine: 'hash 2' };

test('evidence of somebody who is not the backup that has diverged is not looked at', async (t) => {
  const { diagnosis, directory, closed } = await primaryOf(t);
  assert.equal(diagnosis.takes(7, introduction('c'.repeat(32))), true, "it is none of the protocol's business");
  diagnosis.takes(7, evidence('page-hashes', new Uint8Array(8)));
  assert.equal(diagnosis.takes(LOG_CHANNEL, diverged), false, 'the protocol hears of it');
  await diagnosis.settled();
  assert.deepEqual(closed, [7]);
  const [name] = await readdir(directory);
  assert.match(await readFile(join(directory, name, 'report.txt'), 'utf8'), /has not shown its state/);
});

test('evidence that makes no sense is not looked at', async (t) => {
  const { diagnosis, directory } = await primaryOf(t);
  diagnosis.takes(7, introduction(BACKUP));
  diagnosis.takes(7, evidence('page-hashes', new Uint8Array(7)));
  diagnosis.takes(LOG_CHANNEL, diverged);
  await diagnosis.settled();
  assert.equal((await readdir(directory)).length, 1);
});

test('a second peer is turned away, and nothing is written without a divergence', async (t) => {
  const { diagnosis, directory, closed } = await primaryOf(t);
  diagnosis.takes(7, introduction(BACKUP));
  diagnosis.takes(8, introduction(BACKUP));
  assert.deepEqual(closed, [8]);
  diagnosis.takes(9, diverged);
  await diagnosis.settled();
  assert.deepEqual(await readdir(directory), [], 'a word of divergence from a stranger is no divergence');
});
