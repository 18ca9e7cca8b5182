/** The raw figures of the replication benchmark: one line of JSON for each measurement, written as soon as it is made; `--resume` goes on behind them. */
import { appendFile, mkdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { Facts } from '../support/facts.ts';
import type { RedisFigures } from '../support/redis-benchmark.ts';
import type { VolumeByKind } from './log-volume.ts';

export interface ReplicationHead {
  readonly type: 'replication';
  readonly facts: Facts;
  readonly quick: boolean;
}

/** The load of the last minute before it, and when it began (ISO 8601). */
interface Circumstances {
  readonly load: number;
  readonly at: string;
}

export type TestResult = RedisFigures & { readonly name: string };

/** All tests once, on the plain guest or on the pair. */
export interface RatesEntry extends Circumstances {
  readonly type: 'rates';
  readonly round: number;
  readonly way: 'plain' | 'pair';
  readonly tests: readonly TestResult[];
}

/** The log of a pair for a while. */
export interface LogEntryFigures extends Circumstances {
  readonly type: 'log';
  readonly work: string;
  readonly seconds: number;
  /** What the primary has sent and what has come back, framing included. */
  readonly sentBytes: number;
  readonly backBytes: number;
  readonly volumes: VolumeByKind;
  /** What was done in that time, in words. */
  readonly done: string;
}

/** The same tests with a link that takes its time. */
export interface DelayEntry extends Circumstances {
  readonly type: 'delay';
  readonly round: number;
  readonly delayMs: number;
  /** Median of single bytes that were sent there and back through such a link. */
  readonly roundTripMs: number;
  readonly tests: readonly TestResult[];
}

export const VICTIMS = ['backup', 'primary'] as const;
export type Victim = (typeof VICTIMS)[number];
export type TransferWork = 'idle' | 'redis';

/** By the guest's own clock, in ms. */
export interface Stops {
  readonly longestMs: number;
  /** Those of 10 ms and more. */
  readonly times: number;
  readonly sumMs: number;
}

/** A replica was killed, and another one came. Times without a name for their beginning are from the kill. */
export interface TransferEntry extends Circumstances {
  readonly type: 'transfer';
  readonly work: TransferWork;
  readonly round: number;
  readonly victim: Victim;
  readonly aloneMs: number;
  readonly copyingMs: number;
  readonly cutMs: number | undefined;
  readonly redundantMs: number;
  /** Copies begun; more than one if one of them came to nothing. */
  readonly copies: number;
  /** From when the guest ran alone until it was redundant; around the cut only; and for some seconds before the kill. */
  readonly stops: Stops;
  readonly cutStops: Stops;
  readonly usualStops: Stops;
  /** For how long the thread that runs the guest was ready and had no core, in the time of `stops`. */
  readonly waitedForCoreMs: number;
  /** The longest wait of a client with one request at a time: while the copy was made, at the kill, and for some seconds before it. */
  readonly waitMs: number;
  readonly gapMs: number;
  readonly usualMs: number;
  readonly requestsPerSecondBefore: number | undefined;
  /** What the replicas said, if it took unusually long. */
  readonly story?: string;
}

export type Measurement = RatesEntry | LogEntryFigures | DelayEntry | TransferEntry;

/** A measurement as its stage makes it: its circumstances are the campaign's to add. */
export type Bare<Kind extends Measurement> = Kind extends unknown ? Omit<Kind, keyof Circumstances> : never;

export interface FailureEntry extends Circumstances {
  readonly type: 'failure';
  readonly of: string;
  readonly why: string;
}

export type ReplicationEntry = Measurement | FailureEntry;

export interface ReplicationJournal {
  readonly head: ReplicationHead;
  readonly entries: readonly ReplicationEntry[];
}

/** What measurements are called, whether they were made or not. */
export const rateName = (way: RatesEntry['way'], round: number): string => `rates of ${way}, round ${round + 1}`;
export const logName = (work: string): string => `log, ${work}`;
export const delayName = (delayMs: number, round: number): string => `link of ${delayMs} ms, round ${round + 1}`;
export const transferName = (work: TransferWork, round: number): string => `transfer, ${work}, round ${round + 1}`;

export function nameOf(entry: Measurement): string {
  switch (entry.type) {
    case 'rates':
      return rateName(entry.way, entry.round);
    case 'log':
      return logName(entry.work);
    case 'delay':
      return delayName(entry.delayMs, entry.round);
    case 'transfer':
      return transferName(entry.work, entry.round);
  }
}

/** Undefined when there is none. A last line that was cut short is left out. */
export async function readReplicationJournal(file: string): Promise<ReplicationJournal | undefined> {
  const text = await readFile(file, 'utf8').catch(() => '');
  const lines = text.slice(0, text.lastIndexOf('\n') + 1).split('\n');
  const [head, ...entries] = lines.filter((line) => line !== '').map((line) => JSON.parse(line) as unknown);
  if (head === undefined) return undefined;
  return { head: head as ReplicationHead, entries: entries as ReplicationEntry[] };
}

/** Replaces what was there. */
export async function writeReplicationJournal(file: string, { head, entries }: ReplicationJournal): Promise<void> {
  await mkdir(path.dirname(file), { recursive: true });
  await writeFile(file, [head, ...entries].map((line) => `${JSON.stringify(line)}\n`).join(''));
}

export const appendReplicationEntry = (file: string, entry: ReplicationEntry): Promise<void> =>
  appendFile(file, `${JSON.stringify(entry)}\n`);
