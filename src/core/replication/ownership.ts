/**
 * Asking for a generation: the claim at the arbiter, and its admission by the disk (PROTOCOL.md, 1, 2, 4). Both are asked again
 * until they are answered, and a replica whose own CPU thread is dead does not claim: it must not win (11).
 */
import type { ArbiterReply, ArbiterRequest } from './arbiter-protocol.ts';
import { Asking } from './asking.ts';
import type { CpuView } from './cpu-view.ts';
import type { ReplicaAction, ReplicaEvent, ReplicaOptions } from './replica.ts';

export class Ownership {
  readonly #options: Pick<ReplicaOptions, 'incarnation' | 'timing'>;
  readonly #cpu: CpuView;
  readonly #act: (action: ReplicaAction) => void;
  readonly #asking: Asking;
  /** The claim that waits for a sign of life of the CPU thread. */
  #claimWhenAlive: { readonly generation: number; readonly token: string } | undefined;
  #admitting: number | undefined;
  #admitAgainMs: number | undefined;

  constructor(
    options: Pick<ReplicaOptions, 'incarnation' | 'timing'>,
    cpu: CpuView,
    act: (action: ReplicaAction) => void,
  ) {
    this.#options = options;
    this.#cpu = cpu;
    this.#act = act;
    this.#asking = new Asking(options.timing.retryMs);
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
    return this.#asking.settles(reply, nowMs);
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
    const again = this.#asking.again(nowMs);
    if (again !== undefined) this.#act({ type: 'arbiter', request: again });
    const due = this.#admitAgainMs !== undefined && nowMs >= this.#admitAgainMs;
    if (due && this.#admitting !== undefined) this.admit(this.#admitting);
  }
}
