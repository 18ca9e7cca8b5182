/**
 * Engines never show (MACHINE.md, 10 and 14): the interpreter, the translator, and any mix of the two in slices of any
 * length take the same steps to the same state.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { EngineChoice } from '../../src/core/engine/engine.ts';
import { assemble } from './testing/assembler.ts';
import { bootProgram, pass } from './testing/machine.ts';
import { randomProgram } from './testing/random-program.ts';
import { restlessProgram } from './testing/restless-program.ts';
import { assertSameState } from './testing/state.ts';

const STEPS = 5_000_000n;

/** Runs on the interpreter, on the translator and on mixes; all must end alike. Gives the interpreter's machine. */
function checkEngines(source: string, name: string, seeds: readonly number[] = [1, 2]) {
  const program = assemble(source);
  const reference = bootProgram(program, { engine: { kind: 'interpreter' } });
  reference.machine.run(STEPS);
  assert.equal(reference.status(), 0n, `${name} has not passed`);
  const choices: EngineChoice[] = [{ kind: 'translator' }, ...seeds.map((seed) => ({ kind: 'mixed' as const, seed }))];
  for (const engine of choices) {
    const other = bootProgram(program, { engine });
    other.machine.run(STEPS);
    assertSameState(other.machine, reference.machine, `${name}, engine ${engine.kind} ${engine.seed ?? ''}`);
  }
  return reference.machine;
}

test('random programs end alike on every engine', () => {
  for (let seed = 100; seed < 103; seed++) {
    checkEngines(`${randomProgram({ seed, instructions: 1500, rounds: 40 })}\n${pass}`, `program ${seed}`);
  }
});

test('programs that change their own page tables and code end alike on every engine', () => {
  for (let seed = 1; seed <= 14; seed++) {
    checkEngines(restlessProgram({ seed, blocks: 300, rounds: 12 }), `restless program ${seed}`, [seed, seed + 1000]);
  }
});

/** A loop that gets hot. */
const hot = (body: string): string => `
  li s0, 4000; li a0, 0
  again: addi a0, a0, 1
  ${body}
  addi s0, s0, -1; bnez s0, again`;

test('a store that overwrites itself is executed once', () => {
  // It turns itself into addi a0, a0, 2 and, next time, back into the store.
  const machine = checkEngines(
    `${hot(`
       la t0, self; la t1, store; ld t2, 0(t1); li t3, 0x00250513
       andi t4, s0, 1; beqz t4, self
       sw t2, 0(t0)
       li t2, 0
       self: sw t3, 0(t0)`)}
    ${pass}
    store: sw t3, 0(t0); .word 0`,
    'a store over itself',
  );
  assert(machine.hart.x(10) > 4000n);
});

test('a store that changes the meaning of its own address is executed once', () => {
  // With MPRV, data goes through page tables: the store goes to the entry that maps it.
  const [root, level1, level0] = [0x8010_0000n, 0x8010_1000n, 0x8010_2000n];
  const entry = (physical: bigint, bits: bigint): bigint => ((physical >> 12n) << 10n) | bits;
  checkEngines(
    `
    li t0, 0x3fffffffffffff; csrw pmpaddr0, t0; li t0, 0x1f; csrw pmpcfg0, t0
    li t0, ${(8n << 60n) | (root >> 12n)}; csrw satp, t0
    li t0, ${root}; li t1, ${entry(level1, 1n)}; sd t1, 8(t0)
    li t0, ${level1}; li t1, ${entry(level0, 1n)}; sd t1, 0(t0)
    li t0, ${level0}; li t1, ${entry(level0, 0xc7n)}; sd t1, 0(t0); sd t1, 8(t0)
    li s2, 0x40000000; li s3, 0x40001000
    li s4, ${entry(level0, 0xc7n)}; li s5, ${entry(0x8010_3000n, 0xc7n)}
    li t0, 0x21800; csrc mstatus, t0; li t0, 0x20800; csrs mstatus, t0
    ${hot(`
      sd s5, 0(s2)                  # page 0 was the table; now it is another page
      sd s0, 8(s2)                  # which this store finds
      sd s4, 0(s3)                  # page 1 is still the table: all as it was
      sd s5, 0(s2); ld t1, 0(s2); sd s4, 0(s3)
      add a0, a0, t1`)}
    li t0, 0x20000; csrc mstatus, t0
    ${pass}`,
    'a store to its own mapping',
  );
});

test('stores into pages of hot code are seen by the code behind them', () => {
  const machine = checkEngines(
    `${hot(`
      slli t1, s0, 20; srli t1, t1, 1; li t2, 0x7ff00000; and t1, t1, t2
      li t2, 0x513; or t1, t1, t2; la t0, 1f; sw t1, 0(t0)
      mv s1, a0
      1: .word 0
      add a0, a0, s1`)}
    ${pass}`,
    'patched code',
  );
  assert(machine.hart.x(10) !== 0n);
});
