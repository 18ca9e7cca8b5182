/**
 * A pair on two hosts whose guest is on a VXLAN segment, with a client behind a Linux bridge: no hub, no passt. The primary
 * is killed, or its way to the clients is cut; the client's connection goes on.
 */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import net from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { type TestContext, test } from 'node:test';
import { buildImage } from '../../src/host/image/build-image.ts';
import type { StatusLine } from '../../src/host/replica/status.ts';
import { RedisCounter } from './support/redis-counter.ts';
import { UnderstudyProcess } from './support/understudy-process.ts';
import { GATEWAY_VTEP, type GatewayMode, VNI, VxlanLab, whyNoVxlan } from './support/vxlan-lab.ts';

const skip = whyNoVxlan();
const timeout = 120_000;
const GUEST = '10.0.2.15';

/** Resolves when the guest's console, as a replica reports it to the socket `path`, says that it is ready. */
async function guestReady(t: TestContext, path: string): Promise<{ readonly done: Promise<void> }> {
  const { promise, resolve } = Promise.withResolvers<void>();
  let text = '';
  const server = net.createServer((socket) => {
    socket.on('error', () => {});
    createInterface({ input: socket }).on('line', (line) => {
      const status = JSON.parse(line) as StatusLine;
      if (status.type === 'console') text += status.data;
      if (text.includes('understudy: ready')) resolve();
    });
  });
  await new Promise<void>((listening) => server.listen(path, listening));
  t.after(() => server.close());
  server.unref();
  return { done: promise };
}

/** A machine with a disk of its own in `directory`; returns its description's file. */
async function describe(directory: string): Promise<{ description: string; disk: string }> {
  const image = await buildImage();
  const disk = join(directory, 'disk.img');
  execFileSync('cp', ['--sparse=always', image.disk, disk]);
  const network = {
    uplink: { vxlan: { vni: VNI, remotes: [GATEWAY_VTEP] } },
    address: `${GUEST}/24`,
    gateway: '10.0.2.2',
  };
  const { kernel, initramfs } = image;
  const { commandLine } = image.manifest;
  const description = join(directory, 'machine.yaml');
  await writeFile(description, JSON.stringify({ name: 'segment', kernel, initramfs, commandLine, disk, network }));
  return { description, disk };
}

/** The types of node:test do not have it yet. */
function passed(t: TestContext): boolean {
  return (t as TestContext & { readonly passed: boolean }).passed;
}

async function startPair(t: TestContext, mode: GatewayMode) {
  const directory = await mkdtemp(join(tmpdir(), 'understudy-vxlan-'));
  const lab = new VxlanLab({ mode, client: '10.0.2.2/24' });
  const started: UnderstudyProcess[] = [];
  t.after(async () => {
    for (const process of started.reverse()) {
      await process.kill('SIGKILL');
      if (!passed(t)) t.diagnostic(process.lines.join('\n'));
    }
    lab.remove();
    await rm(directory, { recursive: true, force: true });
  });
  const start = (host: 'a' | 'b' | 'store', words: readonly string[]): UnderstudyProcess => {
    const process = new UnderstudyProcess(lab[host], [...words, '--insecure']);
    started.push(process);
    return process;
  };
  const { description, disk } = await describe(directory);
  const arbiter = join(directory, 'arbiter');
  await mkdir(arbiter);
  const server = start('store', ['disk', disk, '--listen', '0.0.0.0:7001', '--name', 'segment', '--arbiter', arbiter]);
  await server.untilSays(/^the disk server listens/);
  const status = join(directory, 'status');
  const ready = await guestReady(t, status);
  const common = (host: 'a' | 'b'): string[] => [
    ...[description, '--arbiter', arbiter, '--unsafe-arbiter', '--uplink', lab.uplinkOf(host)],
    ...['--disk', `${lab.addresses[host].store}:7001`],
  ];
  const listen = ['--listen', `${lab.addresses.a.log}:7000`, '--status', `unix:${status}`, '--create'];
  const primary = start('a', ['primary', ...common('a'), ...listen]);
  await primary.untilSays(/^primary of/);
  const backup = start('b', ['backup', ...common('b'), '--primary', `${lab.addresses.a.log}:7000`]);
  await Promise.all([primary.untilSays(/: paired/), backup.untilSays(/: paired/), ready.done]);
  const client = new RedisCounter(lab.client, GUEST);
  t.after(() => client.close());
  return { lab, primary, backup, client };
}

for (const mode of ['flood', 'learn'] as const) {
  test(`kill -9 of the primary: a client's connection over VXLAN goes on, with a gateway that ${mode === 'flood' ? 'floods' : 'learns'}`, {
    skip,
    timeout,
  }, async (t) => {
    const { primary, backup, client } = await startPair(t, mode);
    const id = await client.id();
    await client.count(200);
    const counting = client.count(400);
    await primary.kill('SIGKILL');
    await backup.untilSays(/^generation 1: alone/);
    await counting;
    await client.count(200);
    assert.equal(await client.id(), id);
    t.diagnostic(`longest wait for an answer: ${client.longestMs.toFixed(0)} ms`);
  });
}

test("a cut of the primary's way to the clients leads to a hand-over, and the connection goes on", {
  skip,
  timeout,
}, async (t) => {
  const { lab, primary, backup, client } = await startPair(t, 'flood');
  const id = await client.id();
  await client.count(200);
  const counting = client.count(400);
  lab.uplinks.a.cut('silently');
  await backup.untilSays(/^generation 1: alone/);
  await primary.untilSays(/handed-over/);
  await counting;
  assert.equal(await client.id(), id);
  t.diagnostic(`longest wait for an answer: ${client.longestMs.toFixed(0)} ms`);
});
