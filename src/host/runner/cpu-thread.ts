/**
 * The CPU thread: a worker that owns a machine and does nothing but run it. It never returns to an event loop: commands are
 * taken from its mailbox between slices, and it sleeps in `Atomics.wait` on the word that the main thread bumps with each.
 */
import { getHeapStatistics } from 'node:v8';
import { parentPort, receiveMessageOnPort, workerData } from 'node:worker_threads';
import { assert } from '../../core/base/assert.ts';
import { OperatingError } from '../../core/base/error.ts';
import type { EngineKind } from '../../core/engine/engine.ts';
import type { TranslatorStatistics } from '../../core/engine/translator/statistics.ts';
import type { Input } from '../../core/machine/doors.ts';
import { decodeCommand, encodeReport } from '../../core/replication/cpu-codec.ts';
import type { CpuCommand, CpuReport } from '../../core/replication/cpu-link.ts';
import { CpuSide } from '../../core/replication/cpu-side.ts';
import { Machine } from '../../core/vm/machine.ts';
import type { MachineConfig } from '../../core/vm/machine-config.ts';
import { ClockKeeper } from './clock-keeper.ts';
import { type DiagnosisAnswer, DiagnosisPart, type DiagnosisQuestion, isDiagnosis } from './diagnosis-part.ts';
import { type MailboxMemory, MailboxReceiver, MailboxSender, SENT, WAKE } from './mailbox.ts';
import { installPiece } from './pieces.ts';
import { type CompileLink, PortCompiler } from './port-compiler.ts';
import { buffersOf, type SnapshotAnswer, SnapshotPart, type SnapshotQuestion } from './snapshot-part.ts';
import { optimised } from './v8-options.ts';

/** Given to the worker as its `workerData`. */
export interface CpuThreadData {
  readonly config: MachineConfig;
  readonly engine: EngineKind;
  readonly commands: MailboxMemory;
  readonly reports: MailboxMemory;
  /** To the compile thread; without one the engine compiles by itself, if it does. */
  readonly link: CompileLink | undefined;
}

/** The runner's own command: translations come from another thread from now on, or from none. */
export interface LinkCommand {
  readonly type: 'link';
  readonly link: CompileLink | undefined;
}

/** A question about a snapshot or a divergence, answered between two slices (snapshot-part.ts, diagnosis-part.ts). */
export interface AskCommand {
  readonly type: 'ask';
  readonly question: SnapshotQuestion | DiagnosisQuestion;
}

export type CpuThreadCommand = CpuCommand | LinkCommand | AskCommand;

/** What the thread says besides CpuReports. */
export type CpuThreadNote =
  /** `ram`: the machine's memory itself, shared. */
  | { readonly type: 'ready'; readonly ram: Uint8Array }
  | { readonly type: 'answer'; readonly answer: SnapshotAnswer | DiagnosisAnswer }
  | ({ readonly type: 'state' } & CpuThreadState)
  | { readonly type: 'failed'; readonly code: string; readonly message: string; readonly advice: string | undefined };

/** How the thread is, once a second. */
export interface CpuThreadState {
  /** Of an engine that translates. */
  readonly translator: TranslatorStatistics | undefined;
  /** JavaScript objects, what they hold outside of the heap, and what V8 has allocated for itself, in bytes. */
  readonly heapBytes: number;
  readonly externalBytes: number;
  readonly mallocedBytes: number;
}

/** Steps between two looks at the clock: two or three milliseconds. */
const SLICE_STEPS = 500_000n;
const BEAT_MS = 20;
/** A guest that is slowed rests for so long at once: hundreds of short sleeps a second would cost more than they give away. */
const REST_MS = 5;
/** What it owes for longer, because it was woken again and again, is forgotten. */
const MOST_OWED_MS = 50;
const STATE_EVERY_MS = 1000;

const port = parentPort;
assert(port !== null, 'the CPU thread is a worker');
const { config, engine, link, ...memory } = workerData as CpuThreadData;
const compiler = link === undefined ? undefined : new PortCompiler();
compiler?.attach(link);
const commands = new MailboxReceiver<CpuThreadCommand>(
  memory.commands,
  decodeCommand,
  () => receiveMessageOnPort(port)?.message,
);
const reports = new MailboxSender<CpuReport | CpuThreadNote>(memory.reports, (writer, report) =>
  encodeReport(writer, report as CpuReport),
);
const signal = memory.commands.words;
let speed = 1;
let woken = false;

const nowMs = (): number => performance.now();

