/**
 * Runs a program on the interpreter, with stops at random positions and inputs there, and writes down its state at each;
 * then the same program on another engine, which stops there and elsewhere: every register, CSR, byte of memory, device and
 * output must be what it was. A difference is then narrowed down to the step that made it.
 */
import type { EngineChoice } from '../../src/core/engine/engine.ts';
import type { Input } from '../../src/core/machine/doors.ts';
import { hart } from '../../src/core/machine/hart.ts';
import type { Machine } from '../../src/core/vm/machine.ts';
import type { RunResult } from '../../src/core/vm/machine-interface.ts';
import type { Assembled } from '../conformance/testing/assembler.ts';
import { bootProgram } from '../conformance/testing/machine.ts';
import { Random } from '../conformance/testing/random.ts';
import { differences } from '../conformance/testing/state.ts';

/** A program, and all that decides about its run beside the engine. */
export interface Setting {
  readonly program: Assembled;
  /** Draws stops and inputs. */
  readonly seed: number;
  readonly inputs: boolean;
  readonly ramBytes: number;
  readonly maxSteps: bigint;
  /** No stops but the end: what the shrinker tries first. */
  readonly simple: boolean;
}

interface State {
  readonly words: readonly bigint[];
  readonly hash: bigint;
  readonly outputs: string;
}

interface Stop {
  readonly position: bigint;
  readonly result: RunResult;
  readonly state: State;
  /** What comes in behind the look at the state. */
  readonly inputs: readonly Input[];
}

export interface Recording {
  readonly setting: Setting;
  readonly stops: readonly Stop[];
  /** Steps taken. */
  readonly end: bigint;
}

export interface Difference {
  /** The first position that is known to differ, and the last one that is known not to. */
  readonly position: bigint;
  readonly equalAt: bigint;
  /** What differs there, as "name: theirs, interpreter's". */
  readonly what: readonly string[];
  /** Index of the stop where it was found. */
  readonly stop: number;
}

/** A machine with its outputs as text. */
interface Run {
  readonly machine: Machine;
  readonly outputs: string[];
}

function boot({ program, seed, inputs, ramBytes }: Setting, engine: EngineChoice): Run {
  const stepsPerTick = new Random(seed).pick([1, 3, 10, 10, 100]);
  const { machine } = bootProgram(program, { engine, clockByInput: inputs, stepsPerTick, ramBytes });
  const outputs: string[] = [];
  machine.onOutput = (output, position) => {
    const text = output.kind === 'console-out' ? String.fromCharCode(...output.data) : output.kind;
    outputs.push(`${position}:${text}`);
  };
  return { machine, outputs };
}

const look = ({ machine, outputs }: Run): State => ({
  words: machine.hart.stateWords(),
  hash: machine.hash(),
  outputs: outputs.join('\n'),
});

/** Runs on the interpreter. */
export function record(setting: Setting): Recording {
  const run = boot(setting, { kind: 'interpreter' });
  const { machine } = run;
  const random = new Random(setting.seed ^ 0x57095);
  const stops: Stop[] = [];
  let waits = 0;
  while (machine.stopped === undefined && machine.position < setting.maxSteps && waits < 20) {
    const wanted = machine.position + stride(random, setting);
    const result = machine.run(wanted < setting.maxSteps ? wanted : setting.maxSteps);
    const state = look(run);
    const inputs = setting.inputs ? drawInputs(random, machine, result === 'waiting') : [];
    stops.push({ position: machine.position, result, state, inputs });
    for (const input of inputs) machine.apply(input);
    if (result === 'waiting') waits++;
    else waits = 0;
    if (result === 'waiting' && inputs.length === 0) break;
  }
  return { setting, stops, end: machine.position };
}

/** A leap, or a few small steps. */
function stride(random: Random, { simple, maxSteps }: Setting): bigint {
  if (simple) return maxSteps;
  if (random.chance(60)) return BigInt(random.pick([1, 1, 1, 2, 3, 7, 50]));
  return BigInt(1 + random.below(Math.max(10, Number(maxSteps >> 4n))));
}

