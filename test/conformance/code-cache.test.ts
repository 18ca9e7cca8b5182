/**
 * The code cache never shows (MACHINE.md, 10 and 11): whenever code arrives, in whatever order, or never; however little room
 * there is for it; and however often the code changes meanwhile.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { EngineChoice } from '../../src/core/engine/engine.ts';
import {
  type CompileBatch,
  type CompileResult,
  type Compiler,
  compileBatch,
} from '../../src/core/engine/translator/compiler.ts';
import type { TranslatorStatistics } from '../../src/core/engine/translator/statistics.ts';
import { assemble } from './testing/assembler.ts';
import { bootProgram, pass } from './testing/machine.ts';
import { randomProgram } from './testing/random-program.ts';
import { restlessProgram } from './testing/restless-program.ts';
import { assertSameState } from './testing/state.ts';

const STEPS = 5_000_000n;
const EAGER = { hotAfter: 2, warmFraction: 0.5 };

/** Delivers after random numbers of slices, in any order, and now and then not at all (xorshift32, Marsaglia 2003). */
class UnreliableCompiler implements Compiler {
  readonly depth = 3;
  readonly #batches: { batch: CompileBatch; polls: number }[] = [];
  #state: number;

  constructor(seed: number) {
    this.#state = seed;
  }

  #random(below: number): number {
    this.#state ^= this.#state << 13;
    this.#state ^= this.#state >>> 17;
    this.#state ^= this.#state << 5;
    return (this.#state >>> 0) % below;
  }

  submit(batch: CompileBatch): void {
    // As it comes out of a port.
    this.#batches.push({ batch: structuredClone(batch), polls: this.#random(40) });
  }

  poll(): CompileResult | undefined {
    for (const entry of this.#batches) entry.polls--;
    const at = this.#batches.findIndex(({ polls }) => polls < 0);
    if (at < 0) return undefined;
    const [{ batch }] = this.#batches.splice(at, 1);
    return this.#random(10) === 0 ? { id: batch.id, code: undefined } : compileBatch(batch);
  }
}

/** Runs on the interpreter and so; both must end alike. */
function check(source: string, name: string, engine: EngineChoice): TranslatorStatistics {
  const program = assemble(source);
  const reference = bootProgram(program, { engine: { kind: 'interpreter' } });
  reference.machine.run(STEPS);
  assert.equal(reference.status(), 0n, `${name} has not passed`);
  const other = bootProgram(program, { engine });
  other.machine.run(STEPS);
  assertSameState(other.machine, reference.machine, name);
  return other.machine.engineStatistics()!;
}

/** Added up over all runs: what a test is about must have happened. */
function sum(all: readonly TranslatorStatistics[], key: keyof TranslatorStatistics): number {
  return all.reduce((total, statistics) => total + statistics[key], 0);
}

test('code that comes late, out of order or never is not missed', () => {
  const all = [1, 2, 3, 4, 5, 6].map((seed) => {
    const compiler = new UnreliableCompiler(seed);
    const engine: EngineChoice = { kind: 'mixed', seed, compiler, tuning: { ...EAGER, batchRegions: 2 } };
    return check(restlessProgram({ seed, blocks: 300, rounds: 12 }), `restless program ${seed}`, engine);
  });
  assert(sum(all, 'installed') > 100);
  assert(sum(all, 'outdated') > 0, 'no page has changed while its code was on its way');
  assert(sum(all, 'dropped') > 0);
});

test('a cache with room for next to nothing goes on evicting', () => {
  const all = [11, 12, 13].map((seed) => {
    const tuning = { ...EAGER, batchRegions: 1, codeBytes: 60_000, maxTranslations: 4 };
    const source = `${randomProgram({ seed, instructions: 6000, rounds: 6 })}\n${pass}`;
    return check(source, `program ${seed}`, { kind: 'mixed', seed, tuning });
  });
  assert(sum(all, 'evicted') > 20);
  for (const { translations } of all) assert(translations <= 4);
});

test('a cache with room for next to nothing, and code that changes', () => {
  const all = [21, 22, 23].map((seed) => {
    const tuning = { ...EAGER, batchRegions: 2, codeBytes: 30_000, maxTranslations: 2 };
    const engine: EngineChoice = { kind: 'mixed', seed, compiler: new UnreliableCompiler(seed), tuning };
    return check(restlessProgram({ seed, blocks: 200, rounds: 6 }), `restless program ${seed}`, engine);
  });

  assert(sum(all, 'kept') > 0);
});

test('more pages of code than can be held decoded go round', () => {
  const [pages, rounds] = [2600, 3];
  // Each page: addi a0, a0, 1; ret. All are called in turn, often enough to be translated, and one again and again.
  const source = `
    li s0, 0x80400000; li s1, ${pages}; li t0, 0x00150513; li t1, 0x00008067
    write: sw t0, 0(s0); sw t1, 4(s0); li t2, 4096; add s0, s0, t2; addi s1, s1, -1; bnez s1, write
    fence.i
    li a0, 0; li s2, ${rounds}
    round: li s0, 0x80400000; li s1, ${pages}
    call: jalr ra, 0(s0); jalr ra, 0(s0); jalr ra, 0(s0)
    li s3, 0x80400000; jalr ra, 0(s3)
    li t2, 4096; add s0, s0, t2; addi s1, s1, -1; bnez s1, call
    addi s2, s2, -1; bnez s2, round
    ${pass}`;
  for (const engine of [{ kind: 'interpreter' }, { kind: 'mixed', tuning: { batchRegions: 16 } }] as const) {
    const bare = bootProgram(assemble(source), { engine, ramBytes: 16 * 1024 * 1024 });
    bare.machine.run(STEPS);
    assert.equal(bare.status(), 0n);
    assert.equal(bare.machine.hart.x(10), BigInt(4 * pages * rounds));
    const statistics = bare.machine.engineStatistics();
    if (statistics)
      assert(statistics.dropped > 500, `only ${statistics.dropped} translations were lost with their pages`);
  }
});
