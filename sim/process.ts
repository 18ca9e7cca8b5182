/**
 * A replica process of the simulated cluster: the unmodified state machines of core/replication on a main thread, a `CpuSide`
 * with a small machine on a CPU thread, and the host's own clock. It can be paused and continued (SIGSTOP, SIGCONT), killed,
 * or lose its CPU thread alone.
 */
import type { Output } from '../src/core/machine/doors.ts';
import type { CpuCommand, CpuReport } from '../src/core/replication/cpu-link.ts';
import { pieceInstaller } from '../src/core/replication/cpu-pieces.ts';
import { CpuSide } from '../src/core/replication/cpu-side.ts';
import type { Loss } from '../src/core/replication/loss-watch.ts';
import type {
  HaltReason,
  ReplicaAction,
  ReplicaEvent,
  ReplicaPhase,
  ReplicaStatus,
} from '../src/core/replication/replica.ts';
import type { Journal } from './journal.ts';
import { SimMachine } from './machine.ts';
import type { Random } from './random.ts';
import type { SimReads } from './reads.ts';
import type { Schedule } from './schedule.ts';

/** `Primary`, `Backup`, or one of them with a bug planted around it. */
export interface ReplicaLike {
  handle(event: ReplicaEvent, nowMs: number): ReplicaAction[];
  status(nowMs: number): ReplicaStatus;
}

/** The rest of the cluster, as a process reaches it. */
export interface Surroundings {
  perform(process: SimProcess, action: Exclude<ReplicaAction, { type: 'cpu' | 'phase' | 'halt' }>): void;
  /** A process has entered a phase. */
  entered(process: SimProcess, phase: ReplicaPhase): void;
  /** Backups read by themselves. */
  readonly reads: SimReads | undefined;
  /** What the machine with this hash had said when it was cut out: a copy of it has the same past. */
  readonly pasts: Map<bigint, readonly Output[]>;
}

/** Phases in which a primary owns its generation. */
const OWNING: readonly ReplicaPhase[] = [
  'admitting',
  'waiting-for-backup',
  'forming',
  'copying',
  'cutting-over',
  'paired',
  'alone',
];
const TICK_MS = 10;
const SLICE_MS = 4;
const BEAT_MS = 8;
const CLOCK_MS = 12;
const STEPS_A_MS = 10;
const TICKS_A_MS = 10_000;
/** Half a tick a step: the rest comes with the clock inputs. */
const SLOPE = 2 ** 31;

export class SimProcess {
  readonly name: string;
  readonly incarnation: string;
  readonly machine: SimMachine;
  /** All that the machine has ever said, by sequence number - 1. */
  readonly history: Output[] = [];
  phase: ReplicaPhase = 'halted';
  generation = -1;
  killed = false;
  halted = false;
  haltCode: HaltReason['code'] | undefined;
  uplink = true;
  cpuDead = false;
  /** The generation that a cold start may end, and what it knows of the renewals before; undefined: it is none, or a person's. */
  restart: Loss | undefined;
  coldStart = false;
  #owned = false;
  readonly #replica: ReplicaLike;
  readonly #cpu: CpuSide;
  readonly #around: Surroundings;
  readonly #schedule: Schedule;
  readonly #random: Random;
  readonly #journal: Journal;
  /** The host's clock: what it showed at a moment of simulated time, and how fast it goes since. */
  #hostClock: { readonly hostMs: number; readonly atMs: number; readonly rate: number };
  #paused = false;
  /** What happened while it was paused. */
  #backlog: (() => void)[] = [];
  /** What waits for a CPU thread that hangs. */
  #cpuBacklog: (() => void)[] | undefined;
  #tickWaiting = false;
  #speed = 1;
  #sliceAt = Number.POSITIVE_INFINITY;
  #clockBase = { time: 0n, hostMs: 0 };

