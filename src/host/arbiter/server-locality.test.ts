import assert from 'node:assert/strict';
import { networkInterfaces } from 'node:os';
import { test } from 'node:test';
import { isOwnHost, refuseLocalServers } from './server-locality.ts';

const ELSEWHERE = ['203.0.113.1', '203.0.113.2', '203.0.113.3'] as const;

test('loopback addresses, unspecified ones, own ones and sockets are this host', async () => {
  for (const host of ['127.0.0.1', '127.8.9.1', 'localhost', '::1', '[::1]', '0.0.0.0', '::ffff:127.0.0.1', '/run/x']) {
    assert.equal(await isOwnHost(host), true, host);
  }
  for (const { address } of Object.values(networkInterfaces()).flatMap((list) => list ?? [])) {
    assert.equal(await isOwnHost(address), true, address);
  }
});

test('another address, or a name that nobody knows, is elsewhere', async () => {
  for (const host of ['203.0.113.1', '2001:db8::1', '[2001:db8::1]', 'nobody-knows.invalid']) {
    assert.equal(await isOwnHost(host), false, host);
  }
});

test('a cluster may have a member here if the others are a majority', async () => {
  const [one, two] = ELSEWHERE;
  await refuseLocalServers(['127.0.0.1', one, two], false);
  await refuseLocalServers(ELSEWHERE, false);
  await refuseLocalServers(['127.0.0.1'], true);
  for (const hosts of [['127.0.0.1'], ['127.0.0.1', one], ['::1', '127.0.0.1', one]]) {
    await assert.rejects(refuseLocalServers(hosts, false), { code: 'arbiter-local' });
  }
});
