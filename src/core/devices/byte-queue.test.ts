import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ByteQueue } from './byte-queue.ts';

test('bytes come out in the order they went in, also around the end of the ring', () => {
  const queue = new ByteQueue(5);
  assert.equal(queue.push(Uint8Array.of(1, 2, 3)), 3);
  assert.equal(queue.shift(), 1);
  assert.equal(queue.shift(), 2);
  assert.equal(queue.push(Uint8Array.of(4, 5, 6, 7)), 4);
  assert.deepEqual(queue.peek(), Uint8Array.of(3, 4, 5, 6, 7));
  assert.deepEqual(queue.take(2), Uint8Array.of(3, 4));
  assert.deepEqual(queue.take(9), Uint8Array.of(5, 6, 7));
  assert.equal(queue.shift(), undefined);
});

test('what does not fit is dropped', () => {
  const queue = new ByteQueue(3);
  assert.equal(queue.push(Uint8Array.of(1, 2, 3, 4)), 3);
  assert.equal(queue.pushByte(9), false);
  queue.clear();
  assert.equal(queue.pushByte(9), true);
  assert.deepEqual(queue.peek(), Uint8Array.of(9));
});
