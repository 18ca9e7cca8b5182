/** The arbiter in etcd, with a real one. */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { newIdentifier } from '../../../src/host/arbiter/arbiter-suite.ts';
import { encodeText } from '../../../src/host/arbiter/etcd-client.ts';
import { openArbiter } from '../../../src/host/arbiter/open.ts';
import { startEtcd, startEtcdCluster } from './support/etcd-server.ts';
import { testNetworkArbiter } from './support/network-suite.ts';
import { freePort } from './support/server-process.ts';

testNetworkArbiter('etcd', startEtcd);

test('etcd: a member that does not answer is passed over', async (t) => {
  const server = await startEtcd();
  t.after(() => server.remove());
  const members = `127.0.0.1:${await freePort()},127.0.0.1:${server.port},127.0.0.1:${await freePort()}`;
  const arbiter = await openArbiter(`etcd://${members}/understudy`, { allowLocal: true });
  t.after(() => arbiter.close());
  assert.equal(arbiter.trouble, undefined);
  assert.equal(await arbiter.create('m', newIdentifier()), 'won');
});

test('etcd: two of three members decide, one that has lost the others does not, nor from memory', async (t) => {
  const { ports, members, remove } = await startEtcdCluster(3);
  t.after(remove);
  const open = async (of: readonly number[], timeoutMs = 5000) => {
    const address = `etcd://${of.map((port) => `127.0.0.1:${port}`).join(',')}/understudy`;
    const arbiter = await openArbiter(address, { allowLocal: true, timeoutMs });
    t.after(() => arbiter.close());
    return arbiter;
  };
  const all = await open(ports);
  const record = { token: newIdentifier(), primary: newIdentifier(), backup: newIdentifier() };
  assert.equal(await all.create('m', record.primary), 'won');
  assert.equal(await all.writePair('m', 0, record), 'written');

  await members[0]!.kill();
  while ((await all.owner('m')) === undefined); // a new leader may have to be chosen
  assert.equal(await all.claim('m', 0, record.backup, record.token), 'won');

  const last = await open([ports[2]!], 1500);
  members[1]!.pause();
  assert.equal(await last.claim('m', 0, record.primary, record.token), 'unknown');
  assert.equal(await last.owner('m'), undefined);
  assert.equal(await last.readPair('m', 0), undefined);
  assert.match(last.trouble?.message ?? '', new RegExp(`127\\.0\\.0\\.1:${ports[2]}`));
  members[1]!.resume();
  while ((await last.owner('m')) === undefined);
  assert.equal(await last.claim('m', 0, record.primary, record.token), 'lost');
});

test('etcd: a record that is empty or torn is unknown, never free', async (t) => {
  const server = await startEtcd();
  t.after(() => server.remove());
  const arbiter = await openArbiter(`etcd://127.0.0.1:${server.port}/u`, { allowLocal: true });
  t.after(() => arbiter.close());
  const record = { token: newIdentifier(), primary: newIdentifier(), backup: newIdentifier() };
  await arbiter.create('m', record.primary);
  await arbiter.writePair('m', 0, record);
  for (const content of ['', '{"incarn', '{"incarnation":"short"}']) {
    await server.client.call('kv/put', { key: encodeText('u/m/owner-1'), value: encodeText(content) });
    assert.equal(await arbiter.claim('m', 0, record.backup, record.token), 'unknown');
    assert.equal(await arbiter.owner('m'), undefined);
  }
});

test('etcd: over TLS, with the authority that is named and with no other', async (t) => {
  const server = await startEtcd({ tls: 'auto' });
  t.after(() => server.remove());
  const address = `etcds://127.0.0.1:${server.port}/understudy`;
  const arbiter = await openArbiter(`${address}?ca=${server.certificate}`, { allowLocal: true });
  t.after(() => arbiter.close());
  assert.equal(await arbiter.create('m', newIdentifier()), 'won');
  const stranger = await openArbiter(address, { allowLocal: true });
  t.after(() => stranger.close());
  assert.match(stranger.trouble?.message ?? '', /self-signed certificate/);
  assert.equal(await stranger.create('n', newIdentifier()), 'unknown');
});

test('etcd: with users, a right password is accepted and a wrong one refused at once', async (t) => {
  const server = await startEtcd();
  t.after(() => server.remove());
  for (const [path, body] of [
    ['auth/user/add', { name: 'root', password: 'secret' }],
    ['auth/role/add', { name: 'root' }],
    ['auth/user/grant', { user: 'root', role: 'root' }],
    ['auth/enable', {}],
  ] as const) {
    await server.client.call(path, body);
  }
  const passwordFile = `${server.certificate.replace(/\/data\/.*/, '')}/password`;
  const open = (password: string) => {
    writeFileSync(join(passwordFile), `${password}\n`);
    return openArbiter(`etcd://root@127.0.0.1:${server.port}/u?password-file=${passwordFile}`, { allowLocal: true });
  };
  const arbiter = await open('secret');
  t.after(() => arbiter.close());
  assert.equal(await arbiter.create('m', newIdentifier()), 'won');
  await server.kill();
  await server.restart(); // which has forgotten whom it had let in
  assert.equal(await arbiter.create('n', newIdentifier()), 'won');
  await assert.rejects(open('other'), { code: 'arbiter-refuses', message: /authentication failed/ });
  const nameless = openArbiter(`etcd://127.0.0.1:${server.port}/u`, { allowLocal: true });
  await assert.rejects(nameless, { code: 'arbiter-refuses', message: /user name is empty/ });
});
