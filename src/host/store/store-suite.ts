/** What every store does. Each implementation runs this with `open`, which makes clients of one and the same new store. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Store } from './store.ts';

export interface StoreFixture {
  /** Another client of the store. */
  open(): Promise<Store>;
  close(): Promise<void>;
}

export function testStore(name: string, make: () => Promise<StoreFixture>): void {
  const withTwo = async (work: (a: Store, b: Store) => Promise<void>): Promise<void> => {
    const fixture = await make();
    const [a, b] = [await fixture.open(), await fixture.open()];
    try {
      await work(a, b);
    } finally {
      await a.close();
      await b.close();
      await fixture.close();
    }
  };

  test(`${name}: what one client writes the other reads, and a removed key is gone`, () =>
    withTwo(async (a, b) => {
      assert.equal(await b.get('hosts/a'), undefined);
      await a.put('hosts/a', 'one');
      assert.equal((await b.get('hosts/a'))?.value, 'one');
      await b.put('hosts/a', 'two');
      assert.equal((await a.get('hosts/a'))?.value, 'two');
      await a.remove('hosts/a');
      assert.equal(await b.get('hosts/a'), undefined);
      await a.remove('hosts/never-there');
    }));

  test(`${name}: a list holds the keys of its prefix, in order`, () =>
    withTwo(async (a, b) => {
      for (const key of ['hosts/b', 'machines/m', 'hosts/a', 'hosts/gone']) await a.put(key, `of ${key}`);
      await a.remove('hosts/gone');
      const entries = await b.list('hosts/');
      assert.deepEqual(
        entries.map(({ key, value }) => [key, value]),
        [
          ['hosts/a', 'of hosts/a'],
          ['hosts/b', 'of hosts/b'],
        ],
      );
      assert.deepEqual(await b.list('nothing/'), []);
    }));

  test(`${name}: compare-and-set makes a key that is not there, and changes only the version it was given`, () =>
    withTwo(async (a, b) => {
      assert.equal(await a.compareAndSet('machines/m', undefined, 'first'), true);
      assert.equal(await b.compareAndSet('machines/m', undefined, 'other'), false);
      const seen = await b.get('machines/m');
      assert.equal(seen?.value, 'first');
      await a.put('machines/m', 'second');
      assert.equal(await b.compareAndSet('machines/m', seen?.version, 'third'), false);
      const now = await b.get('machines/m');
      assert.equal(await b.compareAndSet('machines/m', now?.version, 'third'), true);
      await a.remove('machines/m');
      assert.equal(await b.compareAndSet('machines/m', undefined, 'again'), true);
      assert.equal((await a.get('machines/m'))?.value, 'again');
    }));

  test(`${name}: of many who make the same key one wins, and its value stands`, () =>
    withTwo(async (a, b) => {
      const rivals = Array.from({ length: 20 }, (_, i) => ({ store: i % 2 === 0 ? a : b, value: `of ${i}` }));
      const won = await Promise.all(
        rivals.map(({ store, value }) => store.compareAndSet('machines/m', undefined, value)),
      );
      assert.equal(won.filter(Boolean).length, 1);
      assert.equal((await a.get('machines/m'))?.value, rivals[won.indexOf(true)].value);
    }));

  test(`${name}: an entry is gone when its lease has run out, and one that is renewed stays`, () =>
    withTwo(async (a, b) => {
      await a.put('hosts/long', 'here', 60_000);
      await a.put('hosts/short', 'here', 1000);
      const gone = async (): Promise<boolean> => {
        await a.put('hosts/long', 'renewed', 60_000);
        return (await b.get('hosts/short')) === undefined;
      };
      while (!(await gone()));
      assert.deepEqual(
        (await b.list('hosts/')).map(({ key, value }) => [key, value]),
        [['hosts/long', 'renewed']],
      );
      assert.equal(await b.compareAndSet('hosts/short', undefined, 'anew'), true);
    }));

  test(`${name}: a key that is written many times by many keeps the last value`, () =>
    withTwo(async (a, b) => {
      await Promise.all(Array.from({ length: 40 }, (_, i) => (i % 2 === 0 ? a : b).put('hosts/a', `value ${i}`)));
      await a.put('hosts/a', 'the last');
      assert.equal((await b.get('hosts/a'))?.value, 'the last');
    }));
}
