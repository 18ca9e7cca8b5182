import assert from 'node:assert/strict';
import { execFile, spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import net from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, type TestContext, test } from 'node:test';
import { promisify } from 'node:util';
import { newIdentifier } from '../arbiter/arbiter-suite.ts';
import { Arrivals } from '../net/testing.ts';
import { PURPOSE } from '../tls/certificate.ts';
import { type CredentialSource, Credentials, type TlsFiles } from '../tls/credentials.ts';
import { OPERATOR_UNIT } from '../tls/role.ts';
import { TestAuthority, validity } from '../tls/testing.ts';
import { connectDisk } from './client.ts';
import { testDisk } from './disk-suite.ts';
import { encodeOption, OPTION, OPTION_REPLY } from './nbd.ts';
import { startDiskServer } from './server.ts';

const SIZE = 1024 * 1024;
const run = promisify(execFile);

/** Why a test with this program is left out; false where it is installed. */
function missing(program: string): string | false {
  return spawnSync('which', [program]).status === 0 ? false : `${program} is not installed`;
}

const authority = await TestAuthority.make();
const stranger = await TestAuthority.make('Another authority');
const server = await authority.host('server');
const client = await authority.host('client');
const clientFiles = await authority.files('standard-client');
const foreign: CredentialSource = {
  current: { ...(await stranger.host('stranger')).current, authority: authority.pair.certificate },
};
const expired = await authority.badHost('expired', { validity: validity(-9, -1) });
after(() => [authority, stranger].map((one) => one.remove()));

const incarnation = newIdentifier(); // of the replica that the suite is
testDisk('a disk server over TLS', async (path, stateDir) => {
  const problems: string[] = [];
  const listen = [{ host: '127.0.0.1', port: 0 }];
  const options = { path, vm: 'm', listen, stateDir, tls: server };
  const running = await startDiskServer({ ...options, onProblem: (line) => problems.push(line) });
  const disk = await connectDisk({
    address: running.addresses[0]!,
    vm: 'm',
    tls: client,
    writer: { generation: 0, incarnation },
    onFenced: assert.fail,
  });
  const close = async () => {
    await disk.close();
    await running.close();
  };
  return { disk, problems, close };
});

async function newServer(t: TestContext, more: Partial<Parameters<typeof startDiskServer>[0]> = {}) {
  const directory = mkdtempSync(join(tmpdir(), 'understudy-secure-disk-'));
  const path = join(directory, 'disk.raw');
  writeFileSync(path, randomBytes(SIZE));
  const events = new Arrivals<string>();
  const running = await startDiskServer({
    path,
    vm: 'm',
    listen: [{ host: '127.0.0.1', port: 0 }],
    stateDir: directory,
    tls: server,
    onProblem: (line) => assert.fail(line),
    onEvent: events.put,
    ...more,
  });
  t.after(async () => {
    await running.close();
    rmSync(directory, { recursive: true });
  });
  const [address] = running.addresses;
  assert.ok(address !== undefined && 'port' in address);
  const open = (tls: CredentialSource | undefined, writer?: { generation: number; incarnation: string }) =>
    connectDisk({ address, vm: 'm', tls, onFenced: assert.fail, ...(writer === undefined ? {} : { writer }) });
  return { address, path, directory, events, open };
}

test('a client without TLS, of another authority or with an expired certificate is told why, and gets no disk', async (t) => {
  const { open, events } = await newServer(t);
  const code = 'disk-unreachable';
  await assert.rejects(open(undefined), { code, message: /speaks TLS only/, advice: /--tls-certificate/ });
  await assert.rejects(open(foreign), { code, message: /not of our authority/ });
  assert.match(await events.take(), /refused: .*client 127\.0\.0\.1: its certificate is not of our authority/);
  await assert.rejects(open(expired), { code, message: /has expired/ });
});

test('a client goes on neither without TLS nor with a server of another authority or address', async (t) => {
  const code = 'disk-unreachable';
  const plain = await newServer(t, { tls: undefined });
  await assert.rejects(plain.open(client), { code, message: /has no TLS, and this side does not go on without it/ });
  const other = await newServer(t, { tls: await stranger.host('other') });
  await assert.rejects(other.open(client), { code, message: /not of our authority/ });
  const elsewhere = await newServer(t, { tls: await authority.host('elsewhere', { addresses: ['10.9.8.7'] }) });
  await assert.rejects(elsewhere.open(client), { code, message: /certificate is for another address/ });
});

