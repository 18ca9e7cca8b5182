/** The journal's figures as Markdown tables: medians over the rounds, ratios, geometric means. */
import { median, table } from '../support/numbers.ts';
import type { Journal, ProgramsEntry, RedisEntry } from './journal.ts';
import { PROGRAMS } from './programs.ts';
import type { SubjectName } from './subjects.ts';

export function geometricMean(values: readonly number[]): number {
  return Math.exp(values.reduce((sum, value) => sum + Math.log(value), 0) / values.length);
}

const runsOf = ({ entries }: Journal, subject: SubjectName): ProgramsEntry[] =>
  entries.filter((entry): entry is ProgramsEntry => entry.type === 'programs' && entry.subject === subject);

type Take = (entry: ProgramsEntry) => { readonly wallSeconds: number; readonly cpuSeconds: number };

/** Times as fast as the peer: the median of the rounds' ratios; undefined when there is no round in which both ran. */
export function ratio(journal: Journal, subject: SubjectName, peer: SubjectName, take: Take): number | undefined {
  const theirs = new Map(runsOf(journal, peer).map((entry) => [entry.round, take(entry).wallSeconds]));
  const ratios = runsOf(journal, subject).flatMap((entry) => {
    const their = theirs.get(entry.round);
    return their === undefined ? [] : [their / take(entry).wallSeconds];
  });
  return ratios.length === 0 ? undefined : median(ratios);
}

const ofProgram =
  (name: string): Take =>
  ({ figures }) =>
    figures.programs[name];
const ofBoot: Take = ({ figures }) => figures.boot;

/** All subjects side by side: seconds, processor seconds, and times the first QEMU. */
export function showPrograms(journal: Journal): string {
  const { subjects, programs } = journal.campaign;
  const ran = subjects.filter((subject) => runsOf(journal, subject).length > 0);
  const peer = ran.find((name) => name === 'qemu') ?? ran.find((name) => name === 'qemu-newest');
  const row = (name: string, take: Take): string[] => [
    name,
    ...ran.map((subject) => {
      const runs = runsOf(journal, subject).map(take);
      const wall = median(runs.map(({ wallSeconds }) => wallSeconds));
      const cpu = median(runs.map(({ cpuSeconds }) => cpuSeconds));
      const times = peer === undefined ? undefined : ratio(journal, subject, peer, take);
      return `${wall.toFixed(2)} (${cpu.toFixed(2)})${times === undefined ? '' : ` = ${times.toFixed(2)}x`}`;
    }),
  ];
  const means = ran.map((subject) => {
    if (peer === undefined) return '';
    const all = programs.flatMap((name) => ratio(journal, subject, peer, ofProgram(name)) ?? []);
    return all.length === 0 ? '' : `${geometricMean(all).toFixed(2)}x`;
  });
  return table([
    [`seconds (processor seconds)${peer === undefined ? '' : ` = times ${peer}`}`, ...ran],
    row('boot', ofBoot),
    ...programs.map((name) => row(name, ofProgram(name))),
    ['geometric mean of the programs', ...means],
  ]);
}

export function showRedis(journal: Journal): string {
  const runs = journal.entries.filter((entry): entry is RedisEntry => entry.type === 'redis');
  const subjects = journal.campaign.subjects.filter((name) => runs.some(({ subject }) => subject === name));
  const names = [...new Set(runs.flatMap(({ figures }) => figures.tests.map(({ name }) => name)))];
  return table([
    ['requests a second; seconds (processor seconds)', ...subjects],
    ...names.map((name) => [
      name,
      ...subjects.map((subject) => {
        const tests = runs
          .filter((run) => run.subject === subject)
          .map(({ figures }) => figures.tests.find((test) => test.name === name)!);
        const rates = tests.flatMap(({ requestsPerSecond }) => requestsPerSecond ?? []);
        const wall = median(tests.map(({ wallSeconds }) => wallSeconds));
        const cpu = median(tests.map(({ cpuSeconds }) => cpuSeconds));
        return `${rates.length === 0 ? '' : `${median(rates).toFixed(0)}/s; `}${wall.toFixed(2)} (${cpu.toFixed(2)})`;
      }),
    ]),
  ]);
}

/** Programs whose results are not the same on all subjects and in all rounds: a sentence for each. */
export function wrongResults({ entries }: Journal): string[] {
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
