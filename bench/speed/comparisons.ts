/**
 * Who is held against whom, how well we want to do, and how well we do. A ratio is "times as fast as the peer": the median over the rounds of the
 * ratio within a round, because both sides of a round ran on the same machine at nearly the same time.
 */
import { median } from '../support/numbers.ts';
import type { Journal, ProgramsEntry, RedisEntry } from './journal.ts';
import { PROGRAMS } from './programs.ts';
import { FIRST_TEST, type RedisFigure } from './redis-run.ts';
import type { SubjectName } from './subjects.ts';

export interface Comparison {
  readonly ours: SubjectName;
  readonly peer: SubjectName;
  readonly title: string;
}

/** The panels of the plot, and the columns of the tables. */
export const COMPARISONS: readonly Comparison[] = [
  { ours: 'translator', peer: 'qemu', title: 'run : QEMU' },
  { ours: 'translator', peer: 'qemu-newest', title: 'run : newest QEMU' },
  { ours: 'record', peer: 'qemu-rr-record', title: 'record : QEMU rr=record' },
  { ours: 'record', peer: 'newest-rr-record', title: 'record : newest QEMU rr=record' },
  { ours: 'replay', peer: 'qemu-rr-replay', title: 'replay : QEMU rr=replay' },
  { ours: 'replay', peer: 'newest-rr-replay', title: 'replay : newest QEMU rr=replay' },
  { ours: 'translator', peer: 'v86', title: 'run : v86' },
  { ours: 'translator', peer: 'interpreter', title: 'run : our interpreter' },
];

export interface Ratio {
  readonly median: number;
  readonly least: number;
  readonly most: number;
}

/** Of one subject in one round; undefined where it did not run. */
type Seconds = (journal: Journal, subject: SubjectName, round: number) => number | undefined;

export const programSeconds =
  (name: string): Seconds =>
  (journal, subject, round) =>
    programsRun(journal, subject, round)?.figures.programs[name]?.wallSeconds;
/** Of processor time, all threads of the process. */
export const programCpuSeconds =
  (name: string): Seconds =>
  (journal, subject, round) =>
    programsRun(journal, subject, round)?.figures.programs[name]?.cpuSeconds;
export const bootSeconds: Seconds = (journal, subject, round) =>
  programsRun(journal, subject, round)?.figures.boot.wallSeconds;
/** For each request: QEMU's recordings get fewer of them. */
export const redisSeconds =
  (name: string): Seconds =>
  (journal, subject, round) => {
    const entry = journal.entries.find(
      (each): each is RedisEntry => each.type === 'redis' && each.subject === subject && each.round === round,
    );
    const figure = entry?.figures.tests.find((test) => test.name === name);
    return figure === undefined ? undefined : secondsPerRequest(figure);
  };

const secondsPerRequest = ({ requestsPerSecond, wallSeconds, requests }: RedisFigure): number =>
  requestsPerSecond === undefined ? wallSeconds / requests : 1 / requestsPerSecond;

function programsRun(journal: Journal, subject: SubjectName, round: number): ProgramsEntry | undefined {
  return journal.entries.find(
    (each): each is ProgramsEntry => each.type === 'programs' && each.subject === subject && each.round === round,
  );
}

/** Undefined when there is no round in which both ran. */
export function ratioOf(journal: Journal, { ours, peer }: Comparison, seconds: Seconds): Ratio | undefined {
  const ratios: number[] = [];
  for (let round = 0; round < journal.campaign.rounds; round++) {
    const our = seconds(journal, ours, round);
    const their = seconds(journal, peer, round);
    if (our !== undefined && their !== undefined) ratios.push(their / our);
  }
  if (ratios.length === 0) return undefined;
  return { median: median(ratios), least: Math.min(...ratios), most: Math.max(...ratios) };
}

export function geometricMean(values: readonly number[]): number | undefined {
  if (values.length === 0) return undefined;
  return Math.exp(values.reduce((sum, value) => sum + Math.log(value), 0) / values.length);
}

