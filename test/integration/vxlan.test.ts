/**
 * The uplink over VXLAN against Linux's own: a bridge and a vxlan device in a namespace, a client that pings, and two hosts
 * between which the guest's address moves. The guest is a stand-in that answers pings; test/e2e/vxlan.test.ts has a real one.
 */
import assert from 'node:assert/strict';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { type TestContext, test } from 'node:test';
import { Arrivals } from '../../src/host/net/testing.ts';
import { type GatewayMode, VxlanLab, whyNoVxlan } from '../e2e/support/vxlan-lab.ts';

const GUEST = join(import.meta.dirname, '../e2e/support/echo-guest.ts');
const skip = whyNoVxlan();
const timeout = 60_000;

/** The stand-in on one host. */
class StandIn {
  readonly lines = new Arrivals<string>();
  readonly #child: ChildProcess;
  readonly #ended: Promise<unknown>;

  constructor(lab: VxlanLab, host: 'a' | 'b') {
    const words = [GUEST, lab.uplinkOf(host), '10.0.2.15', '10.0.2.2'];
    this.#child = lab[host].spawn(process.execPath, words, { stdio: ['pipe', 'pipe', 'inherit'] });
    this.#ended = once(this.#child, 'close');
    createInterface({ input: this.#child.stdout! }).on('line', this.lines.put);
  }

  async says(text: RegExp): Promise<string> {
    return this.lines.takeUntil((line) => text.test(line));
  }

  /** Announces itself and answers from now on. */
  async goLive(): Promise<void> {
    this.#child.stdin!.write('live\n');
    await this.says(/^live$/);
  }

  /** Echo requests that have come in so far. */
  async requests(): Promise<number> {
    this.#child.stdin!.write('count\n');
    return Number((await this.says(/^frames /)).split(' ')[1]);
  }

  async kill(): Promise<void> {
    this.#child.kill('SIGKILL');
    await this.#ended;
  }
}

async function opened(t: TestContext, mode: GatewayMode) {
  const lab = new VxlanLab({ mode, client: '10.0.2.2/24' });
  const a = new StandIn(lab, 'a');
  const b = new StandIn(lab, 'b');
  t.after(async () => {
    await a.kill();
    await b.kill();
    lab.remove();
  });
  await Promise.all([a.says(/^up$/), b.says(/^up$/)]);
  await a.goLive();
  return { lab, a, b };
}

/** `count` pings of the client, 20 ms apart; the sequence numbers that were answered. */
class Ping {
  readonly answered = new Set<number>();
  readonly #arrivals = new Arrivals<number>();
  readonly #ended: Promise<unknown>;

  constructor(lab: VxlanLab, count: number, words: readonly string[] = []) {
    const all = ['-c', String(count), '-i', '0.02', '-W', '1', ...words, '10.0.2.15'];
    const child = lab.client.spawn('ping', all, { stdio: ['ignore', 'pipe', 'inherit'] });
    createInterface({ input: child.stdout! }).on('line', (line) => {
      const sequence = /icmp_seq=(\d+) ttl/.exec(line)?.[1];
      if (sequence === undefined) return;
      this.answered.add(Number(sequence));
      this.#arrivals.put(Number(sequence));
    });
    this.#ended = once(child, 'close');
  }

  /** Waits for the next `count` answers. */
  async answers(count: number): Promise<void> {
    for (let i = 0; i < count; i++) await this.#arrivals.take();
  }

  async end(): Promise<void> {
    await this.#ended;
  }
}

test('a kernel VTEP that does not learn sends the frames for the guest to both hosts', { skip, timeout }, async (t) => {
  const { lab, a, b } = await opened(t, 'flood');
  const ping = new Ping(lab, 20);
  await ping.end();
  assert.equal(ping.answered.size, 20);
  assert.equal(await a.requests(), 20);
  assert.equal(await b.requests(), 20);
});

test('a kernel VTEP that learns sends them to the active host only', { skip, timeout }, async (t) => {
  const { lab, a, b } = await opened(t, 'learn');
  const ping = new Ping(lab, 20);
  await ping.end();
  assert.equal(ping.answered.size, 20);
  assert.equal(await a.requests(), 20);
  assert.equal(await b.requests(), 0);
});

for (const mode of ['flood', 'learn'] as const) {
  test(`the address moves to the other host with its announcement, over a VTEP that ${mode === 'flood' ? 'floods' : 'learns'}`, {
    skip,
    timeout,
  }, async (t) => {
    const { lab, a, b } = await opened(t, mode);
    const ping = new Ping(lab, 100);
    await ping.answers(30);
    await a.kill();
    await b.goLive();
    await ping.answers(40); // only b can answer any more
    await ping.end();
    const lost = 100 - ping.answered.size;
    t.diagnostic(`${lost} pings of 100 lost, 20 ms apart, kill to announcement included`);
    assert.ok(ping.answered.has(100));
  });
}

test("a full frame of 1,514 bytes comes through whole where the hosts' network has room for it, else in fragments", {
  skip,
  timeout,
}, async (t) => {
  const { lab } = await opened(t, 'flood');
  const whole = new Ping(lab, 5, ['-s', '1472', '-M', 'do']);
  await whole.end();
  assert.equal(whole.answered.size, 5);
  for (const cable of [lab.uplinks.a, lab.uplinks.b]) cable.mtu(1500);
  const fragmented = new Ping(lab, 5, ['-s', '1472', '-M', 'dont']);
  await fragmented.end();
  assert.equal(fragmented.answered.size, 5);
});

test('a cut way to the gateway is known as such, however it is cut, while the other host keeps its own', {
  skip,
  timeout,
}, async (t) => {
  const { lab, a, b } = await opened(t, 'flood');
  for (const [how, reason] of [
    ['first', /^down: .*no route/],
    ['second', /^down: nothing has come from 198\.18\.1\.1/],
    ['silently', /^down: nothing has come from 198\.18\.1\.1/],
  ] as const) {
    lab.uplinks.a.cut(how);
    await a.says(reason);
    lab.uplinks.a.mend();
    await a.says(/^up$/);
  }
  assert.equal(b.lines.waiting, 0);
});

test('a gateway whose end point is gone is known by its refusals', { skip, timeout }, async (t) => {
  const { lab, a, b } = await opened(t, 'flood');
  lab.gateway.ip('link', 'set', 'vx0', 'down');
  await Promise.all([a, b].map((guest) => guest.says(/^down: .*nobody has this UDP port/)));
  lab.gateway.ip('link', 'set', 'vx0', 'up');
  await Promise.all([a, b].map((guest) => guest.says(/^up$/)));
});
