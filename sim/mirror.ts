/**
 * Mirrored disks of a simulated cluster: an image on each host, which loses what was not flushed with its host's power, and a
 * replica's hold on it. What an image knows of itself (complete or not, its generation, who may have claimed in its name) is
 * durable when the answer comes, as the host's record is; a catch-up copies everything, sector by sector, while live writes
 * follow. The code that does this on real hosts has its own tests (docs/disks.md); here it is only as slow and as fragile.
 */
import type { BlockRequest } from '../src/core/machine/doors.ts';
import type { ReplicaAction, ReplicaEvent } from '../src/core/replication/replica.ts';
import { SECTOR_BYTES } from './machine.ts';
import type { Random } from './random.ts';
import type { Schedule } from './schedule.ts';

type DiskAction = ReplicaAction & { type: 'disk' };
type CatchUpAction = ReplicaAction & { type: 'catch-up' };
export type MirrorAction = ReplicaAction & {
  type: 'admit' | 'disk' | 'disk-join' | 'disk-common' | 'catch-up' | 'catch-up-data';
};

/** Planted bugs. */
export interface MirrorBugs {
  /** A flush is answered at once, and flushes nothing. */
  readonly flushesNothing?: boolean;
}

/** What lies on a host: bytes, and the record beside them. */
export class SimImage {
  state: 'complete' | 'incomplete';
  generation = -1;
  incarnations: string[] = [];
  /** The host has power: what is under way ends. */
  powered = 0;
  #durable = new Map<number, Uint8Array>();
  /** Written, and not flushed. */
  #cache = new Map<number, Uint8Array>();
  readonly #random: Random;

  constructor(random: Random, state: 'complete' | 'incomplete') {
    this.#random = random;
    this.state = state;
  }

  sector(number: number): Uint8Array | undefined {
    return this.#cache.get(number) ?? this.#durable.get(number);
  }

  get sectors(): number[] {
    return [...new Set([...this.#cache.keys(), ...this.#durable.keys()])];
  }

  write(number: number, data: Uint8Array): void {
    this.#cache.set(number, data);
  }

  clear(): void {
    this.#durable.clear();
    this.#cache.clear();
  }

  flush(): void {
    for (const [number, data] of this.#cache) this.#durable.set(number, data);
    this.#cache.clear();
  }

  /** Of what is not flushed some is there afterwards, and some is not. */
  losePower(): void {
    this.powered++;
    for (const [number, data] of this.#cache) if (this.#random.chance(0.3)) this.#durable.set(number, data);
    this.#cache.clear();
  }
}

/** What travels between the hosts, as JSON. */
type Word =
  | { readonly say: 'take' | 'begin' | 'begun' | 'settle' | 'settled' | 'complete' }
  | { readonly say: 'write'; readonly sector: number; readonly data: readonly number[] };

interface Giving {
  readonly transfer: number;
  /** Sectors that were sent, or never were there: live writes to them follow. */
  following: boolean;
  settled: () => void;
}

export interface MirrorOwner {
  readonly incarnation: string;
  readonly killed: boolean;
  event(event: ReplicaEvent): void;
}

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** A replica's hold on its host's image. */
export class SimMirror {
  readonly image: SimImage;
  /** What this host's disk is like. */
  readonly #usualSlowMs: number;
  readonly #owner: MirrorOwner;
  readonly #schedule: Schedule;
  readonly #random: Random;
  readonly #bugs: MirrorBugs;
  readonly #slowMs: () => number;
  /** Submitted and not executed, in order. */
  readonly #waiting = new Set<BlockRequest>();
  #idle: { readonly before: ReadonlySet<BlockRequest>; readonly then: () => void }[] = [];
  #giving: Giving | undefined;
  #taking: number | undefined;

  constructor(
    image: SimImage,
    owner: MirrorOwner,
    around: { schedule: Schedule; random: Random; slowMs: () => number; bugs: MirrorBugs },
  ) {
    this.image = image;
    this.#owner = owner;
    this.#schedule = around.schedule;
    this.#random = around.random;
    this.#slowMs = around.slowMs;
    this.#bugs = around.bugs;
    this.#usualSlowMs = around.random.pick([0, 0, 5, 20]);
  }

  perform(action: MirrorAction): void {
    const { generation } = { generation: 0, ...action };
    switch (action.type) {
      case 'admit':
        return this.#durably(() => {
          if (this.image.state === 'complete') this.#enter(generation);
          const outcome = this.image.state === 'complete' ? 'admitted' : 'refused';
          this.#owner.event({ type: 'disk-admission', generation, outcome });
        });
      case 'disk':
        return this.#submit(action);
      case 'disk-join':
        return this.#durably(() => {
          this.image.state = 'complete';
          this.#enter(generation);
          this.#owner.event({ type: 'disk-joined', generation });
        });
      case 'disk-common':
        return this.#durably(() =>
          this.#owner.event({ type: 'disk-common', sequence: action.sequence, noted: this.#random.chance(0.9) }),
        );
      case 'catch-up':
        return this.#catchUp(action);
      case 'catch-up-data':
        return this.#hear(action.transfer, JSON.parse(decoder.decode(action.bytes)) as Word);
    }
  }

  #enter(generation: number): void {
    this.image.generation = generation;
    this.image.incarnations = [this.#owner.incarnation];
  }

  // Requests

