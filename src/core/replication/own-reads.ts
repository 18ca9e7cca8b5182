/**
 * The backup's side of reads whose data the log leaves out (`reads: backup`; PROTOCOL.md, 23): what its machine asks of the disk
 * as it follows is read here too, from this host's image or from the shared disk, and given to the machine, which compares it
 * with the log's checksum before it goes on.
 *
 * A read that overlaps an earlier write waits until the log has that write's completion: then it has landed, on the shared disk
 * or in the order of this host's image. A later write waits for the read: at the owner until this side says that the machine
 * has the read behind it (`done`), and in the host's own image until the log has the completion (own-image.ts).
 *
 * A read that fails here, comes out different or takes too long is asked of the owner, who keeps what it has read. Without an
 * owner it is done again, some times. If nobody has the data, this replica is over: the machine never gets other bytes.
 */
import type { BlockRequest } from '../machine/doors.ts';
import { conflict } from './block-order.ts';
import type { CpuReport, DiskStep } from './cpu-link.ts';
import type { Message } from './message.ts';
import type { HaltReason, ReplicaAction, ReplicaEvent, ReplicaTiming } from './replica.ts';

type Request = DiskStep & { kind: 'request' };

interface OpenRead {
  readonly sequence: number;
  readonly device: number;
  readonly request: BlockRequest & { type: 'read' };
  /** Earlier writes without a completion. */
  readonly behind: Set<string>;
  /** `reading`: by this host. `given`: to the machine. `wanted`, `fetched`: from the owner. `resting`: before it is tried again. */
  state: 'held' | 'reading' | 'given' | 'wanted' | 'fetched' | 'resting';
  /** This host's own read has no answer yet, whatever the state. */
  underWay: boolean;
  /** Since when the machine stands at it. */
  neededMs: number | undefined;
  tries: number;
}

/** Without an owner to ask a read is tried so often. */
const MAX_TRIES = 50;

const keyOf = (device: number, id: number): string => `${device} ${id}`;

/** Of a write only its place counts; the data is not kept. */
function placeOf(request: BlockRequest): BlockRequest {
  if (request.type !== 'write') return request;
  const { id, offset, data } = request;
  return { type: 'write-zeroes', id, offset, length: data.length };
}

export interface OwnReadsDeps {
  readonly act: (action: ReplicaAction) => void;
  /** To the owner, on the log's channel; lost while it is broken. */
  readonly send: (message: Message) => void;
}

export class OwnReads {
  readonly #timing: Pick<ReplicaTiming, 'suspicionMs' | 'retryMs'>;
  readonly #deps: OwnReadsDeps;
  /** The generation in which there is an owner to ask. */
  #generation: number | undefined;
  /** Without a completion, in the machine's order. */
  readonly #open = new Map<string, OpenRead>();
  /** Without a completion. */
  readonly #writes = new Map<string, { readonly device: number; readonly place: BlockRequest }>();
  #last = 0;
  #triedMs = 0;
  #failed = false;

  constructor(timing: Pick<ReplicaTiming, 'suspicionMs' | 'retryMs'>, deps: OwnReadsDeps) {
    this.#timing = timing;
    this.#deps = deps;
  }

