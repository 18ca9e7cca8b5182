/** What many runs were, in a few lines: how fast, which faults, how they came out. */
import { type Ending, endings, type Outcome } from './scenario.ts';

export class Summary {
  seeds = 0;
  failures = 0;
  #answers = 0;
  #simulatedMs = 0;
  readonly #faults = new Map<string, number>();
  readonly #endings = new Map<Ending, number>();

  add(outcome: Outcome): void {
    this.seeds++;
    if (outcome.violations.length > 0) this.failures++;
    this.#answers += outcome.answers;
    this.#simulatedMs += outcome.simulatedMs;
    this.#endings.set(outcome.ending, (this.#endings.get(outcome.ending) ?? 0) + 1);
    for (const [kind, count] of outcome.faults) this.#faults.set(kind, (this.#faults.get(kind) ?? 0) + count);
  }

  lines(seconds: number): string[] {
    const { seeds, failures } = this;
    const simulatedHours = (this.#simulatedMs / 3_600_000).toFixed(1);
    const faults = [...this.#faults].sort((one, other) => other[1] - one[1]).map(([kind, count]) => `${kind} ${count}`);
    return [
      `${seeds} seeds in ${seconds.toFixed(1)} s (${(seeds / seconds).toFixed(0)} a second; ${simulatedHours} simulated hours)`,
      `faults: ${faults.join(', ')}`,
      `in the end the machine was with: ${endings.map((ending) => `${ending} ${this.#endings.get(ending) ?? 0}`).join(', ')}`,
      `${this.#answers} answers checked; ${failures === 0 ? 'no seed failed' : `seeds that failed: ${failures}`}`,
    ];
  }
}
