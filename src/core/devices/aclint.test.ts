import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Aclint } from './aclint.ts';

function rig(): { aclint: Aclint; compare: bigint[]; software: boolean[]; clock: { now: bigint } } {
  const clock = { now: 0x1_2345_6789n };
  const compare: bigint[] = [];
  const software: boolean[] = [false, false];
  const aclint = new Aclint(
    { harts: 2 },
    {
      time: () => clock.now,
      setTimeCompare: (hart, value) => {
        compare[hart] = value;
      },
      setSoftware: (hart, asserted) => {
        software[hart] = asserted;
      },
    },
  );
  return { aclint, compare, software, clock };
}

test('the time is read in two halves and cannot be written', () => {
  const { aclint } = rig();
  aclint.write(0xbff8, 4, 0);
  aclint.write(0xbffc, 4, 0);
  assert.equal(aclint.read(0xbff8, 4), 0x2345_6789);
  assert.equal(aclint.read(0xbffc, 4), 1);
});

test('a compare register starts as all ones and each half that is written takes effect', () => {
  const { aclint, compare } = rig();
  assert.equal(aclint.read(0x4008, 4), 0xffff_ffff);
  aclint.write(0x4008, 4, 0x8000_0001);
  assert.equal(compare[1], 0xffff_ffff_8000_0001n);
  aclint.write(0x400c, 4, 2);
  assert.equal(compare[1], 0x2_8000_0001n);
  assert.equal(aclint.read(0x400c, 4), 2);
  assert.equal(compare[0], undefined);
});

test('the lowest bit of a software interrupt register is the interrupt', () => {
  const { aclint, software } = rig();
  aclint.write(4, 4, 0xffff_ffff);
  assert.deepEqual(software, [false, true]);
  assert.equal(aclint.read(4, 4), 1);
  aclint.write(4, 4, 2);
  assert.deepEqual(software, [false, false]);
});

test('registers of harts that do not exist read 0 and hold nothing', () => {
  const { aclint, compare, software } = rig();
  for (const offset of [8, 0x4010, 0x4014, 0xc000]) {
    aclint.write(offset, 4, 1);
    assert.equal(aclint.read(offset, 4), 0);
  }
  assert.deepEqual([compare, software], [[], [false, false]]);
});

test('a restored copy is equal and tells every hart its levels', () => {
  const { aclint } = rig();
  aclint.write(0x4000, 4, 77);
  aclint.write(0, 4, 1);
  const state = structuredClone(aclint.save());
  const copy = rig();
  copy.aclint.restore(state);
  assert.deepEqual(copy.aclint.save(), state);
  assert.deepEqual(copy.compare, [0xffff_ffff_0000_004dn, 2n ** 64n - 1n]);
  assert.deepEqual(copy.software, [true, false]);
});
