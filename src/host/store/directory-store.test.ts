import assert from 'node:assert/strict';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { DirectoryStore } from './directory-store.ts';
import { testStore } from './store-suite.ts';

const makeDirectory = (): Promise<string> => mkdtemp(join(tmpdir(), 'understudy-store-'));

testStore('directory store', async () => {
  const root = await makeDirectory();
  return { open: () => DirectoryStore.open(root), remove: () => rm(root, { recursive: true, force: true }) };
});

test('old versions of a document do not pile up', async () => {
  const root = await makeDirectory();
  const store = await DirectoryStore.open(root);
  let version: string | null = null;
  for (let i = 0; i < 80; i++) version = (await store.compareAndSet('machines/web', `${i}`, version))!.version;
  assert.equal((await readdir(join(root, '.store', 'documents'))).length, 64);
  await rm(root, { recursive: true });
});

test('a directory that is not there is one clear error', async () => {
  await assert.rejects(DirectoryStore.open('/nowhere/at-all'), {
    code: 'store-away',
    message: /the store in the directory \/nowhere\/at-all cannot be used: ENOENT/,
  });
});
