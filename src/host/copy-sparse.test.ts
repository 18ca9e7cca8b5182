import assert from 'node:assert/strict';
import { mkdtemp, open, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { copySparse } from './copy-sparse.ts';

async function directory(context: TestContext): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), 'understudy-test-'));
  context.after(() => rm(path, { recursive: true }));
  return path;
}

test('a copy is equal, and what was a hole takes no room', async (context) => {
  const path = await directory(context);
  const [from, to] = [join(path, 'from'), join(path, 'to')];
  const file = await open(from, 'w');
  await file.truncate(64 * 1024 * 1024);
  await file.write('end', 64 * 1024 * 1024);
  await file.close();
  await copySparse(from, to);
  assert.ok((await readFile(to)).equals(await readFile(from)));
  assert.ok((await stat(to)).blocks * 512 < 1024 * 1024);
});

test('a file that is there stays as it is', async (context) => {
  const path = await directory(context);
  const [from, to] = [join(path, 'from'), join(path, 'to')];
  await writeFile(from, 'new');
  await writeFile(to, 'old');
  await assert.rejects(copySparse(from, to), { code: 'EEXIST' });
  assert.equal(await readFile(to, 'utf8'), 'old');
});

test('a copy that fails leaves nothing behind', async (context) => {
  const path = await directory(context);
  await assert.rejects(copySparse(join(path, 'none'), join(path, 'to')), { code: 'ENOENT' });
  await assert.rejects(stat(join(path, 'to')), { code: 'ENOENT' });
});
