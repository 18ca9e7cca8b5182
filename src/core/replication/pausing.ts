/**
 * The owner's wish that its machine stands still, for a hand-over, and what the CPU thread says to it. The thread may hang and
 * answer much later: a wish that is taken back is taken back whether it was heard or not, and its late answer means nothing.
 */
import type { CpuCommand } from './cpu-link.ts';

export class Pausing {
  #wanted = false;
  /** Wishes without an answer: each gets one, in order. */
  #due = 0;

  /** The machine stands still, and does so until `cancel`. */
  get done(): boolean {
    return this.#wanted && this.#due === 0;
  }

  ask(): CpuCommand {
    this.#wanted = true;
    this.#due++;
    return { type: 'pause' };
  }

  answered(): void {
    if (this.#due > 0) this.#due--;
  }

  /** The command that takes the wish back, if there is one. */
  cancel(): CpuCommand[] {
    const commands: CpuCommand[] = this.#wanted ? [{ type: 'resume' }] : [];
    this.#wanted = false;
    return commands;
  }
}
