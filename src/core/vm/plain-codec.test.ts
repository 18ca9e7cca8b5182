import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ByteReader, MalformedError } from '../base/byte-reader.ts';
import { ByteWriter } from '../base/byte-writer.ts';
import type { Plain } from '../devices/device.ts';
import { openSection, readPlain, sealSection, writePlain } from './plain-codec.ts';

const sample: Plain = {
  version: 1,
  numbers: [0, 1, 127, 128, 2 ** 53 - 1, 2 ** 64, -1, 0.5],
  bigints: [0n, 1n, 2n ** 64n - 1n],
  truth: [true, false, null],
  text: 'wörter',
  bytes: Uint8Array.of(0, 1, 255),
  nested: { empty: [], 'also-empty': {}, deep: [[[[1]]]] },
};

test('plain data comes back as it was', () => {
  assert.deepEqual(openSection('TEST', sealSection('TEST', 7, sample)), { version: 7, value: sample });
});

test('byte strings are copies, not views of what was read', () => {
  const sealed = sealSection('TEST', 1, Uint8Array.of(1, 2, 3));
  const { value } = openSection('TEST', sealed);
  sealed.fill(0);
  assert.deepEqual(value, Uint8Array.of(1, 2, 3));
});

test('a section with any byte changed, any length cut, or of another kind is malformed', () => {
  const sealed = sealSection('TEST', 1, sample);
  for (let at = 0; at < sealed.length; at++) {
    const damaged = sealed.slice();
    damaged[at]! ^= 0x10;
    assert.throws(() => openSection('TEST', damaged), MalformedError);
    assert.throws(() => openSection('TEST', sealed.slice(0, at)), MalformedError);
  }
  assert.throws(() => openSection('ELSE', sealed), MalformedError);
});

test('counts above what is there, deep nesting, strange keys and unknown kinds are malformed', () => {
  const malformed = (write: (writer: ByteWriter) => void): void => {
    const writer = new ByteWriter();
    write(writer);
    assert.throws(() => readPlain(new ByteReader(writer.take())), MalformedError);
  };
  malformed((w) => w.raw(Uint8Array.of(8, 0xff, 0xff, 0x7f, 0)));
  malformed((w) => w.raw(Uint8Array.of(9, 0xff, 0xff, 0x7f, 0)));
  malformed((w) => w.raw(Uint8Array.of(7, 0xff, 0xff, 0x7f, 0)));
  malformed((w) => {
    for (let i = 0; i < 100; i++) w.raw(Uint8Array.of(8, 1));
    w.u8(0);
  });
  for (const keys of [['__proto__'], ['a', 'a'], [''], ['1']]) {
    malformed((w) => {
      w.u8(9);
      w.varint(keys.length);
      for (const key of keys) {
        w.text(key);
        w.u8(0);
      }
    });
  }
  malformed((w) => w.u8(10));
  malformed(() => {});
});

test('noise is malformed or plain data, never anything else', () => {
  let x = 88172645;
  const next = (): number => {
    x ^= x << 13;
    x ^= x >>> 17;
    x ^= x << 5;
    return x >>> 0;
  };
  const writer = new ByteWriter();
  writePlain(writer, sample);
  const original = writer.take();
  for (let i = 0; i < 5000; i++) {
    const damaged = original.slice();
    for (let changes = 1 + (next() % 3); changes > 0; changes--) damaged[next() % damaged.length] = next();
    try {
      const again = new ByteWriter();
      writePlain(again, readPlain(new ByteReader(damaged)));
    } catch (error) {
      assert.ok(error instanceof MalformedError, String(error));
    }
  }
});
