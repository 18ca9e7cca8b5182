/**
 * The machine as record, replay and replication see it: a position, two doors, and exact stops. The real machine
 * implements it, and so does the small one of the simulator. MACHINE.md, rules 1 to 8 and 20, say what it promises.
 */
import type { BlockRequest, Input, Output, PowerAction } from '../machine/doors.ts';

/** Why a machine takes no more steps. A fault is one that the machine's description cannot express, never a guest trap. */
export type MachineStop =
  | { readonly reason: 'power'; readonly action: PowerAction }
  | { readonly reason: 'fault'; readonly message: string };

/**
 * Why `run` came back: the position was reached; the machine waits in `wfi` with nothing pending; it stopped for good; or
 * somebody asked for an early return (`requestStop`, the end of a slice), which never changes the machine's state.
 */
export type RunResult = 'position' | 'waiting' | 'stopped' | 'requested';

/**
 * Where outputs go, synchronously, on the machine's own thread. `position` is the position once the step that made the
 * output is complete; for an output made while an input is applied, the position of that input.
 */
export type OutputListener = (output: Output, position: bigint) => void;

export interface PendingBlockRequest {
  readonly device: number;
  readonly request: BlockRequest;
}

export interface ReplicatedMachine {
  /** Steps so far. */
  readonly position: bigint;
  /** In `wfi` with nothing pending: only an input moves it on. */
  readonly waiting: boolean;
  /** Guest time at this position, in ticks of 100 ns. */
  readonly time: bigint;
  /** Set once the machine takes no more steps. */
  readonly stopped: MachineStop | undefined;
  /** Set by whoever owns the machine, before the first step. */
  onOutput: OutputListener;
  /** Applies an input between two steps, at the current position. It may produce outputs. */
  apply(input: Input): void;
  /** Runs at most to `until` (not before the current position). */
  run(until: bigint): RunResult;
  /**
   * Makes a `run` in progress return 'requested' as soon as the engine looks: before the next step where it can, after some
   * thousands of steps at the latest. Callable from `onOutput`; without effect on a machine that is not running.
   */
  requestStop(): void;
  /** A hash of the whole state (MACHINE.md, 20), 0 .. 2^64-1. It ends an epoch of dirty pages. */
  hash(): bigint;
  /**
   * Between two steps: hashes about `pages` of the pages written since they were last hashed, so that less is left for `hash`;
   * true if there may be more.
   */
  hashAhead(pages: number): boolean;
  /** Block requests that have no completion yet, of all devices, in the order in which the guest submitted them. */
  inFlightBlockRequests(): readonly PendingBlockRequest[];

  // ---- a copy of the machine: all between two steps, on the machine's own thread -------------------------------------

  /** Pages of RAM, of 4 KiB each. */
  readonly ramPages: number;
  /**
   * Begins to keep track of written pages for a copy of this machine, one at a time. At first all pages count as written; if the
   * copy is laid over zeroes, all that were ever written, for the others hold zeroes.
   */
  beginCopy(over?: 'anything' | 'zeroes'): void;
  /**
   * The pages of RAM written since the last call, in ascending order; they count as clean from here on. Flags are cleared
   * before anybody copies (MACHINE.md, 13), so a page that is written while it is read will be named again.
   */
  writtenPages(): Uint32Array<ArrayBuffer>;
  endCopy(): void;
  /** A copy of one page of RAM. */
  readPage(page: number): Uint8Array<ArrayBuffer>;
  /** Its counterpart, for a machine that has not run. `bytes` has the length of a page. */
  writePage(page: number, bytes: Uint8Array): void;
  /** All of the machine's state but RAM: hart, clock, devices with requests in flight and their data. */
  saveState(): Uint8Array<ArrayBuffer>;
  /**
   * Of a machine built from the same description that has not run: takes over a saved state. RAM is written before. Throws
   * OperatingError on bytes that make no sense; the machine must then be thrown away.
   */
  restoreState(bytes: Uint8Array): void;
}
