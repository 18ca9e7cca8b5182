import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import net from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, type TestContext, test } from 'node:test';
import type { StreamAddress } from '../net/address.ts';
import { Arrivals } from '../net/testing.ts';
import { TestAuthority } from '../tls/testing.ts';
import { type Channel, type ChannelClosed, type ChannelOptions, connectChannel, listenForChannels } from './channel.ts';

const directory = mkdtempSync(join(tmpdir(), 'understudy-channel-'));
after(() => rmSync(directory, { recursive: true }));

const authority = await TestAuthority.make();
after(() => authority.remove());
const withTls: ChannelOptions = { tls: { credentials: await authority.host('host-a') } };

const LOOPBACK: StreamAddress = { host: '127.0.0.1', port: 0 };

type End = { channel: Channel; messages: Arrivals<Uint8Array>; closed: Promise<ChannelClosed> };

function newEnd() {
  const messages = new Arrivals<Uint8Array>();
  let resolve: (reason: ChannelClosed) => void = () => {};
  const closed = new Promise<ChannelClosed>((done) => {
    resolve = done;
  });
  const events = { onMessage: (message: Uint8Array) => messages.put(Uint8Array.from(message)), onClose: resolve };
  return { messages, closed, events };
}

async function channelPair(t: TestContext, address: StreamAddress, options: ChannelOptions = {}) {
  const accepted = new Arrivals<End>();
  const listener = await listenForChannels(
    address,
    (channel) => {
      const { messages, closed, events } = newEnd();
      accepted.put({ channel, messages, closed });
      return events;
    },
    options,
  );
  const { messages, closed, events } = newEnd();
  const channel = await connectChannel(listener.address, events, options);
  const near: End = { channel, messages, closed };
  const far = await accepted.take();
  t.after(async () => {
    near.channel.abort();
    far.channel.abort();
    await listener.close();
  });
  return { near, far, listener };
}

const bytes = (length: number, fill: number) => new Uint8Array(length).fill(fill);

for (const [name, address, options] of [
  ['TCP', LOOPBACK, {}],
  ['a unix socket', { path: join(directory, 'channel.sock') }, {}],
  ['TLS', LOOPBACK, withTls],
  ['TLS on a unix socket', { path: join(directory, 'channel.sock') }, withTls],
] as const) {
  test(`messages arrive whole and in order, both ways, over ${name}`, async (t) => {
    const { near, far } = await channelPair(t, address, options);
    const reused = bytes(10, 1);
    near.channel.send(reused);
    reused.fill(0);
    near.channel.send(bytes(3_000_000, 2));
    near.channel.send(bytes(1, 3));
    assert.deepEqual(await far.messages.take(), bytes(10, 1));
    assert.deepEqual(await far.messages.take(), bytes(3_000_000, 2));
    assert.deepEqual(await far.messages.take(), bytes(1, 3));
    far.channel.send(bytes(5, 4));
    assert.deepEqual(await near.messages.take(), bytes(5, 4));
    assert.equal(far.channel.bufferedBytes, 0);
  });
}

for (const [name, options] of [
  ['TCP', {}],
  ['TLS', withTls],
] as const) {
  test(`a close delivers what was sent before it, then says who closed, over ${name}`, async (t) => {
    const { near, far } = await channelPair(t, LOOPBACK, options);
    near.channel.send(bytes(2_000_000, 7));
    near.channel.close();
    assert.equal(near.channel.open, false);
    assert.equal((await far.closed).kind, 'peer');
    assert.deepEqual(await far.messages.take(), bytes(2_000_000, 7));
    assert.equal((await near.closed).kind, 'local');
  });

  test(`no message comes after close, and none is sent, over ${name}`, async (t) => {
    const { near, far } = await channelPair(t, LOOPBACK, options);
    near.channel.close();
    near.channel.send(bytes(1, 1));
    far.channel.send(bytes(1, 2));
    assert.equal((await far.closed).kind, 'peer');
    await near.closed;
    assert.equal(near.messages.waiting, 0);
    assert.equal(far.messages.waiting, 0);
  });

  test(`all that a killed peer had handed to its kernel is delivered before the end, over ${name}`, async (t) => {
    const count = 2000;
    const end = newEnd();
    const listener = await listenForChannels(LOOPBACK, () => end.events, options);
    t.after(() => listener.close());
    assert.ok('port' in listener.address);
    const script = new URL('./fixtures/sender-process.ts', import.meta.url).pathname;
    const files = name === 'TLS' ? Object.values(await authority.files('sender')) : [];
    const child = spawn(process.execPath, [script, String(listener.address.port), String(count), ...files], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    await once(child.stdout, 'data');
    child.kill('SIGKILL');
    const reason = await end.closed;
    assert.ok(reason.kind === 'peer' || reason.kind === 'lost', reason.kind);
    for (let number = 0; number < count; number++) {
      const message = await end.messages.take();
      assert.equal(new DataView(message.buffer).getUint32(0), number);
    }
  });
}

test('a message longer than allowed ends the channel before it is received', async (t) => {
  const end = newEnd();
  const listener = await listenForChannels(LOOPBACK, () => end.events, { maxMessageBytes: 1000 });
  t.after(() => listener.close());
  assert.ok('port' in listener.address);
  const socket = net.connect(listener.address.port, '127.0.0.1');
  socket.on('error', () => {});
  socket.write(Uint8Array.from([0, 0, 0x03, 0xe9]));
  assert.deepEqual((await end.closed).kind, 'bad-message');
  socket.destroy();
});

test('an end in the middle of a message says so', async (t) => {
  const end = newEnd();
  const listener = await listenForChannels(LOOPBACK, () => end.events);
  t.after(() => listener.close());
  assert.ok('port' in listener.address);
  const socket = net.connect(listener.address.port, '127.0.0.1');
  socket.end(Uint8Array.from([0, 0, 0, 9, 1, 2]));
  const reason = await end.closed;
  assert.equal(reason.kind, 'peer');
  assert.match(reason.detail, /middle of a message/);
});

test('a peer that takes nothing shows in bufferedBytes, and costs the channel in the end', async (t) => {
  const accepted = new Arrivals<net.Socket>();
  const server = net.createServer({ pauseOnConnect: true }, accepted.put).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as net.AddressInfo;
  const end = newEnd();
  const limit = 4_000_000;
  const channel = await connectChannel({ host: '127.0.0.1', port }, end.events, { maxBufferedBytes: limit });
  const socket = await accepted.take();
  t.after(() => {
    socket.destroy();
    server.close();
  });
  let mostBuffered = 0;
  while (channel.open) {
    channel.send(bytes(100_000, 1));
    mostBuffered = Math.max(mostBuffered, channel.bufferedBytes);
    await new Promise((resolve) => setImmediate(resolve));
  }
  assert.equal((await end.closed).kind, 'overflow');
  assert.ok(mostBuffered > limit / 2 && mostBuffered <= limit);
});

test('nobody at the address is a clear error', async () => {
  const server = net.createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as net.AddressInfo;
  server.close();
  await once(server, 'close');
  await assert.rejects(connectChannel({ host: '127.0.0.1', port }, newEnd().events), {
    code: 'cannot-connect',
    message: new RegExp(`127.0.0.1:${port}`),
  });
});
