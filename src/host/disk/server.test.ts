import assert from 'node:assert/strict';
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import net from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { promisify } from 'node:util';
import { newIdentifier } from '../arbiter/arbiter-suite.ts';
import { openDirectoryArbiter } from '../arbiter/directory.ts';
import { listenOn, type StreamAddress } from '../net/address.ts';
import { Arrivals } from '../net/testing.ts';
import { connectDisk } from './client.ts';
import type { BlockResult, Disk } from './disk.ts';
import { testDisk } from './disk-suite.ts';
import { type DiskServer, startDiskServer } from './server.ts';

const SIZE = 1024 * 1024;
const bytes = (length: number, fill: number) => new Uint8Array(length).fill(fill);
const notFenced = (reason: string) => assert.fail(reason);

for (const [kind, listenAt] of [
  ['a unix socket', (directory: string): StreamAddress => ({ path: join(directory, 'disk.sock') })],
  ['TCP', (): StreamAddress => ({ host: '127.0.0.1', port: 0 })],
] as const) {
  const incarnation = newIdentifier();
  testDisk(`a disk server over ${kind}`, async (path, stateDir) => {
    const problems: string[] = [];
    const onProblem = (line: string) => problems.push(line);
    const server = await startDiskServer({ path, vm: 'm', listen: [listenAt(stateDir)], stateDir, onProblem });
    const writer = { generation: 0, incarnation };
    const disk = await connectDisk({ address: server.addresses[0]!, vm: 'm', writer, onFenced: notFenced });
    const close = async () => {
      await disk.close();
      await server.close();
    };
    return { disk, problems, close };
  });
}

async function newServer(t: TestContext, more: Partial<Parameters<typeof startDiskServer>[0]> = {}) {
  const directory = mkdtempSync(join(tmpdir(), 'understudy-server-'));
  const path = join(directory, 'disk.raw');
  writeFileSync(path, '');
  truncateSync(path, SIZE);
  const options = {
    path,
    vm: 'm',
    listen: [{ path: join(directory, 'disk.sock') }, { host: '127.0.0.1', port: 0 }],
    stateDir: directory,
    onProblem: (line: string) => assert.fail(line),
    ...more,
  };
  const server = await startDiskServer(options);
  t.after(async () => {
    await server.close();
    rmSync(directory, { recursive: true });
  });
  const open = (generation: number, incarnation: string, onFenced: (reason: string) => void = notFenced) =>
    connectDisk({ address: server.addresses[0]!, vm: 'm', writer: { generation, incarnation }, onFenced });
  return { server, options, path, directory, open };
}

const write = (disk: Disk, offset: number, data: Uint8Array) => disk.request({ type: 'write', id: 0, offset, data });

test('once a generation is admitted, nothing of a lower one lands any more', async (t) => {
  const { open, path } = await newServer(t);
  const fenced = new Promise<string>((resolve) => {
    void open(0, newIdentifier(), resolve).then(async (old) => {
      assert.ok((await write(old, 0, bytes(SIZE, 1))).ok);
      flood(old);
    });
  });
  const answers: Promise<BlockResult>[] = [];
  let firstLanded: () => void = () => {};
  const flowing = new Promise<void>((resolve) => {
    firstLanded = resolve;
  });
  /** Keeps many writes under way, each place again and again, until the disk is fenced. */
  function flood(disk: Disk): void {
    const again = (offset: number, fill: number) => {
      const answer = write(disk, offset, bytes(4096, fill));
      answers.push(answer);
      void answer.then((result) => {
        firstLanded();
        if (result.ok) again(offset, (fill + 1) & 255);
      });
    };
    for (let offset = 0; offset < SIZE; offset += 4096) again(offset, 2);
  }
  await flowing;
  const next = await open(1, newIdentifier());
  const afterAdmission = readFileSync(path);
  await fenced;
  const results = await Promise.all(answers);
  assert.ok(results.some((result) => !result.ok && result.error === 'fenced'));
  assert.ok(results.every((result) => result.ok || result.error === 'fenced'));
  assert.ok(readFileSync(path).equals(afterAdmission));
  assert.ok((await write(next, 0, bytes(512, 9))).ok);
  await next.close();
});

