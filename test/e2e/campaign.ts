/**
 * Failovers by the dozen, with a real guest and real clients:
 *
 *     node test/e2e/campaign.ts --kind kill-primary --rounds 20 --seed 1
 *
 * A line of JSON for each round goes to `--out` (bench/results/failover.jsonl), and from all lines in that file a summary to the
 * file beside it that ends in `.json`. Exit status 1 if any round of this call was not as it must be.
 */
import { appendFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { inspect, parseArgs } from 'node:util';
import { buildImage } from '../../src/host/image/build-image.ts';
import { type Fault, faults, type RoundResult, runRound } from './support/round.ts';

const { values } = parseArgs({
  options: {
    kind: { type: 'string', default: 'kill-primary' },
    rounds: { type: 'string', default: '1' },
    seed: { type: 'string', default: '1' },
    connections: { type: 'string', default: '4' },
    out: { type: 'string', default: resolve(import.meta.dirname, '../../bench/results/failover.jsonl') },
  },
});

function isFault(text: string): text is Fault {
  return Object.hasOwn(faults, text);
}

function median(numbers: readonly number[]): number {
  const sorted = [...numbers].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle] : Math.round((sorted[middle - 1] + sorted[middle]) / 2);
}

/** A round that came to no result. */
type Unfinished = Pick<RoundResult, 'fault' | 'seed' | 'problems'>;

function isFinished(round: RoundResult | Unfinished): round is RoundResult {
  return 'variant' in round;
}

function summarize(all: readonly (RoundResult | Unfinished)[]): object {
  const rounds = all.filter(isFinished);
  const sum = (of: (round: RoundResult) => number): number => rounds.reduce((total, round) => total + of(round), 0);
  const spread = (of: (round: RoundResult) => number) => ({
    median: median(rounds.map(of)),
    worst: Math.max(...rounds.map(of)),
  });
  return {
    rounds: all.length,
    wentOn: rounds.filter(({ problems }) => problems.length === 0).length,
    byPrimary: rounds.filter(({ wentOn }) => wentOn === 'primary').length,
    byBackup: rounds.filter(({ wentOn }) => wentOn === 'backup').length,
    acknowledgedWrites: sum((round) => round.acknowledgedWrites),
    lostWrites: sum((round) => round.lostWrites),
    brokenConnections: sum((round) => round.brokenConnections),
    streamGapMs: spread((round) => round.streamGapMs),
    redisGapMs: spread((round) => round.redisGapMs),
    aloneAfterMs: spread((round) => round.aloneAfterMs ?? 0),
    streamBeforeMs: spread((round) => round.streamBeforeMs),
    redisBeforeMs: spread((round) => round.redisBeforeMs),
    requestsPerSecondBefore: median(rounds.map((round) => round.requestsPerSecondBefore)),
  };
}

function writeSummary(file: string): void {
  const lines = readFileSync(file, 'utf8').trimEnd().split('\n');
  const rounds = lines.map((line) => JSON.parse(line) as RoundResult | Unfinished);
  const byFault: Record<string, object> = {};
  for (const fault of Object.keys(faults)) {
    const of = rounds.filter((round) => round.fault === fault);
    if (of.length > 0) byFault[fault] = summarize(of);
  }
  writeFileSync(file.replace(/[.]jsonl$/, '.json'), `${JSON.stringify(byFault, null, 2)}\n`);
}

const { kind, out } = values;
if (!isFault(kind)) {
  throw new Error(
    `--kind is one of:\n${Object.entries(faults)
      .map(([name, what]) => `  ${name}: ${what}`)
      .join('\n')}`,
  );
}
const image = await buildImage();
mkdirSync(dirname(out), { recursive: true });
let failures = 0;
for (let i = 0; i < Number(values.rounds); i++) {
  const seed = Number(values.seed) + i;
  const sizes = { answersBefore: 1000, answersAfter: 1000, linesAfter: 20 };
  const options = { image, fault: kind, seed, connections: Number(values.connections), ...sizes };
  const result = await runRound(options).catch((error: unknown) => inspect(error));
  if (typeof result === 'string') {
    failures++;
    appendFileSync(out, `${JSON.stringify({ fault: kind, seed, problems: [result] } satisfies Unfinished)}\n`);
    console.log(result);
    continue;
  }
  const { story, ...figures } = result;
  const bad = result.problems.length > 0;
  if (bad) failures++;
  appendFileSync(out, `${JSON.stringify(bad ? result : figures)}\n`);
  console.log(JSON.stringify(figures));
  if (bad) console.log(story);
}
writeSummary(out);
process.exitCode = failures > 0 ? 1 : 0;
