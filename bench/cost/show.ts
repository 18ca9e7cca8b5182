/** Tables of the cost benchmark: what recording, and being a pair, cost against a plain run of the same round. */
import { median, table } from '../support/numbers.ts';
import { type ComputeRun, WAYS, type Way } from './compute-run.ts';
import type { CostEntry, CostJournal } from './journal.ts';
import type { PassFigures, ProcessUse, ProgramFigure } from './marker-clock.ts';
import type { RedisCostRun } from './redis-run.ts';
import { asCost, type CostEstimate, estimateCost } from './statistics.ts';

type Kind = 'compute' | 'redis';
type FiguresOf<Of extends Kind> = Of extends 'compute' ? ComputeRun : RedisCostRun;

/** Each whole pair of rounds: the figures of the plain run (or of another base), and the other way's. */
function pairsOf<Of extends Kind>(
  { entries }: CostJournal,
  kind: Of,
  way: Way,
  base: Way = 'plain',
): { readonly plain: FiguresOf<Of>; readonly other: FiguresOf<Of> }[] {
  const of = (wanted: Way) =>
    new Map(
      entries
        .filter((entry): entry is CostEntry & { type: Of } => entry.type === kind && entry.way === wanted)
        .map(({ round, figures }) => [round, figures as unknown as FiguresOf<Of>] as const),
    );
  const bases = of(base);
  return [...of(way)].flatMap(([round, other]) => {
    const plain = bases.get(round);
    return plain === undefined ? [] : [{ plain, other }];
  });
}

const PASSES = ['warm', 'cold'] as const;
type Pass = (typeof PASSES)[number];

/** So many at the end are warm. */
export const WARM_PASSES = 4;

/** A pass's figures; of several warm ones their mean. */
function passOf({ passes }: ComputeRun, pass: Pass): Readonly<PassFigures> {
  if (pass === 'cold') return passes[0];
  const warm = passes.slice(-WARM_PASSES);
  const names = Object.keys(warm[0]);
  return Object.fromEntries(names.map((name) => [name, meanFigure(warm.map((of) => of[name]))]));
}

function meanFigure(figures: readonly ProgramFigure[]): ProgramFigure {
  const mean = (of: (figure: ProgramFigure) => number): number =>
    figures.reduce((sum, figure) => sum + of(figure), 0) / figures.length;
  const [first] = figures;
  const use = Object.keys(first.use).map((process): [string, ProcessUse] => [
    process,
    {
      cpuSeconds: mean((figure) => figure.use[process].cpuSeconds),
      cpuThreadSeconds: mean((figure) => figure.use[process].cpuThreadSeconds),
      waitedSeconds: mean((figure) => figure.use[process].waitedSeconds),
    },
  ]);
  return { ...first, wallSeconds: mean(wall), use: Object.fromEntries(use) };
}

type Measure = (figure: ProgramFigure) => number;

const wall: Measure = ({ wallSeconds }) => wallSeconds;
const useOfGuest = ({ use }: ProgramFigure): ProcessUse => use.primary ?? use.alone;
const cpuThread: Measure = (figure) => useOfGuest(figure).cpuThreadSeconds;
const cpuProcess: Measure = (figure) => useOfGuest(figure).cpuSeconds;
const waited: Measure = (figure) => useOfGuest(figure).waitedSeconds;

interface ComputeQuestion {
  readonly way: Way;
  /** What it is compared with: the plain run, unless said. */
  readonly base?: Way | undefined;
  readonly pass: Pass;
  readonly programs: readonly string[];
  readonly measure: Measure;
}

/** Over all named programs: in each pair the mean of the programs' logarithms. */
function computeCost(
  journal: CostJournal,
  { way, base, pass, programs, measure }: ComputeQuestion,
): CostEstimate | undefined {
  const logs = pairsOf(journal, 'compute', way, base).map(({ plain, other }) => {
    const [before, after] = [passOf(plain, pass), passOf(other, pass)];
    const each = programs.map((name) => Math.log(measure(after[name]) / measure(before[name])));
    return each.reduce((sum, log) => sum + log, 0) / each.length;
  });
  return estimateCost(logs);
}

const requestSeconds = (run: RedisCostRun, at: number): number => 1 / run.tests[at].requestsPerSecond;
const requestCpu = (run: RedisCostRun, at: number): number => run.tests[at].cpuSeconds / run.tests[at].requests;
const requestCpuThread = (run: RedisCostRun, at: number): number =>
  run.tests[at].cpuThreadSeconds / run.tests[at].requests;

function redisCost(
  journal: CostJournal,
  tests: readonly number[],
  measure: (run: RedisCostRun, at: number) => number,
): CostEstimate | undefined {
  const logs = pairsOf(journal, 'redis', 'recorded').map(({ plain, other }) => {
    const each = tests.map((at) => Math.log(measure(other, at) / measure(plain, at)));
    return each.reduce((sum, log) => sum + log, 0) / each.length;
  });
  return estimateCost(logs);
}

const programNames = ({ head }: CostJournal): string[] => [...new Set(head.programs)];

function redisTestNames({ entries }: CostJournal): string[] {
  const first = entries.find((entry) => entry.type === 'redis');
  return first === undefined ? [] : first.figures.tests.map(({ name }) => name);
}

const cell = (found: CostEstimate | undefined): string =>
  found === undefined ? '' : `${asCost(found.meanRatio)} (${asCost(found.low)} to ${asCost(found.high)})`;
