import assert from 'node:assert/strict';
import { execFile, execFileSync } from 'node:child_process';
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  renameSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { newIdentifier, testArbiter } from './arbiter-suite.ts';
import { openDirectoryArbiter } from './directory.ts';

const claimScript = new URL('./fixtures/claim-process.ts', import.meta.url).pathname;

function newDirectory(): string {
  return mkdtempSync(join(tmpdir(), 'understudy-arbiter-'));
}

testArbiter('directory', async () => {
  const directory = newDirectory();
  const elsewhere = `${directory}-elsewhere`;
  return {
    open: () => openDirectoryArbiter({ directory }),
    lose: async (how) => {
      renameSync(directory, elsewhere);
      if (how === 'empty') mkdirSync(directory);
    },
    remove: async () => {
      rmSync(directory, { recursive: true, force: true });
      rmSync(elsewhere, { recursive: true, force: true });
    },
    claimInProcess: async (vm, generation, incarnation, token) => {
      const words = [claimScript, directory, vm, String(generation), incarnation, token];
      return (await promisify(execFile)(process.execPath, words)).stdout.trim();
    },
  };
});

test('a record that is empty or torn is unknown, never free', async (t) => {
  const directory = newDirectory();
  t.after(() => rmSync(directory, { recursive: true }));
  const arbiter = await openDirectoryArbiter({ directory });
  const record = { token: newIdentifier(), primary: newIdentifier(), backup: newIdentifier() };
  await arbiter.create('m', record.primary);
  await arbiter.writePair('m', 0, record);

  const owner = join(directory, 'm', 'owner-1');
  for (const content of ['', '{"incarn', '{"incarnation":"short"}']) {
    writeFileSync(owner, content);
    assert.equal(await arbiter.claim('m', 0, record.backup, record.token), 'unknown');
    assert.equal(await arbiter.owner('m'), undefined);
  }
  rmSync(owner);
  truncateSync(join(directory, 'm', 'pair-0'), 0);
  assert.equal(await arbiter.claim('m', 0, record.backup, record.token), 'unknown');
  assert.deepEqual(await arbiter.owner('m'), { generation: 0, incarnation: record.primary });
});

test('a store that hangs is unknown, and answers again when it is back', async (t) => {
  const directory = newDirectory();
  t.after(() => rmSync(directory, { recursive: true }));
  const patient = await openDirectoryArbiter({ directory });
  const hasty = await openDirectoryArbiter({ directory, timeoutMs: 20 });
  const record = { token: newIdentifier(), primary: newIdentifier(), backup: newIdentifier() };
  await patient.create('m', record.primary);
  await patient.writePair('m', 0, record);
  // To open a pipe that nobody writes to hangs in the kernel, as a file of a lost NFS server does.
  const pair = join(directory, 'm', 'pair-0');
  renameSync(pair, `${pair}.kept`);
  execFileSync('mkfifo', [pair]);
  assert.equal(await hasty.claim('m', 0, record.backup, record.token), 'unknown');
  assert.equal(await hasty.owner('m'), undefined);
  writeFileSync(pair, '{}');
  renameSync(`${pair}.kept`, pair);
  assert.equal(await patient.claim('m', 0, record.backup, record.token), 'won');
});

test('no temporary file stays behind', async (t) => {
  const directory = newDirectory();
  t.after(() => rmSync(directory, { recursive: true }));
  const arbiter = await openDirectoryArbiter({ directory });
  await Promise.all(Array.from({ length: 8 }, () => arbiter.create('m', newIdentifier())));
  assert.deepEqual(readdirSync(directory), ['m']);
  assert.deepEqual(readdirSync(join(directory, 'm')), ['owner-0']);
});

test('a directory that is missing or a file is refused at set-up', async (t) => {
  const directory = newDirectory();
  t.after(() => rmSync(directory, { recursive: true }));
  writeFileSync(join(directory, 'file'), '');
  for (const name of ['none', 'file']) {
    await assert.rejects(openDirectoryArbiter({ directory: join(directory, name) }), { code: 'arbiter-missing' });
  }
});

const skip = process.getuid?.() === 0 ? 'root may write everywhere' : false;

test('a directory that cannot be written is refused at set-up', { skip }, async (t) => {
  const directory = newDirectory();
  chmodSync(directory, 0o555);
  t.after(() => rmSync(directory, { recursive: true }));
  await assert.rejects(openDirectoryArbiter({ directory }), { code: 'arbiter-not-writable', message: /EACCES/ });
});

test('a read-only file system is refused at set-up', async () => {
  await assert.rejects(openDirectoryArbiter({ directory: '/proc/self' }), { code: 'arbiter-not-writable' });
});
