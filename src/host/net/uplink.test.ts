import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import net, { type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, type TestContext, test } from 'node:test';
import { listenOn, type StreamAddress } from './address.ts';
import { ETHERNET_LIMITS, encodeFrame, FrameDecoder } from './framing.ts';
import { Arrivals } from './testing.ts';
import { type FarEnd, testUplink } from './uplink.test-suite.ts';
import { openStreamUplink, type UplinkEvents } from './uplink.ts';

const directory = mkdtempSync(join(tmpdir(), 'understudy-uplink-'));
after(() => rmSync(directory, { recursive: true }));

function frameOf(length: number, fill: number): Uint8Array {
  return new Uint8Array(length).fill(fill);
}

/** A server of QEMU's framing in the test's hands. */
class TestServer implements FarEnd {
  readonly frames = new Arrivals<Uint8Array>();
  readonly #sockets = new Arrivals<Socket>();
  #server: net.Server | undefined;
  #socket: Socket | undefined;
  readonly #pending: Buffer[] = [];
  address: StreamAddress;

  constructor(address: StreamAddress) {
    this.address = address;
  }

  async comeBack(): Promise<void> {
    const server = net.createServer((socket) => {
      const decoder = new FrameDecoder(ETHERNET_LIMITS, (frame) => this.frames.put(frame));
      socket.on('data', (chunk) => decoder.push(chunk));
      socket.on('error', () => {});
      this.#sockets.put(socket);
    });
    this.#server = server;
    this.address = await listenOn(server, this.address);
  }

