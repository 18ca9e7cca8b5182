import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { differences } from './mirror-images.ts';

test('two images differ where a byte does, or where one ends', async (t) => {
  const directory = mkdtempSync(join(tmpdir(), 'us-images-'));
  t.after(() => rmSync(directory, { recursive: true }));
  const image = (name: string, bytes: Uint8Array): string => {
    writeFileSync(join(directory, name), bytes);
    return join(directory, name);
  };
  const one = new Uint8Array(4096).fill(7);
  const other = one.slice();
  other[1500] = 8;
  const path = image('one', one);
  assert.deepEqual(await differences(path, image('same', one), 1024), []);
  assert.match((await differences(path, image('other', other), 1024)).join(), /differ in 1 regions: 1$/);
  assert.match((await differences(path, image('short', one.subarray(0, 2000)), 1024)).join(), /in 3 regions: 1 2 3$/);
});