test("the disk is written by the host whose certificate the arbiter's record has, and read by all of the authority", async (t) => {
  const writer = { generation: 3, incarnation: newIdentifier() };
  const record = { ...writer, fingerprint: client.current.fingerprint };
  const { open, events } = await newServer(t, { arbiter: { owner: async () => record } });
  const message = new RegExp(`record .* generation 3 has the certificate ${record.fingerprint.slice(0, 16)}`);
  await assert.rejects(open(server, writer), { code: 'disk-refused', message });
  assert.match(await events.take(), /refused generation 3, incarnation \w+ on server: .* was shown/);
  const disk = await open(client, writer);
  assert.match(await events.take(), /admitted generation 3, incarnation \w+ on client$/);
  await assert.rejects(open(server, writer), { code: 'disk-refused', message }, 'nor once the owner was admitted');
  await disk.close();
  const reader = await open(server);
  assert.equal((await reader.request({ type: 'read', id: 1, offset: 0, length: 512 })).ok, true);
  await reader.close();
});

test('an operator reads the disk, and never writes it', async (t) => {
  const { open, events } = await newServer(t);
  const subject = { addresses: [], unit: OPERATOR_UNIT, purposes: [PURPOSE.client] };
  const operator = Credentials.load(await authority.files('alice', subject), () => {}, 'client');
  const reader = await open(operator);
  await reader.close();
  await assert.rejects(open(operator, { generation: 3, incarnation: newIdentifier() }), {
    code: 'disk-refused',
    message: /the certificate of alice is no host's, and only hosts write/,
  });
  assert.match(await events.take(), /refused: the certificate of alice/);
});

test('a server that comes back with wrong keys is waited for, and one with the right keys goes on', async (t) => {
  const directory = mkdtempSync(join(tmpdir(), 'understudy-secure-disk-'));
  t.after(() => rmSync(directory, { recursive: true }));
  const path = join(directory, 'disk.raw');
  writeFileSync(path, new Uint8Array(SIZE));
  const start = (port: number, tls: CredentialSource, events: Arrivals<string>) =>
    startDiskServer({
      path,
      vm: 'm',
      listen: [{ host: '127.0.0.1', port }],
      stateDir: directory,
      tls,
      onProblem: assert.fail,
      onEvent: events.put,
    });
  const first = await start(0, server, new Arrivals());
  const [address] = first.addresses;
  assert.ok(address !== undefined && 'port' in address);
  const states = new Arrivals<string>();
  const disk = await connectDisk({
    address,
    vm: 'm',
    tls: client,
    writer: { generation: 0, incarnation: newIdentifier() },
    onFenced: assert.fail,
    onState: states.put,
  });
  await first.close();
  assert.equal(await states.take(), 'down');
  const written = disk.request({ type: 'write', id: 0, offset: 0, data: new Uint8Array(512).fill(7) });
  const events = new Arrivals<string>();
  const wrong = await start(address.port, await stranger.host('wrong'), events);
  assert.match(await events.take(), /refused: /);
  await wrong.close();
  const right = await start(address.port, server, new Arrivals());
  assert.deepEqual(await written, { ok: true });
  assert.equal(readFileSync(path)[0], 7);
  await disk.close();
  await right.close();
});

/** Speaks NBD by hand up to the first option: the greeting is read, the flags are sent. */
async function byHand(address: { host: string; port: number }) {
  const socket = net.connect(address);
  const received = new Arrivals<Buffer>();
  let pending = Buffer.alloc(0);
  socket.on('error', () => {});
  socket.on('data', (chunk) => {
    pending = Buffer.concat([pending, chunk]);
    if (pending.length >= 18 + 20) received.put(pending.subarray(18));
  });
  await once(socket, 'connect');
  const option = (number: number, data = new Uint8Array(0)) => socket.write(encodeOption(number, data));
  socket.write(Uint8Array.of(0, 0, 0, 3));
  const closed = new Promise((resolve) => socket.on('close', resolve));
  return { socket, option, received, closed };
}

test('before TLS nothing is told: not the list of exports, not the size', async (t) => {
  const { address } = await newServer(t);
  for (const number of [OPTION.list, OPTION.info, OPTION.go, 99]) {
    const { option, received, socket } = await byHand(address);
    option(number);
    const reply = await received.take();
    assert.equal(reply.readUInt32BE(12), OPTION_REPLY.errorTlsRequired);
    assert.doesNotMatch(reply.toString('latin1', 20), /\bm\b/);
    socket.destroy();
  }
  const { option, closed } = await byHand(address);
  option(OPTION.exportName);
  await closed;
});

