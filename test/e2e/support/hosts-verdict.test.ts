import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { FrameRun } from './frame-watch.ts';
import type { Injected } from './hosts-hands.ts';
import type { HostLabel } from './hosts-lab.ts';
import { claimProblems, frameProblems, imageCopyOf, redundancyProblems, timesOf } from './hosts-verdict.ts';
import type { Entered, Redundancy } from './replica-watch.ts';

const injected: Injected = { variant: '', faultMs: 5000, mendedMs: 6000, expected: 'next', primary: 'b', problems: [] };
const before: Redundancy = { generation: 3, primary: 'a', backup: 'b', atMs: 4000 };
const after: Redundancy = { generation: 4, primary: 'b', backup: 'c', atMs: 9100 };

function entered(host: HostLabel, atMs: number, generation: number, phase: string): Entered {
  return { host, atMs, generation, phase, why: '', text: '' };
}

const story = [
  entered('b', 5100, 4, 'admitting'),
  entered('b', 5120, 4, 'alone'),
  entered('b', 7000, 4, 'copying'),
  entered('c', 8990, 4, 'paired'),
  entered('b', 9000, 4, 'paired'),
];

const runs = (...hosts: readonly HostLabel[]): FrameRun[] =>
  hosts.map((vtep, i) => ({ vtep, firstMs: i, lastMs: i, frames: 10 }));
const hostOf = (vtep: string): HostLabel => vtep as HostLabel;

test('frames may come from one owner after the other, and an owner may send none', () => {
  assert.deepEqual(frameProblems(runs('a', 'b'), ['a', 'b'], hostOf), []);
  assert.deepEqual(frameProblems(runs('a', 'c'), ['a', 'b', 'c'], hostOf), []);
  assert.deepEqual(frameProblems(runs('a', 'b', 'a'), ['a', 'b', 'a'], hostOf), []);
});

test('a frame from a host that was followed by another, or that never owned the machine, is a second primary', () => {
  assert.match(frameProblems(runs('a', 'b', 'a'), ['a', 'b'], hostOf).join(), /10 frames from a .* out of turn/);
  assert.match(frameProblems(runs('a', 'c'), ['a', 'b'], hostOf).join(), /from c .* out of turn/);
});

test('a generation that two hosts have won is seen', () => {
  assert.deepEqual(claimProblems(story), []);
  assert.deepEqual(claimProblems([...story, entered('a', 5130, 4, 'admitting')]), ['generation 4 was won by b and a']);
});

test('times are those of the phases, and waits belong to the fault or to the copy', () => {
  const waits = [
    { startMs: 1000, endMs: 1009 },
    { startMs: 4990, endMs: 5200 },
    { startMs: 8900, endMs: 8950 },
  ];
  const times = timesOf({ before, after, injected }, story, waits);
  assert.deepEqual(times, {
    redundantMs: 9000,
    gapMs: 210,
    usualMs: 9,
    transferGapMs: 50,
    transferMs: 2000,
    redundantAfterMs: 4000,
    redundantAfterMendMs: 3000,
  });
});

test('a machine that is late, elsewhere, or not redundant at all is a failure', () => {
  assert.deepEqual(redundancyProblems({ before, after, injected }, 9000), []);
  assert.match(redundancyProblems({ before, after, injected }, 36_001).join(), /only 30001 ms after/);
  assert.match(
    redundancyProblems({ before, after: { ...after, primary: 'c' }, injected }, 9000).join(),
    /on c, not on b/,
  );
  assert.match(redundancyProblems({ before, after: undefined, injected }, undefined).join(), /not redundant/);
  const kept = { ...injected, expected: 'same' } as const;
  assert.match(redundancyProblems({ before, after, injected: kept }, 9000).join(), /the pair was broken/);
});

test('of several catch-ups of an image the last that came to its end counts', () => {
  const said = (host: HostLabel, atMs: number, text: string) => ({ host, atMs, text });
  const lines = [
    said('a', 100, "the new backup's image lacks 4096 of 4096 regions (it is empty)"),
    said('a', 900, "the new backup's image lacks 700 of 4096 regions"),
    said('a', 1100, "the new backup's image has caught up"),
    said('a', 1300, "the new backup's image lacks 3 of 4096 regions"),
  ];
  assert.deepEqual(imageCopyOf(lines), { lacked: 700, regions: 4096, tookMs: 200 });
  assert.equal(imageCopyOf(lines.slice(0, 2)), undefined);
});