function say(report: CpuReport | CpuThreadNote, transfer: readonly ArrayBuffer[] = []): void {
  const short = reports.send(report, () => port!.postMessage(report, transfer));
  if (short && reports.mustWake) port!.postMessage(WAKE);
}

function start(): { machine: Machine; side: CpuSide; keeper: ClockKeeper; diagnosis: DiagnosisPart } | undefined {
  try {
    const machine = optimised(
      () =>
        new Machine(config, {
          engine: { kind: engine, ...(compiler && { compiler }) },
          stopRequested: () => commands.isBehind,
        }),
    );
    const keeper = new ClockKeeper(machine, nowMs);
    const diagnosis = new DiagnosisPart(machine);
    const side = new CpuSide(
      {},
      {
        machine,
        report: (report) => say(report, buffersIn(report)),
        onLive: (time) => keeper.start(time),
        onCheckpoint: (hash) => diagnosis.checkpoint(hash, side.recording),
        installPiece,
      },
    );
    return { machine, side, keeper, diagnosis };
  } catch (error) {
    if (!(error instanceof OperatingError)) throw error;
    const { code, message, advice } = error;
    say({ type: 'failed', code, message, advice });
    return undefined;
  }
}

/** What a report may take with it instead of being copied: in a cut the guest stands still for it. */
function buffersIn(report: CpuReport): ArrayBuffer[] {
  if (report.type !== 'copy-cut') return [];
  return [...report.rest.map(({ content }) => content.buffer), ...report.state.map(({ buffer }) => buffer)];
}

const wallClock = (): Input => ({ kind: 'wall-clock', nanoseconds: BigInt(Date.now()) * 1_000_000n });

function takeCommands(side: CpuSide, snapshots: SnapshotPart, diagnosis: DiagnosisPart): void {
  for (let command = commands.receive(); command !== undefined; command = commands.receive()) {
    if (command.type === 'ask') {
      const { question } = command;
      const answer = isDiagnosis(question) ? diagnosis.answer(question) : snapshots.answer(question);
      say({ type: 'answer', answer }, buffersOf(answer));
      continue;
    }
    if (command.type === 'link') {
      compiler?.attach(command.link);
      continue;
    }
    if (command.type === 'speed') speed = command.fraction;
    if (command.type === 'input') woken = true;
    snapshots.commanded(command.type);
    side.handle(command);
  }
}

function threadState(machine: Machine): CpuThreadState {
  const heap = getHeapStatistics();
  return {
    translator: machine.engineStatistics(),
    heapBytes: heap.used_heap_size,
    externalBytes: heap.external_memory,
    mallocedBytes: heap.malloced_memory,
  };
}

const parts = start();
if (parts) {
  const { machine, side, keeper, diagnosis } = parts;
  const snapshots = new SnapshotPart({
    machine,
    flush: () => side.flush(),
    pause: () => side.handle({ type: 'pause' }),
    nowMs,
  });
  say({ type: 'ready', ram: machine.sharedRam });
  let beatMs = nowMs();
  let stateMs = beatMs;
  /** Of a guest that is slowed: what it has used beyond its part of the time. */
  let owedMs = 0;
  // A machine that begins here is told what time it is; a backup's hears it from the log.
  let dated = false;
  for (;;) {
    takeCommands(side, snapshots, diagnosis);
    if (side.recording && !side.paused) {
      if (!dated && machine.position === 0n) dated = side.apply(wallClock());
      const clock = keeper.due(woken);
      if (clock) side.apply(clock);
    }
    woken = false;
    const beganMs = nowMs();
    const result = side.slice(machine.position + SLICE_STEPS);
    const endedMs = nowMs();
    if (endedMs - beatMs >= BEAT_MS) {
      side.beat();
      beatMs = endedMs;
      if (endedMs - stateMs >= STATE_EVERY_MS) {
        say({ type: 'state', ...threadState(machine) });
        stateMs = endedMs;
      }
    }
    if (result === 'idle') {
      owedMs = 0;
      const timerMs = side.recording && !side.paused && machine.waiting ? keeper.wakeInMs() : undefined;
      Atomics.wait(signal, SENT, commands.received, Math.min(timerMs ?? BEAT_MS, BEAT_MS));
      continue;
    }
    owedMs = speed < 1 ? Math.min(owedMs + (endedMs - beganMs) * (1 / Math.max(speed, 0.01) - 1), MOST_OWED_MS) : 0;
    if (owedMs < REST_MS) continue;
    Atomics.wait(signal, SENT, commands.received, owedMs);
    owedMs = Math.max(0, owedMs - (nowMs() - endedMs));
  }
}
