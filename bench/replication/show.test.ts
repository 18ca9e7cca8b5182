import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseLook } from './agent.ts';
import { gapRow, killsOf, showGaps } from './gaps.ts';
import type { ReplicationEntry, TransferEntry } from './journal.ts';
import { drawReplication } from './plot.ts';
import {
  columnsOf,
  inBoth,
  ratios,
  showAddedLatency,
  showBeside,
  showDelays,
  showLogs,
  showRates,
  showTransfers,
  sorted,
} from './show.ts';
import { longestWait, stopsWithin } from './transfer-stage.ts';

const WHEN = { load: 0, at: '2026-01-01T00:00:00.000Z' };
const PING = 'PING -c 1 -P 1';

const rates = (way: 'plain' | 'pair', round: number, requestsPerSecond: number, p50Ms: number): ReplicationEntry => ({
  ...WHEN,
  type: 'rates',
  round,
  way,
  tests: [{ name: PING, requestsPerSecond, p50Ms, p99Ms: p50Ms * 3 }],
});

const STOPS = { longestMs: 20, times: 1, sumMs: 20 };

const transfer = (round: number, more: Partial<TransferEntry>): TransferEntry => ({
  ...WHEN,
  type: 'transfer',
  work: 'redis',
  round,
  victim: 'backup',
  aloneMs: 50,
  copyingMs: 2000,
  cutMs: 3900,
  redundantMs: 4000,
  copies: 1,
  stops: STOPS,
  cutStops: STOPS,
  usualStops: STOPS,
  waitedForCoreMs: 30,
  waitMs: 120,
  gapMs: 90,
  usualMs: 10,
  requestsPerSecondBefore: 700,
  ...more,
});

const FOUND = sorted([
  rates('plain', 0, 1000, 1),
  rates('pair', 0, 500, 2),
  rates('pair', 1, 450, 2.5),
  rates('plain', 1, 1000, 1),
  rates('pair', 2, 400, 9),
  {
    ...WHEN,
    type: 'log',
    work: 'idle at the prompt',
    seconds: 10,
    sentBytes: 25_000,
    backBytes: 5000,
    volumes: { clock: { entries: 100, bytes: 2000 }, power: { entries: 1, bytes: 500 } },
    done: 'nothing',
  },
  {
    ...WHEN,
    type: 'delay',
    round: 0,
    delayMs: 1,
    roundTripMs: 2.25,
    tests: [{ name: PING, requestsPerSecond: 200, p50Ms: 4.5, p99Ms: 9 }],
  },
  transfer(0, {}),
  transfer(1, { victim: 'primary', redundantMs: 6000, stops: { ...STOPS, longestMs: 60 } }),
  { ...WHEN, type: 'failure', of: 'link', why: 'no reason' },
]);

const rowOf = (text: string, start: string): string[] => {
  const line = text.split('\n').find((each) => each.startsWith(`| ${start}`));
  assert.ok(line !== undefined, `${start} in\n${text}`);
  return line
    .slice(2, -2)
    .split(' | ')
    .map((cell) => cell.trim());
};

test('a ratio is of one round, and a round without its plain run gives none', () => {
  assert.deepEqual(ratios(FOUND.rates, PING), [0.5, 0.45]);
  assert.deepEqual(inBoth(FOUND.rates, PING, 'p50Ms'), [
    [2, 1],
    [2.5, 1],
  ]);
  assert.deepEqual(rowOf(showRates(FOUND), PING), [
    PING,
    '2',
    '1000 (1000 to 1000)',
    '450 (400 to 500)',
    '0.47 (0.45 to 0.50)',
  ]);
});

test('what the Output Rule adds is the median of the rounds’ differences', () => {
  assert.equal(rowOf(showAddedLatency(FOUND), `${PING}, p50`).at(-1), '1.25 (1.00 to 1.50)');
  assert.equal(rowOf(showAddedLatency(FOUND), `${PING}, p99`).at(-1), '3.75 (3.00 to 4.50)');
});

test('a slow link is told by the round trip that was measured', () => {
  assert.deepEqual(rowOf(showDelays(FOUND), '2.25'), ['2.25 (1 each way)', PING, '1', '4.50', '9.00', '3.50', '200']);
});

