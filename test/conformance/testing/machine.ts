/** Bare-metal machines for tests: a program in assembler text, loaded at the start of RAM and started in M mode. */

import assert from 'node:assert/strict';
import { type EngineChoice, engineKinds } from '../../../src/core/engine/engine.ts';
import { eagerTuning } from '../../../src/core/engine/translator/tuning.ts';
import type { Field } from '../../../src/core/machine/hart.ts';
import { hart } from '../../../src/core/machine/hart.ts';
import { Machine } from '../../../src/core/vm/machine.ts';
import type { VirtioConfig } from '../../../src/core/vm/machine-config.ts';
import { type Assembled, assemble } from './assembler.ts';
import { makeElf } from './elf.ts';

export interface BareMachine {
  readonly machine: Machine;
  readonly program: Assembled;
  /** Console bytes so far, as Latin-1 text. */
  readonly console: () => string;
  /** Set once the program has stored its status to `tohost`. */
  readonly status: () => bigint | undefined;
}

export interface BareOptions {
  readonly ramBytes?: number;
  readonly stepsPerTick?: number;
  /** Time and wake-ups come as inputs only. */
  readonly clockByInput?: boolean;
  readonly virtio?: readonly VirtioConfig[];
  /** Instead of the engine that the suite is about. */
  readonly engine?: EngineChoice;
}

export const RAM = 0x8000_0000n;

/** The engine that the suite is about: `UNDERSTUDY_ENGINE`, or the interpreter. */
export function engineUnderTest(): EngineChoice {
  const kind = process.env.UNDERSTUDY_ENGINE ?? 'interpreter';
  const known = engineKinds.find((name) => name === kind);
  assert.ok(known, `UNDERSTUDY_ENGINE is one of ${engineKinds.join(', ')}`);
  // Tests are short: what is to be translated must be so nearly at once.
  return { kind: known, seed: Number(process.env.UNDERSTUDY_SEED ?? 1), tuning: eagerTuning };
}

/** The end of a program: pass. `tohost` stands at a fixed place, far behind any program of these tests. */
export const TOHOST = 0x803f_f000n;
export const pass = `li t6, ${TOHOST}; li t5, 1; sd t5, 0(t6); j .`;

export function bootSource(source: string, options: BareOptions = {}): BareMachine {
  return bootProgram(assemble(source), options);
}

export function bootProgram(program: Assembled, options: BareOptions = {}): BareMachine {
  let text = '';
  let status: bigint | undefined;
  const machine = new Machine(
    {
      ramBytes: options.ramBytes ?? 4 * 1024 * 1024,
      firmware: 'none',
      boot: { kind: 'elf', file: makeElf(program, { tohost: TOHOST }) },
      virtio: options.virtio ?? [],
      clock: options.clockByInput ? { kind: 'input' } : { kind: 'steps', stepsPerTick: options.stepsPerTick ?? 10 },
    },
    { engine: options.engine ?? engineUnderTest(), onHtifExit: (value) => (status = value) },
  );
  machine.onOutput = (output) => {
    if (output.kind === 'console-out') text += String.fromCharCode(...output.data);
  };
  return { machine, program, console: () => text, status: () => status };
}

/** Runs until the program passes; fails if it does not within `steps`. */
export function runToPass(bare: BareMachine, steps = 1_000_000n): void {
  const { machine } = bare;
  const result = machine.run(machine.position + steps);
  const place = `${result} at position ${machine.position}, ${describe(bare)}`;
  assert.equal(bare.status(), 0n, `the program did not pass: ${place}`);
}

/** pc, and why the last trap into M happened: what one wants to know of a program that went astray. */
export function describe({ machine: { hart: h } }: BareMachine): string {
  const hex = (field: Field): string => h.get64(field).toString(16);
  return `pc ${hex(hart.pc)}, mcause ${hex(hart.mcause)}, mtval ${hex(hart.mtval)}, mepc ${hex(hart.mepc)}`;
}

/** A doubleword of guest memory, by physical address or symbol. */
export function memory64({ machine, program }: BareMachine, place: bigint | string, index = 0): bigint {
  const address = typeof place === 'bigint' ? place : program.symbols.get(place);
  assert(address !== undefined, `the program has no symbol ${place}`);
  const value = machine.ram.read64(Number(address) + 8 * index);
  assert(value !== undefined);
  return value;
}
