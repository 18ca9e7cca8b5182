import assert from 'node:assert/strict';
import dgram, { type Socket } from 'node:dgram';
import { once } from 'node:events';
import { type TestContext, test } from 'node:test';
import { Arrivals } from './testing.ts';
import { type FarEnd, testUplink } from './uplink.test-suite.ts';
import type { UplinkEvents } from './uplink.ts';
import { openVxlanUplink, type VxlanOptions } from './vxlan.ts';
import { decodeVxlan, encodeVxlan } from './vxlan-header.ts';

const VNI = 4711;
const NEIGHBOUR = Uint8Array.from([192, 0, 2, 1]);
const NEIGHBOUR_MAC = [0x52, 0x54, 0, 0, 0, 0xfe];
const BROADCAST = [0xff, 0xff, 0xff, 0xff, 0xff, 0xff];
/** The whole of 127.0.0.0/8 is this host: each end point has an address of its own, and all have the same port. */
let lastAddress = 1;
function nextAddress(): string {
  return `127.77.${process.pid % 250}.${++lastAddress}`;
}

async function freePort(address: string): Promise<number> {
  const socket = dgram.createSocket('udp4').bind({ address, port: 0 });
  await once(socket, 'listening');
  const { port } = socket.address();
  socket.close();
  return port;
}

/** A tunnel end point in the test's hands. It answers ARP probes for `NEIGHBOUR`, if told to. */
class TestVtep implements FarEnd {
  readonly frames = new Arrivals<Uint8Array>();
  readonly probes = new Arrivals<Uint8Array>();
  readonly address: string;
  readonly #port: number;
  readonly #uplinkAddress: string;
  readonly answers: boolean;
  #socket: Socket | undefined;

  constructor(address: string, port: number, uplinkAddress: string, answers: boolean) {
    this.address = address;
    this.#port = port;
    this.#uplinkAddress = uplinkAddress;
    this.answers = answers;
  }

