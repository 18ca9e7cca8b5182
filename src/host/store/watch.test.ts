import assert from 'node:assert/strict';
import { EventEmitter, once } from 'node:events';
import { mkdtempSync, rmSync, utimesSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { DirectoryStore } from './directory-store.ts';
import { watchStore } from './watch.ts';

function newDirectory(t: TestContext): string {
  const directory = mkdtempSync(join(tmpdir(), 'understudy-watch-'));
  t.after(() => rmSync(directory, { recursive: true, force: true }));
  return directory;
}

test('a watcher sees leases come and go, and documents change', async (t) => {
  const directory = newDirectory(t);
  const store = await DirectoryStore.open(directory);
  await store.putLease('hosts/a', 'here', 60_000);
  const seen = new EventEmitter();
  const stop = watchStore(store, '', 5, {
    onChange: ({ leases, documents }) => seen.emit([...leases, ...documents].map(({ value }) => value).join(' ')),
    onTrouble: (reason) => seen.emit('error', new Error(reason)),
  });
  t.after(stop);
  await once(seen, 'here');
  const changed = once(seen, 'here wanted');
  await store.compareAndSet('machines/web', 'wanted', null);
  await changed;
  // As the file server would show it a minute later.
  const gone = once(seen, 'wanted');
  const minuteAgo = Date.now() / 1000 - 61;
  utimesSync(join(directory, '.store', 'leases', 'hosts+a'), minuteAgo, minuteAgo);
  await gone;
});

test('a store that goes is told of once, and once when it is back', async (t) => {
  const directory = newDirectory(t);
  const store = await DirectoryStore.open(directory);
  const told: (string | undefined)[] = [];
  const [first, gone, back] = Array.from({ length: 3 }, () => Promise.withResolvers<void>());
  const stop = watchStore(store, '', 5, {
    onChange: () => first!.resolve(),
    onTrouble: (reason) => {
      told.push(reason);
      (reason === undefined ? back! : gone!).resolve();
    },
  });
  t.after(stop);
  await first!.promise;
  rmSync(join(directory, '.store'), { recursive: true });
  await gone!.promise;
  await assert.rejects(store.get('a'), { code: 'store-away', message: /ENOENT/ });
  await DirectoryStore.open(directory);
  await back!.promise;
  assert.match(told[0] ?? '', /ENOENT/);
  assert.deepEqual(told.slice(1), [undefined]);
});