  async connected(): Promise<void> {
    this.#socket = await this.#sockets.take();
    for (const message of this.#pending.splice(0)) this.#socket.write(message);
  }

  /** The uplink may know of the connection before the server does. */
  send(frame: Uint8Array): void {
    const message = encodeFrame(frame, ETHERNET_LIMITS);
    if (this.#socket !== undefined) this.#socket.write(message);
    else if (this.#pending.push(message) === 1) void this.connected();
  }

  /** A stream out of step cannot be mended: the uplink ends it and connects anew. */
  async sendGarbage(): Promise<void> {
    for (const length of [0, 13, 65_551, 0xffff_ffff]) {
      const header = Buffer.alloc(4);
      header.writeUInt32BE(length);
      if (this.#socket === undefined) await this.connected();
      this.#socket?.write(header);
      await this.connected();
    }
  }

  async leave(): Promise<void> {
    const server = this.#server;
    this.#server = undefined;
    while (this.#sockets.waiting > 0) await this.connected();
    this.#socket?.destroy();
    this.#socket = undefined;
    if (server !== undefined) await new Promise<void>((resolve) => server.close(() => resolve()));
  }

  close(): Promise<void> {
    return this.leave();
  }
}

for (const [name, address] of [
  ['a stream over a unix socket', { path: join(directory, 'suite.sock') }],
  ['a stream over TCP', { host: '127.0.0.1', port: 0 }],
] as const) {
  testUplink({
    name,
    async open(events) {
      const farEnd = new TestServer(address);
      await farEnd.comeBack();
      const uplink = openStreamUplink({ address: farEnd.address, firstRetryMs: 1 }, events);
      return { uplink, farEnd };
    },
  });
}

/** A far end that accepts connections, and an uplink to it. */
async function connectedPair(t: TestContext, address: StreamAddress, maxQueuedBytes = 1 << 20) {
  const sockets = new Arrivals<Socket>();
  const server = net.createServer((socket) => sockets.put(socket));
  const bound = await listenOn(server, address);
  const frames = new Arrivals<Uint8Array>();
  const states = new Arrivals<string>();
  const events: UplinkEvents = { onFrame: frames.put, onState: (state) => states.put(state) };
  const uplink = openStreamUplink({ address: bound, maxQueuedBytes, firstRetryMs: 1 }, events);
  const socket = await sockets.take();
  assert.equal(await states.take(), 'up');
  t.after(async () => {
    await uplink.close();
    server.close();
  });
  return { uplink, socket, sockets, server, bound, frames, states };
}

for (const [name, address] of [
  ['a unix socket', { path: join(directory, 'uplink.sock') }],
  ['TCP', { host: '127.0.0.1', port: 0 }],
] as const) {
  test(`frames go both ways over ${name}`, async (t) => {
    const { uplink, socket, frames } = await connectedPair(t, address);
    const received = new Arrivals<Uint8Array>();
    const decoder = new FrameDecoder(ETHERNET_LIMITS, received.put);
    socket.on('data', (chunk) => decoder.push(chunk));
    const reused = frameOf(60, 1);
    uplink.send(reused);
    reused.fill(9);
    uplink.send(frameOf(65_550, 2));
    assert.deepEqual(Uint8Array.from(await received.take()), frameOf(60, 1));
    assert.deepEqual(Uint8Array.from(await received.take()), frameOf(65_550, 2));
    socket.write(encodeFrame(frameOf(1514, 3), ETHERNET_LIMITS));
    assert.deepEqual(Uint8Array.from(await frames.take()), frameOf(1514, 3));
    assert.equal(uplink.counters.framesOut, 2);
    assert.equal(uplink.counters.framesIn, 1);
  });
}

test('an uplink whose far end goes away says so, drops frames, and comes back', async (t) => {
  const { uplink, socket, sockets, states, frames } = await connectedPair(t, { host: '127.0.0.1', port: 0 });
  socket.destroy();
  assert.equal(await states.take(), 'down');
  uplink.send(frameOf(60, 1));
  assert.equal(uplink.counters.framesDropped, 1);
  assert.equal(await states.take(), 'up');
  const again = await sockets.take();
  again.write(encodeFrame(frameOf(60, 4), ETHERNET_LIMITS));
  assert.deepEqual(Uint8Array.from(await frames.take()), frameOf(60, 4));
});

test('an uplink waits for a far end that is not there yet', async (t) => {
  const path = join(directory, 'later.sock');
  const states = new Arrivals<string>();
  const uplink = openStreamUplink(
    { address: { path }, firstRetryMs: 1, lastRetryMs: 5 },
    { onFrame: () => {}, onState: (state) => states.put(state) },
  );
  const server = net.createServer();
  t.after(async () => {
    await uplink.close();
    server.close();
  });
  assert.equal(uplink.state, 'down');
  await listenOn(server, { path });
  assert.equal(await states.take(), 'up');
});

test('a far end that does not read costs frames, never memory without end', async (t) => {
  const limit = 256 * 1024;
  const { uplink, socket } = await connectedPair(t, { path: join(directory, 'slow.sock') }, limit);
  socket.pause();
  for (let count = 0; count < 2000; count++) uplink.send(frameOf(1514, count & 255));
  assert.ok(uplink.counters.framesDropped > 0);
  assert.equal(uplink.counters.framesOut + uplink.counters.framesDropped, 2000);
  let complete = 0;
  const all = new Promise<void>((resolve) => {
    const decoder = new FrameDecoder(ETHERNET_LIMITS, (frame) => {
      assert.equal(frame.length, 1514);
      if (++complete === uplink.counters.framesOut) resolve();
    });
    socket.on('data', (chunk) => decoder.push(chunk));
  });
  socket.resume();
  await all; // what was not dropped arrives whole
});

test('a bad length closes the connection with the reason', async (t) => {
  const reasons = new Arrivals<string | undefined>();
  const server = net.createServer((socket) => socket.write(Uint8Array.from([0xff, 0xff, 0xff, 0xff])));
  const bound = await listenOn(server, { host: '127.0.0.1', port: 0 });
  const uplink = openStreamUplink(
    { address: bound, firstRetryMs: 60_000 },
    { onFrame: () => assert.fail('no frame'), onState: (state, reason) => state === 'down' && reasons.put(reason) },
  );
  t.after(async () => {
    await uplink.close();
    server.close();
  });
  assert.match((await reasons.take()) ?? '', /4294967295 bytes long/);
});

test('a closed uplink is silent and holds nothing open', async (t) => {
  const { uplink, socket } = await connectedPair(t, { host: '127.0.0.1', port: 0 });
  const gone = once(socket, 'close');
  socket.resume();
  await uplink.close();
  await gone;
  uplink.send(frameOf(60, 1));
  assert.equal(uplink.counters.framesDropped, 1);
});
