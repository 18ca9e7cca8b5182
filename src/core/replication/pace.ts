/** What an owner with a backup has its CPU thread do from time to time: run slower or faster (lag-control.ts), and be compared. */
import type { CpuCommand } from './cpu-link.ts';
import { LagControl } from './lag-control.ts';
import type { ReplicaTiming } from './replica.ts';

const INTERVAL_MS = 100;

export class Pace extends LagControl {
  readonly #hashIntervalMs: number;
  #checkpointMs = Number.NEGATIVE_INFINITY;

  constructor({ targetLagMs, hashIntervalMs }: Pick<ReplicaTiming, 'targetLagMs' | 'hashIntervalMs'>) {
    super({ targetLagMs, intervalMs: INTERVAL_MS });
    this.#hashIntervalMs = hashIntervalMs;
  }

  /** The commands that are due. `flushWaits`: see `adjust`. */
  due(nowMs: number, flushWaits: boolean): CpuCommand[] {
    const commands: CpuCommand[] = [];
    const fraction = this.adjust(nowMs, flushWaits);
    if (fraction !== undefined) commands.push({ type: 'speed', fraction });
    if (this.#hashIntervalMs > 0 && nowMs - this.#checkpointMs >= this.#hashIntervalMs) {
      this.#checkpointMs = nowMs;
      commands.push({ type: 'checkpoint' });
    }
    return commands;
  }
}
