/**
 * The rounds of the speed benchmark: in each, every subject runs once, one after the other, so that what the machine does meanwhile falls on
 * all of them alike; each round begins with another subject. A run that fails is noted as such and the round goes on.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import type { BuiltImage } from '../../src/host/image/manifest.ts';
import { appendToJournal, type Entry, type Journal } from './journal.ts';
import { redisRun } from './redis-run.ts';
import { FACTS, launch, SUBJECTS, type SubjectName } from './subjects.ts';
import { timedRun } from './timed-run.ts';

/** A single run takes a minute at most; one that hangs must not cost the night. */
const TIMEOUT_MS = 170_000;

export interface Options {
  readonly subjects: readonly SubjectName[];
  readonly programs: readonly string[];
  readonly rounds: number;
  /** For redis; undefined leaves it out. */
  readonly image?: BuiltImage | undefined;
  /** Options of node, for our own processes and v86's. */
  readonly nodeOptions: readonly string[];
  /** No run begins after this many milliseconds; what is missing is left to a later call. */
  readonly limitMs?: number | undefined;
  readonly onProgress: (line: string) => void;
}

type Part = 'programs' | 'redis';

/** Runs what is not in the journal yet; each entry is appended to the file, if one is named, and given back with all others. */
export async function runCampaign(options: Options, journal: Journal, file?: string): Promise<Journal> {
  const entries = [...journal.entries];
  const last = performance.now() + (options.limitMs ?? Number.POSITIVE_INFINITY);
  const isDone = (part: Part, round: number, subject: SubjectName): boolean =>
    entries.some((entry) => entry.type === part && entry.round === round && entry.subject === subject);
  for (let round = 0; round < options.rounds; round++) {
    const directory = await mkdtemp(join(tmpdir(), 'understudy-speed-'));
    try {
      for (const part of partsOf(options)) {
        const due = inTurn(options.subjects, round).filter((subject) => {
          const { mostRounds, mostRedisRounds } = FACTS[subject];
          return round < ((part === 'programs' ? mostRounds : mostRedisRounds) ?? options.rounds);
        });
        for (const subject of due.filter((name) => !isDone(part, round, name))) {
          // A recording and its replay are not torn apart: the recording's file would be gone.
          if (performance.now() > last && FACTS[subject].after === undefined) return { ...journal, entries };
          const entry = await runOne(part, round, subject, directory, options);
          options.onProgress(`round ${round + 1} of ${options.rounds}, ${describe(entry)}`);
          entries.push(entry);
          if (file !== undefined) await appendToJournal(file, entry);
        }
      }
    } finally {
      await rm(directory, { recursive: true, force: true });
    }
  }
  return { campaign: journal.campaign, entries };
}

const partsOf = ({ programs, image }: Options): Part[] => [
  ...(programs.length > 0 ? (['programs'] as const) : []),
  ...(image === undefined ? [] : (['redis'] as const)),
];

/** The subjects, beginning with another one in each round; what must run after another stays behind it. */
function inTurn(subjects: readonly SubjectName[], round: number): SubjectName[] {
  const groups = subjects
    .filter((name) => FACTS[name].after === undefined)
    .map((name) => [name, ...subjects.filter((other) => FACTS[other].after === name)]);
  const first = groups.length === 0 ? 0 : round % groups.length;
  return [...groups.slice(first), ...groups.slice(0, first)].flat();
}

/**
 * What of an interrupted campaign still counts: not its failures, which are tried again, and not recordings without their replay, because the
 * file to replay is gone.
 */
export function resumable({ campaign, entries }: Journal): Journal {
  const replayed = (of: Entry): boolean =>
    SUBJECTS.filter((name) => FACTS[name].after === of.subject).every((replay) =>
      entries.some(({ type, round, subject }) => type === of.type && round === of.round && subject === replay),
    );
  return { campaign, entries: entries.filter((entry) => entry.type !== 'failure' && replayed(entry)) };
}

async function runOne(
  part: Part,
  round: number,
  subject: SubjectName,
  directory: string,
  { programs, image, nodeOptions }: Options,
): Promise<Entry> {
  const head = { round, subject, load: loadavg()[0] };
  try {
    if (part === 'redis') {
      return { type: part, ...head, figures: await redisRun(subject, image!, directory, TIMEOUT_MS) };
    }
    const wishes = { programs, directory, nodeOptions };
    return { type: part, ...head, figures: await timedRun(await launch(subject, wishes), TIMEOUT_MS) };
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    return { type: 'failure', ...head, of: part, why: why.slice(0, 3000) };
  }
}

function describe(entry: Entry): string {
  if (entry.type === 'failure') return `${entry.subject} FAILED (${entry.of}): ${entry.why}`;
  if (entry.type === 'redis') {
    const tests = entry.figures.tests.map(({ name, requestsPerSecond, wallSeconds }) =>
      requestsPerSecond === undefined
        ? `${name} ${wallSeconds.toFixed(2)} s`
        : `${name} ${requestsPerSecond.toFixed(0)}/s`,
    );
    return `${entry.subject}: ${tests.join(', ')}`;
  }
  const { boot, programs } = entry.figures;
  const texts = Object.entries(programs).map(([name, { wallSeconds }]) => `${name} ${wallSeconds.toFixed(2)}`);
  return `${entry.subject}: boot ${boot.wallSeconds.toFixed(2)}, ${texts.join(', ')}`;
}
