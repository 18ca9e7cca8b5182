/** Makes an engine of a kind. Kinds never show in the guest: what is chosen here decides about speed alone. */
import { hart } from '../machine/hart.ts';
import type { MemoryMap } from '../machine/memory-map.ts';
import type { Engine, EngineChoice, EngineHooks } from './engine.ts';
import { createInterpreter } from './interpreter/interpreter.ts';
import { softfloatImport } from './softfloat-import.ts';
import { SynchronousCompiler } from './translator/compiler.ts';
import type { TranslatorStatistics } from './translator/statistics.ts';
import { MAX_TRANSLATIONS, Translator } from './translator/translator.ts';
import { defaultTuning, eagerTuning } from './translator/tuning.ts';

/** The longest slice of `mixed`. */
const MIXED_STEPS = 4096;

export function createEngine(
  choice: EngineChoice,
  memory: WebAssembly.Memory,
  map: MemoryMap,
  hooks: EngineHooks,
): Engine {
  const softfloat = softfloatImport(memory);
  if (choice.kind === 'interpreter') return createInterpreter(memory, map, { ...hooks, softfloat }).engine;
  const tuning = { ...(choice.kind === 'mixed' ? eagerTuning : defaultTuning), ...choice.tuning };
  const table = new WebAssembly.Table({ element: 'anyfunc', initial: MAX_TRANSLATIONS });
  let hot: (decoded: number, ip: number) => void = () => {};
  const { engine, quick } = createInterpreter(memory, map, {
    ...hooks,
    softfloat,
    translations: { table, hotAfter: tuning.hotAfter, hot: (decoded, ip) => hot(decoded, ip) },
  });
  const imports = { ...quick!, softfloat };
  const compiler = choice.compiler ?? new SynchronousCompiler();
  const translator = new Translator({ memory, table, map, imports, compiler }, tuning);
  hot = translator.hot;
  const run = (limit: number): number => {
    const taken = engine.run(limit);
    translator.work();
    return taken;
  };
  const statistics = (): TranslatorStatistics => translator.statistics;
  if (choice.kind === 'translator') return { ...engine, run, statistics };
  return { ...engine, statistics, run: mixedRun(run, new Int32Array(memory.buffer), choice.seed ?? 1) };
}

/** Slices of random length, in half of which no translation is entered (xorshift32, Marsaglia 2003). */
function mixedRun(run: (limit: number) => number, words: Int32Array, seed: number): (limit: number) => number {
  let state = seed;
  return (limit) => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    words[hart.translateOff.offset >>> 2] = state & 1;
    return run(Math.min(limit, 1 + ((state >>> 8) % MIXED_STEPS)));
  };
}
