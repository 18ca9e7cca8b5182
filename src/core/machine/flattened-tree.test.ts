/** The device tree's binary form, read back by a reader of our own (Devicetree Specification 0.4, chapter 5). */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { cells64, flattenTree } from './flattened-tree.ts';

interface Read {
  readonly properties: { readonly [name: string]: Uint8Array };
  readonly children: { readonly [name: string]: Read };
}

function readTree(blob: Uint8Array): Read {
  const view = new DataView(blob.buffer, blob.byteOffset, blob.byteLength);
  const u32 = (at: number): number => view.getUint32(at);
  assert.equal(u32(0), 0xd00dfeed);
  assert.equal(u32(4), blob.length);
  assert.equal(u32(20), 17, 'version');
  assert.equal(u32(24), 16, 'last compatible version');
  const [structure, strings, reserved] = [u32(8), u32(12), u32(16)];
  assert.equal(structure + u32(36), strings, 'the structure fills its block');
  assert.equal(strings + u32(32), blob.length);
  assert.equal(structure % 4, 0);
  assert.equal(reserved % 8, 0);
  assert.equal(view.getBigUint64(reserved) | view.getBigUint64(reserved + 8), 0n, 'no reservations');
  const text = (at: number): string => {
    const end = blob.indexOf(0, at);
    return String.fromCharCode(...blob.subarray(at, end));
  };
  let at = structure;
  const next = (): number => {
    at += 4;
    return u32(at - 4);
  };
  const align = (): void => {
    at = Math.ceil(at / 4) * 4;
  };
  const node = (): Read => {
    const properties: { [name: string]: Uint8Array } = {};
    const children: { [name: string]: Read } = {};
    for (;;) {
      const token = next();
      if (token === 3) {
        const length = next();
        const name = text(strings + next());
        properties[name] = blob.slice(at, at + length);
        at += length;
        align();
      } else if (token === 1) {
        const name = text(at);
        at += name.length + 1;
        align();
        children[name] = node();
      } else {
        assert.equal(token, 2);
        return { properties, children };
      }
    }
  };
  assert.equal(next(), 1);
  assert.equal(next(), 0, 'the root has no name');
  const root = node();
  assert.equal(next(), 9);
  assert.equal(at, strings);
  return root;
}

const bytes = (...values: number[]): Uint8Array => Uint8Array.from(values);
const text = (value: string): Uint8Array => Uint8Array.from(value, (c) => c.charCodeAt(0));

test('properties of every kind, and nodes within nodes, are read back', () => {
  const blob = flattenTree({
    properties: {
      flag: true,
      string: 'abc',
      strings: ['a', 'bc'],
      number: 0xdead_beef,
      numbers: [1, 2],
      bytes: bytes(9, 8, 7),
      empty: '',
    },
    children: {
      'cpu@0': { properties: { number: 5 }, children: { leaf: { properties: {} } } },
      soc: { properties: { string: 'other' } },
    },
  });
  const root = readTree(blob);
  assert.deepEqual(root.properties, {
    flag: bytes(),
    string: text('abc\0'),
    strings: text('a\0bc\0'),
    number: bytes(0xde, 0xad, 0xbe, 0xef),
    numbers: bytes(0, 0, 0, 1, 0, 0, 0, 2),
    bytes: bytes(9, 8, 7),
    empty: text('\0'),
  });
  assert.deepEqual(Object.keys(root.children), ['cpu@0', 'soc']);
  assert.deepEqual(root.children['cpu@0'].properties, { number: bytes(0, 0, 0, 5) });
  assert.deepEqual(root.children['cpu@0'].children, { leaf: { properties: {}, children: {} } });
  assert.deepEqual(root.children.soc.properties, { string: text('other\0') });
});

test('a 64-bit number is two cells', () => {
  assert.deepEqual(cells64(0x1_8000_0001), [1, 0x8000_0001]);
  assert.deepEqual(cells64(0xffff_ffff), [0, 0xffff_ffff]);
});
