/** What a soak leaves, a line of JSON each, written as it comes: a head, samples, what the replicas said, and the end. */
import { appendFile, mkdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { CpuThreadState } from '../../src/host/runner/cpu-thread.ts';
import type { Facts } from '../support/facts.ts';

export interface SoakHead {
  readonly type: 'soak';
  readonly facts: Facts;
  readonly minutes: number;
  readonly sampleSeconds: number;
  readonly connections: number;
}

export interface Memory {
  /** Resident now, and at most ever. */
  readonly residentMib: number;
  readonly peakMib: number;
}

export interface Sample {
  readonly type: 'sample';
  /** Since the load began. */
  readonly seconds: number;
  /** By process. */
  readonly memory: Readonly<Record<string, Memory>>;
  /** Of the replicas' CPU threads, by member. */
  readonly cpu?: Readonly<Record<string, CpuThreadState | undefined>>;
  /** Since the sample before it. */
  readonly requestsPerSecond: number;
  /** How far the backup is behind, as the primary says; and bytes of log that the primary has made in all. */
  readonly lagMs: number | undefined;
  readonly logBytes: number | undefined;
  readonly heldOutputs: number | undefined;
  /** The part of the time that the guest may use. */
  readonly speed: number | undefined;
  /** Steps since the sample before it, in millions a second. */
  readonly mips: number | undefined;
  readonly hashesLogged: number;
  readonly hashesEqual: number;
}

/** What a process said of itself. */
export interface Said {
  readonly type: 'said';
  /** Since the pair was started. */
  readonly seconds: number;
  readonly member: string;
  readonly what: string;
}

export interface SoakEnd {
  readonly type: 'end';
  readonly seconds: number;
  readonly requests: number;
  readonly hashesLogged: number;
  readonly hashesEqual: number;
  readonly logEntries: number;
  readonly logBytes: number;
  /** In words: divergences, fail-overs, wrong answers. */
  readonly complaints: readonly string[];
}

export interface SoakJournal {
  readonly head: SoakHead;
  readonly samples: readonly Sample[];
  readonly said: readonly Said[];
  /** Absent when it was interrupted. */
  readonly end: SoakEnd | undefined;
}

export async function beginSoakJournal(file: string, head: SoakHead): Promise<void> {
  await mkdir(path.dirname(file), { recursive: true });
  await writeFile(file, `${JSON.stringify(head)}\n`);
}

export const appendSoak = (file: string, line: Sample | Said | SoakEnd): Promise<void> =>
  appendFile(file, `${JSON.stringify(line)}\n`);

/** Undefined when there is none. */
export async function readSoakJournal(file: string): Promise<SoakJournal | undefined> {
  const text = await readFile(file, 'utf8').catch(() => '');
  const lines = text.slice(0, text.lastIndexOf('\n') + 1).split('\n');
  const [head, ...rest] = lines.filter((line) => line !== '').map((line) => JSON.parse(line) as unknown);
  if (head === undefined) return undefined;
  const all = rest as (Sample | Said | SoakEnd)[];
  return {
    head: head as SoakHead,
    samples: all.filter((line) => line.type === 'sample'),
    said: all.filter((line) => line.type === 'said'),
    end: all.find((line) => line.type === 'end'),
  };
}
