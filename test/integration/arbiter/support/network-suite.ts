/**
 * What holds of every arbiter that is reached by a network, tried with a real server behind a proxy that loses, holds, cuts
 * and repeats. It stands beside the suite of all arbiters (src/host/arbiter/arbiter-suite.ts), which it runs, too.
 */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { after, before, type TestContext, test } from 'node:test';
import { promisify } from 'node:util';
import type { Arbiter } from '../../../../src/host/arbiter/arbiter.ts';
import { type ArbiterStore, newIdentifier, testArbiter } from '../../../../src/host/arbiter/arbiter-suite.ts';
import { openArbiter } from '../../../../src/host/arbiter/open.ts';
import { type Fault, FaultProxy } from './fault-proxy.ts';
import type { ArbiterServer } from './server-process.ts';

const claimScript = new URL('./claim-process.ts', import.meta.url).pathname;

/** Short enough that a test of silence is quick, long enough that a busy machine's server is not called silent. */
const HASTY_MS = 1000;

type Pair = { vm: string; token: string; primary: string; backup: string };

async function pairOf(arbiter: Arbiter): Promise<Pair> {
  const vm = `vm-${newIdentifier().slice(0, 8)}`;
  const record = { token: newIdentifier(), primary: newIdentifier(), backup: newIdentifier() };
  assert.equal(await arbiter.create(vm, record.primary), 'won');
  assert.equal(await arbiter.writePair(vm, 0, record), 'written');
  return { vm, ...record };
}