test('the parts of a log are all of it', () => {
  const columns = Object.fromEntries(columnsOf(FOUND.logs[0]!.volumes));
  assert.equal(columns.clock, 2000);
  assert.equal(columns.other, 500);
  assert.equal(
    Object.values(columns).reduce((sum, bytes) => sum + bytes, 0),
    2500,
  );
  const row = rowOf(showLogs(FOUND), 'idle');
  assert.deepEqual(row.slice(0, 4), ['idle at the prompt (nothing)', '10', '0.002', '0.000']);
  assert.deepEqual(row.slice(-3), ['10', '0.020', '0.004']);
});

test('transfers are told apart by who was lost', () => {
  const text = showTransfers(FOUND);
  assert.equal(rowOf(text, 'the guest’s own longest stop').at(-1), '40 (20 to 60)');
  assert.equal(rowOf(text, 'redundant after the loss of the backup').at(-1), '4.00');
  assert.equal(rowOf(text, 'redundant after the loss of the primary').at(-1), '6.00');
  assert.equal(rowOf(text, 'copy and cut-over').at(-1), '3.00 (2.00 to 4.00)');
});

test('ours stand beside what was published, and what was not measured is empty', () => {
  const text = showBeside(FOUND, [80, 100, 90]);
  assert.deepEqual(rowOf(text, 'interruption').slice(1), ['20 to 60', 'below 1000']);
  assert.deepEqual(rowOf(text, 'gap at a failover').slice(1), ['90 / 100', '-']);
  assert.deepEqual(rowOf(showBeside(sorted([]), []), 'log, idle'), ['log, idle, Mbit/s', '', '0.5 to 1.5']);
});

test('gaps are of kills of the primary in rounds without a problem', () => {
  const line = (fault: string, problems: string[], redisGapMs: number): string =>
    JSON.stringify({ fault, problems, redisGapMs, redisBeforeMs: 5 });
  const text = [
    line('kill-primary', [], 80),
    line('kill-primary', ['lost'], 800),
    line('kill-backup', [], 8),
    line('kill-primary', [], 100),
    '{"fault":"kill-pri',
  ].join('\n');
  const row = gapRow('a client', killsOf(text), 'redisGapMs', 'redisBeforeMs');
  assert.deepEqual(row, { who: 'a client', gapsMs: [80, 100], usualMs: [5, 5] });
  assert.deepEqual(rowOf(showGaps([row]), 'a client'), ['a client', '2', '80 / 100', '80 to 100', '5 / 5']);
  assert.match(showGaps([gapRow('nobody', [], 'gapMs', 'usualMs')]), /^No kill/);
});

test('a wait counts for a time that it touches', () => {
  const waits = [
    { startMs: 0, endMs: 50 },
    { startMs: 90, endMs: 130 },
  ];
  assert.equal(longestWait(waits, 100, 200), 40);
  assert.equal(longestWait(waits, 50, 95), 50);
  assert.equal(longestWait(waits, 140, 200), 0);
});

test('the guest’s stops are told by this host’s clock, and those of a time are added up', () => {
  const { stops, wakes } = parseLook('5000000 900 1000000 4000 3000000 25000 4990000 12000', 100_000);
  assert.equal(wakes, 900);
  assert.deepEqual(stops, [
    { endMs: 96_000, ms: 4 },
    { endMs: 98_000, ms: 25 },
    { endMs: 99_990, ms: 12 },
  ]);
  assert.deepEqual(stopsWithin(stops, 97_000, 99_980), { longestMs: 25, times: 2, sumMs: 37 });
  assert.deepEqual(stopsWithin(stops, 95_000, 97_000), { longestMs: 4, times: 0, sumMs: 0 });
  assert.deepEqual(stopsWithin(stops, 0, 1), { longestMs: 0, times: 0, sumMs: 0 });
  assert.deepEqual(parseLook('5000000 3\n', 0), { stops: [], wakes: 3 });
  assert.throws(() => parseLook('not found', 0), /the agent in the guest says/);
});

test('the plot draws what there is', async () => {
  assert.match(await drawReplication(FOUND), /^<svg[\s\S]*client, redis[\s\S]*<\/svg>/);
  assert.match(await drawReplication(sorted([])), /^<svg/);
});
