/** The store in a real etcd. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { openStore } from '../../../src/host/store/open.ts';
import { testStore } from '../../../src/host/store/store-suite.ts';
import { type EtcdServer, startEtcd } from '../arbiter/support/etcd-server.ts';
import { FaultProxy } from '../arbiter/support/fault-proxy.ts';

let server: EtcdServer;
before(async () => {
  server = await startEtcd();
});
after(() => server?.remove());

testStore('etcd store', async () => {
  const { addressAt } = await server.newStore();
  return { open: () => openStore(addressAt(server.port)), remove: async () => {} };
});

test('etcd store: a change whose answer is lost is found done when it is asked for again', async (t) => {
  const proxy = await FaultProxy.start(server.port);
  const store = await openStore((await server.newStore()).addressAt(proxy.port));
  t.after(async () => {
    await store.close();
    await proxy.stop();
  });
  const made = await store.compareAndSet('machines/web', 'one', null);
  proxy.set({ kind: 'lose-answers', after: 0 });
  await assert.rejects(store.compareAndSet('machines/web', 'two', made!.version), { code: 'store-away' });
  proxy.set({ kind: 'none' });
  assert.ok(await store.compareAndSet('machines/web', 'two', made!.version));
  assert.equal((await store.get('machines/web'))?.value, 'two');
});
