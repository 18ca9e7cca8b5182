import assert from 'node:assert/strict';
import { test } from 'node:test';
import { crc32c } from './crc32c.ts';

const text = (value: string): Uint8Array => new TextEncoder().encode(value);

test('the check value of the Castagnoli polynomial comes out', () => {
  assert.equal(crc32c(text('123456789')), 0xe3069283);
});

test('the vectors of RFC 3720, B.4 come out', () => {
  assert.equal(crc32c(new Uint8Array(32)), 0x8a9136aa);
  assert.equal(crc32c(new Uint8Array(32).fill(0xff)), 0x62a8ab43);
  assert.equal(crc32c(Uint8Array.from({ length: 32 }, (_, index) => index)), 0x46dd794e);
});

test('a sum over parts equals the sum over the whole, wherever the parts end', () => {
  const whole = Uint8Array.from({ length: 100 }, (_, index) => (index * 37) & 0xff);
  for (let cut = 0; cut <= 100; cut++) {
    assert.equal(crc32c(whole.subarray(cut), crc32c(whole.subarray(0, cut))), crc32c(whole));
  }
});
