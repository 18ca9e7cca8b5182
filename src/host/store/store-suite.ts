/** What every store does. Each implementation runs this; `make` makes a new store, and `open` a client of it. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Store } from './store.ts';

export interface StoreFixture {
  /** Another client of the store. */
  open(): Promise<Store>;
  remove(): Promise<void>;
}

const pairs = (entries: readonly { key: string; value: string }[]): [string, string][] =>
  entries.map(({ key, value }) => [key, value]);

export function testStore(name: string, make: () => Promise<StoreFixture>): void {
  const withTwo = async (work: (a: Store, b: Store) => Promise<void>): Promise<void> => {
    const fixture = await make();
    const [a, b] = [await fixture.open(), await fixture.open()];
    try {
      await work(a, b);
    } finally {
      await a.close();
      await b.close();
      await fixture.remove();
    }
  };

  test(`${name}: a document that one client writes another reads, and a removed one is gone`, () =>
    withTwo(async (a, b) => {
      assert.equal(await b.get('machines/web'), undefined);
      const made = await a.compareAndSet('machines/web', 'one', null);
      assert.deepEqual(await b.get('machines/web'), { key: 'machines/web', value: 'one', ...made });
      const changed = await b.compareAndSet('machines/web', 'two', made!.version);
      assert.equal((await a.get('machines/web'))?.value, 'two');
      assert.ok(await a.compareAndSet('machines/web', null, changed!.version));
      assert.equal(await b.get('machines/web'), undefined);
      assert.ok(await b.compareAndSet('machines/web', 'three', null));
    }));

  test(`${name}: a list holds the documents of its prefix, in the order of their keys`, () =>
    withTwo(async (a, b) => {
      for (const key of ['machines/b', 'others/m', 'machines/a']) await a.compareAndSet(key, `of ${key}`, null);
      const gone = await a.compareAndSet('machines/gone', 'soon', null);
      await a.compareAndSet('machines/gone', null, gone!.version);
      assert.deepEqual(pairs(await b.list('machines/')), [
        ['machines/a', 'of machines/a'],
        ['machines/b', 'of machines/b'],
      ]);
      assert.deepEqual(await b.list('nothing/'), []);
    }));

  test(`${name}: a document changes only from the version that the writer knows`, () =>
    withTwo(async (a, b) => {
      const first = await a.compareAndSet('machines/web', 'first', null);
      assert.equal(await b.compareAndSet('machines/web', 'other', null), undefined);
      const second = await a.compareAndSet('machines/web', 'second', first!.version);
      assert.equal(await b.compareAndSet('machines/web', 'third', first!.version), undefined);
      assert.equal(await b.compareAndSet('machines/web', null, first!.version), undefined);
      assert.equal((await b.get('machines/web'))?.value, 'second');
      assert.ok(await b.compareAndSet('machines/web', 'third', second!.version));
    }));

  test(`${name}: a change that is asked for again is found done`, () =>
    withTwo(async (a, b) => {
      const made = await a.compareAndSet('machines/web', 'one', null);
      assert.deepEqual(await b.compareAndSet('machines/web', 'one', null), made);
    }));

  test(`${name}: of many who make the same document one wins, and its value stands`, () =>
    withTwo(async (a, b) => {
      const rivals = Array.from({ length: 12 }, (_, i) => ({ store: i % 2 === 0 ? a : b, value: `of ${i}` }));
      const outcomes = await Promise.all(
        rivals.map(({ store, value }) => store.compareAndSet('machines/web', value, null)),
      );
      const winners = rivals.filter((_, i) => outcomes[i] !== undefined);
      assert.equal(winners.length, 1);
      assert.equal((await a.get('machines/web'))?.value, winners[0]!.value);
    }));

  test(`${name}: of many who change one document at once no change is forgotten`, () =>
    withTwo(async (a, b) => {
      await a.compareAndSet('machines/web', 'start', null);
      const append = async (store: Store, word: string): Promise<void> => {
        for (;;) {
          const { value, version } = (await store.get('machines/web'))!;
          if ((await store.compareAndSet('machines/web', `${value} ${word}`, version)) !== undefined) return;
        }
      };
      const words = Array.from({ length: 10 }, (_, i) => `w${i}`);
      await Promise.all(words.map((word, i) => append(i % 2 === 0 ? a : b, word)));
      const { value } = (await a.get('machines/web'))!;
      assert.deepEqual(value.split(' ').toSorted(), ['start', ...words].toSorted());
    }));

  test(`${name}: a lease goes when its time is over, and one that is written again stays`, () =>
    withTwo(async (a, b) => {
      await a.putLease('hosts/long', 'here', 60_000);
      await a.putLease('hosts/short', 'here', 1000);
      assert.deepEqual(pairs(await b.leases('hosts/')), [
        ['hosts/long', 'here'],
        ['hosts/short', 'here'],
      ]);
      await a.putLease('hosts/long', 'again', 60_000);
      const holds = async (): Promise<boolean> => (await b.leases('hosts/')).some(({ key }) => key === 'hosts/short');
      while (await holds());
      assert.deepEqual(pairs(await b.leases('hosts/')), [['hosts/long', 'again']]);
    }));

  test(`${name}: a lease can be dropped, and is no document`, () =>
    withTwo(async (a, b) => {
      await a.putLease('hosts/a', 'here', 60_000);
      assert.equal(await b.get('hosts/a'), undefined);
      await b.dropLease('hosts/a');
      assert.deepEqual(await a.leases('hosts/'), []);
      await b.dropLease('hosts/a');
    }));
}
