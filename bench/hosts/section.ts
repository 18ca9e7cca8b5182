/**
 * The campaigns of faults on three hosts (test/e2e/hosts-campaign.ts) as a part of bench/RESULTS.md, from their journals: with a shared
 * disk, and with an image on each host. Rounds that failed and were run again are told, with what was wrong.
 */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { DiskKind } from '../../test/e2e/support/hosts-disk.ts';
import {
  type EndLine,
  isGood,
  type Journal,
  parseJournal,
  type RoundLine,
  runsOf,
} from '../../test/e2e/support/hosts-journal.ts';
import type { HostsRound } from '../../test/e2e/support/hosts-round.ts';
import { table } from '../support/numbers.ts';

const JOURNALS: Readonly<Record<DiskKind, string>> = { shared: 'hosts.jsonl', mirrored: 'hosts-mirrored.jsonl' };
const TITLES: Readonly<Record<DiskKind, string>> = {
  shared: '### A shared disk, behind a disk server',
  mirrored: '### A mirrored disk, an image on each host',
};

const INTRODUCTION = `Three daemons in network namespaces of this machine, etcd, VXLAN, keys everywhere; a Debian guest of 512 MB under a redis load whose
client checks every answer, and a stream that lasts over all rounds. Primary, backup, new backup, load and arbiter share this machine's cores. The gap is
the longest wait of a client that sends one INCR after the other; the wait during a copy holds the guest's stop at the cut. p50 / p99 of the rounds.`;

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
const IMAGE_HEAD = ['regions of 256 KiB that the new image lacked', 'their copy, s'];

/** The nearest rank; undefined for none. */
export function percentile(values: readonly number[], percent: number): number | undefined {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil((percent / 100) * sorted.length) - 1)];
}

type Figure = (round: HostsRound) => number | undefined;

function spread(rounds: readonly HostsRound[], figure: Figure, unit: number, digits: number): string {
  const values = rounds.map(figure).filter((value) => value !== undefined);
  const [p50, p99] = [percentile(values, 50), percentile(values, 99)];
  if (p50 === undefined || p99 === undefined) return '-';
  return `${(p50 / unit).toFixed(digits)} / ${(p99 / unit).toFixed(digits)}`;
}

function row(name: string, lines: readonly RoundLine[], disk: DiskKind): string[] {
  const rounds = lines.filter((line): line is RoundLine & HostsRound => 'variant' in line);
  const sum = (of: (round: HostsRound) => number): string => String(rounds.reduce((all, round) => all + of(round), 0));
  const image = [
    spread(rounds, ({ imageCopy }) => imageCopy?.lacked, 1, 0),
    spread(rounds, ({ imageCopy }) => imageCopy?.tookMs, 1000, 1),
  ];
  return [
    name,
    `${lines.filter(isGood).length} of ${lines.length}`,
    spread(rounds, ({ gapMs }) => gapMs, 1, 0),
    spread(rounds, ({ transferGapMs }) => transferGapMs, 1, 0),
    spread(rounds, ({ transferMs }) => transferMs, 1000, 1),
    spread(rounds, ({ redundantAfterMendMs }) => redundantAfterMendMs, 1000, 1),
    sum((round) => round.acknowledgedWrites),
    sum((round) => round.lostWrites),
    ...(disk === 'mirrored' ? image : []),
  ];
}

/** The last run of each round. */
export function showHosts(lines: readonly RoundLine[], disk: DiskKind): string {
  const last = runsOf(lines).map((runs) => runs.last);
  const faults = [...new Set(last.map(({ fault }) => fault))].sort();
  const of = (fault: string) => last.filter((line) => line.fault === fault);
  const rows = faults.map((fault) => row(fault, of(fault), disk));
  return table([[...HEAD, ...(disk === 'mirrored' ? IMAGE_HEAD : [])], ...rows, row('**all**', last, disk)]);
}

const complaint = ({ round, fault, problems }: RoundLine): string =>
  `- round ${round}, ${fault}: ${problems[0]!.split('\n')[0]}`;

/** What was wrong with each round that is not as it must be, and with each run that was repeated: the first complaint. */
export function failures(lines: readonly RoundLine[]): string[] {
  const runs = runsOf(lines);
  const failed = runs.map(({ last }) => last).filter((line) => !isGood(line));
  const repeated = runs.flatMap(({ failedBefore }) => failedBefore);
  const rounds = runs.filter(({ failedBefore }) => failedBefore.length > 0).length;
  return [
    ...(failed.length === 0 ? [] : [`Not as it must be:\n\n${failed.map(complaint).join('\n')}`]),
    ...(repeated.length === 0
      ? []
      : [
          `${rounds} of the rounds had failed before and were run again; then it was:\n\n${repeated.map(complaint).join('\n')}`,
        ]),
  ];
}

/** What became of the disk when the hosts were given up. */
export function showEnds(ends: readonly EndLine[]): string[] {
  if (ends.length === 0) return [];
  const good = ends.filter(({ end }) => isGood(end)).length;
  const compared = ends.filter(({ end }) => end.paired && isGood(end)).length;
  const images =
    ends[0]!.end.disk === 'mirrored'
      ? `; ${compared} times a pair's images were compared, and equal byte for byte`
      : '';
  const wrong = ends.filter(({ end }) => !isGood(end));
  const list = wrong.map(({ afterRound, end }) => `- after round ${afterRound}: ${end.problems[0]!.split('\n')[0]}`);
  return [
    `The machine was stopped ${ends.length} times, and ${good} times all was well with its disk (\`e2fsck -fn\`)${images}.`,
    ...(list.length === 0 ? [] : [list.join('\n')]),
  ];
}

async function journalOf(disk: DiskKind): Promise<Journal | undefined> {
  const path = join(import.meta.dirname, '../results', JOURNALS[disk]);
  return readFile(path, 'utf8').then(parseJournal, () => undefined);
}

function part(disk: DiskKind, { rounds, ends }: Journal): string[] {
  const day = (line: RoundLine | undefined): string => new Date(line?.atMs ?? 0).toISOString().slice(0, 10);
  const options = `${disk === 'shared' ? '' : `--disk ${disk} `}--seed ${rounds[0]?.campaign ?? 1} --rounds ${runsOf(rounds).length}`;
  return [
    TITLES[disk],
    showHosts(rounds, disk),
    ...failures(rounds),
    ...showEnds(ends),
    `\`node test/e2e/hosts-campaign.ts ${options}\`; ${day(rounds[0])} to ${day(rounds.at(-1))}`,
  ];
}

export async function hostsSection(): Promise<string> {
  const parts: string[] = [];
  for (const disk of ['shared', 'mirrored'] as const) {
    const journal = await journalOf(disk);
    if (journal !== undefined) parts.push(...part(disk, journal));
  }
  const title = '## Faults on three hosts';
  return `${[title, ...(parts.length === 0 ? ['Not measured.'] : [INTRODUCTION, ...parts])].join('\n\n')}\n`;
}
