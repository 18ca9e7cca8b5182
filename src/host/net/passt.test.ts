import assert from 'node:assert/strict';
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import dgram from 'node:dgram';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import net from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, type TestContext, test } from 'node:test';
import { startHub } from './hub.ts';
import { openPasst, type PasstOptions, passtArguments } from './passt.ts';
import { Arrivals, plugCard } from './testing.ts';

/** UNDERSTUDY_PASST names another passt to test, such as a newer one. */
const command = process.env.UNDERSTUDY_PASST ?? 'passt';
const skip = hasPasst() ? false : 'passt is not installed (sudo apt-get install passt)';
const directory = mkdtempSync(join(tmpdir(), 'understudy-passt-'));
after(() => rmSync(directory, { recursive: true }));

const MAC = Uint8Array.from([0x52, 0x54, 0x00, 0xaa, 0xbb, 0xcc]);
const ETHERTYPE_IPV4 = 0x0800;

function hasPasst(): boolean {
  try {
    execFileSync(command, ['--version'], { stdio: 'ignore' });
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code !== 'ENOENT';
  }
}

async function freePort(): Promise<number> {
  const server = net.createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as net.AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

const view = (frame: Uint8Array) => new DataView(frame.buffer, frame.byteOffset, frame.length);

/** Whether `frame` is the first segment (SYN alone) of a TCP connection to `port` of the guest. */
function isSynTo(frame: Uint8Array, port: number): boolean {
  const isTcp = view(frame).getUint16(12) === ETHERTYPE_IPV4 && frame[23] === 6;
  if (!isTcp) return false;
  const tcp = 14 + (frame[14]! & 15) * 4;
  return view(frame).getUint16(tcp + 2) === port && (frame[tcp + 13]! & 0x12) === 0x02;
}

function isUdpTo(frame: Uint8Array, port: number): boolean {
  const isUdp = view(frame).getUint16(12) === ETHERTYPE_IPV4 && frame[23] === 17;
  return isUdp && view(frame).getUint16(14 + (frame[14]! & 15) * 4 + 2) === port;
}

/** A DHCPDISCOVER (RFC 2131) as a guest's first frame. */
function dhcpDiscover(): Uint8Array {
  const bootp = Buffer.alloc(300);
  bootp.set([1, 1, 6, 0, 0x12, 0x34, 0x56, 0x78]);
  bootp.set(MAC, 28);
  bootp.set([99, 130, 83, 99, 53, 1, 1, 255], 236);
  const frame = Buffer.alloc(42 + bootp.length);
  frame.fill(0xff, 0, 6);
  frame.set(MAC, 6);
  frame.writeUInt16BE(ETHERTYPE_IPV4, 12);
  frame.set([0x45, 0], 14);
  frame.writeUInt16BE(28 + bootp.length, 16);
  frame.set([64, 17], 22);
  frame.fill(0xff, 30, 34);
  let sum = 0;
  for (let at = 14; at < 34; at += 2) sum += frame.readUInt16BE(at);
  frame.writeUInt16BE(~((sum & 0xffff) + (sum >>> 16)) & 0xffff, 24);
  frame.writeUInt16BE(68, 34);
  frame.writeUInt16BE(67, 36);
  frame.writeUInt16BE(8 + bootp.length, 38);
  frame.set(bootp, 42);
  return frame;
}

async function hubWithPasst(t: TestContext, name: string, passt: PasstOptions) {
  const hub = await startHub({
    listen: [{ path: join(directory, `${name}.sock`) }],
    uplink: { passt: { command, guestMac: MAC, ...passt } },
    onFailure: (error) => assert.fail(error.message),
  });
  t.after(() => hub.close());
  return { hub, first: await plugCard(hub.addresses[0]!), second: await plugCard(hub.addresses[0]!) };
}

test('a DHCP request through the hub is answered to both replicas', { skip }, async (t) => {
  const { first, second } = await hubWithPasst(t, 'dhcp', {});
  first.send(dhcpDiscover());
  for (const card of [first, second]) {
    const offer = await card.frames.takeUntil((frame) => isUdpTo(frame, 68));
    assert.deepEqual([...offer.subarray(42 + 16, 42 + 20)], [10, 0, 2, 15]);
  }
});

test('a connection to a forwarded port reaches both replicas, before the guest sent a frame', { skip }, async (t) => {
  const hostPort = await freePort();
  const { first, second } = await hubWithPasst(t, 'tcp', {
    forwards: [{ protocol: 'tcp', hostPort, guestPort: 6379 }],
  });
  const client = net.connect(hostPort, '127.0.0.1');
  t.after(() => client.destroy());
  for (const card of [first, second]) {
    const syn = await card.frames.takeUntil((frame) => isSynTo(frame, 6379));
    assert.deepEqual(Uint8Array.from(syn.subarray(0, 6)), MAC);
    assert.deepEqual([...syn.subarray(30, 34)], [10, 0, 2, 15]);
  }
});

test('a datagram to a forwarded port reaches the guest', { skip }, async (t) => {
  const hostPort = await freePort();
  const { first } = await hubWithPasst(t, 'udp', { forwards: [{ protocol: 'udp', hostPort, guestPort: 53 }] });
  const client = dgram.createSocket('udp4');
  t.after(() => client.close());
  client.send('question', hostPort, '127.0.0.1');
  const frame = await first.frames.takeUntil((candidate) => isUdpTo(candidate, 53));
  assert.equal(Buffer.from(frame.subarray(42)).toString(), 'question');
});

test('a forwarded port in use is one error that names it', { skip }, async () => {
  const server = net.createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port: hostPort } = server.address() as net.AddressInfo;
  const forwards = [{ protocol: 'tcp', hostPort, guestPort: 80 }] as const;
  await assert.rejects(openPasst({ command, forwards }, { onFrame: () => {}, onState: () => {} }), {
    code: 'port-in-use',
    message: new RegExp(`tcp port ${hostPort} on 127.0.0.1`),
  });
  server.close();
});