  constructor(
    name: string,
    incarnation: string,
    replica: (nowMs: number) => ReplicaLike,
    around: Surroundings,
    schedule: Schedule,
    random: Random,
    journal: Journal,
  ) {
    this.name = name;
    this.incarnation = incarnation;
    this.#around = around;
    this.#schedule = schedule;
    this.#random = random;
    this.#journal = journal;
    this.#hostClock = { hostMs: random.between(0, 1e9), atMs: schedule.nowMs, rate: random.between(0.99, 1.01) };
    this.machine = new SimMachine({
      witness: (output) => this.history.push(output),
      readsFirst: around.reads !== undefined,
    });
    const report = (message: CpuReport): void => this.#toMain(message);
    const onLive = (time: bigint): void => this.#startClock(time);
    const installPiece = pieceInstaller((bytes) => bytes);
    this.#cpu = new CpuSide({}, { machine: this.machine, report, onLive, installPiece });
    this.#replica = replica(this.#hostMs());
  }

  get paused(): boolean {
    return this.#paused;
  }

  /** Whether its CPU thread stands still now. */
  get #stands(): boolean {
    return this.#paused || this.#cpuBacklog !== undefined;
  }

  get alive(): boolean {
    return !this.killed && !this.halted;
  }

  start(): void {
    this.event({ type: 'start' });
    this.#tick();
    this.#beat();
    this.#clock();
  }

  status(): ReplicaStatus {
    return this.#replica.status(this.#hostMs());
  }

  /** Something happens to the main thread: now, or when the process is continued; then only if it still `holds`. */
  event(event: ReplicaEvent, holds: () => boolean = () => true): void {
    this.#do(() => {
      if (this.halted || !holds()) return;
      for (const action of this.#replica.handle(event, this.#hostMs())) this.#perform(action);
    });
  }

  pause(): void {
    this.#paused = true;
    this.#journal.tell(this.name, 'is stopped (SIGSTOP)');
  }

  continue(): void {
    if (!this.#paused || this.killed) return;
    this.#paused = false;
    this.#journal.tell(this.name, 'is continued (SIGCONT)');
    for (const run of this.#backlog.splice(0)) this.#do(run);
  }

  kill(how: string): void {
    if (this.killed) return;
    this.killed = true;
    this.#journal.tell(this.name, `dies: ${how}`);
  }

  killCpuThread(): void {
    this.cpuDead = true;
    this.#journal.tell(this.name, 'has a dead CPU thread');
  }

  /** The CPU thread stands still, while the main thread lives. */
  hangCpuThread(): void {
    this.#cpuBacklog ??= [];
    this.#journal.tell(this.name, 'has a CPU thread that hangs');
  }

  freeCpuThread(): void {
    const backlog = this.#cpuBacklog;
    if (backlog === undefined || this.killed) return;
    this.#cpuBacklog = undefined;
    this.#journal.tell(this.name, 'has a CPU thread that goes on');
    for (const run of backlog) this.#do(run);
  }

  /** The host's clock leaps forward: it was suspended, by its own count. */
  jumpClock(byMs: number): void {
    this.#hostClock = { ...this.#hostClock, hostMs: this.#hostMs() + byMs, atMs: this.#schedule.nowMs };
    this.#journal.tell(this.name, `has a clock that leaps by ${byMs.toFixed(0)} ms`);
  }

  /** From now on the host's clock goes `rate` times as fast as time. */
  setClockRate(rate: number): void {
    this.#hostClock = { hostMs: this.#hostMs(), atMs: this.#schedule.nowMs, rate };
    this.#journal.tell(this.name, `has a clock that goes at ${rate.toFixed(3)} of its pace`);
  }

  #do(run: () => void): void {
    if (this.killed) return;
    if (this.#paused) this.#backlog.push(run);
    else run();
  }

  #hostMs(): number {
    const { hostMs, atMs, rate } = this.#hostClock;
    return hostMs + (this.#schedule.nowMs - atMs) * rate;
  }

  #perform(action: ReplicaAction): void {
    switch (action.type) {
      case 'cpu':
        return this.#toCpu(action.command);
      case 'phase':
        this.phase = action.phase;
        this.generation = action.generation;
        this.#journal.tell(this.name, `${action.phase}, generation ${action.generation}: ${action.why}`);
        if (this.#owns(action.phase)) {
          this.#journal.owns(
            this.name,
            this.incarnation,
            action.generation,
            action.phase,
            this.coldStart && !this.#owned,
          );
          this.#owned = true;
        }
        return this.#around.entered(this, action.phase);
      case 'halt':
        this.halted = true;
        this.haltCode = action.reason.code;
        if (action.reason.code === 'disk-failed') this.#around.reads?.gaveUp(this);
        this.#journal.tell(this.name, `halts: ${action.reason.code}`);
        return;
      default:
        return this.#around.perform(this, action);
    }
  }

  /** A backup owns nothing before it has won. */
  #owns(phase: ReplicaPhase): boolean {
    if (phase === 'admitting' || phase === 'alone') return true;
    return OWNING.includes(phase) && this.status().role === 'primary';
  }

  #tick(): void {
    if (this.killed || this.halted) return;
    this.#schedule.after(TICK_MS, () => this.#tick());
    // A stopped process has one timer that is overdue, not a hundred.
    if (this.#tickWaiting) return;
    this.#tickWaiting = true;
    this.#do(() => {
      this.#tickWaiting = false;
      this.event({ type: 'tick' });
    });
  }

  // The CPU thread: a few hundredths of a millisecond away

  #toMain(report: CpuReport): void {
    if (report.type === 'read-needed' && report.tried) this.#around.reads?.refused(this, report.id);
    if (report.type === 'copy-cut') this.#around.pasts.set(report.cut.hash, this.history.slice());
    this.#schedule.after(0.03, () => this.event({ type: 'cpu', report }));
  }

  #toCpu(command: CpuCommand): void {
    this.#schedule.after(0.03, () =>
      this.#onCpu(() => {
        if (this.cpuDead) return;
        if (command.type === 'speed') this.#speed = command.fraction;
        if (command.type === 'install-end') this.history.push(...(this.#around.pasts.get(command.cut.hash) ?? []));
        this.#cpu.handle(command);
        this.#wake(0.02);
      }),
    );
  }

  /** Something for the CPU thread: now, or when it goes on. */
  #onCpu(run: () => void): void {
    this.#do(() => {
      if (this.#cpuBacklog === undefined) run();
      else this.#cpuBacklog.push(run);
    });
  }

  #wake(delayMs: number): void {
    const atMs = this.#schedule.nowMs + delayMs;
    if (atMs >= this.#sliceAt) return;
    this.#sliceAt = atMs;
    this.#schedule.after(delayMs, () => {
      if (this.#sliceAt !== atMs) return;
      this.#sliceAt = Number.POSITIVE_INFINITY;
      this.#onCpu(() => this.#slice());
    });
  }

  #slice(): void {
    if (this.cpuDead) return;
    const steps = Math.ceil(SLICE_MS * STEPS_A_MS * this.#random.between(0.5, 1));
    const result = this.#cpu.slice(this.machine.position + BigInt(steps));
    if (result === 'again') this.#wake((SLICE_MS * this.#random.between(0.2, 1)) / this.#speed);
  }

  #beat(): void {
    if (this.killed || this.cpuDead || this.halted) return;
    this.#schedule.after(BEAT_MS, () => this.#beat());
    if (!this.#stands) this.#cpu.beat();
  }

  #startClock(time: bigint): void {
    this.#clockBase = { time, hostMs: this.#hostMs() };
  }

  #clock(): void {
    if (this.killed || this.cpuDead || this.halted) return;
    this.#schedule.after(CLOCK_MS, () => this.#clock());
    if (this.#stands || !this.#cpu.recording) return;
    const elapsedMs = this.#hostMs() - this.#clockBase.hostMs;
    const due = this.#clockBase.time + BigInt(Math.floor(elapsedMs * TICKS_A_MS));
    const time = due > this.machine.time ? due : this.machine.time;
    if (this.#cpu.apply({ kind: 'clock', time, slope: SLOPE })) this.#wake(0.01);
  }
}
