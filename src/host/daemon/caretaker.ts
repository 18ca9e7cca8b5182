/**
 * Who looks after a machine's redundancy: its own primary. There is no controller. Whenever the primary is without a backup,
 * the caretaker names a host to ask for one: of those that the machine may use, that are there, and that have room; the
 * preferred first. A host that has failed is left out for a while that doubles with each failure, so that a broken host costs
 * little and a repaired one is found again.
 *
 * Sans-I/O: `next` names the host; `started`, `failed`, `joined` and `dropped` say what came of it.
 */
export interface Candidate {
  readonly name: string;
  readonly freeBytes: number;
}

export interface CaretakerOptions {
  /** Names of hosts, the preferred first. */
  readonly hosts: readonly string[];
  /** The primary's own host, which gives no backup. */
  readonly own: string;
  /** What a replica of this machine takes. */
  readonly memoryBytes: number;
}

export const FIRST_PAUSE_MS = 2000;
export const LONGEST_PAUSE_MS = 60_000;
/** A host that was asked has so long to start a replica, before another is asked. */
export const PATIENCE_MS = 15_000;
/** And its replica, once it runs, so long to connect. */
export const CONNECT_PATIENCE_MS = 5000;

/** `why`: what has failed there, for people. */
type Trouble = { readonly pauseMs: number; readonly untilMs: number; readonly why: string };

export class Caretaker {
  readonly #options: CaretakerOptions;
  readonly #troubles = new Map<string, Trouble>();
  /** `why`: what will have failed if nothing comes of it. */
  #asked: { readonly name: string; readonly untilMs: number; readonly why: string } | undefined;

  constructor(options: CaretakerOptions) {
    this.#options = options;
  }

  /** The host that was asked, and has not become the backup yet. */
  get asked(): string | undefined {
    return this.#asked?.name;
  }

  /** Why this host is left out now, and for how long; undefined if it is not. */
  trouble(name: string, nowMs: number): { readonly why: string; readonly restMs: number } | undefined {
    const found = this.#troubles.get(name);
    return found === undefined || nowMs >= found.untilMs
      ? undefined
      : { why: found.why, restMs: found.untilMs - nowMs };
  }

  /** The host to ask now; undefined if one was asked already, or none will do. */
  next(present: readonly Candidate[], nowMs: number): string | undefined {
    if (this.#asked !== undefined) {
      if (nowMs < this.#asked.untilMs) return undefined;
      this.failed(this.#asked.name, nowMs, this.#asked.why);
    }
    const { hosts, own, memoryBytes } = this.#options;
    const room = new Map(present.map(({ name, freeBytes }) => [name, freeBytes]));
    const name = hosts.find(
      (host) =>
        host !== own &&
        (room.get(host) ?? 0) >= memoryBytes &&
        nowMs >= (this.#troubles.get(host)?.untilMs ?? Number.NEGATIVE_INFINITY),
    );
    if (name !== undefined) this.#asked = { name, untilMs: nowMs + PATIENCE_MS, why: 'it has not started a replica' };
    return name;
  }

  /** `name` refused, could not be reached, or has not become the backup. */
  failed(name: string, nowMs: number, why: string): void {
    if (this.#asked?.name === name) this.#asked = undefined;
    const before = this.#troubles.get(name)?.pauseMs ?? FIRST_PAUSE_MS / 2;
    const pauseMs = Math.min(before * 2, LONGEST_PAUSE_MS);
    this.#troubles.set(name, { pauseMs, untilMs: nowMs + pauseMs, why });
  }

  /** `name` has started a replica, which has to connect now. */
  started(name: string, nowMs: number): void {
    if (this.#asked?.name === name)
      this.#asked = { name, untilMs: nowMs + CONNECT_PATIENCE_MS, why: 'its replica does not connect' };
  }

  /** The backup is gone. One that never became complete has failed. */
  dropped(nowMs: number, why: string): void {
    if (this.#asked !== undefined) this.failed(this.#asked.name, nowMs, why);
  }

  /** There is a backup. A host's failures are forgotten once it is the one. */
  joined(): void {
    if (this.#asked !== undefined) this.#troubles.delete(this.#asked.name);
    this.#asked = undefined;
  }
}
