/**
 * What the replicas of one machine on all hosts do: asked by their control sockets (which are files, so that no namespace is in the
 * way) many times a second, and read from their logs, which have the exact times.
 */
import { closeSync, openSync, readSync } from 'node:fs';
import { join } from 'node:path';
import { askReplica } from '../../../src/host/daemon/control.ts';
import type { ReplicaStatusReport } from '../../../src/host/daemon/messages.ts';
import { HOST_LABELS, type HostLabel } from './hosts-lab.ts';

/** What a replica last said of itself. */
export type Seen = { readonly pid: number; readonly status: ReplicaStatusReport; readonly atMs: number };

/** A line of a replica's log. Times are of the wall clock. */
export type Said = { readonly host: HostLabel; readonly atMs: number; readonly text: string };

/** A phase that a replica entered. */
export type Entered = Said & { readonly generation: number; readonly phase: string; readonly why: string };

export type Redundancy = {
  readonly generation: number;
  readonly primary: HostLabel;
  readonly backup: HostLabel;
  /** When both have said so. */
  readonly atMs: number;
};

const POLL_MS = 20;
/** A primary in one of these phases may let outputs out. */
const OWNING: readonly string[] = ['alone', 'copying', 'cutting-over', 'paired', 'handing-over'];

export class ReplicaWatch {
  /** Only those that answer now. */
  readonly seen = new Map<HostLabel, Seen>();
  readonly said: Said[] = [];
  /** Two primaries at a time; empty if all is well. */
  readonly violations: string[] = [];
  readonly #directoryOf: (label: HostLabel) => string;
  readonly #waiting = new Set<() => void>();
  readonly #read = new Map<HostLabel, { offset: number; rest: string }>();
  #stopped = false;

  constructor(directoryOf: (label: HostLabel) => string) {
    this.#directoryOf = directoryOf;
  }

  start(): void {
    for (const label of HOST_LABELS) void this.#poll(label);
  }

  stop(): void {
    this.#stopped = true;
    this.#tell();
  }

  /** Asked at both after `sinceMs`: a complete pair. */
  redundancy(sinceMs = 0): Redundancy | undefined {
    const paired = [...this.seen].filter(([, { status, atMs }]) => atMs > sinceMs && status.phase === 'paired');
    const primary = paired.find(([, { status }]) => status.role === 'primary');
    const backup = paired.find(([, { status }]) => status.role === 'backup');
    if (primary === undefined || backup === undefined) return undefined;
    const { generation } = primary[1].status;
    if (backup[1].status.generation !== generation) return undefined;
    return { generation, primary: primary[0], backup: backup[0], atMs: Math.max(primary[1].atMs, backup[1].atMs) };
  }

  /** The primary of the highest generation that answers. */
  get primary(): (Seen & { readonly host: HostLabel }) | undefined {
    const all = [...this.seen].map(([host, seen]) => ({ host, ...seen }));
    return all
      .filter(({ status }) => status.role === 'primary' && status.phase !== 'halted')
      .sort((a, b) => b.status.generation - a.status.generation)[0];
  }

  /** The phases that the replicas entered from then on, in the order of time. */
  entered(sinceMs: number): Entered[] {
    const found = this.said
      .filter(({ atMs }) => atMs >= sinceMs)
      .flatMap((line): Entered[] => {
        const parts = /^generation (\d+): ([a-z-]+) \((.*)\)$/.exec(line.text);
        return parts === null ? [] : [{ ...line, generation: Number(parts[1]), phase: parts[2]!, why: parts[3]! }];
      });
    return found.sort((a, b) => a.atMs - b.atMs);
  }

  /** The log lines from then on, for people. */
  story(sinceMs: number): string {
    return this.said
      .filter(({ atMs }) => atMs >= sinceMs)
      .sort((a, b) => a.atMs - b.atMs)
      .map(({ host, atMs, text }) => `${String(Math.round(atMs - sinceMs)).padStart(6)} ms ${host}: ${text}`)
      .join('\n');
  }

  /** Resolves with what `find` finds, looking at each news; undefined after `patienceMs`. */
  async until<Found>(find: () => Found | undefined, patienceMs: number): Promise<Found | undefined> {
    const endMs = performance.now() + patienceMs;
    for (;;) {
      const found = find();
      if (found !== undefined || performance.now() > endMs || this.#stopped) return found;
      await new Promise<void>((resolve) => this.#waiting.add(resolve));
    }
  }

  async #poll(label: HostLabel): Promise<void> {
    const socket = join(this.#directoryOf(label), 'control');
    while (!this.#stopped) {
      try {
        const { pid, status } = await askReplica(socket, { do: 'status' });
        if (status === undefined) this.seen.delete(label);
        else this.seen.set(label, { pid, status, atMs: Date.now() });
      } catch {
        this.seen.delete(label);
      }
      this.#readLog(label);
      this.#check();
      this.#tell();
      await new Promise((resolve) => setTimeout(resolve, POLL_MS));
    }
  }

  /** Answers are some milliseconds apart, so of two generations the older may have been given up meanwhile. */
  #check(): void {
    const owners = [...this.seen].filter(
      ([, { status }]) => status.role === 'primary' && OWNING.includes(status.phase),
    );
    for (const [host, { status, pid }] of owners) {
      const rival = owners.find(
        ([other, seen]) => other !== host && seen.pid !== pid && seen.status.generation === status.generation,
      );
      if (rival === undefined) continue;
      const what = `${host} and ${rival[0]} are both primary in generation ${status.generation}`;
      if (!this.violations.includes(what)) this.violations.push(what);
    }
  }

  #readLog(label: HostLabel): void {
    const at = this.#read.get(label) ?? { offset: 0, rest: '' };
    this.#read.set(label, at);
    let file: number;
    try {
      file = openSync(join(this.#directoryOf(label), 'log'), 'r');
    } catch {
      return; // no replica yet
    }
    const buffer = Buffer.alloc(64 * 1024);
    for (let got = readSync(file, buffer, 0, buffer.length, at.offset); got > 0; ) {
      at.offset += got;
      at.rest += buffer.toString('latin1', 0, got);
      got = readSync(file, buffer, 0, buffer.length, at.offset);
    }
    closeSync(file);
    const lines = at.rest.split('\n');
    at.rest = lines.pop()!;
    for (const line of lines) {
      const [time = '', ...words] = line.split(' ');
      const atMs = Date.parse(time);
      this.said.push(
        Number.isNaN(atMs)
          ? { host: label, atMs: Date.now(), text: line }
          : { host: label, atMs, text: words.join(' ') },
      );
    }
  }

  #tell(): void {
    for (const wake of this.#waiting) wake();
    this.#waiting.clear();
  }
}
