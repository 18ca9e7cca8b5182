/** Random programs against QEMU: registers, floating-point registers and flags, memory, and the traps they took. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { assemble } from './testing/assembler.ts';
import { bootProgram, runToPass } from './testing/machine.ts';
import { dumpMemory, qemuMissing, runInQemu } from './testing/qemu.ts';
import { layout, randomProgram } from './testing/random-program.ts';

const ranges = [
  { name: 'registers', start: layout.dump, bytes: layout.dumpWords * 8 },
  { name: 'data', start: layout.data, bytes: layout.dataBytes },
  { name: 'traps', start: layout.log, bytes: layout.logBytes },
];

function words(bytes: Uint8Array): string[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return Array.from({ length: bytes.length / 8 }, (_, i) => view.getBigUint64(i * 8, true).toString(16));
}

test('random programs leave in registers and memory what they leave in QEMU', { skip: qemuMissing }, () => {
  for (let seed = 1; seed <= 40; seed++) {
    const source = randomProgram({ seed, instructions: 4000, rounds: 3 });
    const program = assemble(`${source}\n${dumpMemory(ranges)}`);
    const bare = bootProgram(program);
    runToPass(bare);
    const theirs = runInQemu(program);
    let at = 0;
    for (const { name, start, bytes } of ranges) {
      const ours = bare.machine.ram.read(Number(start), bytes);
      assert(ours !== undefined);
      assert.deepEqual(words(ours), words(theirs.subarray(at, at + bytes)), `${name} of program ${seed}`);
      at += bytes;
    }
    assert.equal(at, theirs.length);
  }
});
