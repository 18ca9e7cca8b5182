/**
 * The way of the guest's outputs out of the owner's host: the gate that holds them (output-gate.ts), the hands that perform them
 * (world.ts), and the bound on what may wait, which the CPU thread is told (cpu-limit.ts).
 */
import type { Input } from '../machine/doors.ts';
import type { PendingBlockRequest } from '../vm/machine-interface.ts';
import { CommonPoints } from './common-points.ts';
import { CpuLimit } from './cpu-limit.ts';
import type { NumberedOutput } from './cpu-link.ts';
import { FlushGate } from './flush-gate.ts';
import type { Lease } from './lease.ts';
import type { Ack, Message, ReadWanted } from './message.ts';
import { OutputGate } from './output-gate.ts';
import type { ReplicaAction, ReplicaBounds, ReplicaEvent, ReplicaOptions } from './replica.ts';
import { World } from './world.ts';

/** How the CPU thread is told what the log leaves out. */
export function leanReads({ reads }: Pick<ReplicaOptions, 'reads'>): { leanReads?: boolean } {
  return reads === 'backup' ? { leanReads: true } : {};
}

export class OutputPath {
  readonly #gate = new OutputGate();
  readonly #world = new World();
  readonly #flushes = new FlushGate();
  readonly #points: CommonPoints;
  readonly #limit: CpuLimit;
  readonly #act: (action: ReplicaAction) => void;
  readonly #lease: Pick<Lease, 'holds'> | undefined;

  /** `lease`: while it does not hold nothing leaves (27); undefined: the machine has none. */
  constructor(bounds: ReplicaBounds, act: (action: ReplicaAction) => void, lease?: Pick<Lease, 'holds'>) {
    this.#lease = lease;
    this.#limit = new CpuLimit(bounds.logBufferBytes, bounds.heldOutputBytes);
    this.#act = act;
    this.#points = new CommonPoints(act);
  }

  /** The last output of those that have left in order. */
  get released(): number {
    return this.#gate.released;
  }

  get heldCount(): number {
    return this.#gate.heldCount;
  }

  /** Whether nothing is held, and every disk request is answered. */
  get idle(): boolean {
    return this.#gate.heldCount === 0 && this.#world.idle;
  }

  /** Whether the backup is all that some flush still needs. */
  get flushWaits(): boolean {
    return this.#flushes.waits;
  }

  /** The generation that the disk has admitted; undefined while this replica is leaving it. */
  get admitted(): number | undefined {
    return this.#world.admitted;
  }

  /** The disk has admitted `generation`; `adopted` are requests that another owner's machine had in flight. */
  open(generation: number, adopted: readonly PendingBlockRequest[] = []): void {
    this.#world.adopt(adopted);
    this.#do(this.#world.open(generation));
  }

  /** No disk request goes out any more; answers still count. */
  close(): void {
    this.#world.close();
  }

  /** A new log begins, for another backup: nothing of it is acknowledged. */
  newLog(): void {
    this.#gate.newLog();
  }

  /** Whether the lease holds, if there is one. */
  get mayLeave(): boolean {
    return this.#lease?.holds ?? true;
  }

  /** An owner without a backup: what waited for the lease leaves, and what goes on waiting is bounded (7). */
  underLease(generation: number): void {
    if (this.#lease === undefined) return;
    this.releaseAll(generation);
    this.updateLimit(undefined);
  }

  /** How far the CPU thread may go with a log that begins now. */
  newLimits(): { logBytes: number; outputBytes: number } {
    return this.#limit.newLog(this.#gate.releasedBytes);
  }

  /** Tells the CPU thread how far it may go, if that is news. `acknowledgedBytes`: of the log; undefined if none is needed. */
  updateLimit(acknowledgedBytes: number | undefined): void {
    const command = this.#limit.update(acknowledgedBytes, this.#gate.releasedBytes);
    if (command !== undefined) this.#act({ type: 'cpu', command });
  }

  /** New outputs, whose marks are in `batch`. Some need not wait. */
  hold(outputs: readonly NumberedOutput[], batch: number, generation: number): void {
    this.#perform(this.#gate.hold(outputs, batch), generation);
  }

  acknowledge(batch: number): void {
    this.#gate.acknowledge(batch);
  }

  /** Whether an acknowledged output waits to leave. */
  get ready(): boolean {
    return this.#gate.ready && this.mayLeave;
  }

  /** Lets go what is acknowledged, if something is `ready`. The caller has made sure that the backup was heard of lately (rule 14). */
  release(generation: number): void {
    this.#perform(this.#gate.release(), generation);
  }

  /** Lets everything go, if it may leave now: nobody else can go on from an earlier state. */
  releaseAll(generation: number): void {
    if (this.mayLeave) this.#perform(this.#gate.releaseAll(), generation);
  }

  /** The generation is lost. */
  discardAll(): void {
    this.#gate.discardAll();
  }

  /**
   * Behind this output of the machine there is a log for a backup. With a mirrored disk its image equals this host's there, and
   * flushes need its word as well (25); with `reads: backup` it reads by itself (23).
   */
  pairAt(sequence: number, { mirrored, reads }: Pick<ReplicaOptions, 'mirrored' | 'reads'>): void {
    if (reads === 'backup') this.#world.readAtBackup(sequence);
    if (!mirrored) return;
    this.#flushes.pairAt(sequence);
    this.#points.startAt(sequence);
  }

  /** How far the backup is with its disk. Returns the flushes' answers that waited for it. */
  diskAtBackup({ image, reads }: Pick<Ack, 'image' | 'reads'>, generation: number): Input[] {
    if (reads !== undefined) this.#do(this.#world.readsDone(reads));
    if (image === undefined) return [];
    this.#points.atBackup(image.common, generation);
    return this.#flushes.durable(image.flushed);
  }

  /** The newest common point (24) that this host's image has noted. */
  get commonPoint(): number {
    return this.#points.noted;
  }

  pointNoted(event: ReplicaEvent & { type: 'disk-common' }): void {
    this.#points.noticed(event);
  }

  /** No backup counts any more. Returns the answers that waited for one. */
  unpair(): Input[] {
    this.#limit.forget();
    this.#do(this.#world.readsDone(undefined));
    return this.#flushes.alone();
  }

  /** The input that the disk's answer makes, if it answers something and the guest may hear of it. */
  answer(event: ReplicaEvent & { type: 'disk-answer' }): Input | undefined {
    const { input, sequence, actions } = this.#world.answer(event);
    this.#do(actions);
    return input === undefined ? undefined : this.#flushes.answered(sequence, input);
  }

  /** What a backup that could not read is told. */
  keptRead({ generation, sequence }: ReadWanted): Message {
    const data = this.#world.keptRead(sequence);
    return { type: 'read-data', generation, sequence, found: data !== undefined, bytes: data ?? new Uint8Array() };
  }

  #perform(outputs: readonly NumberedOutput[], generation: number): void {
    if (outputs.length > 0) this.#do(this.#world.perform(outputs, generation));
  }

  #do(actions: readonly ReplicaAction[]): void {
    for (const action of actions) this.#act(action);
  }
}
