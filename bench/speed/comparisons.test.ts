import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Facts } from '../support/facts.ts';
import { resumable } from './campaign.ts';
import { COMPARISONS, geometricMean, goals, programSeconds, ratioOf } from './comparisons.ts';
import type { Entry, Journal } from './journal.ts';
import type { SubjectName } from './subjects.ts';

const figure = (wallSeconds: number) => ({ wallSeconds, cpuSeconds: wallSeconds, waitedSeconds: 0 });

function entry(round: number, subject: SubjectName, seconds: number): Entry {
  const programs = { sieve: { ...figure(seconds), result: '1' } };
  return {
    type: 'programs',
    round,
    subject,
    load: 0,
    figures: { boot: figure(1), programs, seconds: 2, peakMib: 1 },
  };
}

function journal(entries: readonly Entry[]): Journal {
  const campaign = { facts: {} as Facts, rounds: 3, programs: ['sieve'], subjects: [], versions: {} };
  return { campaign: { type: 'campaign', ...campaign }, entries };
}

const against = (peer: SubjectName) => COMPARISONS.find((each) => each.peer === peer)!;

test('a ratio is the median of the ratios within a round, not the ratio of medians', () => {
  const all = journal([
    entry(0, 'translator', 1),
    entry(0, 'qemu', 2),
    entry(1, 'translator', 10),
    entry(1, 'qemu', 10),
    entry(2, 'translator', 2),
    entry(2, 'qemu', 8),
  ]);
  assert.deepEqual(ratioOf(all, against('qemu'), programSeconds('sieve')), { median: 2, least: 1, most: 4 });
});

test('a round in which one side is missing does not count', () => {
  const all = journal([entry(0, 'translator', 1), entry(0, 'qemu', 3), entry(1, 'translator', 1)]);
  assert.equal(ratioOf(all, against('qemu'), programSeconds('sieve'))?.median, 3);
  assert.equal(ratioOf(all, against('v86'), programSeconds('sieve')), undefined);
});

test('what was not measured is neither reached nor missed', () => {
  const [programs] = goals(journal([entry(0, 'translator', 1), entry(0, 'qemu', 3)]));
  const found = programs.found.map(({ peer, ratio }) => [peer, ratio === undefined ? undefined : Math.round(ratio)]);
  assert.deepEqual(found, [
    ['qemu', 3],
    ['qemu-newest', undefined],
  ]);
});

test('the geometric mean of a number and its inverse is one', () => {
  assert.equal(geometricMean([4, 0.25]), 1);
  assert.equal(geometricMean([]), undefined);
});

test('a campaign is resumed without failures and without recordings whose replay is missing', () => {
  const failure: Entry = { type: 'failure', round: 0, subject: 'qemu', load: 0, of: 'programs', why: 'a reason' };
  const all = journal([entry(0, 'record', 1), entry(0, 'replay', 1), failure, entry(1, 'record', 1)]);
  assert.deepEqual(resumable(all).entries, all.entries.slice(0, 2));
});