  #submit({ generation, device, request }: DiskAction): void {
    const base = { type: 'disk-answer', generation, device, id: request.id } as const;
    if (request.type === 'flush') {
      if (this.#bugs.flushesNothing) return this.#later(() => this.#owner.event({ ...base, outcome: 'ok' }));
      return this.#flush(() => this.#owner.event({ ...base, outcome: 'ok' }));
    }
    this.#run(request, () => {
      const data = request.type === 'read' ? this.#found(request) : undefined;
      this.#owner.event(data === undefined ? { ...base, outcome: 'ok' } : { ...base, outcome: 'ok', data });
    });
  }

  /** A read of the backup's own. */
  read(request: BlockRequest & { type: 'read' }, answer: (data: Uint8Array) => void): void {
    this.#run(request, () => answer(this.#found(request)));
  }

  #found({ offset }: BlockRequest & { type: 'read' }): Uint8Array {
    return this.image.sector(offset / SECTOR_BYTES)?.slice() ?? new Uint8Array(SECTOR_BYTES);
  }

  /** After all that was submitted before and overlaps. */
  #run(request: BlockRequest, then: () => void): void {
    const before = new Set([...this.#waiting].filter((other) => overlap(other, request)));
    this.#waiting.add(request);
    this.#after(before, () =>
      this.#later(() => {
        if (request.type === 'write') {
          this.image.write(request.offset / SECTOR_BYTES, request.data);
          this.#follow(request);
        }
        this.#waiting.delete(request);
        then();
        for (const check of this.#idle.splice(0)) this.#after(check.before, check.then);
      }),
    );
  }

  /** Makes all durable that was submitted before. */
  #flush(then: () => void): void {
    this.#after(new Set(this.#waiting), () =>
      this.#later(() => {
        this.image.flush();
        then();
      }),
    );
  }

  #after(before: ReadonlySet<BlockRequest>, then: () => void): void {
    for (const request of before) {
      if (!this.#waiting.has(request)) continue;
      this.#idle.push({ before, then });
      return;
    }
    then();
  }

  // Catching up

  #catchUp(action: CatchUpAction): void {
    const { transfer } = action;
    switch (action.step) {
      case 'give':
        this.#giving = { transfer, following: false, settled: () => {} };
        return;
      case 'take':
        this.#taking = transfer;
        return this.#say(transfer, { say: 'take' });
      case 'cut':
        return this.#flush(() => {
          if (this.#giving?.transfer !== transfer) return;
          this.#giving.following = false;
          this.#giving.settled = () => this.#say(transfer, { say: 'complete' });
          this.#say(transfer, { say: 'settle' });
        });
      case 'paired':
        return;
      case 'end':
        if (this.#giving?.transfer === transfer) this.#giving = undefined;
        if (this.#taking === transfer) this.#taking = undefined;
    }
  }

  #hear(transfer: number, word: Word): void {
    if (this.#giving?.transfer === transfer) return this.#giverHears(this.#giving, word);
    if (this.#taking === transfer) this.#takerHears(transfer, word);
  }

  #giverHears(giving: Giving, { say }: Word): void {
    const { transfer } = giving;
    if (say === 'take') return this.#say(transfer, { say: 'begin' });
    if (say === 'settled') return giving.settled();
    if (say !== 'begun') return;
    giving.following = true;
    for (const number of this.image.sectors) this.#send(transfer, number);
    giving.settled = () => this.#owner.event({ type: 'caught-up', transfer });
    this.#say(transfer, { say: 'settle' });
  }

  #takerHears(transfer: number, word: Word): void {
    switch (word.say) {
      case 'begin':
        return this.#durably(() => {
          this.image.state = 'incomplete';
          // What the owner's image never had, or has lost, must not be there.
          this.image.clear();
          this.#say(transfer, { say: 'begun' });
        });
      case 'write': {
        const data = Uint8Array.from(word.data);
        return this.#run({ type: 'write', id: 0, offset: word.sector * SECTOR_BYTES, data }, () => {});
      }
      case 'settle':
        return this.#flush(() => this.#say(transfer, { say: 'settled' }));
      case 'complete':
        return this.#owner.event({ type: 'catch-up-complete', transfer });
      default:
        return;
    }
  }

  #follow(request: BlockRequest & { type: 'write' }): void {
    if (this.#giving?.following === true) this.#send(this.#giving.transfer, request.offset / SECTOR_BYTES);
  }

  #send(transfer: number, sector: number): void {
    this.#say(transfer, { say: 'write', sector, data: [...this.image.sector(sector)!] });
  }

  #say(transfer: number, word: Word): void {
    const bytes = new Uint8Array(encoder.encode(JSON.stringify(word)));
    this.#owner.event({ type: 'catch-up-send', transfer, bytes });
  }

  // Time

  /** A write of the record. */
  #durably(then: () => void): void {
    const { powered } = this.image;
    this.#schedule.after(this.#random.between(0.2, 2), () => {
      if (powered === this.image.powered && !this.#owner.killed) then();
    });
  }

  #later(then: () => void): void {
    const { powered } = this.image;
    const takesMs = this.#random.between(0.1, 1 + Math.max(this.#slowMs(), this.#usualSlowMs));
    this.#schedule.after(takesMs, () => {
      // What a killed process had asked for may be done, or not: here it is not.
      if (powered === this.image.powered && !this.#owner.killed) then();
    });
  }
}

function overlap(one: BlockRequest, other: BlockRequest): boolean {
  if (one.type === 'flush' || other.type === 'flush' || (one.type === 'read' && other.type === 'read')) return false;
  return one.offset === other.offset;
}

export interface Claimant {
  readonly generation: number;
  readonly incarnation: string | undefined;
  /** The backup of that generation's pair. */
  readonly backup: string | undefined;
}

/** Whether an image may boot when nothing runs (PROTOCOL.md, 26). */
export function boots({ state, incarnations, generation }: SimImage, newest: Claimant): boolean {
  if (state !== 'complete' || newest.incarnation === undefined) return false;
  if (incarnations.includes(newest.incarnation)) return true;
  return generation === newest.generation && newest.backup !== undefined && incarnations.includes(newest.backup);
}
