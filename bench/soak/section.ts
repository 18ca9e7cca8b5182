/** The soak as a part of bench/RESULTS.md: its journal in bench/results/soak.jsonl, its plot in bench/plots/soak.svg. */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { BuiltImage } from '../../src/host/image/manifest.ts';
import { collectFacts } from '../support/facts.ts';
import { median, table } from '../support/numbers.ts';
import {
  appendSoak,
  beginSoakJournal,
  readSoakJournal,
  type Said,
  type Sample,
  type SoakEnd,
  type SoakHead,
  type SoakJournal,
} from './journal.ts';
import { drawSoak } from './plot.ts';
import { soak } from './soak-run.ts';
import { lastTwoThirds, type Point, slopePerHour } from './trend.ts';

const JOURNAL = join(import.meta.dirname, '../results/soak.jsonl');
const PLOT = join(import.meta.dirname, '../plots/soak.svg');

const PEAK_GOAL_MIB = (1.2 * 1e9) / 2 ** 20;
/** What rises by no more than this in two thirds of a soak is called flat. */
const FLAT_SHARE = 0.01;
const SAMPLE_SECONDS = 5;
const CONNECTIONS = 4;

export interface SoakWishes {
  readonly image: BuiltImage;
  readonly minutes: number;
  readonly onProgress: (line: string) => void;
}

/** Leaves the journal. Throws when the pair did not come up. */
export async function measureSoak({ image, minutes, onProgress }: SoakWishes): Promise<void> {
  const shape = { minutes, sampleSeconds: SAMPLE_SECONDS, connections: CONNECTIONS };
  const head: SoakHead = { type: 'soak', facts: await collectFacts(), ...shape };
  await beginSoakJournal(JOURNAL, head);
  let written = Promise.resolve();
  const onLine = (line: Sample | Said | SoakEnd): void => {
    written = written.then(() => appendSoak(JOURNAL, line));
    onProgress(`soak: ${describe(line)}`);
  };
  await soak({ image, seconds: minutes * 60, sampleSeconds: SAMPLE_SECONDS, connections: CONNECTIONS, onLine });
  await written;
}

function describe(line: Sample | Said | SoakEnd): string {
  if (line.type === 'said') return `${line.member}: ${line.what}`;
  const hashes = `${line.hashesEqual} of ${line.hashesLogged} hashes equal`;
  if (line.type === 'end') return `end after ${line.seconds.toFixed(0)} s, ${hashes}. ${line.complaints.join('; ')}`;
  const memory = (['primary', 'backup'] as const).map((of) => `${of} ${line.memory[of]?.residentMib.toFixed(0)} MiB`);
  const rate = `${line.requestsPerSecond.toFixed(0)} requests/s, lag ${line.lagMs?.toFixed(0)} ms`;
  return `${line.seconds.toFixed(0)} s, ${rate}, ${memory.join(', ')}, ${hashes}`;
}

