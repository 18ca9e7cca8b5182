import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseAddress } from '../net/address.ts';
import { checkListenAddress } from './listen-policy.ts';

const check = (address: string, hasTls: boolean, insecure: boolean) =>
  checkListenAddress(parseAddress(address), { hasTls, insecure });

test('without keys only this host is listened to', () => {
  for (const own of ['127.0.0.1:1', '127.9.9.9:1', '[::1]:1', 'localhost:1', 'unix:/run/a']) {
    assert.deepEqual(check(own, false, false), { warning: undefined });
  }
  for (const open of ['0.0.0.0:1', '10.0.0.1:1', '[::]:1', 'host-a:1', '[::ffff:127.0.0.1]:1', '127.example:1']) {
    assert.throws(() => check(open, false, false), { code: 'needs-tls', advice: /--tls-certificate.*--insecure/ });
    assert.deepEqual(check(open, true, false), { warning: undefined });
  }
});

test('a network that a person calls closed is used with a warning', () => {
  assert.match(check('0.0.0.0:7000', false, true).warning ?? '', /0\.0\.0\.0:7000 is open to everybody.*--insecure/);
  assert.equal(check('0.0.0.0:7000', true, true).warning, undefined);
});
