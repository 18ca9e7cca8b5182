import assert from 'node:assert/strict';
import dgram from 'node:dgram';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import net from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, type TestContext, test } from 'node:test';
import { listenOn } from './address.ts';
import { FramePort } from './frame-port.ts';
import { type HubOptions, startHub } from './hub.ts';
import { Arrivals, plugCard } from './testing.ts';
import { openVxlanUplink } from './vxlan.ts';

const directory = mkdtempSync(join(tmpdir(), 'understudy-hub-'));
after(() => rmSync(directory, { recursive: true }));

const frameOf = (fill: number) => new Uint8Array(60).fill(fill);

/** A hub with two cards, one over each kind of socket, and a far end of its uplink. */
async function hubWithUplink(t: TestContext, name: string, more: Partial<HubOptions> = {}) {
  const outside = new Arrivals<Uint8Array>();
  const joined = new Arrivals<FramePort>();
  const server = net.createServer((socket) => {
    joined.put(new FramePort(socket, { onFrame: (frame) => outside.put(Uint8Array.from(frame)), onClose: () => {} }));
  });
  const connect = await listenOn(server, { host: '127.0.0.1', port: 0 });
  const lines = new Arrivals<string>();
  const hub = await startHub({
    listen: [{ path: join(directory, `${name}.sock`) }, { host: '127.0.0.1', port: 0 }],
    uplink: { connect },
    onFailure: (error) => assert.fail(error.message),
    onEvent: lines.put,
    ...more,
  });
  t.after(async () => {
    await hub.close();
    server.close();
  });
  const uplink = await joined.take();
  const [first, second] = await Promise.all(hub.addresses.map((address) => plugCard(address)));
  for (let seen = 0; seen < 2; ) if ((await lines.take()).startsWith('a replica has connected')) seen++;
  return { hub, uplink, outside, lines, first: first!, second: second! };
}

test('a frame from the uplink reaches every replica', async (t) => {
  const { uplink, first, second } = await hubWithUplink(t, 'in');
  uplink.send(frameOf(7));
  assert.deepEqual(await first.frames.take(), frameOf(7));
  assert.deepEqual(await second.frames.take(), frameOf(7));
});

test('a frame from a replica reaches the uplink and the other replica, never itself', async (t) => {
  const { first, second, outside } = await hubWithUplink(t, 'out');
  first.send(frameOf(1));
  assert.deepEqual(await outside.take(), frameOf(1));
  assert.deepEqual(await second.frames.take(), frameOf(1));
  second.send(frameOf(2));
  assert.deepEqual(await first.frames.take(), frameOf(2)); // its own frame would have come first
});

test('a replica that leaves does not disturb the other', async (t) => {
  const { uplink, first, second, lines } = await hubWithUplink(t, 'leave');
  first.close();
  await lines.take();
  uplink.send(frameOf(3));
  assert.deepEqual(await second.frames.take(), frameOf(3));
});

test('a replica that sends rubbish is disconnected with the reason', async (t) => {
  const { hub, lines } = await hubWithUplink(t, 'rubbish');
  const address = hub.addresses[0]!;
  assert.ok('path' in address);
  const socket = net.connect(address.path);
  socket.write(Uint8Array.from([0, 0, 0, 1, 0]));
  const gone = await lines.takeUntil((line) => /has left/.test(line));
  assert.match(gone, /a frame says that it is 1 bytes long/);
  socket.destroy();
});

test('a closed hub lets go of its sockets and its replicas', async (t) => {
  const { hub, first, second } = await hubWithUplink(t, 'closed');
  await hub.close();
  await Promise.all([first.closed, second.closed]);
  const server = net.createServer();
  await listenOn(server, hub.addresses[1]!);
  server.close();
});

test('an address in use is one clear error, and nothing is left', async () => {
  const server = net.createServer();
  const taken = await listenOn(server, { host: '127.0.0.1', port: 0 });
  const free = { path: join(directory, 'free.sock') };
  const options = { uplink: undefined, onFailure: () => {} };
  await assert.rejects(startHub({ listen: [free, taken], ...options }), { code: 'address-in-use' });
  server.close();
  const hub = await startHub({ listen: [free], ...options });
  await hub.close();
});

test('a hub whose uplink is VXLAN carries frames both ways', async (t) => {
  const [near, far] = [`127.78.${process.pid % 250}.1`, `127.78.${process.pid % 250}.2`] as const;
  const probe = dgram.createSocket('udp4').bind({ address: near, port: 0 });
  await once(probe, 'listening');
  const { port } = probe.address();
  probe.close();
  const outside = new Arrivals<Uint8Array>();
  const events = { onFrame: (frame: Uint8Array) => outside.put(frame), onState: () => {} };
  const farEnd = await openVxlanUplink({ vni: 1, local: far, remotes: [near], port }, events);
  const lines = new Arrivals<string>();
  const hub = await startHub({
    listen: [{ path: join(directory, 'vxlan.sock') }],
    uplink: { vxlan: { vni: 1, local: near, remotes: [far], port } },
    onFailure: (error) => assert.fail(error.message),
    onEvent: lines.put,
  });
  t.after(() => Promise.all([hub.close(), farEnd.close()]));
  await lines.takeUntil((line) => line === 'uplink VXLAN 1 is up');
  const card = await plugCard(hub.addresses[0]!);
  await lines.takeUntil((line) => line.startsWith('a replica has connected'));
  card.send(frameOf(1));
  assert.deepEqual(Uint8Array.from(await outside.take()), frameOf(1));
  farEnd.send(frameOf(2));
  assert.deepEqual(await card.frames.take(), frameOf(2));
});
