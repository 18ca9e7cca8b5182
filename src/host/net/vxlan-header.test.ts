import assert from 'node:assert/strict';
import { test } from 'node:test';
import { decodeVxlan, encodeVxlan, MAX_VNI } from './vxlan-header.ts';

const frame = Uint8Array.from({ length: 60 }, (_, i) => i);

/** A datagram with another byte in its header. */
function altered(at: number, value: number): Buffer {
  const datagram = encodeVxlan(0x123456, frame);
  datagram[at] = value;
  return datagram;
}

test('the header is the one of RFC 7348, figure 1', () => {
  const datagram = encodeVxlan(0x123456, frame);
  assert.deepEqual([...datagram.subarray(0, 8)], [0x08, 0, 0, 0, 0x12, 0x34, 0x56, 0]);
  assert.deepEqual(Uint8Array.from(datagram.subarray(8)), frame);
});

test('what was encoded is decoded, for the least and the greatest VNI', () => {
  for (const vni of [0, 1, MAX_VNI]) {
    const decoded = decodeVxlan(vni, encodeVxlan(vni, frame));
    assert.ok(typeof decoded !== 'string');
    assert.deepEqual(Uint8Array.from(decoded), frame);
  }
});

test('reserved bits are ignored', () => {
  for (const at of [1, 2, 3, 7]) assert.notEqual(typeof decodeVxlan(0x123456, altered(at, 0xff)), 'string');
  assert.notEqual(typeof decodeVxlan(0x123456, altered(0, 0xff)), 'string');
});

test('a datagram without the flag, of another segment, or without a whole Ethernet header is refused', () => {
  assert.equal(decodeVxlan(0x123456, altered(0, 0xf7)), 'no-vni');
  assert.equal(decodeVxlan(0x123457, encodeVxlan(0x123456, frame)), 'other-vni');
  assert.equal(decodeVxlan(5, new Uint8Array(0)), 'too-short');
  assert.equal(decodeVxlan(5, encodeVxlan(5, frame).subarray(0, 7)), 'too-short');
  assert.equal(decodeVxlan(5, encodeVxlan(5, new Uint8Array(13))), 'runt');
  assert.equal(decodeVxlan(5, encodeVxlan(5, new Uint8Array(65_551))), 'too-long');
  assert.notEqual(typeof decodeVxlan(5, encodeVxlan(5, new Uint8Array(14))), 'string');
});