test('a replica of an older generation is refused for good, one that the arbiter cannot confirm for now', async (t) => {
  const arbiter = { record: undefined as { generation: number; incarnation: string } | undefined };
  const { open } = await newServer(t, { arbiter: { owner: async () => arbiter.record } });
  const [one, two] = [newIdentifier(), newIdentifier()];
  await assert.rejects(open(0, one), { code: 'disk-unknown' });
  arbiter.record = { generation: 0, incarnation: one };
  await assert.rejects(open(0, two), { code: 'disk-refused', message: /another owner/ });
  await (await open(0, one)).close();
  arbiter.record = { generation: 1, incarnation: two };
  await (await open(1, two)).close();
  await assert.rejects(open(0, one), { code: 'disk-refused', message: /1 was admitted/ });
});

test('whoever wins at the arbiter gets the disk, and only that one', async (t) => {
  const directory = mkdtempSync(join(tmpdir(), 'understudy-claims-'));
  t.after(() => rmSync(directory, { recursive: true }));
  const arbiter = await openDirectoryArbiter({ directory });
  const { open } = await newServer(t, { arbiter });
  const record = { token: newIdentifier(), primary: newIdentifier(), backup: newIdentifier() };
  await assert.rejects(open(0, record.primary), { code: 'disk-unknown' });
  await arbiter.create('m', record.primary);
  await arbiter.writePair('m', 0, record);
  let fence: (reason: string) => void = () => {};
  const fenced = new Promise<string>((resolve) => {
    fence = resolve;
  });
  const primary = await open(0, record.primary, fence);
  await assert.rejects(open(1, record.backup), { code: 'disk-unknown' }); // not claimed yet
  assert.equal(await arbiter.claim('m', 0, record.backup, record.token), 'won');
  assert.ok((await write(primary, 0, bytes(512, 1))).ok); // won, but not admitted yet
  const backup = await open(1, record.backup);
  assert.deepEqual(await write(primary, 0, bytes(512, 2)), { ok: false, error: 'fenced' });
  await fenced;
  await assert.rejects(open(1, record.primary), { code: 'disk-refused' });
  assert.ok((await write(backup, 0, bytes(512, 3))).ok);
  await Promise.all([primary.close(), backup.close()]);
});

test('two connections of one generation and incarnation both write', async (t) => {
  const { open, path } = await newServer(t);
  const incarnation = newIdentifier();
  const [first, second] = [await open(4, incarnation), await open(4, incarnation)];
  assert.ok((await write(first, 0, bytes(512, 1))).ok);
  assert.ok((await write(second, 512, bytes(512, 2))).ok);
  assert.deepEqual([readFileSync(path)[0], readFileSync(path)[512]], [1, 2]);
  await assert.rejects(open(4, newIdentifier()), { code: 'disk-refused' });
  await Promise.all([first.close(), second.close()]);
});

test('an export without a generation can be read and not written', async (t) => {
  const { server, open } = await newServer(t);
  const writer = await open(0, newIdentifier());
  await write(writer, 0, bytes(512, 7));
  const reader = await connectDisk({ address: server.addresses[1]!, vm: 'm', onFenced: notFenced });
  assert.deepEqual(await write(reader, 0, bytes(512, 8)), { ok: false, error: 'read-only' });
  const result = await reader.request({ type: 'read', id: 0, offset: 0, length: 512 });
  assert.ok(result.ok && result.data?.[0] === 7);
  await Promise.all([writer.close(), reader.close()]);
});

test('the disk of another machine is refused', async (t) => {
  const { server } = await newServer(t);
  const address = server.addresses[0]!;
  await assert.rejects(connectDisk({ address, vm: 'other', onFenced: notFenced }), {
    code: 'disk-refused',
    message: /disk of 'm', not of 'other'/,
  });
});

test('a second server for the disk, or for its address, is a clear error', async (t) => {
  const { options, directory, path } = await newServer(t);
  await assert.rejects(startDiskServer(options), { code: 'disk-in-use', message: /this same process/ });
  const other = join(directory, 'other.raw');
  writeFileSync(other, readFileSync(path));
  await assert.rejects(startDiskServer({ ...options, path: other }), { code: 'address-in-use' });
  const listen = [{ path: join(directory, 'other.sock') }];
  await (await startDiskServer({ ...options, path: other, listen })).close(); // and nothing was left locked
});

