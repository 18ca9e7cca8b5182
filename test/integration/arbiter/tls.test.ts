/** Arbiters over TLS with certificates on both sides, those that `understudy keys` makes. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { newIdentifier } from '../../../src/host/arbiter/arbiter-suite.ts';
import { openArbiter } from '../../../src/host/arbiter/open.ts';
import { issueHost, makeAuthority } from '../../../src/host/tls/certificate.ts';
import { startEtcd } from './support/etcd-server.ts';
import { startPostgres } from './support/postgres-server.ts';

type Files = { readonly ca: string; readonly cert: string; readonly key: string };

let directory: string;
let server: Files;
let host: Files;
let stranger: Files;

before(async () => {
  directory = mkdtempSync(join(tmpdir(), 'understudy-arbiter-tls-'));
  const now = Date.now();
  const validity = { notBefore: new Date(now - 3_600_000), notAfter: new Date(now + 3_600_000) };
  const [authority, other] = [await makeAuthority('ours', validity), await makeAuthority('theirs', validity)];
  const write = (name: string, text: string): string => {
    writeFileSync(join(directory, name), text, { mode: 0o600 });
    return join(directory, name);
  };
  const issue = async (by: typeof authority, name: string): Promise<Files> => {
    const { certificate, key } = await issueHost(by, { name, addresses: ['127.0.0.1'], validity });
    const ca = write(`${name}-ca.pem`, authority.certificate);
    return { ca, cert: write(`${name}.pem`, certificate), key: write(`${name}.key`, key) };
  };
  server = await issue(authority, 'server');
  host = await issue(authority, 'host');
  stranger = await issue(other, 'stranger');
});
after(() => rmSync(directory, { recursive: true }));

test('etcd lets hosts in that have a certificate of the authority, and no others', async (t) => {
  const etcd = await startEtcd({ tls: server });
  t.after(() => etcd.remove());
  const open = async ({ ca, cert, key }: Files) => {
    const address = `etcds://127.0.0.1:${etcd.port}/understudy?ca=${ca}&cert=${cert}&key=${key}`;
    const arbiter = await openArbiter(address, { allowLocal: true });
    t.after(() => arbiter.close());
    return arbiter;
  };
  const incarnation = newIdentifier();
  assert.equal(await (await open(host)).create('m', incarnation), 'won');
  await assert.rejects(open({ ...host, key: '/nowhere.key' }), { code: 'arbiter-refuses', message: /nowhere\.key/ });
  const outsider = await open(stranger);
  assert.equal(await outsider.create('m', newIdentifier()), 'unknown');
  assert.match(outsider.trouble?.message ?? '', /certificate|unknown ca/);
});

test('PostgreSQL lets hosts in that have a certificate and the password, and no others', async (t) => {
  const postgres = await startPostgres({ tls: server });
  t.after(() => postgres.remove());
  await postgres.sql("create role understudy login password 'secret'");
  await postgres.sql('create database arbiter owner understudy');
  const open = async ({ ca, cert, key }: Files, password: string) => {
    const files = `sslmode=verify-full&sslrootcert=${ca}&sslcert=${cert}&sslkey=${key}`;
    const address = `postgres://understudy:${password}@127.0.0.1:${postgres.port}/arbiter?${files}`;
    const arbiter = await openArbiter(address, { allowLocal: true });
    t.after(() => arbiter.close());
    return arbiter;
  };
  const arbiter = await open(host, 'secret');
  assert.doesNotMatch(arbiter.description, /secret/);
  assert.equal(await arbiter.create('m', newIdentifier()), 'won');
  await assert.rejects(open(host, 'wrong'), { code: 'arbiter-refuses', message: /password authentication failed/ });
  await assert.rejects(open({ ...host, ca: '/nowhere.pem' }, 'secret'), {
    code: 'arbiter-refuses',
    message: /nowhere\.pem/,
  });
  const outsider = await open(stranger, 'secret').catch((error: Error) => ({ trouble: error }));
  assert.match(outsider.trouble?.message ?? '', /certificate|unknown ca/);
});
