import assert from 'node:assert/strict';
import { test } from 'node:test';
import { expiryWarning, watchExpiry } from './expiry.ts';
import { TestAuthority, validity } from './testing.ts';

const DAY_MS = 86_400_000;

test('a certificate that expires within a month is spoken of, one that does not is not', () => {
  const notAfter = new Date(100 * DAY_MS);
  assert.equal(expiryWarning({ notAfter }, 69.5 * DAY_MS), undefined);
  assert.match(expiryWarning({ notAfter }, 70.5 * DAY_MS) ?? '', /expires in 29 days: renew it, and hand over/);
  assert.match(expiryWarning({ notAfter }, 101 * DAY_MS) ?? '', /has expired/);
});

test('it is said at once, and again every day', async (t) => {
  const authority = await TestAuthority.make();
  t.after(() => authority.remove());
  const { current } = await authority.host('host-a', { validity: validity(-1, 20) });
  t.mock.timers.enable({ apis: ['setInterval', 'Date'], now: Date.now() });
  const said: string[] = [];
  const watch = watchExpiry(current, (line) => said.push(line));
  assert.equal(said.length, 1);
  t.mock.timers.tick(DAY_MS);
  assert.match(said[1] ?? '', /has expired/);
  watch.close();
  t.mock.timers.tick(DAY_MS);
  assert.equal(said.length, 2);
});
