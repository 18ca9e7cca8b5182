/**
 * Positions are exact (MACHINE.md, 1 to 8): wherever a machine is stopped, and however often, it goes on to the same state.
 * What the stops would show are caches and lines that are looked at only at the end of a slice.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Assembled, assemble } from './testing/assembler.ts';
import { type BareMachine, bootProgram, bootSource, pass, runToPass } from './testing/machine.ts';
import { Random } from './testing/random.ts';
import { randomProgram } from './testing/random-program.ts';
import { restlessProgram } from './testing/restless-program.ts';
import { assertSameState, differences } from './testing/state.ts';

/** Runs to the end in pieces of `stride` steps. */
function runInPieces(program: Assembled, stride: bigint, end: bigint): BareMachine {
  const bare = bootProgram(program);
  const { machine } = bare;
  while (machine.position < end) {
    const until = machine.position + stride;
    if (machine.run(until < end ? until : end) !== 'position') break;
  }
  return bare;
}

/** In one go, and stopped every 1, 7 and 1,237 steps. */
function checkStrides(source: string, name: string): void {
  const program = assemble(source);
  const whole = bootProgram(program);
  runToPass(whole);
  for (const stride of [1n, 7n, 1237n]) {
    const pieces = runInPieces(program, stride, whole.machine.position);
    assert.equal(pieces.status(), 0n, `${name}, stopped every ${stride} steps, has not passed`);
    assertSameState(pieces.machine, whole.machine, `${name}, stopped every ${stride} steps`);
  }
}

test('a program computes the same in one go and stopped every 1, 7 and 1,237 steps', () => {
  for (let seed = 1; seed <= 6; seed++) {
    checkStrides(`${randomProgram({ seed, instructions: 3000, rounds: 3 })}\n${pass}`, `program ${seed}`);
  }
});

test('page tables and code that change under way take effect at the same position wherever the machine stops', () => {
  for (let seed = 1; seed <= 16; seed++) {
    checkStrides(restlessProgram({ seed, blocks: 600, rounds: 2 }), `restless program ${seed}`);
  }
});

test('stopped anywhere, a machine is in the state that it has after steps taken one by one', () => {
  for (let seed = 20; seed <= 23; seed++) {
    const program = assemble(restlessProgram({ seed, blocks: 300, rounds: 1 }));
    const states: bigint[][] = [];
    const slow = bootProgram(program).machine;
    while (slow.stopped === undefined) {
      states.push(slow.hart.stateWords());
      slow.run(slow.position + 1n);
    }
    const random = new Random(seed);
    for (let repetition = 0; repetition < 12; repetition++) {
      const { machine } = bootProgram(program);
      for (let at = random.between(1, 40); at < states.length; at += random.between(1, 40)) {
        machine.run(BigInt(at));
        const found = differences(machine.hart.stateWords(), states[at]);
        assert.deepEqual(found, [], `restless program ${seed} at position ${at}`);
      }
    }
  }
});

test('hashes taken under way do not show, and tell of memory what was written to it', () => {
  const program = assemble(restlessProgram({ seed: 5, blocks: 300, rounds: 2 }));
  const plain = bootProgram(program);
  runToPass(plain);
  const hashed = bootProgram(program).machine;
  const hashes = new Set<bigint>();
  let stops = 0;
  while (hashed.position < plain.machine.position) {
    hashed.run(hashed.position + 97n);
    const hash = hashed.hash();
    assert.equal(hashed.hash(), hash, 'a hash alone changes nothing');
    hashes.add(hash);
    stops++;
    if (hashed.stopped !== undefined) break;
  }
  assertSameState(hashed, plain.machine, 'hashed every 97 steps');
  assert.equal(hashes.size, stops, 'a machine that moves has another hash');
});

test('retired instructions, traps and interrupts are one step each, and only instructions retire', () => {
  const bare = bootSource(`
    la t0, handler; csrw mtvec, t0
    li t0, 8; csrw mie, t0
    li t1, 0x2000000; li t2, 1
    csrr s0, minstret
    ecall
    sw t2, 0(t1)                   # raises the software interrupt, which is still disabled
    csrsi mstatus, 8               # it comes before the next instruction
    csrr s1, minstret
    ${pass}
    .align 2
    handler:
    csrr t3, mepc; csrr t4, mcause; bltz t4, soft
    addi t3, t3, 4; csrw mepc, t3; mret
    soft: sw zero, 0(t1); mret
  `);
  runToPass(bare);
  // csrr (itself), sw, csrsi; the handler after the ecall: 6; after the interrupt: 5.
  assert.equal(bare.machine.hart.x(9) - bare.machine.hart.x(8), BigInt(1 + 6 + 2 + 5));
});

test('a program that only traps still comes to every position', () => {
  const { machine } = bootSource('la t0, trap; csrw mtvec, t0; .align 2; trap: .word 0');
  for (const position of [10n, 1_000n, 100_001n]) {
    assert.equal(machine.run(position), 'position');
    assert.equal(machine.position, position);
  }
});

test('wfi retires and waits at its position, and without a host time jumps to the timer', () => {
  const bare = bootSource(`
    la t0, 1f; csrw mtvec, t0
    li t1, 0x2004000; li t2, 5000; sd t2, 0(t1)
    li t3, 0x80; csrw mie, t3
    wfi
    csrr s0, time
    csrsi mstatus, 8
    here: j .
    .align 2
    1: csrr s1, mcause; csrr s2, mepc; ${pass}
  `);
  runToPass(bare);
  const { hart } = bare.machine;
  assert.equal(hart.x(8), 5000n);
  assert.equal(hart.x(9), (1n << 63n) | 7n);
  assert.equal(hart.x(18), bare.program.symbols.get('here'));
});

test('a wfi that retires just as the timer comes due goes on, like those before and after it', () => {
  for (let nops = 0; nops < 40; nops++) {
    const bare = bootSource(`
      la t0, 1f; csrw mtvec, t0
      li t0, 0x80; csrw mie, t0
      li t1, 0x2004000; li t2, 4; sd t2, 0(t1)
      ${'nop; '.repeat(nops)}
      csrsi mstatus, 8
      wfi
      j .
      .align 2
      1: ${pass}
    `);
    runToPass(bare, 1000n);
  }
});