/** Markdown; draws the plot anew. */
export async function soakSection(): Promise<string> {
  const journal = await readSoakJournal(JOURNAL);
  if (journal === undefined || journal.samples.length === 0) return '## Soak\n\nNot measured.\n';
  await mkdir(join(PLOT, '..'), { recursive: true });
  await writeFile(PLOT, await drawSoak(journal));
  const { facts, minutes, connections } = journal.head;
  return `${[
    '## Soak',
    '![Memory, requests a second and lag over time](plots/soak.svg)',
    `\`understudy pair\` of the demo image (512 MB) with the translator on both sides, for ${minutes} min under ${connections} redis clients that always ask
and know what each answer must be. Before, redis touches 320 MB of the guest's memory once and gives it back. The whole state is hashed each second; the hashes are counted
on the channel between the replicas: one is equal when the backup, which stops at a difference, has gone beyond it.`,
    showOutcome(journal),
    showMemory(journal),
    showRates(journal),
    [
      `\`npm run bench -- --only soak --minutes ${minutes}\``,
      `${facts.date} UTC; commit ${facts.commit}; ${facts.processor}, ${facts.cores} cores, ${facts.memoryGib} GiB, Linux ${facts.hostKernel}; Node ${facts.node};`,
      `load of the last minute before it ${facts.load.toFixed(1)}`,
    ].join('  \n'),
  ].join('\n\n')}\n`;
}

function showOutcome({ head, samples, end }: SoakJournal): string {
  const last = end ?? samples.at(-1)!;
  const hashes = `${last.hashesEqual} of ${last.hashesLogged} hashes of the whole state equal`;
  if (end === undefined) return `**Interrupted** after ${last.seconds.toFixed(0)} s; until then ${hashes}.`;
  const log = `${end.logEntries} log entries, ${(end.logBytes / 1e6).toFixed(0)} MB`;
  const work = `${(end.seconds / 60).toFixed(1)} of ${head.minutes} minutes; ${end.requests} requests; ${log}; ${hashes}`;
  if (end.complaints.length === 0 && end.hashesEqual === end.hashesLogged) {
    return `${work}. No divergence, no failover, no wrong answer.`;
  }
  return `${work}. **Wrong:**\n\n${end.complaints
    .slice(0, 20)
    .map((line) => `- ${line}`)
    .join('\n')}`;
}

function showMemory({ samples }: SoakJournal): string {
  const last = samples.at(-1)!;
  const rows = Object.keys(last.memory).map((of) => {
    const points = samples.map(({ seconds, memory }) => ({ seconds, value: memory[of]?.residentMib ?? 0 }));
    const counted = lastTwoThirds(points);
    const slope = slopePerHour(counted);
    const { residentMib, peakMib } = last.memory[of];
    const isReplica = of === 'primary' || of === 'backup';
    const goal = isReplica
      ? ` (goal ${PEAK_GOAL_MIB.toFixed(0)}: ${peakMib <= PEAK_GOAL_MIB ? 'met' : '**missed**'})`
      : '';
    return [
      of,
      points[0].value.toFixed(0),
      residentMib.toFixed(0),
      `${peakMib.toFixed(0)}${goal}`,
      slope === undefined ? '' : slope.toFixed(1),
      slope === undefined ? '' : growth(slope, counted),
    ];
  });
  return table([
    [
      'resident memory, MiB',
      'first',
      'last',
      'peak',
      'slope of the last two thirds, MiB an hour',
      'growth on that line',
    ],
    ...rows,
  ]);
}

/** How much the line rises from its first sample to its last, and as a part of what the process has there. */
function growth(slope: number, points: readonly Point[]): string {
  const rise = (slope * (points.at(-1)!.seconds - points[0].seconds)) / 3600;
  const share = rise / median(points.map(({ value }) => value));
  return `${rise.toFixed(1)} (${(100 * share).toFixed(1)} %)${share <= FLAT_SHARE ? ', flat' : ''}`;
}

function showRates({ samples }: SoakJournal): string {
  const row = (name: string, value: (sample: Sample) => number | undefined, digits: number): string[] => {
    const values = samples.map(value).filter((each) => each !== undefined);
    if (values.length === 0) return [name, '', '', ''];
    const texts = [median(values), Math.min(...values), Math.max(...values)].map((each) => each.toFixed(digits));
    return [name, ...texts];
  };
  return table([
    [`in ${samples.length} samples`, 'median', 'least', 'most'],
    row('requests a second', ({ requestsPerSecond }) => requestsPerSecond, 0),
    row('lag of the backup, ms', ({ lagMs }) => lagMs, 1),
    row('outputs that wait at the gate', ({ heldOutputs }) => heldOutputs, 0),
    row('part of the time that the guest may use', ({ speed }) => speed, 2),
    row('steps of the guest, millions a second', ({ mips }) => mips, 0),
  ]);
}
