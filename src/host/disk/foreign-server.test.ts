import assert from 'node:assert/strict';
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import net from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { newIdentifier } from '../arbiter/arbiter-suite.ts';
import { connectDisk } from './client.ts';
import type { Disk } from './disk.ts';
import { parseDiskAddress } from './disk-address.ts';

const SIZE = 4 * 1024 * 1024;
const skip = spawnSync('nbdkit', ['--version']).status === 0 ? false : 'nbdkit is not installed';
const notFenced = (reason: string) => assert.fail(reason);
const writer = { generation: 3, incarnation: newIdentifier() };
const bytes = (length: number, fill: number) => new Uint8Array(length).fill(fill);

/** nbdkit with a file behind it. */
async function newServer(t: TestContext, filters: readonly string[] = [], parameters: readonly string[] = []) {
  const directory = mkdtempSync(join(tmpdir(), 'understudy-foreign-'));
  const path = join(directory, 'disk.raw');
  writeFileSync(path, '');
  truncateSync(path, SIZE);
  const socket = join(directory, 'nbd.sock');
  const server = { child: undefined as ChildProcess | undefined };
  const start = async () => {
    rmSync(socket, { force: true });
    const words = ['-f', '--exit-with-parent', '-U', socket, ...filters, 'file', `file=${path}`, ...parameters];
    server.child = spawn('nbdkit', words, { stdio: ['ignore', 'ignore', 'inherit'] });
    while (!(await answers(socket))) await new Promise((resolve) => setTimeout(resolve, 10));
  };
  const kill = async () => {
    const gone = once(server.child!, 'exit');
    server.child!.kill('SIGKILL');
    await gone;
  };
  await start();
  t.after(async () => {
    await kill();
    rmSync(directory, { recursive: true });
  });
  const address = parseDiskAddress(`nbd+unix:///?socket=${socket}`);
  const open = (more: Partial<Parameters<typeof connectDisk>[0]> = {}) =>
    connectDisk({ address, vm: 'm', writer, onFenced: notFenced, ...more });
  return { path, open, kill, start };
}

async function answers(socket: string): Promise<boolean> {
  if (!existsSync(socket)) return false;
  const attempt = net.connect(socket);
  const answered = await Promise.race([
    once(attempt, 'data').then(() => true),
    once(attempt, 'close').then(() => false),
  ]).catch(() => false);
  attempt.destroy();
  return answered;
}

const write = (disk: Disk, offset: number, data: Uint8Array) => disk.request({ type: 'write', id: 0, offset, data });

test('an NBD URI means a server that is not ours, and an address one that is', () => {
  assert.deepEqual(parseDiskAddress('nbd://host-c/web'), { host: 'host-c', port: 10_809, foreignExport: 'web' });
  assert.deepEqual(parseDiskAddress('nbd://host-c:7001'), { host: 'host-c', port: 7001, foreignExport: '' });
  assert.deepEqual(parseDiskAddress('nbd://[::1]:7001/a%20b'), { host: '::1', port: 7001, foreignExport: 'a b' });
  assert.deepEqual(parseDiskAddress('nbd+unix:///web?socket=/run/nbd.sock'), {
    path: '/run/nbd.sock',
    foreignExport: 'web',
  });
  assert.deepEqual(parseDiskAddress('host-c:7001'), { host: 'host-c', port: 7001 });
  for (const wrong of ['nbd:', 'nbd:///web', 'nbds://host/web', 'nbd+unix:///web', 'nbd+ssh://host/web']) {
    assert.throws(() => parseDiskAddress(wrong), { code: 'bad-address' }, wrong);
  }
});

for (const [what, words] of [
  ['another NBD server', []],
  ['one that has no write-zeroes', ['--filter=nozero']],
] as const) {
  test(`${what} carries out every kind of request`, { skip }, async (t) => {
    const { open } = await newServer(t, words);
    const disk = await open();
    assert.equal(disk.sizeBytes, SIZE);
    assert.ok((await write(disk, 512, bytes(SIZE - 512, 7))).ok);
    assert.ok((await disk.request({ type: 'write-zeroes', id: 0, offset: 4096, length: 8192 })).ok);
    assert.ok((await disk.request({ type: 'discard', id: 0, offset: SIZE - 4096, length: 4096 })).ok);
    assert.ok((await disk.request({ type: 'flush', id: 0 })).ok);
    const result = await disk.request({ type: 'read', id: 0, offset: 0, length: SIZE - 4096 });
    assert.ok(result.ok && result.data !== undefined);
    assert.deepEqual(
      [result.data[0], result.data[512], result.data[4095], result.data[4096], result.data[4096 + 8192]],
      [0, 7, 7, 0, 7],
    );
    await disk.close();
  });
}

for (const [what, filters, parameters, message] of [
  ['is read-only', ['-r'], [], /read-only/],
  ['promises nothing about several connections', ['--filter=multi-conn'], ['multi-conn-mode=disable'], /MULTI_CONN/],
] as const) {
  test(`a server that ${what} is refused`, { skip }, async (t) => {
    const { open } = await newServer(t, filters, parameters);
    await assert.rejects(open(), { code: 'disk-refused', message });
  });
}

test('two replicas share it, and a flush of one covers what the other was answered', { skip }, async (t) => {
  const { open, kill, start } = await newServer(t, ['--filter=cache'], ['cache=writeback']);
  const [old, next] = [await open(), await open({ writer: { generation: 4, incarnation: newIdentifier() } })];
  assert.ok((await write(old, 0, bytes(512, 1))).ok);
  assert.ok((await next.request({ type: 'flush', id: 0 })).ok);
  await Promise.all([old.close(), next.close()]);
  await kill();
  await start();
  const disk = await open();
  const result = await disk.request({ type: 'read', id: 0, offset: 0, length: 512 });
  assert.ok(result.ok && result.data?.[0] === 1);
  await disk.close();
});

test('a server that was lost with unflushed writes fails every flush from then on, and no read', {
  skip,
}, async (t) => {
  const { open, kill, start } = await newServer(t, ['--filter=cache'], ['cache=writeback']);
  const problems: string[] = [];
  const disk = await open({ onProblem: (line) => problems.push(line) });
  assert.ok((await write(disk, 0, bytes(512, 1))).ok);
  assert.ok((await disk.request({ type: 'flush', id: 0 })).ok);
  assert.ok((await write(disk, 512, bytes(512, 2))).ok);
  await kill();
  const read = disk.request({ type: 'read', id: 0, offset: 0, length: 1024 });
  await start();
  const result = await read;
  assert.ok(result.ok && result.data?.[0] === 1 && result.data[512] === 0);
  assert.deepEqual(await disk.request({ type: 'flush', id: 0 }), { ok: false, error: 'io' });
  assert.match(problems[0]!, /writes that were not flushed may be lost/);
  await disk.close();
});
