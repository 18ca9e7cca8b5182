import assert from 'node:assert/strict';
import { once } from 'node:events';
import net from 'node:net';
import { type TestContext, test } from 'node:test';
import { Arrivals } from '../net/testing.ts';
import { WaitingRoom } from './waiting-room.ts';

/** Connections, each with both of its ends. */
async function connections(t: TestContext, count: number) {
  const accepted = new Arrivals<net.Socket>();
  const server = net.createServer(accepted.put).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as net.AddressInfo;
  const pairs: { near: net.Socket; far: net.Socket }[] = [];
  for (let made = 0; made < count; made++) {
    const near = net.connect(port, '127.0.0.1').resume();
    pairs.push({ near, far: await accepted.take() });
  }
  t.after(() => {
    for (const { near, far } of pairs) for (const socket of [near, far]) socket.destroy();
    server.close();
  });
  return pairs;
}

test('one too many pushes out the one that has waited longest, and those that left stay', async (t) => {
  const pairs = await connections(t, 4);
  const room = new WaitingRoom({ places: 2 });
  for (const { far } of pairs.slice(0, 2)) room.enter(far);
  room.leave(pairs[0]!.far);
  room.enter(pairs[2]!.far);
  assert.equal(room.waiting, 2);
  room.enter(pairs[3]!.far);
  await once(pairs[1]!.near, 'close');
  assert.deepEqual(
    pairs.map(({ far }) => far.destroyed),
    [false, true, false, false],
  );
  room.clear();
  await Promise.all([pairs[2]!, pairs[3]!].map(({ near }) => once(near, 'close')));
  assert.equal(room.waiting, 0);
});

test('whoever waits too long is gone, and makes room when it goes by itself', async (t) => {
  const [patient, leaver] = await connections(t, 2);
  const room = new WaitingRoom({ patienceMs: 30 });
  room.enter(patient!.far);
  await once(patient!.near, 'close');
  const generous = new WaitingRoom();
  generous.enter(leaver!.far);
  leaver!.near.destroy();
  await once(leaver!.far.resume(), 'close');
  assert.deepEqual([room.waiting, generous.waiting], [0, 0]);
});
