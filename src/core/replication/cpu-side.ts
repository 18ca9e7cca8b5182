/**
 * The CPU thread's half of a replica: it owns the machine, and makes it record, follow or go live as the main thread says
 * (cpu-link.ts). The runner around it only pumps: commands in, slices, a `beat` every few tens of ms, reports out. It has no
 * clock: the runner's keeper of guest time applies clock inputs with `apply`, between two slices.
 *
 * The machine is stopped *before* a step whose log entries might find no room (PROTOCOL.md, 9): a reserve is kept for the
 * marks of one run after `requestStop`, and an input is applied only when its whole entry fits.
 */
import { MalformedError } from '../base/byte-reader.ts';
import { ByteWriter } from '../base/byte-writer.ts';
import { crc32c } from '../base/crc32c.ts';
import type { Input, Output } from '../machine/doors.ts';
import { decodeEntries, encodeEntry, type LogEntry } from '../replay/log-entry.ts';
import { Recorder } from '../replay/recorder.ts';
import { type Divergence, Replayer } from '../replay/replayer.ts';
import type { PendingBlockRequest, ReplicatedMachine } from '../vm/machine-interface.ts';
import { CopyGiver, CopyTaker, type InstallPiece } from './cpu-copy.ts';
import type { CpuCommand, CpuReport, DiskStep, EntropyRequest, LoggedFrame, NumberedOutput } from './cpu-link.ts';
import { FollowedReads, LeanReads } from './cpu-reads.ts';
import { heldBytes } from './output-gate.ts';

export interface CpuSideOptions {
  /** Room for log entries that is kept free for what one step may add. */
  readonly reserveBytes?: number;
  /** Frames that wait to be applied beyond this are dropped, as a network card drops them. */
  readonly maxWaitingFrameBytes?: number;
  /** A batch of entries is handed on when it reaches this size, in the middle of a slice if need be. */
  readonly batchBytes?: number;
}

export interface CpuSideDeps {
  readonly machine: ReplicatedMachine;
  readonly report: (report: CpuReport) => void;
  /** The machine is about to run for real, at this guest time: the keeper of guest time starts from it. */
  readonly onLive?: (time: bigint) => void;
  /** The machine's hash was logged here, or was found equal to the log's. */
  readonly onCheckpoint?: (hash: bigint) => void;
  /** Without it this machine can neither be copied nor be a copy. */
  readonly installPiece?: InstallPiece;
}

/** 'again': call `slice` again. 'idle': nothing to do until a command or an input comes. */
export type SliceResult = 'again' | 'idle';

type Mode = 'new' | 'recording' | 'installing' | 'following' | 'draining' | 'drained' | 'stopped' | 'diverged';

const MAX_LOGGED_FRAMES = 16_384;

export class CpuSide {
  readonly #machine: ReplicatedMachine;
  readonly #deps: CpuSideDeps;
  readonly #options: Required<CpuSideOptions>;
  #mode: Mode = 'new';
  #paused = false;
  /** While draining: a divergence does not end the machine (PROTOCOL.md, 28). */
  #continueDiverged = false;
  #recorder: Recorder | undefined;
  #replayer: Replayer | undefined;
  /** Requests for entropy without an answer. */
  readonly #entropy = new Map<string, EntropyRequest>();
  readonly #leanReads = new LeanReads();
  readonly #followedReads: FollowedReads;
  readonly #giver: CopyGiver | undefined;
  #taker: CopyTaker | undefined;

  #logging = false;
  readonly #entries = new ByteWriter(64 * 1024);
  #base = 0n;
  #lastPosition = 0n;
  #outputs: NumberedOutput[] = [];
  /** Something in `#entries` or `#outputs` is waited for by somebody: it goes at the end of the slice. */
  #urgent = false;
  #logBytes = 0;
  #outputBytes = 0;
  #limit = { logBytes: 0, outputBytes: 0 };
  #inputs: Input[] = [];
  #waitingFrameBytes = 0;

