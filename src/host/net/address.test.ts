import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import net from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { formatAddress, listenOn, parseAddress } from './address.ts';

const directory = mkdtempSync(join(tmpdir(), 'understudy-address-'));
after(() => rmSync(directory, { recursive: true }));

test('every spelling of an address is read', () => {
  assert.deepEqual(parseAddress('127.0.0.1:80'), { host: '127.0.0.1', port: 80 });
  assert.deepEqual(parseAddress('[::1]:80'), { host: '::1', port: 80 });
  assert.deepEqual(parseAddress('unix:/run/a.sock'), { path: '/run/a.sock' });
  assert.deepEqual(parseAddress('./a.sock'), { path: './a.sock' });
  assert.equal(formatAddress(parseAddress('[::1]:80')), '[::1]:80');
});

test('what is no address is refused', () => {
  for (const text of ['', 'host', ':80', 'host:', 'host:65536', 'host:-1', '::1:80', 'unix:', `/${'x'.repeat(107)}`]) {
    assert.throws(() => parseAddress(text), { code: 'bad-address' }, text);
  }
});

test('port 0 answers with the port that was bound', async () => {
  const server = net.createServer();
  const bound = await listenOn(server, { host: '127.0.0.1', port: 0 });
  assert.ok('port' in bound && bound.port > 0);
  server.close();
});

test('a port and a socket in use are named', async () => {
  const first = net.createServer();
  const bound = await listenOn(first, { host: '127.0.0.1', port: 0 });
  assert.ok('port' in bound);
  await assert.rejects(listenOn(net.createServer(), bound), {
    code: 'address-in-use',
    message: new RegExp(`port ${bound.port} on 127.0.0.1`),
  });
  first.close();

  const path = join(directory, 'live.sock');
  const second = net.createServer();
  await listenOn(second, { path });
  await assert.rejects(listenOn(net.createServer(), { path }), { code: 'address-in-use' });
  second.close();
});

test('the socket that a killed process left is replaced', async () => {
  const path = join(directory, 'stale.sock');
  const script = `require('node:net').createServer().listen(${JSON.stringify(path)}, () => console.log('up'))`;
  const child = spawn(process.execPath, ['-e', script], { stdio: ['ignore', 'pipe', 'inherit'] });
  await once(child.stdout, 'data');
  child.kill('SIGKILL');
  await once(child, 'exit');
  assert.ok(existsSync(path));
  const server = net.createServer();
  await listenOn(server, { path });
  server.close();
});

test('a file that is no socket is never removed', async () => {
  const path = join(directory, 'precious');
  writeFileSync(path, 'data');
  await assert.rejects(listenOn(net.createServer(), { path }), { code: 'address-in-use' });
  assert.ok(existsSync(path));
});

test('a directory that is missing is a clear error', async () => {
  await assert.rejects(listenOn(net.createServer(), { path: join(directory, 'none', 'a.sock') }), {
    code: 'cannot-listen',
  });
});
