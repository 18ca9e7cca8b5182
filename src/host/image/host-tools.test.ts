import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { checkHostTools, hostPackages, missingHostPackages } from './host-tools.ts';

const path = process.env.PATH;
after(() => {
  process.env.PATH = path;
});

test('what is missing is named all at once, and only what a set-up would install', async () => {
  process.env.PATH = '/nowhere';
  const missing = await missingHostPackages();
  assert.ok(missing.includes('apt') && missing.includes('dpkg'), missing.join());
  assert.ok(missing.every((name) => (hostPackages as readonly string[]).includes(name)));
  await assert.rejects(checkHostTools(), { code: 'tools-missing', message: /apt, .*dpkg/ });
  process.env.PATH = path;
  assert.deepEqual(await missingHostPackages(), []);
});
