/**
 * The gap that clients see when the primary is killed, from the journals of the campaigns that kill it: test/e2e/campaign.ts (a pair on one host) and
 * test/e2e/hosts-campaign.ts (hosts in namespaces). A round counts if all was as it must be.
 */
import { percentile } from '../hosts/section.ts';
import { table } from '../support/numbers.ts';

/** What is read of a line of either journal. */
export interface KilledRound {
  readonly fault: string;
  readonly problems: readonly string[];
  /** Of test/e2e/campaign.ts: the stream has a line every 100 ms. */
  readonly streamGapMs?: number;
  readonly streamBeforeMs?: number;
  readonly redisGapMs?: number;
  readonly redisBeforeMs?: number;
  /** Of test/e2e/hosts-campaign.ts. */
  readonly gapMs?: number;
  readonly usualMs?: number;
  readonly redundantAfterMs?: number;
}

export interface GapRow {
  readonly who: string;
  readonly gapsMs: readonly number[];
  /** The longest wait of the same client before the kill, in the same rounds. */
  readonly usualMs: readonly number[];
}

/** A line that was cut short is left out. */
export function killsOf(text: string): KilledRound[] {
  return text
    .split('\n')
    .filter((line) => line.trim().endsWith('}'))
    .map((line) => JSON.parse(line) as KilledRound)
    .filter(({ fault, problems }) => fault === 'kill-primary' && problems.length === 0);
}

export function gapRow(
  who: string,
  rounds: readonly KilledRound[],
  gap: 'streamGapMs' | 'redisGapMs' | 'gapMs',
  usual: 'streamBeforeMs' | 'redisBeforeMs' | 'usualMs',
): GapRow {
  const values = (key: keyof KilledRound): number[] =>
    rounds.map((round) => round[key]).filter((value) => typeof value === 'number');
  return { who, gapsMs: values(gap), usualMs: values(usual) };
}

const both = (values: readonly number[]): string => {
  const [p50, p99] = [percentile(values, 50), percentile(values, 99)];
  return p50 === undefined || p99 === undefined ? '' : `${p50.toFixed(0)} / ${p99.toFixed(0)}`;
};

/** Rows without a round are left out. */
export function showGaps(rows: readonly GapRow[]): string {
  const found = rows.filter(({ gapsMs }) => gapsMs.length > 0);
  if (found.length === 0) return 'No kill of a primary has been measured.';
  return table([
    [
      'SIGKILL to the primary; who waits',
      'n',
      'gap p50 / p99, ms',
      'least to most',
      'longest wait before it, p50 / p99, ms',
    ],
    ...found.map(({ who, gapsMs, usualMs }) => [
      who,
      String(gapsMs.length),
      both(gapsMs),
      `${Math.min(...gapsMs).toFixed(0)} to ${Math.max(...gapsMs).toFixed(0)}`,
      both(usualMs),
    ]),
  ]);
}
