/** What `Primary` and `Backup` have in common as sans-I/O state machines: a phase, a generation, and the actions that came up. */
import type { CpuCommand } from './cpu-link.ts';
import type { ReplicaAction, ReplicaPhase } from './replica.ts';

export abstract class Actor {
  protected phase: ReplicaPhase;
  protected generation = 0;
  #actions: ReplicaAction[] = [];

  constructor(phase: ReplicaPhase) {
    this.phase = phase;
  }

  protected enter(phase: ReplicaPhase, why: string): void {
    this.phase = phase;
    this.act({ type: 'phase', phase, generation: this.generation, why });
  }

  protected command(command: CpuCommand): void {
    this.act({ type: 'cpu', command });
  }

  protected act(...actions: readonly ReplicaAction[]): void {
    this.#actions.push(...actions);
  }

  /** The actions since the last call, in order. */
  protected takeActions(): ReplicaAction[] {
    const actions = this.#actions;
    this.#actions = [];
    return actions;
  }
}