  /** The machine has every read up to this place among its outputs behind it. */
  get done(): number {
    for (const { sequence } of this.#open.values()) return sequence - 1;
    return this.#last;
  }

  /** The owner can be asked, in `generation`; again, if what was asked may be lost. */
  follow(generation: number): void {
    this.#generation = generation;
    for (const read of this.#open.values()) if (read.state === 'wanted') this.#want(read);
  }

  /** There is no owner any more. */
  alone(): void {
    this.#generation = undefined;
    for (const read of this.#open.values()) if (read.state === 'wanted') this.#goOnAlone(read);
  }

  /** What the machine and the log say of the disk, in order. True if `done` has moved. */
  perform(steps: readonly DiskStep[]): boolean {
    const before = this.done;
    for (const step of steps) {
      if (step.kind === 'done') this.#done(keyOf(step.device, step.id));
      else this.#request(step);
    }
    return this.done !== before;
  }

  /** This host has read, or could not. */
  answered({ device, id, data }: ReplicaEvent & { type: 'disk-read-answer' }): void {
    const read = this.#open.get(keyOf(device, id));
    if (read === undefined) return;
    read.underWay = false;
    // It was only late.
    const comes = read.state === 'wanted' && data !== undefined;
    if (comes || read.state === 'reading') this.#give(read, 'given', data);
  }

  /** The machine stands at a completion, and needs what was read. */
  needed({ device, id, tried }: CpuReport & { type: 'read-needed' }, nowMs: number): void {
    const read = this.#open.get(keyOf(device, id));
    if (read === undefined) return;
    read.neededMs ??= nowMs;
    if (!tried || read.state === 'wanted') return;
    if (read.state === 'fetched' || read.tries >= MAX_TRIES) this.#failed = true;
    else if (this.#generation !== undefined) this.#want(read);
    else read.state = 'resting';
  }

  /** The owner's answer. */
  fetched({ sequence, found, bytes }: Message & { type: 'read-data' }): void {
    const read = [...this.#open.values()].find((open) => open.sequence === sequence);
    if (read?.state !== 'wanted') return;
    if (found) return this.#give(read, 'fetched', bytes);
    // So many reads ago that the owner has forgotten it: this host's own disk is slow, and nothing worse.
    if (read.underWay || read.tries === 0) this.#goOnAlone(read);
    else this.#failed = true;
  }

  tick(nowMs: number): void {
    const again = nowMs - this.#triedMs >= this.#timing.retryMs;
    if (again) this.#triedMs = nowMs;
    for (const read of this.#open.values()) {
      if (read.state === 'resting' && again) this.#read(read);
      const late = read.neededMs !== undefined && nowMs - read.neededMs >= this.#timing.suspicionMs;
      if (late && (read.state === 'reading' || read.state === 'held') && this.#generation !== undefined)
        this.#want(read);
    }
  }

  /** Why this replica is over; undefined if it is not. `won`: nobody else can go on. */
  failure(won: boolean): HaltReason | undefined {
    if (!this.#failed) return undefined;
    const message = 'this host cannot read from the disk what the log leaves out, and nobody else has it';
    return won ? { code: 'total-loss', message: `this replica won, but ${message}` } : { code: 'disk-failed', message };
  }

  #request(step: Request): void {
    const { device, request, sequence } = step;
    const key = keyOf(device, request.id);
    if (request.type === 'flush') return;
    if (request.type !== 'read') {
      this.#writes.set(key, { device, place: placeOf(request) });
      return;
    }
    // What was asked for before the machine was copied: the log has its data.
    if (sequence === undefined) return;
    this.#last = sequence;
    const writes = [...this.#writes].filter(([, write]) => write.device === device && conflict(write.place, request));
    const behind = new Set(writes.map(([write]) => write));
    const read: OpenRead = {
      sequence,
      device,
      request,
      behind,
      state: 'held',
      underWay: false,
      neededMs: undefined,
      tries: 0,
    };
    this.#open.set(key, read);
    if (behind.size === 0) this.#read(read);
  }

  #done(key: string): void {
    this.#open.delete(key);
    if (!this.#writes.delete(key)) return;
    for (const read of this.#open.values()) {
      if (read.behind.delete(key) && read.behind.size === 0 && read.state === 'held') this.#read(read);
    }
  }

  #read(read: OpenRead): void {
    read.state = 'reading';
    read.underWay = true;
    read.tries++;
    this.#deps.act({ type: 'disk-read', device: read.device, request: read.request });
  }

  /** Nobody is asked any more. */
  #goOnAlone(read: OpenRead): void {
    read.neededMs = Number.POSITIVE_INFINITY;
    if (read.behind.size > 0) read.state = 'held';
    else if (read.underWay) read.state = 'reading';
    else this.#read(read);
  }

  #want(read: OpenRead): void {
    read.state = 'wanted';
    this.#deps.send({ type: 'read-wanted', generation: this.#generation!, sequence: read.sequence });
  }

  #give(read: OpenRead, state: 'given' | 'fetched', data: Uint8Array | undefined): void {
    read.state = state;
    const { device, request } = read;
    this.#deps.act({ type: 'cpu', command: { type: 'read-data', device, id: request.id, data } });
  }
}