export const redisTests = (journal: Journal): string[] => [
  ...new Set(
    journal.entries.flatMap((entry) => (entry.type === 'redis' ? entry.figures.tests.map(({ name }) => name) : [])),
  ),
];

type Kind = (typeof PROGRAMS)[number]['kind'];
const ALL_KINDS: readonly Kind[] = ['compute', 'system', 'tool'];

/** The medians of the ratios of all programs of these kinds. */
export function programRatios(
  journal: Journal,
  comparison: Comparison,
  kinds: readonly Kind[] = ALL_KINDS,
  seconds: (program: string) => Seconds = programSeconds,
): number[] {
  return PROGRAMS.filter(({ kind, name }) => kinds.includes(kind) && journal.campaign.programs.includes(name)).flatMap(
    ({ name }) => ratioOf(journal, comparison, seconds(name))?.median ?? [],
  );
}

/** Of the tests in which a server is what it will be for the rest of its days. */
export function redisRatios(journal: Journal, comparison: Comparison): number[] {
  const tests = redisTests(journal).filter((name) => name !== FIRST_TEST);
  return tests.flatMap((name) => ratioOf(journal, comparison, redisSeconds(name))?.median ?? []);
}

export interface Goal {
  readonly text: string;
  readonly wanted: number;
  /** For each peer that it is measured against. */
  readonly found: readonly { readonly peer: SubjectName; readonly ratio: number | undefined }[];
}

const least = (values: readonly number[]): number | undefined =>
  values.length === 0 ? undefined : Math.min(...values);

/** What we set out to reach, and what was found. */
export function goals(journal: Journal): Goal[] {
  const against = (ours: SubjectName, peers: readonly SubjectName[], find: (of: Comparison) => number | undefined) =>
    COMPARISONS.filter((each) => each.ours === ours && peers.includes(each.peer)).map((each) => ({
      peer: each.peer,
      ratio: find(each),
    }));
  const plain = ['qemu', 'qemu-newest'] as const;
  const recording = ['qemu-rr-record', 'newest-rr-record'] as const;
  const replaying = ['qemu-rr-replay', 'newest-rr-replay'] as const;
  const all = (of: Comparison) => geometricMean(programRatios(journal, of));
  const compute = (of: Comparison) => geometricMean(programRatios(journal, of, ['compute']));
  const sources = (of: Comparison) => geometricMean(programRatios(journal, of, ['compute', 'system']));
  const redis = (of: Comparison) => geometricMean(redisRatios(journal, of));
  const worst = (of: Comparison) => least(programRatios(journal, of));
  const worstRedis = (of: Comparison) => least(redisRatios(journal, of));
  const boot = (of: Comparison) => ratioOf(journal, of, bootSeconds)?.median;
  return [
    { text: 'all programs, geometric mean', wanted: 1, found: against('translator', plain, all) },
    { text: 'the worst program', wanted: 0.5, found: against('translator', plain, worst) },
    { text: 'boot to userland', wanted: 0.8, found: against('translator', plain, boot) },
    {
      text: 'redis, the worst of the four tests after the first seconds',
      wanted: 1,
      found: against('translator', plain, worstRedis),
    },
    { text: 'recorded: compute programs, geometric mean', wanted: 1.5, found: against('record', recording, compute) },
    { text: 'recorded: redis, geometric mean', wanted: 1.5, found: against('record', recording, redis) },
    { text: 'replayed: compute programs, geometric mean', wanted: 2, found: against('replay', replaying, compute) },
    { text: 'replayed: redis, geometric mean', wanted: 2, found: against('replay', replaying, redis) },
    {
      text: 'v86: programs of the same C sources, geometric mean',
      wanted: 2,
      found: against('translator', ['v86'], sources),
    },
    { text: 'v86: all programs, geometric mean', wanted: 2, found: against('translator', ['v86'], all) },
  ];
}
