/** One seed: its program on all engines. */
import { check, type Difference, narrow, type Recording, record, type Setting } from './compare.ts';
import { engineFor, type Subject } from './engines.ts';
import { build, generate, type Program } from './generate.ts';
import type { KindName } from './kinds.ts';
import type { Statistics } from './statistics.ts';

export interface FuzzOptions {
  /** About how long a program runs; more rounds of it are run until then. */
  readonly steps: number;
  readonly engines: readonly Subject[];
  readonly only: KindName | undefined;
}

export interface Failure {
  readonly seed: number;
  readonly engine: Subject | 'qemu';
  readonly program: Program;
  readonly rounds: number;
  readonly difference: Difference;
}

/** A program that can be assembled, and how many rounds of it make so many steps. */
export function prepare(seed: number, { steps, only }: FuzzOptions): { program: Program; rounds: number } {
  // Rarely a jump does not reach: then it is another program.
  for (let attempt = 0; ; attempt++) {
    const program = generate(seed + attempt * 0x1000_0000, only);
    try {
      return { program, rounds: roundsFor(program, BigInt(steps)) };
    } catch (error) {
      if (attempt > 20 || !(error as Error).message.startsWith('cannot assemble')) throw error;
    }
  }
}

const TRIAL_ROUNDS = 2;
const MAX_ROUNDS = 5000;
/** Of every so many programs one is traced, for so many steps. */
const TRACED_OF = 3;
const TRACED_STEPS = 6000;

function roundsFor(program: Program, steps: bigint): number {
  const setting = settingFor(program, TRIAL_ROUNDS, Number(steps));
  const { end } = record({ ...setting, simple: true });
  return Math.max(1, Math.min(MAX_ROUNDS, Math.floor((Number(steps) / Number(end)) * TRIAL_ROUNDS)));
}

export function settingFor(program: Program, rounds: number, steps: number): Setting {
  const { seed, features } = program;
  return { program: build(program, rounds), seed, inputs: features.inputs, maxSteps: BigInt(steps), simple: false };
}

/** Undefined: all engines agree. */
export function fuzzSeed(seed: number, options: FuzzOptions, statistics: Statistics): Failure | undefined {
  const { program, rounds } = prepare(seed, options);
  const { kind } = program.features;
  statistics.programs.set(kind, (statistics.programs.get(kind) ?? 0) + 1);
  const recording = record(settingFor(program, rounds, options.steps * 2));
  statistics.stops += recording.stops.length;
  for (const engine of options.engines) {
    const choice = () => engineFor(engine, seed, statistics.compiled);
    const found = check(recording, choice);
    if (found !== undefined) return { seed, engine, program, rounds, difference: narrow(recording, choice, found) };
    statistics.compared(engine, recording.end);
  }
  statistics.steps += recording.end;
  if (seed % TRACED_OF === 0) statistics.trace(recording, TRACED_STEPS);
  return undefined;
}

export type { Recording };
