/**
 * The journal of the campaign on hosts: a line of JSON for each round, and one for each installation at its end. A round that
 * failed may be run again: then its last line counts, and the earlier ones tell how often and why.
 */
import { existsSync, readFileSync } from 'node:fs';
import type { HostsEnd } from './hosts-cluster.ts';
import type { HostsRound } from './hosts-round.ts';

/** A line of a round. One that came to no end has its problems only. */
export type RoundLine = { readonly campaign: number; readonly round: number; readonly atMs: number } & (
  | HostsRound
  | Pick<HostsRound, 'fault' | 'seed' | 'problems'>
);

/** An installation's end, after one of its rounds. */
export type EndLine = {
  readonly campaign: number;
  readonly afterRound: number;
  readonly atMs: number;
  readonly end: HostsEnd;
};

export type Journal = { readonly rounds: readonly RoundLine[]; readonly ends: readonly EndLine[] };

/** Nothing where there is no file. */
export function readJournal(path: string): Journal {
  return existsSync(path) ? parseJournal(readFileSync(path, 'utf8')) : { rounds: [], ends: [] };
}

export function parseJournal(text: string): Journal {
  const rounds: RoundLine[] = [];
  const ends: EndLine[] = [];
  for (const line of text.split('\n').filter(Boolean)) {
    const parsed = JSON.parse(line) as RoundLine | EndLine;
    if ('end' in parsed) ends.push(parsed);
    else rounds.push(parsed);
  }
  return { rounds, ends };
}

export const isGood = ({ problems }: { readonly problems: readonly string[] }): boolean => problems.length === 0;

/** The last line of each round, and those that failed before it. In the order of the rounds. */
export type Runs = { readonly last: RoundLine; readonly failedBefore: readonly RoundLine[] };

export function runsOf(lines: readonly RoundLine[]): Runs[] {
  const runs = new Map<string, RoundLine[]>();
  for (const line of lines) {
    const key = `${line.campaign} ${line.round}`;
    runs.set(key, [...(runs.get(key) ?? []), line]);
  }
  return [...runs.values()]
    .sort(([a], [b]) => a!.campaign - b!.campaign || a!.round - b!.round)
    .map((all) => ({ last: all.at(-1)!, failedBefore: all.slice(0, -1).filter((line) => !isGood(line)) }));
}

/** Rounds of a campaign that need not be run again. */
export function goodRounds({ rounds }: Journal, campaign: number): Set<number> {
  const runs = runsOf(rounds.filter((line) => line.campaign === campaign));
  return new Set(runs.filter(({ last }) => isGood(last)).map(({ last }) => last.round));
}
