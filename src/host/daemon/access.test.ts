import assert from 'node:assert/strict';
import { once } from 'node:events';
import { copyFileSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, type TestContext, test } from 'node:test';
import tls from 'node:tls';
import { pino } from 'pino';
import { newIdentifier } from '../arbiter/arbiter-suite.ts';
import { openDirectoryArbiter } from '../arbiter/directory.ts';
import { PURPOSE } from '../tls/certificate.ts';
import { type CredentialSource, Credentials, fingerprintOf, type TlsFiles } from '../tls/credentials.ts';
import { OPERATOR_UNIT } from '../tls/role.ts';
import { contextOptions } from '../tls/secure.ts';
import { TestAuthority } from '../tls/testing.ts';
import { HostClient } from './api-client.ts';
import { HostDaemon } from './host-daemon.ts';
import type { MachineRecord } from './messages.ts';
import { PeerHosts } from './peer-hosts.ts';

const authority = await TestAuthority.make();
after(() => authority.remove());
const clientOnly = async (name: string, unit?: string): Promise<CredentialSource> => {
  const subject = { addresses: [], purposes: [PURPOSE.client], ...(unit !== undefined && { unit }) };
  return Credentials.load(await authority.files(name, subject), () => {}, 'client');
};
const operator = await clientOnly('alice', OPERATOR_UNIT);
const someone = await clientOnly('bob');
const stranger = await authority.host('host-x');

/** No host has such a kernel, so that a replica that may be started fails with `description`. */
const web: MachineRecord = {
  name: 'web',
  description: { name: 'web', memory: '64M', kernel: 'none' },
  baseDirectory: '/nowhere',
  engine: 'interpreter',
  hosts: ['a', 'b'],
  wanted: 'running',
};
const backup = { machine: 'web', role: 'backup', primary: '127.0.0.1:1' } as const;
const NOT_ALLOWED = { code: 'not-allowed' };
const MAY = { code: 'description' };

/** Daemons of the hosts a and b, whose files may be replaced. */
async function twoHosts(t: TestContext) {
  const directory = mkdtempSync(join(tmpdir(), 'understudy-access-'));
  t.after(() => rmSync(directory, { recursive: true }));
  const arbiter = join(directory, 'arbiter');
  mkdirSync(arbiter);
  const lines: string[] = [];
  const log = pino({}, { write: (line: string) => void lines.push(line) });
  const start = async (name: string, tls: TlsFiles) => {
    const daemon = await HostDaemon.start(
      {
        name,
        listen: { host: '127.0.0.1', port: 0 },
        address: undefined,
        replicas: '127.0.0.1',
        vtep: undefined,
        stateDirectory: join(directory, name),
        memoryBytes: 2 ** 30,
        arbiter,
        unsafeArbiter: true,
        insecure: false,
        tls,
        log: 'json',
      },
      '0',
      log,
    );
    let closed: Promise<void> | undefined;
    const close = (): Promise<void> => {
      closed ??= daemon.close();
      return closed;
    };
    t.after(close);
    return { close, address: daemon.address, as: (keys: CredentialSource) => new HostClient(daemon.address, keys) };
  };
  const [filesA, filesB] = [await authority.files('host-a'), await authority.files('host-b')];
  const [a, b] = [await start('a', filesA), await start('b', filesB)];
  return { arbiter, a, b, filesA, filesB, lines };
}

