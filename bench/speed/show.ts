/** The journal's figures as Markdown. */
import { median, spread, table } from '../support/numbers.ts';
import {
  bootSeconds,
  COMPARISONS,
  type Comparison,
  geometricMean,
  goals,
  programCpuSeconds,
  programRatios,
  programSeconds,
  type Ratio,
  ratioOf,
  redisRatios,
  redisSeconds,
  redisTests,
} from './comparisons.ts';
import type { Journal, ProgramsEntry, RedisEntry } from './journal.ts';
import { PROGRAMS } from './programs.ts';
import type { RedisFigure } from './redis-run.ts';
import { FACTS, SUBJECTS, type SubjectName } from './subjects.ts';
import type { Figure } from './timed-run.ts';

const times = (ratio: number | undefined): string => (ratio === undefined ? '' : `${ratio.toFixed(2)}x`);
const range = (ratio: Ratio | undefined): string => {
  if (ratio === undefined) return '';
  const { median: middle, least, most } = ratio;
  return least === most ? times(middle) : `${times(middle)} (${least.toFixed(2)} to ${most.toFixed(2)})`;
};

const label = (name: string): string => PROGRAMS.find((program) => program.name === name)?.label ?? name;

const programsRuns = ({ entries }: Journal, subject: SubjectName): ProgramsEntry[] =>
  entries.filter((entry): entry is ProgramsEntry => entry.type === 'programs' && entry.subject === subject);

const redisFigures = ({ entries }: Journal, subject: SubjectName, name: string): RedisFigure[] =>
  entries
    .filter((entry): entry is RedisEntry => entry.type === 'redis' && entry.subject === subject)
    .flatMap(({ figures }) => figures.tests.filter((test) => test.name === name));

/** The subjects of the journal that have figures of that kind, in their own order. */
const having = ({ entries }: Journal, type: 'programs' | 'redis'): SubjectName[] =>
  SUBJECTS.filter((name) => entries.some((entry) => entry.type === type && entry.subject === name));

export function showGoals(journal: Journal): string {
  return table([
    ['times as fast as', 'wanted, at least', 'found (peer)', 'reached'],
    ...goals(journal).map(({ text, wanted, found }) => {
      const measured = found.filter(({ ratio }) => ratio !== undefined);
      const texts = measured.map(({ ratio, peer }) => `${times(ratio)} (${peer})`);
      const reached = measured.every(({ ratio = 0 }) => ratio >= wanted);
      return [
        text,
        times(wanted),
        texts.join(', ') || 'not measured',
        measured.length === 0 ? '' : reached ? 'yes' : 'no',
      ];
    }),
  ]);
}

/** All subjects side by side: medians of seconds, and of the processor seconds of the whole process. */
export function showSeconds(journal: Journal): string {
  const subjects = having(journal, 'programs');
  const row = (name: string, take: (entry: ProgramsEntry) => Figure): string[] => [
    label(name),
    ...subjects.map((subject) => {
      const figures = programsRuns(journal, subject).map(take);
      const wall = median(figures.map(({ wallSeconds }) => wallSeconds));
      return `${wall.toFixed(2)} (${median(figures.map(({ cpuSeconds }) => cpuSeconds)).toFixed(2)})`;
    }),
  ];
  const whole = (text: string, digits: number, take: (entry: ProgramsEntry) => number): string[] => [
    text,
    ...subjects.map((subject) => spread(programsRuns(journal, subject).map(take), digits)),
  ];
  return table([
    ['seconds (processor seconds)', ...subjects],
    row('boot to userland', ({ figures }) => figures.boot),
    ...journal.campaign.programs.map((name) => row(name, ({ figures }) => figures.programs[name])),
    whole('ready without a core during the programs, thread seconds', 2, ({ figures }) =>
      Object.values(figures.programs).reduce((sum, { waitedSeconds }) => sum + waitedSeconds, 0),
    ),
    whole('peak memory of the process, MiB', 0, ({ figures }) => figures.peakMib),
    ['rounds', ...subjects.map((subject) => `${programsRuns(journal, subject).length}`)],
  ]);
}