test('a forward that makes no sense is refused', async () => {
  const events = { onFrame: () => {}, onState: () => {} };
  for (const forward of [
    { protocol: 'tcp', hostPort: 0, guestPort: 80 },
    { protocol: 'tcp', hostPort: 80, guestPort: 65_536 },
    { protocol: 'tcp', hostAddress: 'localhost', hostPort: 8080, guestPort: 80 },
  ] as const) {
    await assert.rejects(openPasst({ forwards: [forward] }, events), { code: 'bad-forward' });
  }
});

test('a missing passt is an error that says how to install it', async () => {
  const events = { onFrame: () => {}, onState: () => {} };
  await assert.rejects(openPasst({ command: join(directory, 'no-passt') }, events), {
    code: 'passt-missing',
    advice: /apt-get install passt/,
  });
});

test('a passt that refuses to start is reported with its own words', { skip }, async () => {
  const events = { onFrame: () => {}, onState: () => {} };
  await assert.rejects(openPasst({ command, prefixLength: 99 }, events), { code: 'passt-failed', message: /99|mask/i });
});

test('the end of passt is reported once', { skip }, async (t) => {
  const states = new Arrivals<string | undefined>();
  const uplink = await openPasst({ command }, { onFrame: () => {}, onState: (_, reason) => states.put(reason) });
  t.after(() => uplink.close());
  for (const pid of passtChildren(process.pid)) process.kill(pid, 'SIGKILL');
  assert.match((await states.take()) ?? '', /SIGKILL/);
  assert.equal(uplink.state, 'down');
});

test('the defaults are the addresses that users of QEMU know', () => {
  const words = passtArguments({ forwards: [{ protocol: 'tcp', hostPort: 2222, guestPort: 22 }] }).join(' ');
  assert.match(words, /--address 10\.0\.2\.15 --netmask 24 --gateway 10\.0\.2\.2 /);
  assert.match(words, /--tcp-ports 127\.0\.0\.1\/2222:22$/);
});

test('a host without a default route lends its loopback interface', () => {
  assert.match(passtArguments({ ipv6: true }, false).join(' '), /--interface lo --ipv4-only$/);
  assert.doesNotMatch(passtArguments({ ipv6: true }, true).join(' '), /--interface|--ipv4-only/);
});

/** Process ids of the children of `parent`, of whatever name (Linux). */
function passtChildren(parent: number): number[] {
  const text = readFileSync(`/proc/${parent}/task/${parent}/children`, 'utf8').trim();
  return text === '' ? [] : text.split(' ').map(Number);
}

async function hubProcess(name: string): Promise<{ hub: ChildProcess; passt: number; port: number }> {
  const port = await freePort();
  const script = new URL('./fixtures/hub-process.ts', import.meta.url).pathname;
  const words = [script, join(directory, `${name}.sock`), command, String(port)];
  const hub = spawn(process.execPath, words, { stdio: ['pipe', 'pipe', 'inherit'] });
  const [first] = await Promise.race([once(hub.stdout!, 'data'), once(hub, 'exit')]);
  assert.equal(String(first), 'ready\n');
  const [passt] = passtChildren(hub.pid!);
  assert.ok(passt !== undefined);
  return { hub, passt, port };
}

/** Resolves once nothing holds `port`: passt, which is no child of this process, has gone. */
async function untilPortIsFree(port: number): Promise<void> {
  for (;;) {
    const server = net.createServer().listen(port, '127.0.0.1');
    const [event] = await Promise.race([
      once(server, 'listening').then(() => ['free']),
      once(server, 'error').then(() => ['taken']),
    ]).catch(() => ['taken']);
    server.close();
    if (event === 'free') return;
    await new Promise((resolve) => setImmediate(resolve));
  }
}

for (const [name, end] of [
  ['by SIGTERM', (hub: ChildProcess) => hub.kill('SIGTERM')],
  ['by SIGKILL', (hub: ChildProcess) => hub.kill('SIGKILL')],
  ['with its parent', (hub: ChildProcess) => hub.stdin!.end()],
] as const) {
  test(`a hub that ends ${name} takes passt along`, { skip }, async () => {
    const { hub, port } = await hubProcess(name.replaceAll(' ', '-'));
    const gone = once(hub, 'exit');
    end(hub);
    await gone;
    await untilPortIsFree(port);
  });
}

test('a hub that loses passt says so and ends with status 1', { skip }, async () => {
  const { hub, passt } = await hubProcess('lost');
  const gone = once(hub, 'exit');
  process.kill(passt, 'SIGKILL');
  assert.deepEqual(await gone, [1, null]);
});