  /** Following: fed batches that are not done, by the count of entries fed up to their end. */
  #fed: { readonly entries: number; readonly bytes: number }[] = [];
  #fedEntries = 0;
  #consumed = 0;
  #replayed: NumberedOutput[] = [];
  /** The backup has an image of its own: what happens to the disk is reported. */
  #followsDisk = false;
  #disk: DiskStep[] = [];
  #frames: LoggedFrame[] = [];

  constructor(options: CpuSideOptions, deps: CpuSideDeps) {
    this.#machine = deps.machine;
    this.#deps = deps;
    this.#options = { reserveBytes: 65_536, maxWaitingFrameBytes: 1_048_576, batchBytes: 262_144, ...options };
    this.#followedReads = new FollowedReads(() => this.#machine.inFlightBlockRequests(), deps.report);
    if (deps.installPiece !== undefined) this.#giver = new CopyGiver(deps.machine, deps.report);
  }

  /** Whether guest time is this side's to keep: the machine runs for real. */
  get recording(): boolean {
    return this.#mode === 'recording';
  }

  get paused(): boolean {
    return this.#paused;
  }

  handle(command: CpuCommand): void {
    switch (command.type) {
      case 'record':
        return this.#record(command.logging, command.leanReads);
      case 'follow':
        this.#followsDisk = command.disk ?? false;
        return this.#follow();
      case 'input':
        return this.#queue(command.input);
      case 'limit':
        this.#limit = command;
        return;
      case 'speed':
        return;
      case 'feed':
        return this.#feed(command);
      case 'executable':
        return this.#replayer?.allow(command.position);
      case 'read-data':
        return this.#followedReads.give(command);
      case 'pause':
        this.#paused = true;
        this.flush();
        return this.#deps.report({ type: 'paused', position: this.#machine.position });
      case 'resume':
        this.#paused = false;
        return;
      case 'checkpoint':
        return this.#checkpoint();
      case 'drain':
        this.#paused = false;
        this.#continueDiverged = command.onDivergence === 'continue';
        if (this.#mode === 'following') this.#mode = 'draining';
        this.#replayer?.finish();
        return;
      case 'go-live':
        return this.#goLive(command.time);
      case 'copy-begin':
        return this.#giver?.begin(command.transfer);
      case 'copy-collect':
        return this.#giver?.collect(command.transfer);
      case 'copy-cut':
        return this.#cut(command);
      case 'copy-end':
        return this.#giver?.end();
      case 'install-begin':
      case 'install':
      case 'install-end':
        return this.#install(command);
    }
  }

  /** Applies an input made on this thread (the clock) now; false, and nothing happens, if there is no room or no need. */
  apply(input: Input): boolean {
    if (this.#mode !== 'recording' || this.#paused || !this.#hasRoom(this.#leanReads.bytesAtMost(input))) return false;
    this.#recorder!.apply(input);
    return true;
  }

  /** Runs the machine, at most to the position `until`, and reports what came of it. */
  slice(until: bigint): SliceResult {
    if (this.#paused) return 'idle';
    switch (this.#mode) {
      case 'recording':
        return this.#recordSlice(until);
      case 'following':
      case 'draining':
        return this.#replaySlice(until);
      case 'new':
      case 'installing':
      case 'drained':
      case 'stopped':
      case 'diverged':
        return 'idle';
    }
  }

  /** A sign of life for the main thread. */
  beat(): void {
    this.flush();
    this.#deps.report({
      type: 'progress',
      position: this.#machine.position,
      time: this.#machine.time,
      state: this.#state(),
      consumed: this.#consumed,
    });
  }

  /**
   * Hands on what recording has produced. `slice` does it at its end, unless there are only clock inputs, for which nobody waits: a
   * message for each of them would cost a computing guest some percent. They go with the next beat.
   */
  flush(): void {
    if (this.#entries.length === 0 && this.#outputs.length === 0) return;
    this.#urgent = false;
    const outputs = this.#outputs;
    this.#outputs = [];
    this.#deps.report({
      type: 'produced',
      base: this.#base,
      bytes: this.#entries.take(),
      outputs,
      position: this.#machine.position,
      time: this.#machine.time,
    });
    this.#base = this.#lastPosition;
  }

