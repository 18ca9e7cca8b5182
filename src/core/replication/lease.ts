/**
 * The owner's lease (PROTOCOL.md, 27), for machines that start by themselves elsewhere when both replicas are gone
 * (`onTotalLoss: restart`). It is a note at the arbiter's store that the owner writes again and again; a spare host that has seen
 * no change of it for the time to live and a margin for clocks takes the machine for lost, and claims (loss-watch.ts). So the
 * owner's outputs may leave only while its last renewal is younger than the time to live. Other machines have no lease: nothing here
 * holds them up, and they need no arbiter while they are well.
 *
 * - A renewal counts from its *sending*: whoever saw it saw it later.
 * - A renewal counts only if the arbiter showed this replica as the owner *after* the note was written. Whoever claims reads the
 *   note after its claim: so either the claim was there first, and the renewal is none, or the claimant sees the note and waits.
 * - Leases decide nothing (8): when another one owns the machine, it is the arbiter that says so.
 * - A main thread does not renew for a CPU thread that is dead (11).
 *
 * A lease goes on over generations that one owner wins one after the other.
 */
import type { ReplicaAction, ReplicaEvent } from './replica.ts';

export interface LeaseOptions {
  /** Outputs may leave for so long after the sending of a renewal. */
  readonly ttlMs: number;
  /** How much longer others wait: what two clocks may differ by in `ttlMs`. */
  readonly marginMs: number;
}

export type LeaseRequest =
  /** Write `note`, then ask the arbiter whether `incarnation` owns the machine's newest generation. Answer with the same `sentMs`. */
  | { readonly op: 'renew'; readonly note: string; readonly incarnation: string; readonly sentMs: number }
  /** Read the note. */
  | { readonly op: 'look' };

export type LeaseReply =
  /** Lost: the arbiter shows another owner. */
  | { readonly op: 'renew'; readonly outcome: 'held' | 'lost' | 'unknown'; readonly sentMs: number }
  /** `note`: undefined if there is none, or none since long. */
  | { readonly op: 'look'; readonly outcome: 'seen'; readonly note: string | undefined }
  | { readonly op: 'look'; readonly outcome: 'unknown' };

/** A renewal comes this often in a time to live: two may be lost. */
const RENEWALS_A_TTL = 4;

export interface LeaseSettings {
  readonly incarnation: string;
  /** A cold start: the note that was there when the machine was taken for lost. */
  readonly restart?: { readonly note: string | undefined } | undefined;
  readonly timing: { readonly retryMs: number; readonly ownPauseMs: number };
}

export class Lease {
  readonly #settings: LeaseSettings;
  readonly #options: LeaseOptions;
  readonly #act: (action: ReplicaAction) => void;
  #nowMs: number;
  #owning = false;
  /** Whether the note must be read before the first output. */
  #mustLook: boolean;
  /** The owner before may say something until then. */
  #notBeforeMs = Number.NEGATIVE_INFINITY;
  #untilMs = Number.NEGATIVE_INFINITY;
  #renewals = 0;
  /** The next question; undefined while one waits for its answer. */
  #askAtMs: number | undefined = Number.NEGATIVE_INFINITY;

  constructor(settings: LeaseSettings, options: LeaseOptions, act: (action: ReplicaAction) => void, nowMs: number) {
    this.#settings = settings;
    this.#options = options;
    this.#act = act;
    this.#nowMs = nowMs;
    this.#mustLook = settings.restart !== undefined;
  }

  /** The time, before anything else at every event. */
  observe(nowMs: number): void {
    const gapMs = nowMs - this.#nowMs;
    // Another's time goes on by what this process knows of it: a leap of its own clock is no proof.
    if (gapMs >= this.#settings.timing.ownPauseMs && this.#notBeforeMs > this.#nowMs) this.#notBeforeMs += gapMs;
    this.#nowMs = nowMs;
  }

  /** Whether outputs may leave now. */
  get holds(): boolean {
    return this.#owning && !this.#mustLook && this.#nowMs >= this.#notBeforeMs && this.#nowMs < this.#untilMs;
  }

  /** This replica has won a generation. */
  own(): void {
    this.#owning = true;
  }

  /** Asks what is due. `works`: whether the CPU thread is known to live, or stopped on purpose. */
  tick(works: boolean): void {
    const { incarnation } = this.#settings;
    if (!this.#owning || !works) return;
    if (this.#askAtMs === undefined || this.#nowMs < this.#askAtMs) return;
    this.#askAtMs = undefined;
    if (this.#mustLook) return this.#act({ type: 'lease', request: { op: 'look' } });
    const note = `${incarnation} ${++this.#renewals}`;
    this.#act({ type: 'lease', request: { op: 'renew', note, incarnation, sentMs: this.#nowMs } });
  }

  /** True if the machine is another's. */
  answered({ reply }: ReplicaEvent & { type: 'lease' }): boolean {
    const { timing, restart } = this.#settings;
    const { ttlMs, marginMs } = this.#options;
    if (!this.#owning) return false;
    this.#askAtMs = this.#nowMs + timing.retryMs;
    if (reply.outcome === 'unknown') return false;
    if (reply.outcome === 'lost') return true;
    if (reply.op === 'look') {
      this.#mustLook = false;
      this.#askAtMs = this.#nowMs;
      // It was renewed after all, before the claim: that may count until its time is over.
      const renewed = reply.note !== undefined && reply.note !== restart?.note;
      if (renewed) this.#notBeforeMs = this.#nowMs + ttlMs + marginMs;
      return false;
    }
    this.#untilMs = Math.max(this.#untilMs, reply.sentMs + ttlMs);
    this.#askAtMs = Math.max(this.#askAtMs, reply.sentMs + ttlMs / RENEWALS_A_TTL);
    return false;
  }
}