/** As the protocol does: asks until the answer is one (PROTOCOL.md, 4). */
async function insist(arbiter: Arbiter, { vm, token }: Pair, incarnation: string): Promise<'won' | 'lost'> {
  for (;;) {
    const outcome = await arbiter.claim(vm, 0, incarnation, token);
    if (outcome !== 'unknown') return outcome;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

export function testNetworkArbiter(name: string, startServer: () => Promise<ArbiterServer>): void {
  let server: ArbiterServer;
  before(async () => {
    server = await startServer();
    console.log(`# ${name}: ${server.version}`);
  });
  after(() => server?.remove());

  testArbiter(name, async (): Promise<ArbiterStore> => {
    const store = await server.newStore();
    const proxy = await FaultProxy.start(server.port);
    const address = store.addressAt(proxy.port);
    return {
      open: () => openArbiter(address, { allowLocal: true }),
      lose: async (how) => (how === 'empty' ? store.clear() : proxy.set({ kind: 'refuse' })),
      remove: () => proxy.stop(),
      claimInProcess: async (...words) => {
        const spoken = [claimScript, address, ...words.map(String)];
        return (await promisify(execFile)(process.execPath, spoken)).stdout.trim();
      },
    };
  });

  /** `good` reaches the server without a proxy; `faulty(...)` opens a client with a proxy of its own. */
  type Bench = {
    good: Arbiter;
    address: (port: number) => string;
    faulty: (timeoutMs?: number) => Promise<{ proxy: FaultProxy; arbiter: Arbiter }>;
  };

  const run = (title: string, body: (bench: Bench) => Promise<void>) =>
    test(`${name}: ${title}`, async (t: TestContext) => {
      const { addressAt: address } = await server.newStore();
      const good = await openArbiter(address(server.port), { allowLocal: true });
      t.after(() => good.close());
      const faulty = async (timeoutMs?: number) => {
        const proxy = await FaultProxy.start(server.port);
        const options = timeoutMs === undefined ? {} : { timeoutMs };
        const arbiter = await openArbiter(address(proxy.port), { allowLocal: true, ...options });
        t.after(async () => {
          await arbiter.close();
          await proxy.stop();
        });
        return { proxy, arbiter };
      };
      await body({ good, address, faulty });
    });

  run('a claim whose answer is lost has landed: asked again it is won, and the rival has lost', async (bench) => {
    const { proxy, arbiter } = await bench.faulty();
    const pair = await pairOf(bench.good);
    await arbiter.owner(pair.vm); // the connection stands
    proxy.set({ kind: 'lose-answers', after: 1 }); // the pair's record is read; the test-and-set stays without answer
    assert.equal(await arbiter.claim(pair.vm, 0, pair.backup, pair.token), 'unknown');
    assert.deepEqual(await bench.good.owner(pair.vm), { generation: 1, incarnation: pair.backup });
    assert.match(arbiter.trouble?.message ?? '', new RegExp(`127\\.0\\.0\\.1:${proxy.port} `));
    assert.ok(arbiter.trouble?.advice);
    assert.equal(await bench.good.claim(pair.vm, 0, pair.primary, pair.token), 'lost');
    proxy.set({ kind: 'none' });
    assert.equal(await arbiter.claim(pair.vm, 0, pair.backup, pair.token), 'won');
    assert.equal(arbiter.trouble, undefined);
  });

  run('an answer that comes too late is unknown, and does no harm when it comes', async (bench) => {
    const { proxy, arbiter } = await bench.faulty(HASTY_MS);
    const pair = await pairOf(bench.good);
    await arbiter.owner(pair.vm);
    proxy.set({ kind: 'hold-answers' });
    assert.equal(await arbiter.claim(pair.vm, 0, pair.backup, pair.token), 'unknown');
    assert.equal(await insist(bench.good, pair, pair.primary), 'won');
    proxy.set({ kind: 'none' });
    assert.equal(await insist(arbiter, pair, pair.backup), 'lost');
    assert.deepEqual(await arbiter.owner(pair.vm), { generation: 1, incarnation: pair.primary });
  });

  for (const rival of ['before', 'after'] as const) {
    run(`a claim that lands long after it was given up, the rival's ${rival} it, is one claim`, async (bench) => {
      const { proxy, arbiter } = await bench.faulty(HASTY_MS);
      const pair = await pairOf(bench.good);
      await arbiter.owner(pair.vm);
      proxy.set({ kind: 'delay-requests', after: 1 });
      assert.equal(await arbiter.claim(pair.vm, 0, pair.backup, pair.token), 'unknown');
      assert.deepEqual(await bench.good.owner(pair.vm), { generation: 0, incarnation: pair.primary });
      if (rival === 'before') assert.equal(await bench.good.claim(pair.vm, 0, pair.primary, pair.token), 'won');
      proxy.set({ kind: 'none' });
      await proxy.settle();
      const incarnation = rival === 'before' ? pair.primary : pair.backup;
      assert.deepEqual(await bench.good.owner(pair.vm), { generation: 1, incarnation });
      assert.equal(await insist(bench.good, pair, pair.primary), rival === 'before' ? 'won' : 'lost');
      assert.equal(await insist(arbiter, pair, pair.backup), rival === 'before' ? 'lost' : 'won');
    });
  }

  run('requests that arrive twice change nothing', async (bench) => {
    const { proxy, arbiter } = await bench.faulty();
    const pair = await pairOf(bench.good);
    proxy.set({ kind: 'repeat' });
    assert.equal(await arbiter.claim(pair.vm, 0, pair.backup, pair.token), 'won');
    const solo = { token: newIdentifier(), primary: pair.backup, backup: null };
    assert.equal(await arbiter.writePair(pair.vm, 1, solo), 'written');
    assert.equal(await arbiter.claim(pair.vm, 1, pair.backup, solo.token), 'won');
    await proxy.settle();
    assert.deepEqual(await bench.good.owner(pair.vm), { generation: 2, incarnation: pair.backup });
    assert.equal(await bench.good.claim(pair.vm, 0, pair.primary, pair.token), 'lost');
  });

  for (const kind of ['cut-request', 'cut-answer'] as const) {
    run(
      `wherever a connection is cut (${kind}), the claim is won or unknown, and won when asked again`,
      async (bench) => {
        const { proxy, arbiter } = await bench.faulty();
        for (const afterBytes of [0, 1, 7, 30, 80, 150, 200, 260, 330, 400, 500, 700, 1000]) {
          const pair = await pairOf(bench.good);
          await arbiter.owner(pair.vm);
          proxy.set({ kind, afterBytes });
          assert.match(await arbiter.claim(pair.vm, 0, pair.backup, pair.token), /^(won|unknown)$/);
          proxy.set({ kind: 'none' });
          assert.equal(await insist(arbiter, pair, pair.backup), 'won');
          assert.equal(await bench.good.claim(pair.vm, 0, pair.primary, pair.token), 'lost');
        }
      },
    );
  }

  run('of two rivals behind bad networks that both ask until they know, exactly one wins', async (bench) => {
    const rivals = [await bench.faulty(HASTY_MS), await bench.faulty(HASTY_MS)] as const;
    const faults: readonly Fault[] = [
      { kind: 'none' },
      { kind: 'lose-answers', after: 0 },
      { kind: 'lose-answers', after: 1 },
      { kind: 'cut-request', afterBytes: 300 },
      { kind: 'cut-answer', afterBytes: 100 },
      { kind: 'repeat' },
    ];
    for (const one of faults) {
      for (const two of faults) {
        const pair = await pairOf(bench.good);
        rivals[0].proxy.set(one);
        rivals[1].proxy.set(two);
        const sides = [pair.primary, pair.backup].map(async (who, at) => {
          const { proxy, arbiter } = rivals[at]!;
          const first = await arbiter.claim(pair.vm, 0, who, pair.token);
          if (first !== 'unknown') return first;
          proxy.set({ kind: 'none' });
          return insist(arbiter, pair, who);
        });
        assert.deepEqual((await Promise.all(sides)).sort(), ['lost', 'won'], `${one.kind} against ${two.kind}`);
      }
    }
  });

  run('what was won is won after the server was killed and started again', async (bench) => {
    const pair = await pairOf(bench.good);
    assert.equal(await bench.good.claim(pair.vm, 0, pair.backup, pair.token), 'won');
    await server.kill();
    assert.equal(await bench.good.claim(pair.vm, 0, pair.primary, pair.token), 'unknown');
    await server.restart();
    assert.equal(await insist(bench.good, pair, pair.primary), 'lost');
    assert.equal(await insist(bench.good, pair, pair.backup), 'won');
    assert.deepEqual(await bench.good.owner(pair.vm), { generation: 1, incarnation: pair.backup });
  });

  run('a server that is stopped is unknown within the time-out, and answers when it goes on', async (bench) => {
    const { proxy, arbiter } = await bench.faulty(HASTY_MS);
    const pair = await pairOf(bench.good);
    await arbiter.owner(pair.vm);
    server.pause();
    try {
      assert.equal(await arbiter.claim(pair.vm, 0, pair.backup, pair.token), 'unknown');
      assert.match(arbiter.trouble?.message ?? '', new RegExp(`127\\.0\\.0\\.1:${proxy.port}.*no answer in time`));
      assert.equal(await arbiter.owner(pair.vm), undefined);
    } finally {
      server.resume();
    }
    assert.equal(await insist(bench.good, pair, pair.primary), 'won');
    assert.equal(await insist(arbiter, pair, pair.backup), 'lost');
  });

  run('a server that is away when the arbiter is opened is told of, and waited for', async (bench) => {
    const pair = await pairOf(bench.good);
    await server.kill();
    const arbiter = await openArbiter(bench.address(server.port), { allowLocal: true });
    try {
      assert.match(arbiter.trouble?.message ?? '', new RegExp(`127\\.0\\.0\\.1:${server.port}.*ECONNREFUSED`));
      await server.restart();
      assert.equal(await insist(arbiter, pair, pair.backup), 'won');
    } finally {
      await arbiter.close();
    }
  });

  run('a server on this host is refused, unless the person insists', async (bench) => {
    await assert.rejects(openArbiter(bench.address(server.port), { allowLocal: false }), {
      code: 'arbiter-local',
      advice: /--unsafe-arbiter/,
    });
  });
}