test('everybody of the authority may look, and only operators change what is wanted', async (t) => {
  const { a, filesB, lines } = await twoHosts(t);
  const hostB = Credentials.load(filesB);
  for (const keys of [operator, someone, stranger, hostB]) {
    assert.equal((await a.as(keys).report()).name, 'a');
    assert.equal((await a.as(keys).hosts()).length, 2);
    assert.deepEqual(await a.as(keys).machines(), []);
  }
  for (const keys of [someone, stranger, hostB]) {
    await assert.rejects(a.as(keys).addMachine(web), NOT_ALLOWED);
    await assert.rejects(a.as(keys).want('web', 'stopped'), NOT_ALLOWED);
    await assert.rejects(a.as(keys).tellReplica('web', 'stop'), NOT_ALLOWED);
    await assert.rejects(a.as(keys).tellReplica('web', 'hand-over'), NOT_ALLOWED);
  }
  await assert.rejects(a.as(hostB).want('web', 'gone'), {
    message: /^host host-b may not change what is wanted of web: that is for operators$/,
    advice: /understudy keys operator/,
  });
  assert.match(lines.at(-1) ?? '', /host host-b may not change what is wanted of web/);
  await a.as(operator).addMachine(web);
  await a.as(operator).want('web', 'running');
  await assert.rejects(a.as(operator).tellReplica('web', 'stop'), { code: 'no-replica' });
});

test('a replica is started by operators, by hosts of the membership, and by the host of the machine’s owner', async (t) => {
  const { arbiter, a, b, filesB } = await twoHosts(t);
  const hostB = Credentials.load(filesB);
  await a.as(operator).addMachine(web);
  for (const keys of [someone, stranger]) await assert.rejects(a.as(keys).startReplica(backup), NOT_ALLOWED);
  for (const keys of [operator, hostB]) await assert.rejects(a.as(keys).startReplica(backup), MAY);
  await b.close();
  await assert.rejects(a.as(hostB).startReplica(backup), NOT_ALLOWED);
  const records = await openDirectoryArbiter({ directory: arbiter });
  assert.equal(await records.create('web', newIdentifier(), hostB.current.fingerprint), 'won');
  await assert.rejects(a.as(hostB).startReplica(backup), MAY);
  await assert.rejects(a.as(hostB).startReplica({ ...backup, machine: 'other' }), NOT_ALLOWED);
});

/** The fingerprint of the certificate that a server shows to a new connection. */
async function shownAt(address: string): Promise<string> {
  const { hostname: host, port } = new URL(`https://${address}`);
  const socket = tls.connect({ host, port: Number(port), ...contextOptions(operator) });
  await once(socket, 'secureConnect');
  const fingerprint = fingerprintOf(socket.getPeerX509Certificate()!);
  socket.destroy();
  return fingerprint;
}

test('a renewed certificate is shown to the next caller, and told to the others', async (t) => {
  const { a, filesA } = await twoHosts(t);
  assert.equal(await shownAt(a.address), Credentials.load(filesA).current.fingerprint);
  const renewed = await authority.files('renewed');
  for (const file of ['certificate', 'key'] as const) copyFileSync(renewed[file], filesA[file]);
  const { fingerprint } = Credentials.load(renewed).current;
  assert.equal(await shownAt(a.address), fingerprint);
  assert.equal((await a.as(operator).report()).fingerprint, fingerprint);
});

test('the hosts that a machine may use are its peers, by the certificates in their leases', () => {
  const record = (name: string, fingerprint?: string) => ({
    name,
    address: '127.0.0.1:1',
    memoryBytes: 1,
    freeBytes: 1,
    version: '0',
    ...(fingerprint !== undefined && { fingerprint }),
  });
  const hosts = new PeerHosts('web', ['a', 'b']);
  assert.match(hosts.refusal({ fingerprint: 'bb' }) ?? '', /of none of the hosts of web \(none has been seen\)/);
  hosts.seen([record('a'), record('b', 'bb'), record('c', 'cc')]);
  assert.equal(hosts.refusal({ fingerprint: 'bb' }), undefined);
  assert.match(hosts.refusal({ fingerprint: 'cc' }) ?? '', /its certificate cc is of none of the hosts of web \(b\)/);
  hosts.seen([record('b', 'renewed')]);
  assert.match(hosts.refusal({ fingerprint: 'bb' }) ?? '', /none of the hosts/);
});