test('what is sent in the clear after STARTTLS is never taken for a request', async (t) => {
  const { address, events, open } = await newServer(t);
  const { socket, closed } = await byHand(address);
  socket.write(
    Buffer.concat([encodeOption(OPTION.startTls, new Uint8Array(0)), encodeOption(OPTION.list, new Uint8Array(0))]),
  );
  await closed;
  assert.match(await events.take(), /refused: .*does not speak TLS/);
  await (await open(client)).close();
});

test('clients that stop in the middle of the handshake keep nobody out', async (t) => {
  const { address, open } = await newServer(t);
  const idle: net.Socket[] = [];
  for (let count = 0; count < 100; count++) {
    const { socket, option, received } = await byHand(address);
    option(OPTION.startTls);
    await received.take();
    idle.push(socket);
  }
  await (await open(client)).close();
  for (const socket of idle) socket.destroy();
});

/** The files under the names that GnuTLS programs want. */
function standardDirectory(t: TestContext, files: TlsFiles): string {
  const directory = mkdtempSync(join(tmpdir(), 'understudy-x509-'));
  t.after(() => rmSync(directory, { recursive: true }));
  for (const [from, to] of [
    [files.authority, 'ca-cert.pem'],
    [files.certificate, 'client-cert.pem'],
    [files.key, 'client-key.pem'],
  ] as const) {
    writeFileSync(join(directory, to), readFileSync(from), { mode: 0o600 });
  }
  return directory;
}

test('nbdinfo and nbdcopy work over TLS with their own certificate, and not without', {
  skip: missing('nbdcopy'),
}, async (t) => {
  const { address, path, directory, events } = await newServer(t);
  const keys = standardDirectory(t, clientFiles);
  const uri = `nbds://127.0.0.1:${address.port}/m?tls-certificates=${keys}`;
  const { stdout } = await run('nbdinfo', ['--json', uri]);
  const { exports, TLS: isTls } = JSON.parse(stdout) as { exports: Record<string, unknown>[]; TLS: boolean };
  assert.equal(isTls, true);
  assert.equal(exports[0]?.['export-size'], SIZE);
  assert.equal(exports[0]?.is_read_only, true);
  const copy = join(directory, 'copy.raw');
  await run('nbdcopy', [uri, copy]);
  assert.deepEqual(readFileSync(copy), readFileSync(path));
  await assert.rejects(run('nbdinfo', [`nbd://127.0.0.1:${address.port}/m`]), /error to opt_go/);
  const others = standardDirectory(t, { ...(await stranger.files('standard')), authority: authority.authorityFile });
  const refused = `nbds://127.0.0.1:${address.port}/m?tls-certificates=${others}`;
  await assert.rejects(run('nbdinfo', [refused]), /nbdinfo: /);
  assert.match(await events.take(), /shows no certificate/); // GnuTLS holds one back that the server does not want
});

test('qemu-img reads over TLS, and qemu-io writes only as the owner of a generation', {
  skip: missing('qemu-io'),
}, async (t) => {
  const { address, path, directory } = await newServer(t);
  mkdirSync(join(directory, 'x'));
  const keys = standardDirectory(t, clientFiles);
  const creds = ['--object', `tls-creds-x509,id=tls0,endpoint=client,dir=${keys}`, '--image-opts'];
  const image = (name: string) =>
    `driver=raw,file.driver=nbd,file.host=127.0.0.1,file.port=${address.port},file.export=${name},file.tls-creds=tls0`;
  const copy = join(directory, 'copy.raw');
  await run('qemu-img', ['convert', ...creds, image('m'), '-O', 'raw', copy]);
  assert.deepEqual(readFileSync(copy), readFileSync(path));
  await assert.rejects(
    run('qemu-io', [...creds, '-c', 'write -P 1 0 512', image('m')]),
    /read-only|Permission|permitted/,
  );
  const owner = `m?generation=0&incarnation=${newIdentifier()}`;
  await run('qemu-io', [...creds, '-c', 'write -P 171 4096 4096', '-c', 'flush', image(owner)]);
  assert.ok(
    readFileSync(path)
      .subarray(4096, 8192)
      .every((byte) => byte === 171),
  );
});