  #state(): (CpuReport & { type: 'progress' })['state'] {
    if (this.#paused) return 'paused';
    if (this.#mode === 'recording') {
      const next = this.#inputs[0];
      if (!this.#hasRoom(next === undefined ? 0 : this.#leanReads.bytesAtMost(next))) return 'limited';
      return this.#machine.waiting ? 'waiting' : 'running';
    }
    if (this.#mode === 'following' || this.#mode === 'draining') {
      return this.#replayer!.backlog > 0 ? 'running' : 'starved';
    }
    return 'stopped';
  }

  // Recording

  #record(logging: boolean, leanReads = false): void {
    if (this.#mode === 'new') {
      this.#startRecording(1);
      this.#deps.onLive?.(this.#machine.time);
    }
    if (!logging) this.#limit = { logBytes: Number.POSITIVE_INFINITY, outputBytes: Number.POSITIVE_INFINITY };
    if (!logging && this.#logging) this.flush();
    if (logging && !this.#logging) {
      this.#base = this.#machine.position;
      this.#lastPosition = this.#base;
      this.#leanReads.begin(leanReads);
    }
    if (!logging) this.#leanReads.end();
    this.#logging = logging;
  }

  #startRecording(firstSequence: number): void {
    this.#mode = 'recording';
    this.#replayer = undefined;
    const append = (entry: LogEntry): void => this.#append(entry);
    const onOutput = (output: Output, sequence: number): void => this.#output({ output, sequence });
    this.#recorder = new Recorder({ firstSequence }, { machine: this.#machine, append, onOutput });
  }

