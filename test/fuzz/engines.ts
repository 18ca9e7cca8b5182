/**
 * The engines that are held against the interpreter, each with a seed for what it may choose: when code counts as hot, how
 * long slices are, when a compilation arrives. None of it may show.
 */
import type { EngineChoice } from '../../src/core/engine/engine.ts';
import {
  type CompileBatch,
  type CompileResult,
  type Compiler,
  compileBatch,
} from '../../src/core/engine/translator/compiler.ts';
import { Random } from '../conformance/testing/random.ts';

/**
 * `interpreter`: itself, stopped elsewhere. `translator`: translates what is jumped to a few times. `mixed`: the same, entered in some slices only. `late`: its
 * compilations arrive much later than they were asked for, in another order, or not at all.
 */
export const subjects = ['interpreter', 'translator', 'mixed', 'late'] as const;
export type Subject = (typeof subjects)[number];

/** What was compiled, over all programs. */
export interface CompileCounts {
  modules: number;
  regions: number;
  bytes: number;
}

export function engineFor(subject: Subject, seed: number, counts: CompileCounts): EngineChoice {
  if (subject === 'interpreter') return { kind: 'interpreter' };
  const random = new Random(seed ^ 0xe9916e);
  const tuning = {
    hotAfter: random.pick([2, 2, 2, 5, 20, 100]),
    warmFraction: random.pick([0.1, 0.5]),
    batchRegions: random.pick([1, 4, 16]),
    fullRegion: random.pick([10, 100, 400]),
    maxRebuilds: random.pick([0, 2, 8]),
    codeBytes: random.pick([200_000, 2 ** 24, 2 ** 24, 2 ** 24]),
    maxTranslations: random.pick([20, 32_768, 32_768, 32_768]),
  };
  const compiler = new CountingCompiler(counts, subject === 'late' ? random : undefined);
  return { kind: subject === 'mixed' ? 'mixed' : 'translator', seed: (seed & 0x7fff_ffff) | 1, tuning, compiler };
}

interface Waiting {
  readonly result: CompileResult;
  polls: number;
}

/** Compiles at once; with `delay`, gives it out of order and after a number of questions, and sometimes refuses. */
class CountingCompiler implements Compiler {
  readonly depth: number;
  readonly #counts: CompileCounts;
  readonly #delay: Random | undefined;
  #waiting: Waiting[] = [];

  constructor(counts: CompileCounts, delay: Random | undefined) {
    this.#counts = counts;
    this.#delay = delay;
    this.depth = delay?.pick([1, 2, 5]) ?? 1;
  }

  submit(batch: CompileBatch): void {
    const delay = this.#delay;
    const refuses = delay?.chance(5) ?? false;
    const result: CompileResult = refuses ? { id: batch.id, code: undefined } : compileBatch(batch);
    this.#counts.modules += result.code ? 1 : 0;
    this.#counts.regions += result.code?.regions.length ?? 0;
    this.#counts.bytes += result.code?.bytes ?? 0;
    this.#waiting.push({ result, polls: delay?.pick([0, 1, 3, 10, 40]) ?? 0 });
  }

  poll(): CompileResult | undefined {
    for (const waiting of this.#waiting) waiting.polls--;
    const ready = this.#waiting.find(({ polls }) => polls < 0);
    this.#waiting = this.#waiting.filter((waiting) => waiting !== ready);
    return ready?.result;
  }
}
