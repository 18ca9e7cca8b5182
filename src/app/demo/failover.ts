/** One failover as the clients and the replicas tell it: what happened when, counted from the kill, and what to conclude. */
import type { Owner } from '../../host/arbiter/arbiter.ts';
import type { CountingClient } from './counting-client.ts';
import type { Intervals } from './intervals.ts';
import type { LineClient } from './line-client.ts';
import type { PairView } from './pair-view.ts';

/** Lines of the stream that the story tells after the kill. */
const LINES_TOLD = 3;

export interface Moment {
  /** From the kill. */
  readonly afterMs: number;
  readonly text: string;
}

export class FailoverStory {
  readonly killedPid: number;
  readonly killMs: number;
  readonly lastLineBefore: number;
  /** The number that redis had acknowledged last. */
  readonly countBefore: number;
  readonly moments: Moment[] = [];
  #linesTold = 0;
  #countTold = false;

  constructor(killedPid: number, stream: LineClient, counter: CountingClient) {
    this.killedPid = killedPid;
    this.killMs = performance.now();
    this.lastLineBefore = stream.last;
    this.countBefore = counter.value;
    if (stream.lastMs !== undefined) this.#tell(stream.lastMs, `line ${stream.last}`);
    this.#tell(this.killMs, `kill -9 ${killedPid}, the primary`);
  }

  phase(pid: number, phase: string, generation: number, why: string): void {
    if (phase === 'leaving') this.#tell(performance.now(), `process ${pid}, the backup, notices: ${why}`);
    if (phase === 'admitting')
      this.#tell(performance.now(), `process ${pid} has won generation ${generation} at the arbiter`);
    if (phase === 'alone') this.#tell(performance.now(), `process ${pid} runs the machine alone (${why})`);
  }

  line(number: number, atMs: number): void {
    if (this.#linesTold++ < LINES_TOLD) this.#tell(atMs, `line ${number}`);
  }

  count(counter: CountingClient): void {
    if (this.#countTold || counter.value <= this.countBefore) return;
    this.#countTold = true;
    this.#tell(performance.now(), `redis acknowledges ${counter.value}`);
  }

  get isTold(): boolean {
    return this.#linesTold >= LINES_TOLD && this.#countTold;
  }

  #tell(atMs: number, text: string): void {
    this.moments.push({ afterMs: atMs - this.killMs, text });
  }
}

/** How long the clients are watched after the kill. */
export const WATCH_MS = 5000;

/** What a client saw, in milliseconds. */
export interface Gap {
  /** Around the kill. */
  readonly gapMs: number;
  /** Before it, the median. */
  readonly usualMs: number;
  /** All the time that it was watched after the kill. */
  readonly longestMs: number;
}

export function gapOf(intervals: Intervals, killMs: number): Gap {
  return {
    gapMs: intervals.aroundMs(killMs) ?? Number.NaN,
    usualMs: intervals.usualMs(killMs) ?? Number.NaN,
    longestMs: intervals.longestMs(killMs, killMs + WATCH_MS) ?? Number.NaN,
  };
}

export interface Finding {
  readonly isGood: boolean;
  readonly text: string;
}

export interface Evidence {
  readonly view: PairView;
  readonly stream: LineClient;
  readonly counter: CountingClient;
  readonly owner: Owner | undefined;
  readonly story: FailoverStory;
}

/** Everything that the demo claims, each as a finding. */
export function judge({ view, stream, counter, owner, story }: Evidence): Finding[] {
  const { primary, backup } = view;
  const generation = primary.generation + 1;
  const isOwner = owner?.generation === generation && backup.generation === generation;
  const isAlone = primary.end !== undefined && backup.end === undefined;
  return [
    {
      isGood: view.hasTakenOver && isAlone,
      text: `the backup took over: process ${backup.pid} runs the machine, process ${story.killedPid} is gone`,
    },
    {
      isGood: isOwner,
      text: `exactly one owner: the arbiter's newest generation is ${owner?.generation ?? 'unknown'}, the survivor's is ${backup.generation}`,
    },
    {
      isGood: stream.fault === undefined && stream.last > story.lastLineBefore,
      text: `stream: the same TCP connection, lines 1 to ${stream.last}, none lost, none twice${because(stream.fault)}`,
    },
    {
      isGood: counter.fault === undefined && counter.value > story.countBefore,
      text: `redis: the same TCP connection, writes 1 to ${counter.value}, none lost, none twice${because(counter.fault)}`,
    },
  ];
}

function because(fault: string | undefined): string {
  return fault === undefined ? '' : `: NOT SO, ${fault}`;
}
