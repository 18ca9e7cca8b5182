/** `understudy keys` as a person meets it, and what the verbs with connections say about keys. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import net from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { connectDisk } from '../../src/host/disk/client.ts';
import { Credentials } from '../../src/host/tls/credentials.ts';
import { root, runProgram } from './tree.ts';

const directory = mkdtempSync(join(tmpdir(), 'understudy-keys-cli-'));
after(() => rmSync(directory, { recursive: true }));
const keys = join(directory, 'keys');
const image = join(directory, 'disk.img');
writeFileSync(image, '');
truncateSync(image, 1024 * 1024);
const command = join(root, 'understudy');
const understudy = (...words: string[]) => runProgram(command, words);

const filesOf = (host: string) => ({
  certificate: join(keys, host, 'certificate.pem'),
  key: join(keys, host, 'key.pem'),
  authority: join(keys, host, 'authority.pem'),
});

function tlsOptions(host: string): string[] {
  const { certificate, key, authority } = filesOf(host);
  return ['--tls-certificate', certificate, '--tls-key', key, '--tls-authority', authority];
}

async function freePort(): Promise<number> {
  const server = net.createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as net.AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

test('an authority, a host, what is in its certificate, and a disk server that uses it', async () => {
  const made = await understudy('keys', 'init', keys);
  assert.equal(made.status, 0, made.stderr);
  assert.match(made.stdout, /authority-key\.pem \(whoever has it can be any host/);
  const host = await understudy('keys', 'host', 'host-a', keys, '--address', '127.0.0.1,10.0.0.1');
  const fingerprint = /fingerprint: +([0-9a-f]{64})/.exec(host.stdout)?.[1];
  const shown = await understudy('keys', 'show', filesOf('host-a').certificate);
  assert.match(shown.stdout, /a host, as TLS server and client\naddresses: +host-a, 127\.0\.0\.1, 10\.0\.0\.1\n/);
  assert.ok(fingerprint !== undefined && shown.stdout.includes(fingerprint));
  const json = JSON.parse((await understudy('keys', 'show', '--json', filesOf('host-a').authority)).stdout);
  assert.equal(json[0].kind, 'authority');
  const again = await understudy('keys', 'init', keys);
  assert.equal(again.status, 1);
  assert.match(again.stderr, /^understudy: .*authority-key\.pem is there already, and is not overwritten\n {2}\S/);

  const address = { host: '127.0.0.1', port: await freePort() };
  const words = ['disk', image, '--listen', `127.0.0.1:${address.port}`, '--name', 'm', ...tlsOptions('host-a')];
  const server = spawn(command, words, { stdio: ['pipe', 'pipe', 'inherit'] });
  await once(server.stdout, 'data');
  const tls = Credentials.load(filesOf('host-a'));
  const disk = await connectDisk({ address, vm: 'm', tls, onFenced: assert.fail });
  assert.equal(disk.sizeBytes, 1024 * 1024);
  await disk.close();
  await assert.rejects(connectDisk({ address, vm: 'm', onFenced: assert.fail }), { message: /speaks TLS only/ });
  server.stdin.end();
  await once(server, 'close');
});

test("an operator's certificate says so, and runs no replica", async () => {
  const made = await understudy('keys', 'operator', 'alice', keys);
  assert.equal(made.status, 0, made.stderr);
  assert.match(made.stdout, /key\.pem \(whoever has it can stop machines\)/);
  const shown = await understudy('keys', 'show', filesOf('alice').certificate);
  assert.match(shown.stdout, /an operator, as TLS client\n/);
  const disk = await understudy('disk', image, '--listen', '127.0.0.1:1', '--name', 'm', ...tlsOptions('alice'));
  assert.equal(disk.status, 1);
  assert.match(disk.stderr, /not for use as a TLS server/);
});

test('the certificates of peers are named in full, and with keys', async () => {
  const pinned = (fingerprint: string) =>
    understudy('backup', 'm.yaml', '--primary', '127.0.0.1:1', '--arbiter', '.', '--peer-fingerprint', fingerprint);
  const short = await pinned('abcd');
  assert.equal(short.status, 2);
  assert.match(short.stderr, /--peer-fingerprint.*abcd.*as "understudy keys show" has them/);
});

test('without keys a verb listens to strangers only on a word of the person', async () => {
  const port = await freePort();
  const open = ['disk', image, '--listen', `0.0.0.0:${port}`, '--name', 'm'];
  const refused = await understudy(...open);
  assert.equal(refused.status, 1);
  assert.match(refused.stderr, /other hosts reach 0\.0\.0\.0:\d+, .*no keys/);
  assert.match(refused.stderr, /--tls-certificate.*--insecure/);
  const server = spawn(command, [...open, '--insecure'], { stdio: ['pipe', 'pipe', 'pipe'] });
  let warning = '';
  server.stderr.on('data', (chunk: Buffer) => {
    warning += chunk.toString();
  });
  await once(server.stdout, 'data');
  server.stdin.end();
  await once(server, 'close');
  assert.equal(warning.match(/open to everybody who reaches it/g)?.length, 1, warning);
});

test('keys that are incomplete or contradict another option are a usage error', async () => {
  const here = ['disk', image, '--listen', '127.0.0.1:1', '--name', 'm'];
  const some = await understudy(...here, '--tls-key', 'key.pem');
  assert.equal(some.status, 2);
  assert.match(some.stderr, /belong together, and some are missing/);
  const both = await understudy(...here, ...tlsOptions('host-a'), '--insecure');
  assert.equal(both.status, 2);
  assert.match(both.stderr, /contradict/);
});
