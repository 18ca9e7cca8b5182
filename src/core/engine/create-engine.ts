/** Makes an engine of a kind. Kinds never show in the guest: what is chosen here decides about speed alone. */
import { hart } from '../machine/hart.ts';
import type { MemoryMap } from '../machine/memory-map.ts';
import type { Engine, EngineChoice, EngineHooks } from './engine.ts';
import { createInterpreter } from './interpreter/interpreter.ts';
import { softfloatImport } from './softfloat-import.ts';
import { MAX_TRANSLATIONS, Translator } from './translator/translator.ts';

/** Jumps to a place before it is translated: about when that begins to pay; for tests, nearly at once. */
const HOT_AFTER = { translator: 1000, mixed: 2 } as const;
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
  const table = new WebAssembly.Table({ element: 'anyfunc', initial: MAX_TRANSLATIONS });
  let hot: (decoded: number, ip: number) => void = () => {};
  const { engine, quick } = createInterpreter(memory, map, {
    ...hooks,
    softfloat,
    translations: { table, hotAfter: HOT_AFTER[choice.kind], hot: (decoded, ip) => hot(decoded, ip) },
  });
  const { loadQuick, storeQuick, atomicHost, resetDecoded } = quick!;
  const imports = { loadQuick, storeQuick, atomicHost, softfloat };
  const translator = new Translator({ memory, table, map, imports, resetDecoded });
  hot = translator.hot;
  const run = (limit: number): number => {
    const taken = engine.run(limit);
    translator.work();
    return taken;
  };
  if (choice.kind === 'translator') return { ...engine, run };
  return { ...engine, run: mixedRun(run, new Int32Array(memory.buffer), choice.seed ?? 1) };
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
