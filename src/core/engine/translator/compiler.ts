/**
 * Who compiles translations: here and now, or somebody else meanwhile. The code cache submits batches and asks between
 * slices what has come; when code arrives, or whether at all, never shows in the guest.
 */
import { type CodeLayout, type CompiledRegion, compileRegions, type RegionRequest } from './compile.ts';

/** Plain data: it goes between threads. */
export interface CompileBatch {
  readonly id: number;
  readonly layout: CodeLayout;
  readonly requests: readonly RegionRequest[];
}

export interface CompileResult {
  /** Of the batch. */
  readonly id: number;
  /** Absent: there was nothing to translate, or it went wrong. */
  readonly code: CompiledModule | undefined;
}

export interface CompiledModule {
  readonly module: WebAssembly.Module;
  /** Size of the module's binary form. */
  readonly bytes: number;
  readonly regions: readonly CompiledRegion[];
}

export interface Compiler {
  /** Batches that make sense at a time: the next one is asked for when fewer are on their way. */
  readonly depth: number;
  /** Takes a batch. It never throws: what goes wrong shows in the result, or in there being none. */
  submit(batch: CompileBatch): void;
  /** A batch that is done, in any order; undefined: none right now. Never waits. */
  poll(): CompileResult | undefined;
}

/** Compiles one batch. A module that V8 refuses is a bug of the translator, and throws. */
export function compileBatch({ id, layout, requests }: CompileBatch): CompileResult {
  const compiled = compileRegions(requests, layout);
  if (compiled === undefined) return { id, code: undefined };
  const { bytes, regions } = compiled;
  return { id, code: { module: new WebAssembly.Module(bytes), bytes: bytes.length, regions } };
}

/** Compiles at once, where it is called: the same batches always arrive at the same moment. */
export class SynchronousCompiler implements Compiler {
  readonly depth = 1;
  readonly #done: CompileResult[] = [];

  submit(batch: CompileBatch): void {
    this.#done.push(compileBatch(batch));
  }

  poll(): CompileResult | undefined {
    return this.#done.shift();
  }
}