  #append(entry: LogEntry): void {
    if (!this.#logging) return;
    const before = this.#entries.length;
    encodeEntry(this.#entries, this.#leanReads.shorten(entry), this.#lastPosition);
    this.#lastPosition = entry.position;
    if (entry.kind !== 'input' || entry.input.kind !== 'clock') this.#urgent = true;
    this.#logBytes += this.#entries.length - before;
    if (!this.#hasRoom(0) || this.#entries.length > this.#options.batchBytes) this.#machine.requestStop();
  }

  #output(numbered: NumberedOutput): void {
    this.#outputs.push(numbered);
    this.#urgent = true;
    if (numbered.output.kind === 'entropy') this.#asked(numbered.output);
    this.#leanReads.asked(numbered.output);
    this.#outputBytes += heldBytes(numbered);
    // Somebody waits for these: the sooner the slice ends, the sooner they are on their way. A printed byte can wait.
    if (numbered.output.kind !== 'console-out' || !this.#hasRoom(0)) this.#machine.requestStop();
  }

  #hasRoom(bytes: number): boolean {
    if (!this.#logging) return this.#outputBytes < this.#limit.outputBytes;
    return (
      this.#logBytes + bytes + this.#options.reserveBytes <= this.#limit.logBytes &&
      this.#outputBytes < this.#limit.outputBytes
    );
  }

  #queue(input: Input): void {
    if (input.kind === 'net-rx') {
      if (this.#waitingFrameBytes + input.frame.length > this.#options.maxWaitingFrameBytes) return;
      this.#waitingFrameBytes += input.frame.length;
    }
    this.#inputs.push(input);
  }

  #checkpoint(): void {
    if (this.#mode !== 'recording' || !this.#hasRoom(64)) return;
    const hash = this.#recorder!.checkpoint();
    this.#deps.onCheckpoint?.(hash);
  }

  #recordSlice(until: bigint): SliceResult {
    this.#applyInputs();
    const room = this.#hasRoom(0);
    const result = room ? this.#recorder!.run(until) : 'requested';
    if (this.#urgent || result === 'waiting' || !this.#hasRoom(0)) this.flush();
    if (this.#machine.stopped !== undefined) {
      this.#mode = 'stopped';
      this.#deps.report({ type: 'stopped', stop: this.#machine.stopped, position: this.#machine.position });
      return 'idle';
    }
    const unhashed = this.#giver?.hashAhead() ?? false;
    return unhashed || (room && result !== 'waiting') ? 'again' : 'idle';
  }

  #applyInputs(): void {
    let applied = 0;
    for (const input of this.#inputs) {
      if (this.#machine.stopped !== undefined || !this.#hasRoom(this.#leanReads.bytesAtMost(input))) break;
      if (input.kind === 'net-rx') this.#waitingFrameBytes -= input.frame.length;
      if (input.kind === 'entropy') this.#entropy.delete(`${input.device} ${input.id}`);
      this.#recorder!.apply(input);
      applied++;
      if (this.#entries.length > this.#options.batchBytes) this.flush();
    }
    if (applied > 0) this.#inputs = this.#inputs.slice(applied);
  }

  // A copy of the machine (transfer.ts)

  /** Everything before the cut has been reported without a log; everything after it is logged, and waits at the gate. */
  #cut(command: CpuCommand & { type: 'copy-cut' }): void {
    if (this.#mode !== 'recording') return;
    this.flush();
    const outputs = this.#recorder!.nextSequence - 1;
    const entropyRequests = [...this.#entropy.values()];
    if (!this.#giver?.cut(command, { outputs, entropyRequests })) return;
    this.#logBytes = 0;
    this.#limit = command;
    this.#record(true, command.leanReads);
  }

  #install(command: CpuCommand & { type: 'install-begin' | 'install' | 'install-end' }): void {
    const { machine, installPiece, report } = this.#deps;
    if (command.type === 'install-begin') {
      // A machine that has taken a step, or a state, is no place for another's.
      if (installPiece === undefined || machine.position !== 0n) {
        const message = 'this machine cannot take in the state of another';
        return report({ type: 'install-failed', transfer: command.transfer, message });
      }
      this.#mode = 'installing';
      this.#taker = new CopyTaker(command.transfer, machine, installPiece, report);
      return;
    }
    if (this.#mode !== 'installing') return;
    if (command.type === 'install') return this.#taker!.install(command);
    if (!this.#taker!.finish(command.cut)) return;
    for (const request of command.cut.entropyRequests) this.#asked(request);
    this.#mode = 'new';
    this.#follow(command.cut.outputs + 1);
    // What the machine had asked of the disk before it was copied is its copy's to do as well.
    if (this.#followsDisk) this.#disk.push(...this.#machine.inFlightBlockRequests().map(toStep));
    this.#reportReplayed();
  }

  // Following

  #follow(firstSequence = 1): void {
    if (this.#mode !== 'new') return;
    this.#mode = 'following';
    this.#replayer = new Replayer(
      { firstSequence },
      {
        machine: this.#machine,
        onOutput: (output, sequence) => this.#keep(output, sequence),
        onHash: (hash) => this.#deps.onCheckpoint?.(hash),
        readData: (read) => this.#followedReads.find(read),
        onInput: (input) => {
          this.#followedReads.done(input);
          if (input.kind === 'entropy') this.#entropy.delete(`${input.device} ${input.id}`);
          if (input.kind !== 'block-done' || !this.#followsDisk) return;
          this.#disk.push({ kind: 'done', device: input.device, id: input.id, ok: input.ok });
        },
      },
    );
  }

  #asked({ device, id, length }: EntropyRequest): void {
    this.#entropy.set(`${device} ${id}`, { device, id, length });
  }

  #keep(output: Output, sequence: number): void {
    if (output.kind === 'entropy') {
      this.#asked(output);
    } else if (output.kind !== 'block') {
      this.#replayed.push({ sequence, output });
    } else if (this.#followsDisk) {
      this.#disk.push({ ...toStep(output), sequence });
    }
  }

  #feed(command: CpuCommand & { type: 'feed' }): void {
    if (this.#mode !== 'following') return;
    let entries: LogEntry[];
    try {
      entries = decodeEntries(command.bytes, command.base);
    } catch (error) {
      if (!(error instanceof MalformedError)) throw error;
      const log = `a batch that makes no sense at byte ${error.offset}: ${error.message}`;
      return this.#diverged({ position: this.#machine.position, log, machine: 'nothing to do with it' });
    }
    for (const entry of entries) {
      if (entry.kind !== 'input' || entry.input.kind !== 'net-rx') continue;
      const { frame } = entry.input;
      this.#frames.push({ length: frame.length, checksum: crc32c(frame), arrivedMs: command.arrivedMs });
    }
    if (this.#frames.length > MAX_LOGGED_FRAMES) this.#frames = this.#frames.slice(MAX_LOGGED_FRAMES / 2);
    this.#fedEntries += entries.length;
    this.#fed.push({ entries: this.#fedEntries, bytes: command.bytes.length });
    this.#replayer!.push(entries);
    this.#replayer!.allow(command.position);
  }

  #replaySlice(until: bigint): SliceResult {
    const status = this.#replayer!.advance(until);
    this.#countConsumed();
    this.#reportReplayed();
    switch (status) {
      case 'requested':
        return 'again';
      case 'starved':
        return 'idle';
      case 'diverged':
        return this.#replayDiverged(this.#replayer!.divergence!);
      case 'ended':
        // The log's own end entry can come before anybody asks to drain.
        if (this.#mode === 'draining') this.#drained();
        return 'idle';
    }
  }

  #reportReplayed(): void {
    if (this.#replayed.length === 0 && this.#disk.length === 0) return;
    const said = { type: 'replayed', position: this.#machine.position, outputs: this.#replayed } as const;
    this.#deps.report(this.#followsDisk ? { ...said, disk: this.#disk } : said);
    this.#replayed = [];
    this.#disk = [];
  }

  #countConsumed(): void {
    const done = this.#fedEntries - this.#replayer!.backlog;
    let whole = 0;
    for (const batch of this.#fed) {
      if (batch.entries > done) break;
      this.#consumed += batch.bytes;
      whole++;
    }
    if (whole > 0) this.#fed = this.#fed.slice(whole);
  }

  #diverged(divergence: Divergence): void {
    this.#mode = 'diverged';
    this.#deps.report({ type: 'diverged', divergence });
  }

  #replayDiverged(divergence: Divergence): SliceResult {
    const last = this.#mode === 'draining' && this.#continueDiverged;
    this.#diverged(divergence);
    if (last) this.#drained();
    return 'idle';
  }

  #drained(): void {
    this.#mode = 'drained';
    this.#followedReads.end();
    this.#deps.report({
      type: 'drained',
      position: this.#machine.position,
      time: this.#machine.time,
      stopped: this.#machine.stopped,
      blockRequests: this.#machine.inFlightBlockRequests(),
      entropyRequests: [...this.#entropy.values()],
      frames: this.#frames,
      outputs: this.#replayer!.nextSequence - 1,
    });
    this.#frames = [];
  }

  #goLive(time: bigint): void {
    if (this.#mode !== 'drained') return;
    this.#limit = { logBytes: Number.POSITIVE_INFINITY, outputBytes: Number.POSITIVE_INFINITY };
    this.#startRecording(this.#replayer!.nextSequence);
    const later = time > this.#machine.time ? time : this.#machine.time;
    this.#recorder!.apply({ kind: 'clock', time: later, slope: 0 });
    this.#deps.onLive?.(later);
    this.#deps.report({ type: 'live', position: this.#machine.position });
  }
}

function toStep({ device, request }: PendingBlockRequest): DiskStep & { kind: 'request' } {
  return { kind: 'request', device, request };
}
