/**
 * Runs a machine from a log, which may still be growing. It never runs past what the log vouches for: the last entry
 * received, or a later position that the recording side has confirmed. Each input is applied at its exact position; each
 * output must have its mark, and each hash must be equal. A difference is a divergence: the replay stops there and says
 * what both sides have.
 */
import type { Input, Output } from '../machine/doors.ts';
import type { ReplicatedMachine } from '../vm/machine-interface.ts';
import type { EndReason, LogEntry, ReadDone } from './log-entry.ts';
import { markOf, type OutputMark, sameMark, showMark } from './output-mark.ts';

/** The two machines are not one. `log` and `machine` say in words what either has at `position`. */
export interface Divergence {
  readonly position: bigint;
  readonly log: string;
  readonly machine: string;
}

/**
 * - `starved`: all that may be done is done; more entries or a later position are needed;
 * - `requested`: the machine was asked for an early return; call again;
 * - `ended`: the log is finished, and the machine stands at its end;
 * - `diverged`: see `divergence`.
 */
export type ReplayStatus = 'starved' | 'requested' | 'ended' | 'diverged';

/**
 * The bytes of a read whose data the log leaves out. `awaited`: they will be here later; call `advance` again then.
 * `impossible`: they never will, because the two machines are not one.
 */
export type ReadData = { readonly data: Uint8Array } | 'awaited' | { readonly impossible: string };

export interface ReplayerDeps {
  readonly machine: ReplicatedMachine;
  /** Finds the data of a finished read. Without it no log may leave any out. */
  readonly readData?: (read: ReadDone) => ReadData;
  /** Takes the outputs as the machine makes them, before their marks are compared. */
  readonly onOutput?: (output: Output, sequence: number, position: bigint) => void;
  /** Called before an input of the log is applied. */
  readonly onInput?: (input: Input, position: bigint) => void;
  /** Called after a hash of the log was found equal. */
  readonly onHash?: (value: bigint, position: bigint) => void;
}

export interface ReplayerOptions {
  /** The sequence number of the machine's next output: 1, unless it has a past. */
  readonly firstSequence?: number;
}

export class Replayer {
  readonly #machine: ReplicatedMachine;
  readonly #deps: ReplayerDeps;
  #entries: LogEntry[] = [];
  /** Entries before this index are done. */
  #done = 0;
  #executable: bigint;
  #nextSequence: number;
  /** Outputs made here whose marks have not been met, in order. */
  #unmarked: { readonly mark: OutputMark; readonly position: bigint }[] = [];
  #finished = false;
  #end: EndReason | undefined;
  #divergence: Divergence | undefined;

