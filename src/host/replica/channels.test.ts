import assert from 'node:assert/strict';
import { after, type TestContext, test } from 'node:test';
import type { ChannelCertificates } from '../../core/replication/replica.ts';
import { Arrivals } from '../net/testing.ts';
import { TestAuthority } from '../tls/testing.ts';
import { Channels } from './channels.ts';

const authority = await TestAuthority.make();
after(() => authority.remove());
const [hostA, hostB] = [await authority.host('host-a'), await authority.host('host-b')];
const LOOPBACK = { host: '127.0.0.1', port: 0 };

function channels(t: TestContext, tls: ConstructorParameters<typeof Channels>[1]) {
  const opened = new Arrivals<ChannelCertificates | undefined>();
  const closed = new Arrivals<string>();
  const refused: string[] = [];
  const events = {
    onOpen: (_: number, certificates: ChannelCertificates | undefined) => opened.put(certificates),
    onMessage: assert.fail,
    onOtherVersion: assert.fail,
    onClosed: (_: number, why: string) => closed.put(why),
    onRefused: (why: string) => void refused.push(why),
  };
  const made = new Channels(events, tls);
  t.after(() => made.closeAll());
  return { made, opened, closed, refused };
}

test('each end is told what both have shown', async (t) => {
  const near = channels(t, { credentials: hostA });
  const far = channels(t, { credentials: hostB });
  await far.made.connect(1, await near.made.listen(LOOPBACK));
  const [own, peer] = [hostA.current.fingerprint, hostB.current.fingerprint];
  assert.deepEqual(await near.opened.take(), { own, peer });
  assert.deepEqual(await far.opened.take(), { own: peer, peer: own });
});

test('without keys nothing is shown', async (t) => {
  const near = channels(t, undefined);
  const far = channels(t, undefined);
  await far.made.connect(1, await near.made.listen(LOOPBACK));
  assert.equal(await near.opened.take(), undefined);
  assert.equal(await far.opened.take(), undefined);
});

test('a peer that is not let in and tries again and again is told of once, on both sides', async (t) => {
  const near = channels(t, { credentials: hostA, authorise: () => 'it is of no use here' });
  const far = channels(t, { credentials: hostB });
  const address = await near.made.listen(LOOPBACK);
  for (const id of [1, 2, 3]) {
    await far.made.connect(id, address);
    assert.match(await far.closed.take(), /refuses this host: .*it is of no use here/);
  }
  assert.equal(near.refused.length, 1);
  assert.match(near.refused[0] ?? '', /host-b\) is not let in: it is of no use here/);
  assert.equal(far.refused.length, 1);
});