test('where nobody listens, or something else does, the disk is unreachable', async (t) => {
  const server = net.createServer((socket) => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n')).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as net.AddressInfo;
  const address = { host: '127.0.0.1', port };
  t.after(() => server.close());
  const expected = { code: 'disk-unreachable' };
  await assert.rejects(connectDisk({ address, vm: 'm', onFenced: notFenced }), {
    ...expected,
    message: /no NBD server/,
  });
  server.close();
  await once(server, 'close');
  await assert.rejects(connectDisk({ address, vm: 'm', onFenced: notFenced }), {
    ...expected,
    message: /ECONNREFUSED/,
  });
});

test('a client that speaks out of turn is disconnected and harms nobody', async (t) => {
  const { server, open } = await newServer(t);
  const writer = await open(0, newIdentifier());
  const address = server.addresses[1]!;
  assert.ok('port' in address);
  for (const rubbish of [
    Buffer.alloc(64, 0xff),
    Buffer.alloc(64),
    Buffer.from('\0\0\0\x03IHAVEOPT\0\0\0\x07\xff\xff\xff\xff', 'latin1'),
  ]) {
    const socket = net.connect(address.port, '127.0.0.1');
    socket.write(rubbish);
    socket.resume();
    socket.on('error', () => {});
    await once(socket, 'close');
  }
  assert.ok((await write(writer, 0, bytes(512, 1))).ok);
  await writer.close();
});

type ServerProcess = { child: ChildProcess; path: string; socket: string; directory: string };

async function serverProcess(t: TestContext): Promise<ServerProcess & { restart(): Promise<void> }> {
  const directory = mkdtempSync(join(tmpdir(), 'understudy-server-process-'));
  const path = join(directory, 'disk.raw');
  writeFileSync(path, '');
  truncateSync(path, SIZE);
  const socket = join(directory, 'disk.sock');
  const script = new URL('./fixtures/server-process.ts', import.meta.url).pathname;
  const start = async () => {
    const words = [script, path, socket, directory];
    const child = spawn(process.execPath, words, { stdio: ['pipe', 'pipe', 'inherit'] });
    const [first] = await Promise.race([once(child.stdout!, 'data'), once(child, 'exit')]);
    assert.equal(String(first), 'ready\n');
    return child;
  };
  const started = { child: await start(), path, socket, directory };
  t.after(async () => {
    const gone = once(started.child, 'exit');
    if (started.child.kill('SIGTERM')) await gone;
    rmSync(directory, { recursive: true });
  });
  const restart = async () => {
    started.child = await start();
  };
  return Object.assign(started, { restart });
}

test('a killed server leaves no lock, and its clients go on with the next one', async (t) => {
  const server = await serverProcess(t);
  const states: string[] = [];
  let tell: () => void = () => {};
  const writer = { generation: 0, incarnation: newIdentifier() };
  const disk = await connectDisk({
    address: { path: server.socket },
    vm: 'm',
    writer,
    onFenced: notFenced,
    onState: (state) => {
      states.push(state);
      tell();
    },
  });
  assert.ok((await write(disk, 0, bytes(4096, 1))).ok);
  const gone = once(server.child, 'exit');
  const down = new Promise<void>((resolve) => {
    tell = resolve;
  });
  server.child.kill('SIGKILL');
  await Promise.all([gone, down]);
  const waiting = [
    write(disk, 0, bytes(4096, 2)),
    write(disk, 2048, bytes(4096, 3)),
    disk.request({ type: 'flush', id: 0 }),
  ];
  await server.restart();
  assert.deepEqual(await Promise.all(waiting), [{ ok: true }, { ok: true }, { ok: true }]);
  assert.deepEqual(states, ['down', 'up']);
  const content = readFileSync(server.path);
  assert.deepEqual([content[2047], content[2048], content[6143]], [2, 3, 3]);
  await disk.close();
});

test('requests under way when the server is killed are done again, in order', async (t) => {
  const server = await serverProcess(t);
  const writer = { generation: 0, incarnation: newIdentifier() };
  const disk = await connectDisk({ address: { path: server.socket }, vm: 'm', writer, onFenced: notFenced });
  for (let round = 1; round <= 2; round++) {
    const answers: Promise<BlockResult>[] = [];
    for (let count = 0; count < 20; count++) {
      answers.push(write(disk, 0, bytes(SIZE / 2, count)), write(disk, SIZE / 2, bytes(SIZE / 2, count)));
    }
    await Promise.race(answers);
    const gone = once(server.child, 'exit');
    server.child.kill('SIGKILL');
    await gone;
    await server.restart();
    const results = await Promise.all(answers);
    assert.ok(results.every((result) => result.ok));
    assert.ok(readFileSync(server.path).equals(bytes(SIZE, 19)));
  }
  await disk.close();
});

test('a replica that was superseded while the server was away is fenced when it is back', async (t) => {
  const server = await serverProcess(t);
  let fence: (reason: string) => void = () => {};
  const fenced = new Promise<string>((resolve) => {
    fence = resolve;
  });
  const address = { path: server.socket };
  const old = await connectDisk({
    address,
    vm: 'm',
    writer: { generation: 0, incarnation: newIdentifier() },
    onFenced: fence,
  });
  const gone = once(server.child, 'exit');
  server.child.kill('SIGKILL');
  await gone;
  const waiting = write(old, 0, bytes(512, 1));
  writeFileSync(
    join(server.directory, 'm.generation'),
    JSON.stringify({ generation: 1, incarnation: newIdentifier() }),
  );
  await server.restart();
  assert.match(await fenced, /1 was admitted/);
  assert.deepEqual(await waiting, { ok: false, error: 'fenced' });
  assert.deepEqual(await write(old, 0, bytes(512, 1)), { ok: false, error: 'fenced' });
  assert.equal(readFileSync(server.path)[0], 0);
  await old.close();
});

test('a disk that is closed while its server is away answers what is under way', async (t) => {
  const server = await serverProcess(t);
  const address = { path: server.socket };
  const disk = await connectDisk({
    address,
    vm: 'm',
    writer: { generation: 0, incarnation: newIdentifier() },
    onFenced: notFenced,
  });
  const gone = once(server.child, 'exit');
  server.child.kill('SIGKILL');
  await gone;
  const waiting = [write(disk, 0, bytes(512, 1)), write(disk, 0, bytes(512, 2))];
  await disk.close();
  assert.deepEqual(await Promise.all(waiting), Array(2).fill({ ok: false, error: 'closed' }));
  await server.restart();
});

test('a server ends with its parent', async (t) => {
  const server = await serverProcess(t);
  const gone = once(server.child, 'exit');
  server.child.stdin!.end();
  assert.deepEqual(await gone, [0, null]);
  await server.restart();
});

/** Stands between client and server, and can hold back what the client sends. */
async function newValve(t: TestContext, server: StreamAddress) {
  assert.ok('port' in server);
  const open: { held: boolean; release(): void; answers: Arrivals<Buffer> }[] = [];
  const accepted = new Arrivals<void>();
  const valve = net.createServer((client) => {
    const far = net.connect(server.port, server.host);
    const held: Buffer[] = [];
    const answers = new Arrivals<Buffer>();
    const line = { held: false, answers, release: () => far.write(Buffer.concat(held)) };
    client.on('data', (chunk) => (line.held ? held.push(chunk) : far.write(chunk)));
    client.on('error', () => {});
    far.on('data', (chunk) => {
      if (line.held) answers.put(chunk);
      else client.write(chunk);
    });
    far.on('error', () => {});
    far.on('close', () => client.destroy());
    t.after(() => far.destroy());
    open.push(line);
    accepted.put();
  });
  const address = await listenOn(valve, { host: '127.0.0.1', port: 0 });
  t.after(() => valve.close());
  return { address, open, accepted };
}

test('a request that was held up in the network and sent again never lands late', async (t) => {
  const { server, path } = await newServer(t);
  const valve = await newValve(t, server.addresses[1]!);
  const writer = { generation: 0, incarnation: newIdentifier() };
  const disk = await connectDisk({ address: valve.address, vm: 'm', writer, onFenced: notFenced, stallMs: 50 });
  await valve.accepted.take();
  const [first] = valve.open;
  first!.held = true;
  // The first connection swallows this write; the client gives it up and sends again on the second.
  assert.deepEqual(await write(disk, 0, bytes(512, 1)), { ok: true });
  await valve.accepted.take();
  assert.deepEqual(await write(disk, 0, bytes(512, 2)), { ok: true });
  first!.release(); // now the swallowed write reaches the server after all
  const answer = await first!.answers.take();
  assert.equal(answer.readUInt32BE(4), 108); // ESHUTDOWN
  assert.equal(readFileSync(path)[0], 2);
  await disk.close();
});

test('writes that a restarted host may have lost are never called durable', async (t) => {
  const { server, options } = await newServer(t, { boot: 'one' });
  const problems: string[] = [];
  const states = new Arrivals<string>();
  const disk = await connectDisk({
    address: server.addresses[0]!,
    vm: 'm',
    writer: { generation: 0, incarnation: newIdentifier() },
    onFenced: notFenced,
    onState: states.put,
    onProblem: (line) => problems.push(line),
  });
  const flush = () => disk.request({ type: 'flush', id: 0 });
  const restart = async (last: DiskServer, boot: string) => {
    await last.close();
    assert.equal(await states.take(), 'down');
    const next = await startDiskServer({ ...options, boot });
    assert.equal(await states.take(), 'up');
    return next;
  };
  assert.ok((await write(disk, 0, bytes(512, 1))).ok);
  const second = await restart(server, 'one'); // the process alone: the kernel still has the write
  assert.deepEqual(await flush(), { ok: true });
  const third = await restart(second, 'two'); // the host, but all was flushed
  assert.deepEqual(await flush(), { ok: true });
  assert.ok((await write(disk, 0, bytes(512, 2))).ok);
  const fourth = await restart(third, 'three');
  assert.deepEqual(await flush(), { ok: false, error: 'io' });
  assert.match(problems[0] ?? '', /may be lost/);
  assert.deepEqual(await flush(), { ok: false, error: 'io' });
  await disk.close();
  await fourth.close();
});

const run = promisify(execFile);

function missing(program: string): string | false {
  const found = (process.env.PATH ?? '').split(':').some((directory) => existsSync(join(directory, program)));
  return found ? false : `${program} is not installed`;
}

test('qemu-img reads the disk while a replica writes it', { skip: missing('qemu-img') }, async (t) => {
  const { server, open, path, directory } = await newServer(t);
  const writer = await open(0, newIdentifier());
  await write(writer, 4096, bytes(8192, 0x5a));
  const [unix, tcp] = server.addresses;
  assert.ok('path' in unix! && 'port' in tcp!);
  const copy = join(directory, 'copy.raw');
  await run('qemu-img', ['convert', '-f', 'raw', '-O', 'raw', `nbd://127.0.0.1:${tcp.port}/m`, copy]);
  assert.ok(readFileSync(copy).equals(readFileSync(path)));
  const { stdout } = await run('qemu-img', ['info', '-f', 'raw', '--output=json', `nbd+unix:///?socket=${unix.path}`]);
  assert.equal(JSON.parse(stdout)['virtual-size'], SIZE);
  await writer.close();
});

test('qemu-io reads, and cannot write without a generation', { skip: missing('qemu-io') }, async (t) => {
  const { server, open } = await newServer(t);
  await (await open(0, newIdentifier())).close();
  const address = server.addresses[0]!;
  assert.ok('path' in address);
  const url = `nbd+unix:///m?socket=${address.path}`;
  const { stdout } = await run('qemu-io', ['-r', '-f', 'raw', '-c', 'read -P 0 0 1M', url]);
  assert.match(stdout, /read 1048576\/1048576 bytes/);
  await assert.rejects(run('qemu-io', ['-f', 'raw', '-c', 'write 0 512', url]));
});

test('qemu-io writes, zeroes, discards and flushes as the owner of a generation', {
  skip: missing('qemu-io'),
}, async (t) => {
  const { server, path } = await newServer(t);
  const address = server.addresses[0]!;
  assert.ok('path' in address);
  const image = `driver=nbd,server.type=unix,server.path=${address.path},export=m?generation=0&incarnation=${newIdentifier()}`;
  const commands = [
    'write -P 7 0 64k',
    'write -f -P 8 64k 4k',
    'write -z 0 512',
    'discard 128k 4k',
    'flush',
    'read -P 7 512 4k',
  ];
  await run('qemu-io', [...commands.flatMap((command) => ['-c', command]), '--image-opts', image]);
  const content = readFileSync(path);
  assert.deepEqual([content[0], content[512], content[65_535], content[65_536]], [0, 7, 7, 8]);
});

test('nbdinfo lists the one export', { skip: missing('nbdinfo') }, async (t) => {
  const { server } = await newServer(t);
  const address = server.addresses[0]!;
  assert.ok('path' in address);
  const { stdout } = await run('nbdinfo', ['--list', '--json', `nbd+unix:///?socket=${address.path}`]);
  const { exports } = JSON.parse(stdout) as { exports: Record<string, unknown>[] };
  assert.equal(exports.length, 1);
  assert.equal(exports[0]!['export-name'], 'm');
  assert.equal(exports[0]!['export-size'], SIZE);
  assert.equal(exports[0]!.is_read_only, true);
  assert.equal(exports[0]!.can_multi_conn, true);
});
