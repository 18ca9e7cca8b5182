/**
 * What refusing costs: a client without rights, or without sense, must not keep the daemon busy, nor fill its disk with log lines.
 * Each peer may be refused so often at once and so often a second; beyond that it is turned away before anything is looked up
 * for it, whatever it asks. Lines of the log have a budget of their own, for each peer and for all of them together, and what
 * was left out is counted.
 */
export const REFUSALS = { burst: 40, perSecond: 4 } as const;
export const PEER_LINES = { burst: 10, perSecond: 1 / 10 } as const;
export const ALL_LINES = { burst: 100, perSecond: 1 } as const;
/** Of so many peers anything is remembered: those that were refused last. */
const MAX_PEERS = 1000;

interface Rate {
  readonly burst: number;
  readonly perSecond: number;
}

/** A token bucket: full at first. */
class Bucket {
  readonly #rate: Rate;
  #tokens: number;
  #atMs: number;

  constructor(rate: Rate, nowMs: number) {
    this.#rate = rate;
    this.#tokens = rate.burst;
    this.#atMs = nowMs;
  }

  has(nowMs: number): boolean {
    const { burst, perSecond } = this.#rate;
    this.#tokens = Math.min(burst, this.#tokens + (Math.max(0, nowMs - this.#atMs) * perSecond) / 1000);
    this.#atMs = nowMs;
    return this.#tokens >= 1;
  }

  take(nowMs: number): boolean {
    if (!this.has(nowMs)) return false;
    this.#tokens--;
    return true;
  }
}

type Peer = { readonly refusals: Bucket; readonly lines: Bucket; leftOut: number };

export class Refusals {
  readonly #nowMs: () => number;
  readonly #peers = new Map<string, Peer>();
  readonly #allLines: Bucket;
  readonly #counts = new Map<string, number>();

  /** `nowMs`: a clock that never goes back. */
  constructor(nowMs: () => number) {
    this.#nowMs = nowMs;
    this.#allLines = new Bucket(ALL_LINES, nowMs());
  }

  /** How many there were since the start, by code. */
  get counts(): ReadonlyMap<string, number> {
    return this.#counts;
  }

  /** Whether this peer was refused too often to be heard now. */
  exhausted(peer: string): boolean {
    const known = this.#peers.get(peer);
    return known !== undefined && !known.refusals.has(this.#nowMs());
  }

  refused(peer: string, code: string): void {
    const nowMs = this.#nowMs();
    this.#counts.set(code, (this.#counts.get(code) ?? 0) + 1);
    this.#known(peer, nowMs).refusals.take(nowMs);
  }

  /** Whether the log has room for a line about this peer: then how many it has not had since the last one. */
  line(peer: string): { readonly leftOut: number } | undefined {
    const nowMs = this.#nowMs();
    const known = this.#known(peer, nowMs);
    if (!known.lines.has(nowMs) || !this.#allLines.take(nowMs)) {
      known.leftOut++;
      return undefined;
    }
    known.lines.take(nowMs);
    const { leftOut } = known;
    known.leftOut = 0;
    return { leftOut };
  }

  #known(peer: string, nowMs: number): Peer {
    const known = this.#peers.get(peer) ?? {
      refusals: new Bucket(REFUSALS, nowMs),
      lines: new Bucket(PEER_LINES, nowMs),
      leftOut: 0,
    };
    // The order of the map is that of the last refusal.
    this.#peers.delete(peer);
    this.#peers.set(peer, known);
    if (this.#peers.size > MAX_PEERS) this.#peers.delete(this.#peers.keys().next().value!);
    return known;
  }
}
