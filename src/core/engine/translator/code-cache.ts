/**
 * The translations that there are: their places in the table, the modules that hold their code, and the marks by which
 * jumps find them. It is bounded. A module's memory is V8's to free once none of its functions is in the table, so modules
 * make room as a whole: the oldest ones go on probation, which takes their marks away and nothing else. The next jump to
 * one of them is reported at once, and gives its module all marks back for a long time; those that nobody asks for go.
 */
import type { CompiledRegion } from './compile.ts';
import { exportName } from './compile.ts';
import type { CompiledModule } from './compiler.ts';
import type { TranslationImport } from './emit-region.ts';
import type { BlockTable, Profile } from './profile.ts';

export interface CodeCacheOptions {
  /** Places in the table. */
  readonly places: number;
  /** The binary forms of all modules may take so many bytes together. */
  readonly bytes: number;
  /** Arrivals at a place when it is reported. */
  readonly hotAfter: number;
}

export interface CodeCacheDependencies {
  readonly memory: WebAssembly.Memory;
  readonly table: WebAssembly.Table;
  /** Functions of the interpreter's module, and the softfloat. */
  readonly imports: Readonly<Record<TranslationImport, unknown>>;
  readonly profile: Profile;
}

interface LoadedModule {
  /** Size of its binary form. */
  readonly bytes: number;
  /** Those of it that are in the table. */
  readonly translations: Set<Translation>;
  onProbation: boolean;
}

/** A region that is in the table. */
export interface Translation {
  readonly number: number;
  readonly decoded: number;
  /** Its page of RAM, as an offset in linear memory. */
  readonly host: number;
  /** Of the decoded page, when it was marked. */
  readonly life: number;
  readonly blocks: BlockTable;
  /** Byte offsets that it was asked for. */
  readonly entries: readonly number[];
  /** Guest instructions in it. */
  readonly instructions: number;
  readonly module: LoadedModule;
}

/** A region of a module that has come, and still fits what the guest's page holds. */
export interface Fitting {
  readonly region: CompiledRegion;
  readonly host: number;
  readonly entries: readonly number[];
}

/** Of what there may be, how much is made free at a time, and as much is on probation. */
const SHARE = 1 / 8;

export class CodeCache {
  readonly #options: CodeCacheOptions;
  readonly #deps: CodeCacheDependencies;
  readonly #free: number[] = [];
  #used = 0;
  /** Oldest first; who comes off probation counts as new. */
  readonly #modules = new Set<LoadedModule>();
  #bytes = 0;
  #translations = 0;
  #bytesOnProbation = 0;

  constructor(options: CodeCacheOptions, deps: CodeCacheDependencies) {
    this.#options = options;
    this.#deps = deps;
  }

  /** Translations in the table, modules that hold them, and the size of these modules' binary forms. */
  get size(): { readonly translations: number; readonly modules: number; readonly bytes: number } {
    return { translations: this.#translations, modules: this.#modules.size, bytes: this.#bytes };
  }

  /** A place in the table for a translation to come; undefined if all are taken. */
  reserve(): number | undefined {
    return this.#free.pop() ?? (this.#used < this.#options.places ? this.#used++ : undefined);
  }

  /** Gives a place back into which nothing came. */
  release(number: number): void {
    this.#free.push(number);
  }

  /** Puts regions of a module into the table and marks their blocks. Between slices only. */
  install({ module, bytes }: CompiledModule, fitting: readonly Fitting[]): Translation[] {
    const { memory, table, imports, profile } = this.#deps;
    const { exports } = new WebAssembly.Instance(module, { env: { memory, table, ...imports } });
    const loaded: LoadedModule = { bytes, translations: new Set(), onProbation: false };
    this.#modules.add(loaded);
    this.#bytes += bytes;
    for (const { region, host, entries } of fitting) {
      const { number, decoded, blocks, instructions } = region;
      const life = profile.lifeOf(decoded);
      table.set(number, exports[exportName(number)]);
      profile.mark(decoded, number, blocks);
      profile.cover(decoded, blocks);
      loaded.translations.add({ number, decoded, host, life, blocks, entries, instructions, module: loaded });
    }
    this.#translations += fitting.length;
    return [...loaded.translations];
  }

  /** Whether it still belongs to its page: a store may have dropped it, or the decoded page been given up. */
  isLive({ decoded, host, life }: Translation): boolean {
    const { profile } = this.#deps;
    return profile.isCurrent(decoded, host) && profile.lifeOf(decoded) === life;
  }

  /** Takes it out of the table, and its marks away if they are its own. */
  remove(translation: Translation): void {
    const { number, decoded, blocks, module } = translation;
    if (!module.translations.delete(translation)) return;
    if (this.isLive(translation)) this.#deps.profile.unmark(decoded, number, blocks, 1);
    this.#deps.table.set(number, null);
    this.#free.push(number);
    this.#translations--;
    if (module.translations.size > 0) return;
    this.#modules.delete(module);
    this.#bytes -= module.bytes;
    if (module.onProbation) this.#bytesOnProbation -= module.bytes;
  }

  /** Somebody came by: its module stays, and can be entered again. */
  keep({ module }: Translation): void {
    if (!module.onProbation) return;
    module.onProbation = false;
    this.#bytesOnProbation -= module.bytes;
    this.#modules.delete(module);
    this.#modules.add(module);
    for (const translation of module.translations) {
      const { decoded, number, blocks } = translation;
      if (this.isLive(translation)) this.#deps.profile.mark(decoded, number, blocks);
    }
  }

  /** 1 is all there may be. */
  get #fullness(): number {
    const taken = this.#used - this.#free.length;
    return Math.max(this.#bytes / this.#options.bytes, taken / this.#options.places);
  }

  /** Makes room if there is little, and gives what had to go. Between slices only. */
  makeRoom(): Translation[] {
    if (this.#fullness <= 1 - SHARE) return [];
    const gone: Translation[] = [];
    if (this.#fullness > 1) {
      this.#evict(
        [...this.#modules].filter((module) => module.onProbation),
        gone,
      );
      if (this.#fullness > 1) this.#evict([...this.#modules], gone);
    }
    for (const module of this.#modules) {
      if (this.#bytesOnProbation >= this.#bytes * SHARE) break;
      this.#probe(module);
    }
    return gone;
  }

  #evict(modules: readonly LoadedModule[], gone: Translation[]): void {
    for (const module of modules) {
      if (this.#fullness <= 1 - SHARE) return;
      for (const translation of module.translations) {
        gone.push(translation);
        this.remove(translation);
      }
    }
  }

  #probe(module: LoadedModule): void {
    if (module.onProbation) return;
    module.onProbation = true;
    this.#bytesOnProbation += module.bytes;
    const { hotAfter } = this.#options;
    for (const translation of module.translations) {
      const { decoded, number, blocks } = translation;
      if (this.isLive(translation)) this.#deps.profile.unmark(decoded, number, blocks, hotAfter - 1);
    }
  }
}
