/** The campaign of faults on three hosts (test/e2e/hosts-campaign.ts) as a part of bench/RESULTS.md, from its journal. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { JournalLine } from '../../test/e2e/hosts-campaign.ts';
import type { HostsRound } from '../../test/e2e/support/hosts-round.ts';
import { table } from '../support/numbers.ts';

const JOURNAL = join(import.meta.dirname, '../results/hosts.jsonl');

const HEAD = [
  'fault',
  'as it must be, of rounds',
  'gap, ms (p50 / p99)',
  'longest wait during a copy, ms',
  'copy and cut-over, s',
  'redundant after the mend, s',
  'acknowledged writes',
  'lost',
];

/** The nearest rank; undefined for none. */
export function percentile(values: readonly number[], percent: number): number | undefined {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil((percent / 100) * sorted.length) - 1)];
}

type Figure = 'gapMs' | 'transferGapMs' | 'transferMs' | 'redundantAfterMendMs';

function spread(rounds: readonly HostsRound[], figure: Figure, unitMs: number, digits: number): string {
  const values = rounds.map((round) => round[figure]).filter((value) => value !== undefined);
  const [p50, p99] = [percentile(values, 50), percentile(values, 99)];
  if (p50 === undefined || p99 === undefined) return '-';
  return `${(p50 / unitMs).toFixed(digits)} / ${(p99 / unitMs).toFixed(digits)}`;
}

function row(name: string, lines: readonly JournalLine[]): string[] {
  const good = lines.filter(({ problems }) => problems.length === 0).length;
  const rounds = lines.filter((line): line is JournalLine & HostsRound => 'variant' in line);
  const sum = (of: (round: HostsRound) => number): string => String(rounds.reduce((all, round) => all + of(round), 0));
  return [
    name,
    `${good} of ${lines.length}`,
    spread(rounds, 'gapMs', 1, 0),
    spread(rounds, 'transferGapMs', 1, 0),
    spread(rounds, 'transferMs', 1000, 1),
    spread(rounds, 'redundantAfterMendMs', 1000, 1),
    sum((round) => round.acknowledgedWrites),
    sum((round) => round.lostWrites),
  ];
}

export function showHosts(lines: readonly JournalLine[]): string {
  const faults = [...new Set(lines.map(({ fault }) => fault))].sort();
  const rows = faults.map((fault) =>
    row(
      fault,
      lines.filter((line) => line.fault === fault),
    ),
  );
  return table([HEAD, ...rows, row('**all**', lines)]);
}

/** What was wrong with each round that was not as it must be: its first complaint. */
function failures(lines: readonly JournalLine[]): string[] {
  const failed = lines.filter(({ problems }) => problems.length > 0);
  if (failed.length === 0) return [];
  const each = failed.map(({ round, fault, problems }) => `- round ${round}, ${fault}: ${problems[0]!.split('\n')[0]}`);
  return [`Not as it must be:\n\n${each.join('\n')}`];
}

export async function hostsSection(): Promise<string> {
  const title = '## Faults on three hosts';
  let text: string;
  try {
    text = await readFile(JOURNAL, 'utf8');
  } catch {
    return `${title}\n\nNot measured.\n`;
  }
  const lines = text
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line) as JournalLine);
  const day = (ms: number): string => new Date(ms).toISOString().slice(0, 10);
  const [first, last] = [lines[0], lines.at(-1)].map((line) => day(line?.atMs ?? 0));
  return [
    title,
    `Three daemons in network namespaces of this machine, etcd, a shared disk, VXLAN, keys everywhere; a Debian guest of 512 MB under a redis load whose
client checks every answer, and a stream that lasts over all rounds. Primary, backup, new backup, load and arbiter share this machine's cores. The gap is
the longest wait of a client that sends one INCR after the other; the wait during a copy holds the guest's stop at the cut. p50 / p99 of the rounds.`,
    showHosts(lines),
    ...failures(lines),
    `\`node test/e2e/hosts-campaign.ts --seed ${lines[0]?.campaign ?? 1} --rounds ${lines.length}\`; ${first} to ${last}\n`,
  ].join('\n\n');
}