/** Every comparison that both sides have figures for: times as fast as the peer. */
export function showRatios(journal: Journal): string {
  const columns = COMPARISONS.filter((each) => programRatios(journal, each).length > 0);
  const row = (text: string, cell: (of: Comparison) => string): string[] => [text, ...columns.map(cell)];
  const mean =
    (...how: [kinds?: Parameters<typeof programRatios>[2], seconds?: Parameters<typeof programRatios>[3]]) =>
    (of: Comparison) =>
      times(geometricMean(programRatios(journal, of, ...how)));
  return table([
    ['times as fast as the peer', ...columns.map(({ title }) => title)],
    row('boot to userland', (of) => range(ratioOf(journal, of, bootSeconds))),
    ...journal.campaign.programs.map((name) =>
      row(label(name), (of) => range(ratioOf(journal, of, programSeconds(name)))),
    ),
    row('**geometric mean of all programs**', mean()),
    row('geometric mean: compute', mean(['compute'])),
    row('geometric mean: kernel', mean(['system'])),
    row('geometric mean: Debian’s programs', mean(['tool'])),
    row('geometric mean of all programs, by processor time', mean(undefined, programCpuSeconds)),
    row('worst program', (of) => times(Math.min(...programRatios(journal, of)))),
  ]);
}

export function showRedis(journal: Journal): string {
  const subjects = having(journal, 'redis');
  const cell = ({ requestsPerSecond, wallSeconds, requests, p50Ms, p99Ms }: RedisFigure): string =>
    requestsPerSecond === undefined
      ? `${(requests / wallSeconds).toFixed(0)}`
      : `${requestsPerSecond.toFixed(0)} (${p50Ms?.toFixed(1)} / ${p99Ms?.toFixed(1)})`;
  const middle = (figures: readonly RedisFigure[]): RedisFigure | undefined =>
    [...figures].sort((a, b) => a.wallSeconds / a.requests - b.wallSeconds / b.requests)[figures.length >> 1];
  const cpu = (figures: readonly RedisFigure[]): string =>
    figures.length === 0 ? '' : (median(figures.map((each) => each.cpuSeconds / each.requests)) * 1e6).toFixed(0);
  return table([
    ['requests a second (p50 / p99, ms)', ...subjects],
    ...redisTests(journal).map((name) => [
      name,
      ...subjects.map((subject) => {
        const figure = middle(redisFigures(journal, subject, name));
        return figure === undefined ? '' : cell(figure);
      }),
    ]),
    ...redisTests(journal).map((name) => [
      `${name}: processor microseconds a request`,
      ...subjects.map((subject) => cpu(redisFigures(journal, subject, name))),
    ]),
    ['rounds', ...subjects.map((subject) => `${redisFigures(journal, subject, redisTests(journal)[0]).length}`)],
  ]);
}

export function showRedisRatios(journal: Journal): string {
  const columns = COMPARISONS.filter((each) => redisRatios(journal, each).length > 0);
  return table([
    ['times as fast as the peer', ...columns.map(({ title }) => title)],
    ...redisTests(journal).map((name) => [
      name,
      ...columns.map((of) => range(ratioOf(journal, of, redisSeconds(name)))),
    ]),
    [
      '**geometric mean, without the first seconds**',
      ...columns.map((of) => times(geometricMean(redisRatios(journal, of)))),
    ],
  ]);
}

/** What the column heads mean. */
export function showSubjects(journal: Journal): string {
  const present = SUBJECTS.filter((name) => journal.entries.some(({ subject }) => subject === name));
  return present.map((name) => `- \`${name}\`: ${FACTS[name].what}`).join('\n');
}

/** Runs that gave no figures, and programs whose results differ: a sentence for each; empty if all went well. */
export function complaints(journal: Journal): string[] {
  const failures = journal.entries.flatMap((entry) =>
    entry.type === 'failure'
      ? [`round ${entry.round + 1}, ${entry.subject}, ${entry.of}: ${entry.why.trim().split('\n').at(-1)}`]
      : [],
  );
  return [...failures, ...wrongResults(journal)];
}

function wrongResults({ entries }: Journal): string[] {
  const runs = entries.filter((entry): entry is ProgramsEntry => entry.type === 'programs');
  return PROGRAMS.flatMap(({ name }) => {
    const found = runs.flatMap(({ subject, figures }) =>
      figures.programs[name] === undefined ? [] : [{ subject, result: figures.programs[name].result }],
    );
    const results = [...new Set(found.map(({ result }) => result))];
    if (results.length <= 1 && results[0] !== '') return [];
    const sayers = results.map((result) => {
      const who = new Set(found.filter((each) => each.result === result).map(({ subject }) => subject));
      return `"${result}" (${[...who].join(', ')})`;
    });
    return [`the results of ${name} differ: ${sayers.join('; ')}`];
  });
}