const medianCell = (found: CostEstimate | undefined): string => (found === undefined ? '' : asCost(found.medianRatio));

function verdict({ low, high, meanRatio }: CostEstimate, goal: number): string {
  if (high <= goal) return 'met';
  if (low > goal) return '**missed**';
  return meanRatio <= goal
    ? 'met by the mean, the interval reaches beyond'
    : 'missed by the mean, the interval allows it';
}

/** The three goals, with the clock's word on each and the CPU thread's beside it; and what of a pair's cost is that of two busy cores. */
export function showCostGoals(journal: CostJournal): string {
  const programs = programNames(journal);
  const tests = redisTestNames(journal).map((_, at) => at);
  const compute = (way: Way, base?: Way) =>
    [wall, cpuThread].map((measure) => computeCost(journal, { way, base, pass: 'warm', programs, measure }));
  const redis = [requestSeconds, requestCpuThread].map((measure) =>
    tests.length === 0 ? undefined : redisCost(journal, tests, measure),
  );
  const rows: [string, number | undefined, (CostEstimate | undefined)[]][] = [
    ['recording, compute', 1.02, compute('recorded')],
    ['recording, redis', 1.05, redis],
    ['pair, compute', 1.05, compute('pair')],
    ['two plain guests beside each other, compute', undefined, compute('beside')],
    ['pair, against such a plain guest, compute', undefined, compute('pair', 'beside')],
  ];
  return table([
    ['cost by the clock', 'pairs', 'median', 'mean (95 %)', 'goal', 'verdict', 'by the CPU thread: mean (95 %)'],
    ...rows.map(([name, goal, [found, thread]]) => [
      name,
      String(found?.pairs ?? 0),
      medianCell(found),
      cell(found),
      goal === undefined ? '' : `≤ ${asCost(goal)}`,
      found === undefined ? 'not measured' : goal === undefined ? '' : verdict(found, goal),
      cell(thread),
    ]),
  ]);
}

/** Each program and redis test: by the clock, by the CPU thread, and by the whole process (of a pair: the primary's). */
export function showCosts(journal: CostJournal): string {
  const programs = programNames(journal);
  const groups = [...programs.map((name) => [name]), ...(programs.length > 1 ? [programs] : [])];
  const compute = (['recorded', 'pair', 'beside'] as const).flatMap((way) =>
    PASSES.flatMap((pass) =>
      groups.map((of) => [
        `${way}, ${pass}, ${of.length === 1 ? of[0] : 'all programs'}`,
        medianCell(computeCost(journal, { way, pass, programs: of, measure: wall })),
        ...[wall, cpuThread, cpuProcess].map((measure) =>
          cell(computeCost(journal, { way, pass, programs: of, measure })),
        ),
      ]),
    ),
  );
  const redis = redisTestNames(journal).map((name, at) => [
    `recorded, redis ${name}`,
    medianCell(redisCost(journal, [at], requestSeconds)),
    ...[requestSeconds, requestCpuThread, requestCpu].map((measure) => cell(redisCost(journal, [at], measure))),
  ]);
  return table([
    ['', 'clock: median', 'clock: mean (95 %)', 'CPU thread: mean (95 %)', 'process: mean (95 %)'],
    ...compute,
    ...redis,
  ]);
}

/** Medians of the raw figures. */
export function showCostFigures(journal: CostJournal): string {
  const { entries } = journal;
  const of = <Of extends Kind>(kind: Of, way: Way) =>
    entries
      .filter((entry): entry is CostEntry & { type: Of } => entry.type === kind && entry.way === way)
      .map(({ figures }) => figures as unknown as FiguresOf<Of>);
  const compute = PASSES.flatMap((pass) =>
    programNames(journal).map((name) => [
      `${pass}, ${name}: seconds (CPU thread, waited)`,
      ...WAYS.map((way) => {
        const figures = of('compute', way).map((run) => passOf(run, pass)[name]);
        if (figures.length === 0) return '';
        const [clock, thread, wait] = [wall, cpuThread, waited].map((m) => median(figures.map(m)).toFixed(3));
        return `${clock} (${thread}, ${wait})`;
      }),
    ]),
  );
  const redis = redisTestNames(journal).map((name, at) => [
    `redis ${name}: requests a second`,
    ...(['plain', 'recorded'] as const).map((way) => {
      const runs = of('redis', way);
      return runs.length === 0 ? '' : String(Math.round(median(runs.map((run) => run.tests[at].requestsPerSecond))));
    }),
    '',
    '',
  ]);
  return table([['medians', ...WAYS], ...compute, ...redis]);
}

/** What went wrong: runs that failed, and results that differ from the first run's. */
export function costComplaints({ entries }: CostJournal): string[] {
  const complaints: string[] = [];
  const results = new Map<string, string>();
  for (const entry of entries) {
    const where = `round ${entry.round + 1}, ${entry.way}`;
    if (entry.type === 'failure') complaints.push(`${where} (${entry.of}): ${entry.why.split('\n')[0]}`);
    if (entry.type !== 'compute') continue;
    for (const [name, { result }] of Object.entries(passOf(entry.figures, 'warm'))) {
      const first = results.get(name) ?? result;
      results.set(name, first);
      if (result !== first) complaints.push(`${where}: ${name} gave ${result}, not ${first}`);
    }
  }
  return complaints;
}
