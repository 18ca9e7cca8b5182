/**
 * Runs a machine for real and says, in log entries, all that another machine must know to do the same: each input before
 * it is applied, a mark after each output, a hash at each checkpoint, and the end.
 *
 * The order at one position is the order in which things happen: the marks of the step that ended there, an input, the
 * marks of what that input made the machine say, the next input. A replay depends on it.
 */
import type { Input, Output } from '../machine/doors.ts';
import type { ReplicatedMachine, RunResult } from '../vm/machine-interface.ts';
import type { EndReason, LogEntry } from './log-entry.ts';
import { markOf } from './output-mark.ts';

export interface RecorderDeps {
  readonly machine: ReplicatedMachine;
  /** Takes the entries, in order. */
  readonly append: (entry: LogEntry) => void;
  /** Takes the outputs, each after its mark was appended. `sequence` is that of the mark. */
  readonly onOutput: (output: Output, sequence: number, position: bigint) => void;
}

export interface RecorderOptions {
  /** The sequence number of the next output: 1, unless the machine has a past. */
  readonly firstSequence?: number;
}

export class Recorder {
  readonly #machine: ReplicatedMachine;
  readonly #append: (entry: LogEntry) => void;
  #nextSequence: number;
  #ended = false;

  constructor(options: RecorderOptions, deps: RecorderDeps) {
    this.#machine = deps.machine;
    this.#append = deps.append;
    this.#nextSequence = options.firstSequence ?? 1;
    this.#machine.onOutput = (output, position) => {
      const sequence = this.#nextSequence++;
      this.#append({ position, kind: 'output-mark', mark: markOf(output, sequence) });
      deps.onOutput(output, sequence, position);
    };
  }

  /** The sequence number that the next output will have. */
  get nextSequence(): number {
    return this.#nextSequence;
  }

  /** Applies an input here and now. Ignored once the log has ended: a machine that stopped hears nothing. */
  apply(input: Input): void {
    if (this.#ended) return;
    this.#append({ position: this.#machine.position, kind: 'input', input });
    this.#machine.apply(input);
    this.#endIfStopped();
  }

  /** Runs at most to `until`. After 'stopped' the log has its end entry. */
  run(until: bigint): RunResult {
    if (this.#ended) return 'stopped';
    const result = this.#machine.run(until);
    this.#endIfStopped();
    return result;
  }

  /** Appends the hash of the whole state here, for the replay to compare, and returns it. */
  checkpoint(): bigint {
    const value = this.#machine.hash();
    if (!this.#ended) this.#append({ position: this.#machine.position, kind: 'hash', value });
    return value;
  }

  /** Ends the log although the machine could go on. Without effect if it has ended. */
  end(): void {
    this.#endWith('recording-ended');
  }

  #endIfStopped(): void {
    const { stopped } = this.#machine;
    if (stopped === undefined) return;
    if (stopped.reason === 'fault') this.#endWith('fault');
    else this.#endWith(stopped.action === 'off' ? 'power-off' : 'power-reset');
  }

  #endWith(reason: EndReason): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#append({ position: this.#machine.position, kind: 'end', reason });
  }
}
