/**
 * The raw figures of a campaign, one line of JSON for each run of a subject, written as soon as it has ended: what was measured survives an
 * interruption, and `--resume` goes on behind it. The first line says what the campaign is and on what machine.
 */
import { appendFile, mkdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { Facts } from '../support/facts.ts';
import type { RedisRun } from './redis-run.ts';
import type { SubjectName } from './subjects.ts';
import type { RunFigures } from './timed-run.ts';

export interface Campaign {
  readonly type: 'campaign';
  readonly facts: Facts;
  readonly rounds: number;
  readonly programs: readonly string[];
  readonly subjects: readonly SubjectName[];
  /** Versions of what is compared. */
  readonly versions: Readonly<Record<string, string>>;
}

/** What every run says of itself; `load` is that of the last minute before it. */
interface RunHead {
  readonly round: number;
  readonly subject: SubjectName;
  readonly load: number;
}
export type ProgramsEntry = RunHead & { readonly type: 'programs'; readonly figures: RunFigures };
export type RedisEntry = RunHead & { readonly type: 'redis'; readonly figures: RedisRun };
export type FailureEntry = RunHead & {
  readonly type: 'failure';
  readonly of: 'programs' | 'redis';
  readonly why: string;
};
export type Entry = ProgramsEntry | RedisEntry | FailureEntry;

export interface Journal {
  readonly campaign: Campaign;
  readonly entries: readonly Entry[];
}

/** Undefined when there is none. A last line that was cut short is left out. */
export async function readJournal(file: string): Promise<Journal | undefined> {
  const text = await readFile(file, 'utf8').catch(() => undefined);
  if (text === undefined) return undefined;
  const [campaign, ...entries] = text
    .slice(0, text.lastIndexOf('\n') + 1)
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as unknown);
  return campaign === undefined ? undefined : { campaign: campaign as Campaign, entries: entries as Entry[] };
}

/** Replaces what was there. */
export async function writeJournal(file: string, { campaign, entries }: Journal): Promise<void> {
  await mkdir(path.dirname(file), { recursive: true });
  await writeFile(file, [campaign, ...entries].map((line) => `${JSON.stringify(line)}\n`).join(''));
}

export async function appendToJournal(file: string, entry: Entry): Promise<void> {
  await appendFile(file, `${JSON.stringify(entry)}\n`);
}
