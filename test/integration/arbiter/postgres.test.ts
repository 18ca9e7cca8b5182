/** The arbiter in PostgreSQL, with a real one. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { newIdentifier } from '../../../src/host/arbiter/arbiter-suite.ts';
import { openArbiter } from '../../../src/host/arbiter/open.ts';
import { testNetworkArbiter } from './support/network-suite.ts';
import { startPostgres } from './support/postgres-server.ts';

testNetworkArbiter('PostgreSQL', startPostgres);

for (const setting of ['fsync', 'full_page_writes']) {
  test(`PostgreSQL: a server with ${setting} off is refused`, async (t) => {
    const server = await startPostgres({ settings: [`${setting}=off`] });
    t.after(() => server.remove());
    const opened = openArbiter(`postgres://postgres@127.0.0.1:${server.port}/postgres`, { allowLocal: true });
    await assert.rejects(opened, { code: 'arbiter-not-durable', message: new RegExp(`${setting} is off`) });
  });
}

test('PostgreSQL: what the server would do by default is not enough, what the arbiter asks for counts', async (t) => {
  const server = await startPostgres({ settings: ['synchronous_commit=off'] });
  t.after(() => server.remove());
  const address = `postgres://postgres@127.0.0.1:${server.port}/postgres`;
  const arbiter = await openArbiter(address, { allowLocal: true });
  const record = { token: newIdentifier(), primary: newIdentifier(), backup: newIdentifier() };
  assert.equal(await arbiter.create('m', record.primary), 'won');
  assert.equal(await arbiter.writePair('m', 0, record), 'written');

  // An answer given is on disk: at once after it the server dies, with nothing written later.
  const claimed = arbiter.claim('m', 0, record.backup, record.token);
  assert.equal(await claimed, 'won');
  await server.kill();
  await server.restart();
  assert.equal(await arbiter.claim('m', 0, record.primary, record.token), 'lost');

  await server.sql('update understudy_arbiter set content = $$ $$ where name = $$owner-1$$');
  assert.equal(await arbiter.claim('m', 0, record.backup, record.token), 'unknown');
  assert.equal(await arbiter.owner('m'), undefined);

  await server.sql('alter table understudy_arbiter set unlogged');
  await assert.rejects(openArbiter(address, { allowLocal: true }), { message: /unlogged/ });
  await arbiter.close();
});

test('PostgreSQL: a primary whose synchronous standby has left it answers nothing, reads included', async (t) => {
  const server = await startPostgres();
  t.after(() => server.remove());
  const address = `postgres://postgres@127.0.0.1:${server.port}/postgres`;
  const arbiter = await openArbiter(address, { allowLocal: true, timeoutMs: 600 });
  t.after(() => arbiter.close());
  const record = { token: newIdentifier(), primary: newIdentifier(), backup: newIdentifier() };
  assert.equal(await arbiter.create('m', record.primary), 'won');
  assert.equal(await arbiter.writePair('m', 0, record), 'written');

  const standby = async (name: string) => {
    await server.sql(`alter system set synchronous_standby_names = '${name}'`);
    await server.sql('select pg_reload_conf()');
    while ((await server.sql('show synchronous_standby_names')).rows[0].synchronous_standby_names !== name);
  };
  await standby('nobody');
  assert.equal(await arbiter.owner('m'), undefined);
  assert.equal(await arbiter.claim('m', 0, record.backup, record.token), 'unknown');
  assert.match(arbiter.trouble?.message ?? '', /no answer in time/);
  await standby('');
  while ((await arbiter.claim('m', 0, record.backup, record.token)) === 'unknown');
  assert.equal(await arbiter.claim('m', 0, record.primary, record.token), 'lost');
});

test('PostgreSQL: a user without rights, and a database that is not there, are refused at once', async (t) => {
  const server = await startPostgres();
  t.after(() => server.remove());
  const at = `127.0.0.1:${server.port}`;
  await server.sql('create role reader login');
  const arbiter = await openArbiter(`postgres://postgres@${at}/postgres`, { allowLocal: true });
  assert.equal(await arbiter.create('m', newIdentifier()), 'won');
  await arbiter.close();
  for (const address of [`postgres://reader@${at}/postgres`, `postgres://postgres@${at}/other`]) {
    await assert.rejects(openArbiter(address, { allowLocal: true }), { code: 'arbiter-refuses' }, address);
  }
});
