import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { DEFAULT_STATE_DIRECTORY, loadHostConfig } from './host-config.ts';

let directory = '';
before(async () => {
  directory = await mkdtemp(join(tmpdir(), 'understudy-config-'));
});
after(() => rm(directory, { recursive: true }));

async function load(text: string) {
  const path = join(directory, 'host.yaml');
  await writeFile(path, text);
  return loadHostConfig(path);
}

const refused = (text: string, message: RegExp) => assert.rejects(load(text), { code: 'host-config', message });

test('only the arbiter has no default', async () => {
  const config = await load('name: a\narbiter: common\n');
  assert.equal(config.arbiter, join(directory, 'common'));
  assert.deepEqual(config.listen, { host: '127.0.0.1', port: 7400 });
  assert.equal(config.replicas, '127.0.0.1');
  assert.equal(config.stateDirectory, DEFAULT_STATE_DIRECTORY);
  assert.ok(config.memoryBytes > 0);
  await refused('name: a\n', /arbiter: is missing/);
  await refused('', /arbiter: is missing/);
});

test('replicas are reached where the API is, unless told otherwise', async () => {
  const arbiter = 'arbiter: etcd://192.0.2.9/understudy';
  const config = await load(`name: a\nlisten: 0.0.0.0:7400\naddress: 192.0.2.1:7400\n${arbiter}\n`);
  assert.equal(config.replicas, '192.0.2.1');
  assert.equal(config.arbiter, 'etcd://192.0.2.9/understudy');
  assert.equal((await load(`name: a\nreplicas: 198.51.100.1\n${arbiter}\n`)).replicas, '198.51.100.1');
});

test('a host may have an end point of VXLAN of its own', async () => {
  assert.equal((await load('name: a\narbiter: x\nvtep: 192.0.2.11\n')).vtep, '192.0.2.11');
  assert.equal((await load('name: a\narbiter: x\n')).vtep, undefined);
  await refused('name: a\narbiter: x\nvtep: host-a\n', /vtep: is no IP address/);
});

test('keys are three files, relative to the configuration', async () => {
  const { tls } = await load('name: a\narbiter: x\ntls: {certificate: a.crt, key: a.key, authority: /etc/ca.crt}\n');
  const expected = { certificate: join(directory, 'a.crt'), key: join(directory, 'a.key'), authority: '/etc/ca.crt' };
  assert.deepEqual(tls, expected);
  await refused('name: a\narbiter: x\ntls: {certificate: a.crt}\n', /tls.key: /);
});

test('what is wrong is named, all at once', async () => {
  await refused('name: A!\nmemory: 12\narbiter: x\n', /name: "A!".*; memory: /);
  await refused('arbiter: x\nlisten: 7400\n', /listen: /);
  await refused('arbiter: x\nlisten: unix:/run/x\n', /"unix:\/run\/x" is no HOST:PORT/);
  await refused('arbiter: x\nlog: loud\n', /log: /);
  await refused('a: [', /is no YAML/);
});
