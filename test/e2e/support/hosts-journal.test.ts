import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type EndLine, goodRounds, parseJournal, type RoundLine, runsOf } from './hosts-journal.ts';

function line(round: number, ...problems: string[]): RoundLine {
  return { campaign: 1, round, atMs: 0, fault: 'kill-primary', seed: round, problems };
}

const end: EndLine = { campaign: 1, afterRound: 2, atMs: 0, end: { disk: 'mirrored', problems: [], paired: true } };
const lines = [line(2), line(0, 'not redundant'), line(1, 'lost'), line(0, 'two primaries'), line(0)];
const journal = parseJournal([...lines, end].map((one) => `${JSON.stringify(one)}\n`).join(''));

test('a journal has lines of rounds, and of ends of installations', () => {
  assert.deepEqual(journal, { rounds: lines, ends: [end] });
});

test('the last line of a round counts, and each failure before it is kept', () => {
  assert.deepEqual(runsOf(journal.rounds), [
    { last: line(0), failedBefore: [line(0, 'not redundant'), line(0, 'two primaries')] },
    { last: line(1, 'lost'), failedBefore: [] },
    { last: line(2), failedBefore: [] },
  ]);
});

test('a round is run again until its last line is good', () => {
  assert.deepEqual(goodRounds(journal, 1), new Set([0, 2]));
  assert.deepEqual(goodRounds(journal, 2), new Set());
});
