/**
 * Asking for a generation: the claim at the arbiter, and its admission by the disk (PROTOCOL.md, 1, 2, 4). Both are asked again
 * until they are answered, and a replica whose own CPU thread is dead does not claim: it must not win (11). What is won is kept
 * under a lease, where the machine has one (lease.ts).
 */
import type { ArbiterReply, ArbiterRequest } from './arbiter-protocol.ts';
import { Asking } from './asking.ts';
import type { CpuView } from './cpu-view.ts';
import { Lease } from './lease.ts';
import type { ReplicaAction, ReplicaEvent, ReplicaOptions } from './replica.ts';

type OwnershipOptions = Pick<ReplicaOptions, 'incarnation' | 'timing' | 'lease' | 'restart'>;

export class Ownership {
  readonly #options: OwnershipOptions;
  readonly #cpu: CpuView;
  readonly #act: (action: ReplicaAction) => void;
  readonly #asking: Asking;
  /** The claim that waits for a sign of life of the CPU thread. */
  #claimWhenAlive: { readonly generation: number; readonly token: string } | undefined;
  #admitting: number | undefined;
  #admitAgainMs: number | undefined;
  /** On what is won; undefined: the machine needs none, or this replica does not own it. */
  readonly lease: Lease | undefined;

  /** `nowMs`: of an owner, or one to be. */
  constructor(options: OwnershipOptions, cpu: CpuView, act: (action: ReplicaAction) => void, nowMs?: number) {
    this.#options = options;
    this.#cpu = cpu;
    this.#act = act;
    if (options.lease !== undefined && nowMs !== undefined) this.lease = new Lease(options, options.lease, act, nowMs);
    this.#asking = new Asking(options.timing.retryMs);
  }

  /** This process runs now: at every event, before anything else. */
  observe(nowMs: number): void {
    this.#cpu.observe(nowMs);
    this.lease?.observe(nowMs);
  }

  /** Whether a question of this kind waits for its answer. */
  asks(op: ArbiterRequest['op']): boolean {
    return this.#asking.asks(op);
  }

  ask(request: ArbiterRequest): void {
    this.#act({ type: 'arbiter', request: this.#asking.ask(request) });
  }

  /** True if `reply` settles the question. */
  settles(reply: ArbiterReply, nowMs: number): boolean {
    const settled = this.#asking.settles(reply, nowMs);
    if (settled && reply.outcome === 'won') this.lease?.own();
    return settled;
  }

  /** Claims `generation`, once the CPU thread is known to live. */
  claim(generation: number, token: string): void {
    this.#claimWhenAlive = this.#cpu.state() === 'silent' ? { generation, token } : undefined;
    if (this.#claimWhenAlive !== undefined) return;
    this.ask({ op: 'claim', generation, incarnation: this.#options.incarnation, token });
  }

  /** The CPU thread has said something. */
  cpuLives(): void {
    if (this.#claimWhenAlive !== undefined) this.claim(this.#claimWhenAlive.generation, this.#claimWhenAlive.token);
  }

  /** Has the disk admit `generation`. */
  admit(generation: number): void {
    this.#admitting = generation;
    this.#admitAgainMs = undefined;
    this.#act({ type: 'admit', generation });
  }

  /** What the disk says, if it is an answer to what was asked. */
  admission(event: ReplicaEvent & { type: 'disk-admission' }, nowMs: number): 'admitted' | 'refused' | undefined {
    if (event.generation !== this.#admitting) return undefined;
    if (event.outcome === 'unknown') {
      this.#admitAgainMs = nowMs + this.#options.timing.retryMs;
      return undefined;
    }
    this.#admitting = undefined;
    return event.outcome;
  }

  /** Asks again what is due. */
  tick(nowMs: number): void {
    this.lease?.tick(this.#cpu.state(nowMs) !== 'silent');
    const again = this.#asking.again(nowMs);
    if (again !== undefined) this.#act({ type: 'arbiter', request: again });
    const due = this.#admitAgainMs !== undefined && nowMs >= this.#admitAgainMs;
    if (due && this.#admitting !== undefined) this.admit(this.#admitting);
  }
}
