import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Plic } from './plic.ts';
import { SavedState } from './state.ts';

test('a state of another version, of no version or of no fields is refused with its section named', () => {
  assert.throws(() => new SavedState('uart', 1, { version: 2 }), { code: 'state-version', message: /uart.*version 2/ });
  for (const state of [null, 7, [], new Uint8Array(3)]) {
    assert.throws(() => new SavedState('uart', 1, state), { code: 'state-malformed', message: /uart/ });
  }
});

test('a field that is missing or out of range is refused with its name', () => {
  const saved = new SavedState('plic', 1, { version: 1, a: 8, b: [1, -1], c: 1n << 64n, d: new Uint8Array(4) });
  for (const read of [
    () => saved.uint('a', 7),
    () => saved.uint('missing', 7),
    () => saved.uints('b', 7),
    () => saved.bigints('c', 1),
    () => saved.bytes('d', 3),
    () => saved.boolean('a'),
    () => saved.field('missing'),
  ]) {
    assert.throws(read, { code: 'state-malformed', message: /plic has no valid "/ });
  }
});

test('a device with other dimensions refuses the state', () => {
  const dependencies = { external: () => {} };
  const state = new Plic({ sources: 31, contexts: 2 }, dependencies).save();
  assert.throws(() => new Plic({ sources: 63, contexts: 2 }, dependencies).restore(state), { code: 'state-malformed' });
});