  constructor(options: ReplayerOptions, deps: ReplayerDeps) {
    this.#machine = deps.machine;
    this.#deps = deps;
    this.#executable = deps.machine.position;
    this.#nextSequence = options.firstSequence ?? 1;
    this.#machine.onOutput = (output, position) => {
      const sequence = this.#nextSequence++;
      this.#unmarked.push({ mark: markOf(output, sequence), position });
      deps.onOutput?.(output, sequence, position);
    };
  }

  get divergence(): Divergence | undefined {
    return this.#divergence;
  }

  /** The log's end entry, once the replay has come to it. */
  get end(): EndReason | undefined {
    return this.#end;
  }

  get nextSequence(): number {
    return this.#nextSequence;
  }

  /** Entries received that the machine has not come to. */
  get backlog(): number {
    return this.#entries.length - this.#done;
  }

  /** More of the log, in order. Not after `finish`. */
  push(entries: readonly LogEntry[]): void {
    for (const entry of entries) this.#entries.push(entry);
  }

  /** The recording side has come to `position`, and all its entries before it have been pushed. Never moves back. */
  allow(position: bigint): void {
    if (position > this.#executable) this.#executable = position;
  }

  /** Nothing will be added to the log. What was allowed beyond its last entry still counts. */
  finish(): void {
    this.#finished = true;
  }

  /**
   * Goes on until one of the four statuses holds. Call it again after more entries, or after 'requested'. `until`, if
   * given, ends the call early ('requested') rather than let the machine run past that position.
   */
  advance(until?: bigint): ReplayStatus {
    while (this.#divergence === undefined && this.#end === undefined) {
      const entry = this.#entries[this.#done];
      const target = entry?.position ?? this.#executable;
      if (this.#machine.position < target) {
        if (until !== undefined && this.#machine.position >= until) return 'requested';
        if (!this.#run(target, until)) return 'requested';
      } else if (entry === undefined) {
        return this.#atTheEnd();
      } else {
        if (!this.#perform(entry)) return 'starved';
        this.#drop();
      }
    }
    return this.#divergence === undefined ? 'ended' : 'diverged';
  }

  /** Runs towards `target`, at most to `until`; false if that ended it, or if the machine was asked for an early return. */
  #run(target: bigint, until: bigint = target): boolean {
    const end = until < target ? until : target;
    const result = this.#machine.stopped === undefined ? this.#machine.run(end) : 'stopped';
    if (this.#machine.position >= target) return true;
    if (result === 'requested' || this.#machine.position >= end) return false;
    const does = result === 'waiting' ? 'waits for an input' : 'has stopped';
    this.#diverge(`goes on to position ${target}`, `${does} at position ${this.#machine.position}`);
    return true;
  }

  #atTheEnd(): ReplayStatus {
    if (this.#finished) return 'ended';
    const first = this.#unmarked[0];
    // Its mark was appended before a later position was confirmed, so it should be here. (At that position itself, an
    // input may have been applied after it was confirmed.)
    if (first !== undefined && first.position < this.#executable) this.#divergeAtOutput(first.mark);
    return this.#divergence === undefined ? 'starved' : 'diverged';
  }

  /** False if it must wait for its data: nothing has happened then. */
  #perform(entry: LogEntry): boolean {
    const unmarked = this.#unmarked[0];
    if (this.#machine.position > entry.position) {
      this.#diverge(`has an entry at position ${entry.position}`, `is past it, at ${this.#machine.position}`);
    } else if (entry.kind === 'output-mark') {
      this.#compareMark(entry.mark);
    } else if (unmarked !== undefined) {
      this.#divergeAtOutput(unmarked.mark);
    } else if (entry.kind === 'read-done') {
      return this.#finishRead(entry.read, entry.position);
    } else {
      this.#performRecord(entry);
    }
    return true;
  }

  #performRecord(entry: LogEntry & { kind: 'input' | 'hash' | 'end' }): void {
    switch (entry.kind) {
      case 'input':
        return this.#apply(entry.input, entry.position);
      case 'hash':
        return this.#compareHash(entry.value);
      case 'end':
        return this.#compareEnd(entry.reason);
    }
  }

  #apply(input: Input, position: bigint): void {
    if (this.#machine.stopped !== undefined) return this.#diverge(`has an input, ${input.kind}`, 'has stopped');
    this.#deps.onInput?.(input, position);
    this.#machine.apply(input);
  }

  #finishRead(read: ReadDone, position: bigint): boolean {
    const found = this.#deps.readData?.(read) ?? { impossible: 'no way to get it' };
    if (found === 'awaited') return false;
    const { device, id } = read;
    if ('data' in found) this.#apply({ kind: 'block-done', device, id, ok: true, data: found.data }, position);
    else this.#diverge(`has a finished read, ${id}, without its data`, found.impossible);
    return true;
  }

  #compareMark(expected: OutputMark): void {
    const made = this.#unmarked.shift();
    if (made === undefined) return this.#diverge(showMark(expected), 'no output');
    if (!sameMark(made.mark, expected)) this.#diverge(showMark(expected), showMark(made.mark));
  }

  #compareHash(expected: bigint): void {
    const value = this.#machine.hash();
    if (value !== expected) return this.#diverge(`hash ${hex(expected)}`, `hash ${hex(value)}`);
    this.#deps.onHash?.(value, this.#machine.position);
  }

  #compareEnd(reason: EndReason): void {
    const { stopped } = this.#machine;
    const expected = {
      'power-off': 'power off',
      'power-reset': 'power reset',
      fault: 'fault',
      'recording-ended': undefined,
    }[reason];
    const found = stopped?.reason === 'power' ? `power ${stopped.action}` : stopped?.reason;
    if (found === expected) this.#end = reason;
    else this.#diverge(expected ? `stops: ${expected}` : 'does not stop', found ? `stops: ${found}` : 'does not stop');
  }

  #divergeAtOutput(made: OutputMark): void {
    this.#diverge('no output', showMark(made));
  }

  #diverge(log: string, machine: string): void {
    this.#divergence = { position: this.#machine.position, log, machine };
  }

  /** Forgets the entry that was performed, and the list of them from time to time, so that memory stays bounded. */
  #drop(): void {
    this.#done++;
    if (this.#done < this.#entries.length && (this.#done < 1024 || this.#done * 2 < this.#entries.length)) return;
    this.#entries = this.#entries.slice(this.#done);
    this.#done = 0;
  }
}

const hex = (value: bigint): string => value.toString(16).padStart(16, '0');
