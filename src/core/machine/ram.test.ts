/** RAM as devices, firmware and loader see it: bounds, byte order, and that nothing is written behind `touch`'s back. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { memoryMap, RAM_BASE } from './memory-map.ts';
import { GuestRam } from './ram.ts';

const BYTES = 64 * 1024;

function prepared() {
  const map = memoryMap(BYTES);
  const memory = new ArrayBuffer(map.totalBytes);
  const touched: { readonly offset: number; readonly length: number; readonly before: number }[] = [];
  const all = new Uint8Array(memory);
  const ram = new GuestRam(memory, map, (offset, length) =>
    touched.push({ offset: offset - map.ram, length, before: all[offset] }),
  );
  return { ram, touched };
}

test('what is written is read back, little-endian', () => {
  const { ram } = prepared();
  assert.equal(ram.write64(RAM_BASE + 8, 0x0102_0304_0506_0708n), true);
  assert.equal(ram.read64(RAM_BASE + 8), 0x0102_0304_0506_0708n);
  assert.equal(ram.read32(RAM_BASE + 8), 0x0506_0708);
  assert.equal(ram.read16(RAM_BASE + 14), 0x0102);
  assert.deepEqual(ram.read(RAM_BASE + 8, 3), Uint8Array.of(8, 7, 6));
  ram.write32(RAM_BASE + 8, 0xffff_fffe);
  ram.write16(RAM_BASE + 12, 0xabcd);
  assert.equal(ram.read64(RAM_BASE + 8), 0x0102_abcd_ffff_fffen);
});

test('an access of which any byte lies outside is refused, and touches nothing', () => {
  const { ram, touched } = prepared();
  const end = RAM_BASE + BYTES;
  for (const address of [RAM_BASE - 1, end - 1, end, 0, -8, 2 ** 53, Number.NaN, RAM_BASE + 0.5, 2 ** 64]) {
    assert.equal(ram.read16(address), undefined, `${address}`);
    assert.equal(ram.read32(address), undefined);
    assert.equal(ram.read64(address), undefined);
    assert.equal(ram.write16(address, 1), false);
    assert.equal(ram.write32(address, 1), false);
    assert.equal(ram.write64(address, 1n), false);
    assert.equal(ram.read(address, 2), undefined);
    assert.equal(ram.write(address, Uint8Array.of(1, 2)), false);
  }
  assert.equal(ram.write64(end - 8, 1n), true);
  assert.equal(ram.write(end, Uint8Array.of()), true, 'nothing at the end is inside');
  assert.equal(touched.length, 1);
});

test('each write is announced before it happens, with its exact range', () => {
  const { ram, touched } = prepared();
  ram.write(RAM_BASE + 100, Uint8Array.of(1, 2, 3));
  ram.write16(RAM_BASE + 100, 7);
  ram.write32(RAM_BASE + 200, 7);
  ram.write64(RAM_BASE + 300, 7n);
  ram.read(RAM_BASE, 1000);
  assert.deepEqual(touched, [
    { offset: 100, length: 3, before: 0 },
    { offset: 100, length: 2, before: 1 },
    { offset: 200, length: 4, before: 0 },
    { offset: 300, length: 8, before: 0 },
  ]);
});

test('what was read is a copy', () => {
  const { ram } = prepared();
  const copy = ram.read(RAM_BASE, 4);
  ram.write32(RAM_BASE, 0xffff_ffff);
  assert.deepEqual(copy, Uint8Array.of(0, 0, 0, 0));
});
