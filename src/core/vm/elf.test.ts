/** The ELF reader: what a loader gets, and that no file, however damaged, gets more out of it than an error. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { assemble } from '../../../test/conformance/testing/assembler.ts';
import { makeElf } from '../../../test/conformance/testing/elf.ts';
import { OperatingError } from '../base/error.ts';
import { isElf, parseElf } from './elf.ts';

const good = makeElf(assemble('nop; _start: ret; .align 3; data: .dword 0x1122334455667788'), { tohost: 0x8000_1000n });
const PROGRAM_HEADER = 64;

function changed(change: (view: DataView, bytes: Uint8Array) => void): Uint8Array {
  const copy = good.slice();
  change(new DataView(copy.buffer), copy);
  return copy;
}

test('entry, segments and symbols are those of the file', () => {
  const elf = parseElf(good);
  assert.equal(elf.entry, 0x8000_0004n);
  assert.deepEqual(
    elf.segments.map(({ physicalAddress, memoryBytes }) => ({ physicalAddress, memoryBytes })),
    [{ physicalAddress: 0x8000_0000, memoryBytes: 16 }],
  );
  assert.deepEqual(elf.segments[0].content.subarray(0, 8), Uint8Array.of(0x13, 0, 0, 0, 0x67, 0x80, 0, 0));
  assert.equal(elf.symbols.get('data'), 0x8000_0008n);
  assert.equal(elf.symbols.get('tohost'), 0x8000_1000n);
  assert.equal(elf.symbols.has(''), false);
});

test('memory beyond the file is part of a segment, and a segment of nothing is none', () => {
  const bss = parseElf(changed((view) => view.setBigUint64(PROGRAM_HEADER + 40, 5000n, true)));
  assert.equal(bss.segments[0].memoryBytes, 5000);
  assert.equal(bss.segments[0].content.length, 16);
  const nothing = changed((view) => {
    view.setBigUint64(PROGRAM_HEADER + 32, 0n, true);
    view.setBigUint64(PROGRAM_HEADER + 40, 0n, true);
  });
  assert.throws(() => parseElf(nothing), { code: 'elf-wrong-kind', message: /nothing to load/ });
});

test('a stripped file has no symbols and loads all the same', () => {
  const stripped = changed((view) => view.setUint16(60, 0, true));
  assert.equal(parseElf(stripped).symbols.size, 0);
});

test('what it cannot run it names', () => {
  assert.equal(isElf(Uint8Array.of(0x7f, 0x45, 0x4c)), false);
  const cases: readonly (readonly [Uint8Array, RegExp])[] = [
    [Uint8Array.of(), /not an ELF file/],
    [changed((_, bytes) => bytes.set([1], 4)), /not 64-bit/],
    [changed((_, bytes) => bytes.set([2], 5)), /not 64-bit little-endian/],
    [changed((view) => view.setUint16(18, 62, true)), /not for RISC-V/],
    [changed((view) => view.setUint16(16, 4, true)), /not an executable/],
  ];
  for (const [file, message] of cases) assert.throws(() => parseElf(file), { code: 'elf-wrong-kind', message });
  assert.throws(() => parseElf(changed((view) => view.setBigUint64(PROGRAM_HEADER + 40, 3n, true))), {
    code: 'elf-malformed',
  });
});

test('a file cut anywhere, or with any byte changed, is read or refused and nothing else', () => {
  const attempt = (file: Uint8Array): void => {
    try {
      parseElf(file);
    } catch (error) {
      if (!(error instanceof OperatingError)) throw error;
    }
  };
  for (let length = 0; length < good.length; length++) attempt(good.subarray(0, length));
  for (let at = 0; at < good.length; at++) {
    for (const value of [0, 1, 0x7f, 0x80, 0xff]) attempt(changed((_, bytes) => bytes.set([value], at)));
  }
});
