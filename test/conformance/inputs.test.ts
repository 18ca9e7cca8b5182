/**
 * Inputs at positions (MACHINE.md, 4 to 8): a machine that got its clock, its console and its wake-ups from the world at
 * any moment is the same machine when it gets them again at the same positions, however it is stopped in between.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Input } from '../../src/core/machine/doors.ts';
import type { Machine } from '../../src/core/vm/machine.ts';
import { assemble } from './testing/assembler.ts';
import { type BareMachine, bootProgram } from './testing/machine.ts';
import { Random } from './testing/random.ts';
import { assertSameState } from './testing/state.ts';

/** Echoes what is typed, with the time; arms a timer anew at each tick; sleeps in between. Ends when 'q' is typed. */
const program = assemble(`
  la t0, trap; csrw mtvec, t0
  li s0, 0x10000000; li s1, 0x0c000000; li s2, 0x0c200000; li s3, 0x02004000; li s4, 0x80100000
  li t0, 1; sw t0, 40(s1)                       # UART: priority 1
  li t0, 0x400; li t1, 0x0c002000; sw t0, 0(t1); sw zero, 0(s2)
  li t0, 1; sb t0, 1(s0)                        # received data interrupt
  li t0, 50; sd t0, 0(s3)
  li t0, 0x880; csrw mie, t0; csrsi mstatus, 8
  li s5, 0
  main: li t2, 300
  1: addi s5, s5, 1; xor s6, s6, s5; csrr s7, time; add s6, s6, s7; addi t2, t2, -1; bnez t2, 1b
  andi t2, s5, 1023; bnez t2, main
  wfi
  j main
  .align 2
  trap: csrr t3, mcause; andi t3, t3, 15; li t4, 7; beq t3, t4, timer
  lw t3, 4(s2); beqz t3, out
  2: lbu t4, 5(s0); andi t4, t4, 1; beqz t4, 3f
  lbu t5, 0(s0); sb t5, 0(s0); sd t5, 0(s4); csrr t6, time; sd t6, 8(s4); addi s4, s4, 16
  li t6, 113; bne t5, t6, 2b
  li t6, 0x803ff000; li t5, 1; sd t5, 0(t6)
  3: sw t3, 4(s2)
  out: mret
  timer: csrr t5, time; sd t5, 0(s4); addi s4, s4, 16; addi t5, t5, 400; sd t5, 0(s3); mret
`);

interface Event {
  readonly position: bigint;
  readonly input: Input;
}

/** The world: now and then a clock, a key, in no order; a clock that reaches the timer when the machine waits. */
function live(seed: number): { readonly bare: BareMachine; readonly events: readonly Event[] } {
  const random = new Random(seed);
  const bare = bootProgram(program, { clockByInput: true });
  const { machine } = bare;
  const events: Event[] = [];
  const give = (input: Input): void => {
    events.push({ position: machine.position, input });
    machine.apply(input);
  };
  for (let i = 0; i < 200; i++) {
    const waits = machine.run(machine.position + BigInt(random.between(1, 3000))) === 'waiting';
    const time = machine.time + BigInt(random.below(300));
    const slope = random.pick([0, 1, 2 ** 24, 2 ** 28, 2 ** 30]);
    if (waits && random.chance(60)) give({ kind: 'clock', time: machine.nextTimer ?? time, slope });
    else if (random.chance(50)) give({ kind: 'clock', time, slope });
    if (random.chance(40)) {
      const data = Uint8Array.from({ length: random.between(1, 20) }, () => random.between(97, 112));
      give({ kind: 'console-in', device: 0, data });
    }
  }
  give({ kind: 'console-in', device: 0, data: Uint8Array.of(113) });
  assert.equal(machine.run(machine.position + 100_000n), 'stopped');
  return { bare, events };
}

function replay(events: readonly Event[], stride: bigint): Machine {
  const { machine } = bootProgram(program, { clockByInput: true });
  const runTo = (position: bigint): void => {
    while (machine.position < position && machine.stopped === undefined) {
      const until = machine.position + stride;
      assert.notEqual(
        machine.run(until < position ? until : position),
        'waiting',
        'it waits only where an input comes',
      );
    }
  };
  for (const { position, input } of events) {
    runTo(position);
    assert.equal(machine.position, position);
    machine.apply(input);
  }
  runTo(1n << 62n);
  return machine;
}

test('inputs given again at their positions make the same machine, in one go and stopped every 1, 7 and 1,237 steps', () => {
  for (let seed = 1; seed <= 4; seed++) {
    const { bare, events } = live(seed);
    assert(bare.console().length > 50, 'something was echoed');
    for (const stride of [1n << 40n, 1n, 7n, 1237n]) {
      assertSameState(replay(events, stride), bare.machine, `seed ${seed}, stopped every ${stride} steps`);
    }
  }
});

test('a clock that is set back does not set the guest back', () => {
  const { machine } = bootProgram(program, { clockByInput: true });
  let last = 0n;
  for (const time of [100n, 50n, 0n, 101n, 2n ** 40n, 5n]) {
    machine.apply({ kind: 'clock', time, slope: 2 ** 30 });
    assert(machine.time >= last && machine.time >= time);
    last = machine.time;
    machine.run(machine.position + 100n);
  }
});

test('while it waits nothing moves, and an input that concerns nobody does not wake it', () => {
  const bare = bootProgram(assemble('li t0, 0x80; csrw mie, t0; wfi; li a0, 1; j .'), { clockByInput: true });
  const { machine } = bare;
  assert.equal(machine.run(1000n), 'waiting');
  const { position } = machine;
  machine.apply({ kind: 'console-in', device: 0, data: Uint8Array.of(1) });
  machine.apply({ kind: 'clock', time: 5n, slope: 2 ** 31 });
  assert.equal(machine.run(1000n), 'waiting');
  assert.equal(machine.position, position);
  assert.equal(machine.time, 5n);
});