function drawInputs(random: Random, machine: Machine, waits: boolean): readonly Input[] {
  const list: Input[] = [];
  const time = machine.time + BigInt(random.below(300));
  const slope = random.pick([0, 1, 2 ** 24, 2 ** 28, 2 ** 30, 2 ** 31]);
  if (waits && random.chance(80)) list.push({ kind: 'clock', time: machine.nextTimer ?? time, slope });
  else if (random.chance(50)) list.push({ kind: 'clock', time, slope });
  if (waits || random.chance(30)) {
    const data = Uint8Array.from({ length: random.between(1, 6) }, () => random.between(97, 122));
    list.push({ kind: 'console-in', device: 0, data });
  }
  return list;
}

export interface Checked {
  readonly difference: Difference | undefined;
  /** Steps that translated code took. */
  readonly translatedSteps: bigint;
}

/** Runs on an engine, from stop to stop. */
export function check(recording: Recording, choice: () => EngineChoice): Checked {
  const run = boot(recording.setting, choice());
  const pauses = new Random(recording.setting.seed ^ 0x9a05e);
  let equalAt = 0n;
  for (const [stop, expected] of recording.stops.entries()) {
    const what = attempt(() => {
      const result = runTo(run.machine, expected, recording.setting.simple ? undefined : pauses);
      return compareStates(run, result, expected);
    });
    if (what.length > 0) {
      return { difference: { position: expected.position, equalAt, what, stop }, translatedSteps: 0n };
    }
    equalAt = expected.position;
    for (const input of expected.inputs) run.machine.apply(input);
  }
  return { difference: undefined, translatedSteps: run.machine.hart.get64(hart.translatedSteps) };
}

/** What an engine throws is a difference too. */
function attempt(compare: () => string[]): string[] {
  try {
    return compare();
  } catch (error) {
    return [`thrown: ${(error as Error).message}`];
  }
}

/** With pauses that the recording did not have. */
function runTo(machine: Machine, { position, result: wanted }: Stop, pauses: Random | undefined): RunResult {
  // One who has to wait at that position must be told to go further to notice.
  const target = wanted === 'position' ? position : position + 1n;
  if (machine.position >= target) return 'position';
  const distance = Number(target - machine.position);
  if (pauses?.chance(50)) {
    for (let i = pauses.below(4); i > 0; i--) {
      const pause = machine.position + BigInt(pauses.chance(50) ? pauses.between(1, 30) : pauses.between(1, distance));
      if (pause >= target) break;
      if (machine.run(pause) !== 'position') break;
    }
  }
  return machine.run(target);
}

function compareStates(run: Run, result: RunResult, expected: Stop): string[] {
  const { machine } = run;
  const what: string[] = [];
  if (machine.position !== expected.position) what.push(`position: ${machine.position}, ${expected.position}`);
  if (result !== expected.result) what.push(`run gave: ${result}, ${expected.result}`);
  const state = look(run);
  what.push(...differences(state.words, expected.state.words));
  if (state.outputs !== expected.state.outputs) what.push('outputs');
  if (what.length === 0 && state.hash !== expected.state.hash) what.push('memory or devices');
  return what;
}

/** The first step that differs, looking between the last stop that was equal and the one that was not. */
export function narrow(recording: Recording, choice: () => EngineChoice, found: Difference): Difference {
  let [low, high] = [found.equalAt, found.position];
  let what = found.what;
  while (high - low > 1n) {
    const middle = (low + high) / 2n;
    const target = middle;
    const differs = attempt(() => compareAt(recording, choice, found.stop, target));
    if (differs.length > 0) {
      what = differs;
      high = middle;
    } else low = middle;
  }
  return { ...found, position: high, equalAt: low, what };
}

/** Both run over the stops before `stop`, then straight to a position. */
function compareAt(recording: Recording, choice: () => EngineChoice, stop: number, position: bigint): string[] {
  const subject = boot(recording.setting, choice());
  const reference = boot(recording.setting, { kind: 'interpreter' });
  const pauses = new Random(recording.setting.seed ^ 0x9a05e);
  for (const before of recording.stops.slice(0, stop)) {
    runTo(reference.machine, before, undefined);
    runTo(subject.machine, before, recording.setting.simple ? undefined : pauses);
    reference.machine.hash();
    subject.machine.hash();
    for (const { machine } of [reference, subject]) for (const input of before.inputs) machine.apply(input);
  }
  const result = reference.machine.run(position);
  const state = look(reference);
  const expected: Stop = { position: reference.machine.position, result, state, inputs: [] };
  return compareStates(subject, subject.machine.run(position), expected);
}
