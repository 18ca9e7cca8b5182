import assert from 'node:assert/strict';
import { test } from 'node:test';
import { newIdentifier } from '../arbiter/arbiter-suite.ts';
import { planCatchUp } from './catch-up-plan.ts';
import type { MirrorRecord, PeerRecord } from './mirror-record.ts';
import { RegionSet } from './region-set.ts';

const COUNT = 16;
const [SET, HERE, THERE] = Array.from({ length: 3 }, newIdentifier) as [string, string, string];

/** A point as a number, for brevity: its sequence in generation 1. */
function peer(imageId: string, regions: number[], point?: number, pointBefore?: number): PeerRecord {
  const at = (sequence: number | undefined) => (sequence === undefined ? undefined : { generation: 1, sequence });
  return { imageId, point: at(point), pointBefore: at(pointBefore), regions: RegionSet.of(COUNT, regions) };
}

function record(imageId: string, peers: PeerRecord[], more: Partial<MirrorRecord> = {}): MirrorRecord {
  const [sizeBytes, regionBytes] = [COUNT * 4096, 4096];
  const fixed = { vm: 'm', setId: SET, imageId, sizeBytes, regionBytes, state: 'complete' } as const;
  return { ...fixed, generation: 1, incarnations: [], peers, ...more };
}

test('what either side wrote since the last common point is copied', () => {
  const plan = planCatchUp(
    record(HERE, [peer(newIdentifier(), [9], 8), peer(THERE, [1, 2], 5, 4)]),
    record(THERE, [peer(HERE, [2, 3], 5, 4)]),
  );
  assert.equal(plan.kind, 'regions');
  assert.deepEqual([...(plan.kind === 'regions' ? plan.regions : [])], [1, 2, 3]);
});

test('a catch-up that was cut off goes on with what both sides still have marked', () => {
  const plan = planCatchUp(record(HERE, [peer(THERE, [4])]), record(THERE, [peer(HERE, [5])], { state: 'incomplete' }));
  assert.deepEqual(plan, { kind: 'regions', regions: RegionSet.of(COUNT, [4, 5]) });
});

for (const [what, here, there, why] of [
  ['there is no record', record(HERE, [peer(THERE, [1])]), undefined, /no record/],
  ['the survivor does not know the image', record(HERE, []), record(THERE, [peer(HERE, [])]), /not been a pair/],
  ['the image does not know the survivor', record(HERE, [peer(THERE, [])]), record(THERE, []), /not been a pair/],
  [
    'the record is older than the last but one point',
    record(HERE, [peer(THERE, [1], 9, 7)]),
    record(THERE, [peer(HERE, [], 6, 5)]),
    /older than what it confirmed/,
  ],
  [
    'the record knows of no point and the survivor of two',
    record(HERE, [peer(THERE, [1], 9, 7)]),
    record(THERE, [peer(HERE, [])]),
    /older than what it confirmed/,
  ],
  [
    "the survivor's own record is older",
    record(HERE, [peer(THERE, [1], 6, 5)]),
    record(THERE, [peer(HERE, [], 9, 7)]),
    /survivor's record is older/,
  ],
  [
    'the image is a new, empty one',
    record(HERE, []),
    record(THERE, [], { state: 'incomplete', setId: newIdentifier() }),
    /it is empty/,
  ],
  [
    'the regions have another size',
    record(HERE, [peer(THERE, [])]),
    record(THERE, [peer(HERE, [])], { regionBytes: 8192 }),
    /another size/,
  ],
] as const) {
  test(`everything is copied where ${what}`, () => {
    const plan = planCatchUp(here, there);
    assert.ok(plan.kind === 'everything');
    assert.match(plan.why, why);
    assert.equal(plan.regions.size, COUNT);
  });
}

test('a record one point behind or ahead is good', () => {
  for (const [mine, theirs] of [
    [peer(THERE, [1], 9, 7), peer(HERE, [2], 7, 6)],
    [peer(THERE, [1], 7, 6), peer(HERE, [2], 9, 7)],
    [peer(THERE, [1], 7), peer(HERE, [2])],
  ] as const) {
    assert.equal(planCatchUp(record(HERE, [mine]), record(THERE, [theirs])).kind, 'regions');
  }
});

for (const [what, more, why] of [
  ['of another machine', { vm: 'other' }, /disk of 'other'/],
  ['of another disk', { setId: newIdentifier() }, /another disk/],
  ["that is a copy of the survivor's, record included", { imageId: HERE }, /very same image/],
  ['of another size', { sizeBytes: 4096 }, /4096 bytes/],
] as const) {
  test(`an image ${what} is refused`, () => {
    const plan = planCatchUp(record(HERE, [peer(THERE, [])]), record(THERE, [peer(HERE, [])], more));
    assert.ok(plan.kind === 'refused');
    assert.match(plan.why, why);
  });
}

test('an incomplete image is no survivor', () => {
  assert.equal(planCatchUp(record(HERE, [], { state: 'incomplete' }), undefined).kind, 'refused');
});