  async comeBack(): Promise<void> {
    const socket = dgram.createSocket('udp4');
    this.#socket = socket;
    socket.on('message', (datagram) => this.#received(datagram));
    socket.bind({ address: this.address, port: this.#port });
    await once(socket, 'listening');
  }

  async leave(): Promise<void> {
    const socket = this.#socket;
    this.#socket = undefined;
    if (socket !== undefined) await new Promise<void>((resolve) => socket.close(resolve));
  }

  close(): Promise<void> {
    return this.leave();
  }

  send(frame: Uint8Array): void {
    this.sendDatagram(encodeVxlan(VNI, frame));
  }

  sendDatagram(datagram: Uint8Array): void {
    this.#socket?.send(datagram, this.#port, this.#uplinkAddress);
  }

  async sendGarbage(): Promise<void> {
    const good = encodeVxlan(VNI, new Uint8Array(60));
    const unflagged = Buffer.from(good);
    unflagged[0] = 0;
    for (const bad of [
      new Uint8Array(0),
      new Uint8Array(7),
      good.subarray(0, 8),
      good.subarray(0, 21),
      unflagged,
      encodeVxlan(VNI + 1, new Uint8Array(60)),
    ]) {
      this.sendDatagram(bad);
    }
  }

  #received(datagram: Buffer): void {
    const frame = decodeVxlan(VNI, datagram);
    if (typeof frame === 'string') return assert.fail(frame);
    const isProbe = frame[6] === 0x02 && frame[7] === 0x55 && frame[8] === 0x53;
    (isProbe ? this.probes : this.frames).put(frame);
    if (isProbe && this.answers) this.send(arpAnswer(frame));
  }
}

function arpAnswer(request: Uint8Array): Uint8Array {
  const answer = new Uint8Array(60);
  answer.set(request.subarray(6, 12), 0);
  answer.set(NEIGHBOUR_MAC, 6);
  answer.set([0x08, 0x06, 0, 1, 0x08, 0, 6, 4, 0, 2], 12);
  answer.set(NEIGHBOUR_MAC, 22);
  answer.set(NEIGHBOUR, 28);
  return answer;
}

function ethernet(destination: readonly number[], source: readonly number[], fill: number): Uint8Array {
  const frame = new Uint8Array(60).fill(fill);
  frame.set(destination, 0);
  frame.set(source, 6);
  return frame;
}

type Lab = { readonly local: string; readonly port: number; readonly vteps: readonly TestVtep[] };

async function lab(count: number, answers: boolean): Promise<Lab> {
  const local = nextAddress();
  const port = await freePort(local);
  const vteps = Array.from({ length: count }, () => new TestVtep(nextAddress(), port, local, answers));
  for (const vtep of vteps) await vtep.comeBack();
  return { local, port, vteps };
}

const quick = { tickMs: 5, patienceTicks: 10 } as const;

function open({ local, port, vteps }: Lab, events: UplinkEvents, more: Partial<VxlanOptions> = {}) {
  const remotes = vteps.map(({ address }) => address);
  return openVxlanUplink({ vni: VNI, local, port, remotes, ...quick, ...more }, events);
}

for (const answers of [true, false]) {
  testUplink({
    name: answers ? 'VXLAN, a neighbour known' : 'VXLAN, no neighbour known',
    async open(events) {
      const its = await lab(1, answers);
      const uplink = await open(its, events, answers ? { neighbour: NEIGHBOUR } : {});
      return { uplink, farEnd: its.vteps[0]! };
    },
  });
}

async function opened(t: TestContext, count: number, more: Partial<VxlanOptions> = {}) {
  const its = await lab(count, more.neighbour !== undefined);
  const frames = new Arrivals<Uint8Array>();
  const states = new Arrivals<[string, string | undefined]>();
  const onState = (state: string, reason: string | undefined) => states.put([state, reason]);
  const uplink = await open(its, { onFrame: (frame) => frames.put(frame), onState }, more);
  t.after(async () => {
    await uplink.close();
    for (const vtep of its.vteps) await vtep.close();
  });
  await states.takeUntil(([state]) => state === 'up');
  return { ...its, uplink, frames, states };
}

const GUEST = [0x52, 0x54, 0, 0, 0, 7];
const CLIENT = [0x52, 0x54, 0, 0, 0, 8];

test('broadcast and unknown addresses go to every remote, a known one where it was last seen', async (t) => {
  const { uplink, vteps, frames } = await opened(t, 2);
  const [first, second] = vteps as readonly [TestVtep, TestVtep];
  for (const destination of [BROADCAST, CLIENT]) {
    uplink.send(ethernet(destination, GUEST, 1));
    await Promise.all([first.frames.take(), second.frames.take()]);
  }
  for (const [to, other] of [
    [second, first],
    [first, second],
  ] as const) {
    to.send(ethernet(GUEST, CLIENT, 2));
    await frames.take();
    uplink.send(ethernet(CLIENT, GUEST, 3));
    uplink.send(ethernet(BROADCAST, GUEST, 4));
    assert.equal((await to.frames.take())[59], 3);
    assert.equal((await to.frames.take())[59], 4);
    assert.equal((await other.frames.take())[59], 4);
  }
});

test('datagrams from anyone but the remotes are refused, and counted', async (t) => {
  const { uplink, vteps, frames, local, port } = await opened(t, 1);
  const stranger = new TestVtep(nextAddress(), port, local, false);
  await stranger.comeBack();
  t.after(() => stranger.close());
  stranger.send(ethernet(GUEST, CLIENT, 1));
  vteps[0]!.send(ethernet(GUEST, CLIENT, 2));
  assert.equal((await frames.take())[59], 2);
  assert.equal(uplink.counters.framesIn, 1);
  assert.equal(uplink.counters.datagramsRefused, 1);
});

test('a remote that falls silent is lost, and the reason says for how long', async (t) => {
  const { states, uplink, vteps } = await opened(t, 1, { neighbour: NEIGHBOUR });
  const silent = Object.assign(vteps[0]!, { answers: false });
  const [state, reason] = await states.take();
  assert.equal(state, 'down');
  assert.match(reason ?? '', /^nothing has come from 127\.77\.\d+\.\d+ for 50 ms$/);
  assert.equal(uplink.state, 'down');
  Object.assign(silent, { answers: true });
  assert.deepEqual(await states.take(), ['up', undefined]);
});

test('a remote without an end point is lost at once, and the reason names it', async (t) => {
  const { states, vteps } = await opened(t, 1);
  await vteps[0]!.leave();
  const [state, reason] = await states.take();
  assert.equal(state, 'down');
  assert.match(reason ?? '', /^127\.77\.\d+\.\d+ \(UDP port \d+\) answers that nobody has this UDP port$/);
});

test('with two remotes the link is up while one of them is', async (t) => {
  const { states, vteps, uplink } = await opened(t, 2);
  const [first, second] = vteps as readonly [TestVtep, TestVtep];
  await first.leave();
  await second.probes.take();
  await second.probes.take();
  assert.equal(uplink.state, 'up');
  assert.equal(states.waiting, 0);
  await second.leave();
  assert.equal((await states.take())[0], 'down');
});

test('probes ask for the neighbour in words that change no table, and their answers stay outside the guest', async (t) => {
  const { vteps, frames } = await opened(t, 1, { neighbour: NEIGHBOUR });
  const [vtep] = vteps as readonly [TestVtep];
  const first = await vtep.probes.take();
  assert.deepEqual([...first.subarray(0, 6)], BROADCAST);
  assert.deepEqual([...first.subarray(28, 32)], [0, 0, 0, 0]);
  assert.deepEqual([...first.subarray(38, 42)], [...NEIGHBOUR]);
  const second = await vtep.probes.take();
  assert.deepEqual([...second.subarray(0, 6)], NEIGHBOUR_MAC); // who has answered is asked directly
  const another = Uint8Array.from(first);
  another[11] = first[11]! ^ 1;
  vtep.send(another); // of the other host
  vtep.send(arpAnswer(another));
  vtep.send(ethernet(GUEST, CLIENT, 9));
  assert.equal((await frames.take())[59], 9);
});

test('a port that another end point holds, or an address of another host, is an error for people', async (t) => {
  const { local, port } = await opened(t, 1);
  const events: UplinkEvents = { onFrame: () => {}, onState: () => {} };
  const options = { vni: 1, remotes: ['127.0.0.1'], port };
  await assert.rejects(openVxlanUplink({ ...options, local }, events), { code: 'address-in-use' });
  await assert.rejects(openVxlanUplink({ ...options, local: '192.0.2.1' }, events), { code: 'cannot-listen' });
});

test('IPv6 carries frames as well, however its addresses are written', async (t) => {
  const port = await freePort('127.0.0.1');
  const frames = new Arrivals<Uint8Array>();
  const up = Promise.withResolvers<void>();
  // One address for both ends: what is sent comes back.
  const uplink = await openVxlanUplink(
    { vni: VNI, local: '::1', remotes: ['0:0:0:0:0:0:0:1'], port, ...quick },
    { onFrame: (frame) => frames.put(frame), onState: () => up.resolve() },
  );
  t.after(() => uplink.close());
  await up.promise;
  uplink.send(ethernet(BROADCAST, GUEST, 3));
  assert.equal((await frames.take())[59], 3);
});
