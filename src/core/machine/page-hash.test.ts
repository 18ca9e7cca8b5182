/** The page hash as generated code: against the same formula in big integers, and by what it must tell apart. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ModuleBuilder } from '../wasm/module.ts';
import { PAGE_BYTES } from './memory-map.ts';
import { emitPageHash } from './page-hash.ts';

const memory = new WebAssembly.Memory({ initial: 2, maximum: 2 });
const m = new ModuleBuilder({ initialPages: 2, maximumPages: 2, shared: false });
m.export(emitPageHash(m));
const instance = new WebAssembly.Instance(new WebAssembly.Module(m.encode()), { env: { memory } });
const generated = instance.exports.hashPage as (offset: number, page: bigint) => bigint;
const view = new DataView(memory.buffer);

const M = [0x9e3779b185ebca87n, 0xc2b2ae3d27d4eb4fn, 0x165667b19e3779f9n, 0x85ebca77c2b2ae63n];
const u64 = (x: bigint): bigint => BigInt.asUintN(64, x);

/** The formula of page-hash.ts. */
function reference(offset: number, page: bigint): bigint {
  const lanes = [0n, 0n, 0n, 0n];
  for (let at = 0; at < PAGE_BYTES; at += 32) {
    for (let i = 0; i < 4; i++) {
      const added = u64(lanes[i] + view.getBigUint64(offset + at + 8 * i, true) * M[i]);
      lanes[i] = u64(((added << 31n) | (added >> 33n)) * M[(i + 1) % 4]);
    }
  }
  const finish = (value: bigint): bigint => {
    const once = u64((value ^ (value >> 32n)) * M[0]);
    return u64((once ^ (once >> 29n)) * M[1]);
  };
  const sum = lanes.reduce((before, lane, i) => (i === 0 ? lane : u64(finish(before) * M[2] + lane)), 0n);
  return u64(finish(sum) * u64(((page + 1n) * M[3]) | 1n));
}

function fill(seed: number): void {
  let x = BigInt(seed);
  for (let at = 0; at < PAGE_BYTES; at += 8) {
    x = u64(x * 6364136223846793005n + 1442695040888963407n);
    view.setBigUint64(PAGE_BYTES + at, x, true);
  }
}

const hash = (page: bigint): bigint => u64(generated(PAGE_BYTES, page));

test('it is what its formula says', () => {
  for (let seed = 1; seed <= 20; seed++) {
    fill(seed);
    for (const page of [0n, 1n, 12345n, 2n ** 20n]) assert.equal(hash(page), reference(PAGE_BYTES, page));
  }
});

test('a page of zeroes hashes to 0 wherever it is', () => {
  new Uint8Array(memory.buffer).fill(0);
  for (const page of [0n, 1n, 786_431n]) assert.equal(hash(page), 0n);
});

test('every bit of a page counts, and so does its place', () => {
  fill(99);
  const whole = hash(7n);
  assert.notEqual(hash(8n), whole);
  const seen = new Set([whole]);
  for (let bit = 0; bit < PAGE_BYTES * 8; bit += 13) {
    const at = PAGE_BYTES + (bit >> 3);
    view.setUint8(at, view.getUint8(at) ^ (1 << (bit & 7)));
    seen.add(hash(7n));
    view.setUint8(at, view.getUint8(at) ^ (1 << (bit & 7)));
  }
  assert.equal(seen.size, 1 + Math.ceil((PAGE_BYTES * 8) / 13));
  assert.equal(hash(7n), whole);
});

test('two words that change places change the hash', () => {
  fill(5);
  const before = hash(0n);
  const [a, b] = [view.getBigUint64(PAGE_BYTES, true), view.getBigUint64(PAGE_BYTES + 32, true)];
  view.setBigUint64(PAGE_BYTES, b, true);
  view.setBigUint64(PAGE_BYTES + 32, a, true);
  assert.notEqual(hash(0n), before);
});
