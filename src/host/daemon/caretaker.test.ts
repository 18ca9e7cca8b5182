import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Caretaker, CONNECT_PATIENCE_MS, FIRST_PAUSE_MS, LONGEST_PAUSE_MS, PATIENCE_MS } from './caretaker.ts';

const GB = 2 ** 30;
const caretaker = (): Caretaker => new Caretaker({ hosts: ['a', 'b', 'c'], own: 'a', memoryBytes: GB });
const present = (...names: string[]) => names.map((name) => ({ name, freeBytes: GB }));

test('the first host in the order of preference that is there is asked, once, and never the own one', () => {
  const care = caretaker();
  assert.equal(care.next(present('a', 'c', 'b'), 0), 'b');
  assert.equal(care.next(present('a', 'c', 'b'), 1), undefined);
  assert.equal(caretaker().next(present('a'), 0), undefined);
});

test('a host without room, or that the machine may not use, is passed over', () => {
  assert.equal(caretaker().next([{ name: 'b', freeBytes: GB - 1 }, ...present('d', 'c')], 0), 'c');
});

test('a host that fails is left out for longer each time, and others are asked meanwhile', () => {
  const care = caretaker();
  care.next(present('b', 'c'), 0);
  care.failed('b', 0, 'refused');
  assert.equal(care.next(present('b', 'c'), 1), 'c');
  care.failed('c', 1, 'refused');
  assert.equal(care.next(present('b', 'c'), FIRST_PAUSE_MS - 1), undefined);
  assert.equal(care.next(present('b', 'c'), FIRST_PAUSE_MS), 'b');
  care.failed('b', FIRST_PAUSE_MS, 'refused');
  assert.equal(care.next(present('b'), 3 * FIRST_PAUSE_MS - 1), undefined);
  assert.equal(care.next(present('b'), 3 * FIRST_PAUSE_MS), 'b');
});

test('the pause is bounded', () => {
  const care = caretaker();
  for (let i = 0; i < 40; i++) care.failed('b', 0, 'refused');
  assert.equal(care.next(present('b'), LONGEST_PAUSE_MS - 1), undefined);
  assert.equal(care.next(present('b'), LONGEST_PAUSE_MS), 'b');
});

test('a host that was asked and does not become the backup has failed', () => {
  const care = caretaker();
  care.next(present('b', 'c'), 0);
  assert.equal(care.next(present('b', 'c'), PATIENCE_MS - 1), undefined);
  assert.equal(care.next(present('b', 'c'), PATIENCE_MS), 'c');
});

test('a replica that was started and does not connect is given up sooner', () => {
  const care = caretaker();
  care.next(present('b', 'c'), 0);
  care.started('b', 10);
  assert.equal(care.next(present('b', 'c'), 9 + CONNECT_PATIENCE_MS), undefined);
  assert.equal(care.next(present('b', 'c'), 10 + CONNECT_PATIENCE_MS), 'c');
});

test('a host whose replica is lost before it is complete has failed, and another is asked at once', () => {
  const care = caretaker();
  care.next(present('b', 'c'), 0);
  care.dropped(1, 'lost');
  assert.equal(care.next(present('b', 'c'), 1), 'c');
  care.joined();
  care.dropped(2, 'lost');
  assert.equal(care.next(present('c'), 2), 'c', 'the loss of a complete backup says nothing against its host');
});

test('a host that became the backup is as good as new', () => {
  const care = caretaker();
  care.failed('b', 0, 'refused');
  care.failed('b', 0, 'refused');
  assert.equal(care.next(present('b'), LONGEST_PAUSE_MS), 'b');
  care.joined();
  assert.equal(care.next(present('b'), LONGEST_PAUSE_MS), 'b');
  care.failed('b', LONGEST_PAUSE_MS, 'refused');
  assert.equal(care.next(present('b'), LONGEST_PAUSE_MS + FIRST_PAUSE_MS), 'b');
});

test('it can say what has failed at a host, and for how long that host is left out', () => {
  const care = caretaker();
  assert.equal(care.next(present('b', 'c'), 0), 'b');
  assert.equal(care.asked, 'b');
  assert.equal(care.trouble('b', 0), undefined);
  care.failed('b', 0, 'no room');
  assert.equal(care.asked, undefined);
  assert.deepEqual(care.trouble('b', 500), { why: 'no room', restMs: FIRST_PAUSE_MS - 500 });
  assert.equal(care.trouble('b', FIRST_PAUSE_MS), undefined);
  assert.equal(care.next(present('c'), 600), 'c');
  care.started('c', 700);
  care.next(present('c'), 700 + CONNECT_PATIENCE_MS);
  assert.match(care.trouble('c', 700 + CONNECT_PATIENCE_MS)?.why ?? '', /does not connect/);
});
