/**
 * What happened in a simulated run, and what must never happen. Every part of the cluster reports here; the checkers are
 * those at the end of PROTOCOL.md.
 */
import { crc32c } from '../src/core/base/crc32c.ts';
import type { BlockRequest, Output } from '../src/core/machine/doors.ts';
import { markOf, sameMark } from '../src/core/replay/output-mark.ts';
import type { ReplicaPhase } from '../src/core/replication/replica.ts';

interface Released {
  readonly who: string;
  readonly generation: number;
  readonly sequence: number;
  readonly output: Output;
  readonly atMs: number;
}

export class Journal {
  readonly story: string[] = [];
  readonly violations: string[] = [];
  readonly released: Released[] = [];
  readonly #owners = new Map<number, string>();
  readonly #landed: { readonly generation: number; readonly request: BlockRequest & { type: 'write' } }[] = [];
  #highestOutput = -1;
  #nowMs: () => number;

  constructor(nowMs: () => number) {
    this.#nowMs = nowMs;
  }

  tell(who: string, what: string): void {
    this.story.push(`${this.#nowMs().toFixed(2).padStart(9)} ms  ${who.padEnd(10)} ${what}`);
  }

  violation(what: string): void {
    this.violations.push(what);
    this.tell('CHECK', what);
  }

  /** A replica owns a generation from now on: one incarnation at most ever does. */
  owns(incarnation: string, who: string, generation: number, phase: ReplicaPhase): void {
    const owner = this.#owners.get(generation);
    this.#owners.set(generation, owner ?? incarnation);
    if (owner === undefined || owner === incarnation) return;
    this.violation(`${who} is ${phase} in generation ${generation}, which is another's`);
  }

  /** An output has left its host. */
  left(who: string, generation: number, sequence: number, output: Output): void {
    // Nobody outside can tell whether entropy was asked for.
    if (output.kind === 'entropy') return;
    this.released.push({ who, generation, sequence, output, atMs: this.#nowMs() });
    this.#highestOutput = Math.max(this.#highestOutput, generation);
  }

  /** A disk write has landed: none may once a later owner has said anything. */
  landed(generation: number, request: BlockRequest & { type: 'write' }): void {
    this.#landed.push({ generation, request });
    if (generation >= this.#highestOutput) return;
    this.violation(
      `a write of generation ${generation} at ${request.offset} landed after an output of generation ${this.#highestOutput}`,
    );
  }

  /** Every released output must lie on the surviving history: the outputs of the machine that went on. */
  compare(history: readonly Output[], survivor: string): void {
    for (const { who, generation, sequence, output, atMs } of this.released) {
      const kept = history[sequence - 1];
      if (kept !== undefined && sameMark(markOf(kept, sequence), markOf(output, sequence))) continue;
      const instead = kept === undefined ? 'nothing' : `another ${kept.kind}`;
      this.violation(
        `output ${sequence} (${output.kind}), released by ${who} in generation ${generation} at ${atMs.toFixed(2)} ms, ` +
          `is not in the history of ${survivor}, which has ${instead} there`,
      );
      return;
    }
  }

  /** And so must every write that has landed. (A write's id is never used again by this machine.) */
  compareWrites(history: readonly Output[], survivor: string): void {
    const written = new Map<number, BlockRequest>();
    for (const output of history) if (output.kind === 'block') written.set(output.request.id, output.request);
    for (const { generation, request } of this.#landed) {
      const kept = written.get(request.id);
      const same =
        kept?.type === 'write' && kept.offset === request.offset && crc32c(kept.data) === crc32c(request.data);
      if (same) continue;
      this.violation(
        `write ${request.id} of generation ${generation} landed, and is not in the history of ${survivor}`,
      );
      return;
    }
  }
}
