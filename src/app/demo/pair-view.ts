/** What the two replicas report, folded into what the demo shows and decides by: roles, positions, lag, rate of the log, console. */
import type { StatusLine } from '../../host/replica/status.ts';

/** In which role a replica was started. */
export type Member = 'primary' | 'backup';

export interface ReplicaView {
  readonly member: Member;
  pid: number | undefined;
  role: 'primary' | 'backup';
  phase: string;
  generation: number;
  /** Steps that the machine has taken on this side. */
  position: bigint;
  peerPosition: bigint | undefined;
  lagMs: number;
  /** How its process ended. */
  end: string | undefined;
}

/** The rate of the log is measured over this time. */
const RATE_WINDOW_MS = 2000;
const READY = 'understudy: ready';

export class PairView {
  readonly primary: ReplicaView = newReplica('primary');
  readonly backup: ReplicaView = newReplica('backup');
  /** The guest has said that its services are up. */
  guestIsReady = false;
  /** The last line of the guest's console that says something. */
  lastConsoleLine = '';
  #partialLine = '';
  #log: { readonly atMs: number; readonly bytes: number }[] = [];

  of(member: Member): ReplicaView {
    return member === 'primary' ? this.primary : this.backup;
  }

  take(member: Member, line: StatusLine, nowMs: number): void {
    const replica = this.of(member);
    replica.pid = line.pid;
    switch (line.type) {
      case 'status':
        replica.role = line.role;
        replica.phase = line.phase;
        replica.generation = line.generation;
        replica.position = BigInt(line.position);
        replica.peerPosition = line.peerPosition === undefined ? undefined : BigInt(line.peerPosition);
        replica.lagMs = line.lagMs;
        if (member === 'primary') this.#logged(line.logBytes, nowMs);
        return;
      case 'phase':
        replica.phase = line.phase;
        replica.generation = line.generation;
        return;
      case 'console':
        return this.#console(line.data);
      case 'halt':
        replica.end = line.message;
        return;
    }
  }

  /** Both replicas run, and each knows it. */
  get isRedundant(): boolean {
    return this.primary.phase === 'paired' && this.backup.phase === 'paired';
  }

  /** The backup has become the machine's only owner. */
  get hasTakenOver(): boolean {
    return this.backup.role === 'primary' && this.backup.phase === 'alone';
  }

  /** Of the log, in bits a second. */
  logRate(nowMs: number): number {
    const [first, last] = [this.#log[0], this.#log.at(-1)];
    if (first === undefined || last === undefined || last.atMs === first.atMs) return 0;
    if (nowMs - last.atMs > RATE_WINDOW_MS) return 0;
    return ((last.bytes - first.bytes) * 8 * 1000) / (last.atMs - first.atMs);
  }

  #logged(bytes: number, atMs: number): void {
    this.#log.push({ atMs, bytes });
    this.#log = this.#log.filter((sample) => atMs - sample.atMs <= RATE_WINDOW_MS);
  }

  #console(data: string): void {
    const lines = (this.#partialLine + data).split(/\r?\n/);
    this.#partialLine = lines.pop() ?? '';
    for (const line of lines) {
      if (line.trim() !== '') this.lastConsoleLine = line.trim();
      if (line.includes(READY)) this.guestIsReady = true;
    }
  }
}

function newReplica(member: Member): ReplicaView {
  return {
    member,
    pid: undefined,
    role: member,
    phase: 'starting',
    generation: 0,
    position: 0n,
    peerPosition: undefined,
    lagMs: 0,
    end: undefined,
  };
}
