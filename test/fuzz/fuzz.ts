/** One seed: its program on all engines, and what is made of a difference. */
import { type Checked, check, type Difference, narrow, type Recording, record, type Setting } from './compare.ts';
import { type CompileCounts, engineFor, type Subject } from './engines.ts';
import { build, generate, type Program, ramBytesOf } from './generate.ts';
import type { KindName } from './kinds.ts';
import { compareWithQemu } from './oracle.ts';
import { shrink } from './shrink.ts';
import type { Statistics } from './statistics.ts';

export interface FuzzOptions {
  /** About how long a program runs; more rounds of it are run until then. */
  readonly steps: number;
  readonly engines: readonly Subject[];
  readonly only: KindName | undefined;
  /** Whether portable programs go to QEMU too; of every so many one, since each is a process. */
  readonly qemuEvery: number;
}

/** A run that can be had again. */
export interface Case {
  readonly program: Program;
  readonly rounds: number;
  readonly engine: Subject | 'qemu';
  readonly maxSteps: number;
  /** Stopped at the end only. */
  readonly simple: boolean;
}

export interface Failure {
  readonly case: Case;
  readonly difference: Difference;
}

const TRIAL_ROUNDS = 2;
const MAX_ROUNDS = 5000;
/** Of every so many programs one is traced, for so many steps. */
const TRACED_OF = 3;
const TRACED_STEPS = 6000;

const cannotAssemble = (error: unknown): boolean => (error as Error).message.startsWith('cannot assemble');

/** A program that can be assembled, and how many rounds of it make so many steps. */
export function prepare(seed: number, { steps, only }: FuzzOptions): { program: Program; rounds: number } {
  // Rarely a jump does not reach: then it is another program.
  for (let attempt = 0; ; attempt++) {
    const program = generate(seed + attempt * 0x1000_0000, only);
    try {
      return { program, rounds: roundsFor(program, steps) };
    } catch (error) {
      if (attempt > 20 || !cannotAssemble(error)) throw error;
    }
  }
}

function roundsFor(program: Program, steps: number): number {
  const trial: Case = { program, rounds: TRIAL_ROUNDS, engine: 'translator', maxSteps: steps, simple: true };
  const { end } = record(settingOf(trial));
  return Math.max(1, Math.min(MAX_ROUNDS, Math.floor((steps / Number(end)) * TRIAL_ROUNDS)));
}

function settingOf({ program, rounds, maxSteps, simple }: Case): Setting {
  const { seed, features } = program;
  const { inputs } = features;
  const ramBytes = ramBytesOf(program);
  return { program: build(program, rounds), seed, inputs, ramBytes, maxSteps: BigInt(maxSteps), simple };
}

/** Undefined: all engines agree. */
export function fuzzSeed(seed: number, options: FuzzOptions, statistics: Statistics): Failure | undefined {
  const { program, rounds } = prepare(seed, options);
  const { kind, portable } = program.features;
  statistics.programs.set(kind, (statistics.programs.get(kind) ?? 0) + 1);
  const common = { program, rounds, maxSteps: options.steps * 2, simple: false };
  const recording = record(settingOf({ ...common, engine: 'translator' }));
  statistics.stops += recording.stops.length;
  for (const engine of options.engines) {
    const { difference, translatedSteps } = compareEngine(recording, engine, statistics.compiled);
    if (difference !== undefined) return { case: { ...common, engine }, difference };
    statistics.compared(engine, recording.end, translatedSteps);
  }
  statistics.steps += recording.end;
  if (seed % TRACED_OF === 0) statistics.trace(recording, TRACED_STEPS);
  if (portable && options.qemuEvery > 0 && seed % options.qemuEvery === 0) {
    return compareOracle({ ...common, engine: 'qemu' }, statistics);
  }
  return undefined;
}

function compareEngine(recording: Recording, engine: Subject, counts: CompileCounts): Checked {
  const choice = () => engineFor(engine, recording.setting.seed, counts);
  const found = check(recording, choice);
  const { difference } = found;
  return difference === undefined ? found : { ...found, difference: narrow(recording, choice, difference) };
}

function compareOracle(one: Case, statistics: Statistics): Failure | undefined {
  const result = compareWithQemu(one.program, one.rounds, BigInt(one.maxSteps));
  if (result === undefined) {
    statistics.endless++;
    return undefined;
  }
  const { what, steps } = result;
  if (what.length > 0) return { case: one, difference: { position: steps, equalAt: 0n, what, stop: 0 } };
  statistics.compared('QEMU', steps, 0n);
  return undefined;
}

/** Runs a case again. Undefined: no difference. */
export function runCase(one: Case): Difference | undefined {
  if (one.engine !== 'qemu') return compareEngine(record(settingOf(one)), one.engine, noCounts()).difference;
  const result = compareWithQemu(one.program, one.rounds, BigInt(one.maxSteps));
  if (result === undefined || result.what.length === 0) return undefined;
  return { position: result.steps, equalAt: 0n, what: result.what, stop: 0 };
}

const noCounts = (): CompileCounts => ({ modules: 0, regions: 0, bytes: 0 });

/** The smallest program found in the time that still fails. */
export function shrinkFailure({ case: from, difference }: Failure, outOfTime: () => boolean): Failure {
  const start = simplest(from, difference);
  const signature = signatureOf(difference);
  const fails = (candidate: { readonly program: Program; readonly rounds: number }): boolean => {
    try {
      return differs({ ...start, ...candidate }, signature);
    } catch (error) {
      if (cannotAssemble(error)) return false;
      throw error;
    }
  };
  const small = { ...start, ...shrink(start, fails, { outOfTime, bodyOnly: from.engine === 'qemu' }) };
  const last = runCase(small);
  return last === undefined ? { case: from, difference } : { case: small, difference: last };
}

/** Without stops on the way, if it fails so, too. */
function simplest(from: Case, difference: Difference): Case {
  const { position } = difference;
  if (from.engine === 'qemu') return from;
  const candidates = [Number(position), from.maxSteps].map((maxSteps) => ({ ...from, maxSteps, simple: true }));
  const signature = signatureOf(difference);
  return candidates.find((one) => differs(one, signature)) ?? from;
}

const THROWN = 'thrown';
const isThrown = ({ what }: Difference): boolean => what[0].startsWith(THROWN);

/**
 * With QEMU there are differences that mean nothing, which portable programs avoid but their remains may not: one kind of
 * difference does not turn into another.
 */
function signatureOf(difference: Difference): string {
  if (isThrown(difference)) return THROWN;
  const { what } = difference;
  const place = /^[^:]+/.exec(what[0])?.[0] ?? '';
  return place.startsWith('traps') ? place.replace(/\d+/, '') : place;
}

/** As `runCase`, but not narrowed down. */
function differs(one: Case, signature: string): boolean {
  const { engine } = one;
  if (engine === 'qemu') {
    const difference = runCase(one);
    return difference !== undefined && signatureOf(difference) === signature;
  }
  const recording = record(settingOf(one));
  const { difference } = check(recording, () => engineFor(engine, one.program.seed, noCounts()));
  return difference !== undefined && isThrown(difference) === (signature === THROWN);
}
