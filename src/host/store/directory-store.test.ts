import assert from 'node:assert/strict';
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { DirectoryStore } from './directory-store.ts';
import { testStore } from './store-suite.ts';

const makeDirectory = (): Promise<string> => mkdtemp(join(tmpdir(), 'understudy-store-'));

testStore('a directory', async () => {
  const root = await makeDirectory();
  return {
    open: async () => new DirectoryStore(join(root, 'store')),
    close: () => rm(root, { recursive: true, force: true }),
  };
});

test('old values do not pile up', async () => {
  const root = await makeDirectory();
  const store = new DirectoryStore(root);
  for (let i = 0; i < 50; i++) await store.put('hosts/a', String(i));
  assert.ok((await readdir(join(root, 'hosts%2Fa'))).length <= 17);
  await rm(root, { recursive: true });
});

test('a directory that cannot be used is one clear error', async () => {
  const root = await makeDirectory();
  await writeFile(join(root, 'file'), '');
  const store = new DirectoryStore(join(root, 'file', 'store'));
  await assert.rejects(store.put('hosts/a', 'x'), { code: 'store-away', message: /the store in .* cannot be used/ });
  await rm(root, { recursive: true });
});
