import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ForwardingTable } from './forwarding-table.ts';

function frame(destination: number[], source: number[]): Uint8Array {
  return Uint8Array.from([...destination, ...source, 0x08, 0x00]);
}

const ALICE = [0x52, 0x54, 0, 0xff, 0xff, 1];
const BOB = [0xfe, 0x54, 0, 0xff, 0xff, 2];
const BROADCAST = [0xff, 0xff, 0xff, 0xff, 0xff, 0xff];

test('an address is found behind the remote from which it last came', () => {
  const table = new ForwardingTable();
  table.learn(frame(BROADCAST, ALICE), 0, 0);
  assert.equal(table.remoteFor(frame(ALICE, BOB), 1), 0);
  table.learn(frame(BROADCAST, ALICE), 1, 2);
  assert.equal(table.remoteFor(frame(ALICE, BOB), 3), 1);
});

test('unknown addresses, groups and addresses not heard for five minutes go to all', () => {
  const table = new ForwardingTable();
  table.learn(frame(BROADCAST, ALICE), 0, 0);
  table.learn(frame(BROADCAST, BROADCAST), 1, 0);
  assert.equal(table.remoteFor(frame(BOB, ALICE), 1), undefined);
  assert.equal(table.remoteFor(frame(BROADCAST, BOB), 1), undefined);
  assert.equal(table.remoteFor(frame(ALICE, BOB), 299_999), 0);
  assert.equal(table.remoteFor(frame(ALICE, BOB), 300_000), undefined);
});

test('a full table forgets the address that was not heard for longest', () => {
  const table = new ForwardingTable(2);
  table.learn(frame(BROADCAST, ALICE), 0, 0);
  table.learn(frame(BROADCAST, BOB), 0, 1);
  table.learn(frame(BROADCAST, ALICE), 0, 2);
  table.learn(frame(BROADCAST, [0x52, 0, 0, 0, 0, 3]), 0, 3);
  assert.equal(table.size, 2);
  assert.equal(table.remoteFor(frame(ALICE, BOB), 4), 0);
  assert.equal(table.remoteFor(frame(BOB, ALICE), 4), undefined);
});
