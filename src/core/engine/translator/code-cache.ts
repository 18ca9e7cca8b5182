/**
 * The translations that there are: their places in the table, the modules that hold their code, and the marks by which
 * jumps find them. A module's memory is V8's to free once none of its functions is in the table; so a module goes when all
 * of its translations have.
 */
import type { MemoryMap } from '../../machine/memory-map.ts';
import { type CompiledRegion, exportName } from './compile.ts';
import type { CompiledModule } from './compiler.ts';
import type { TranslationImport } from './emit-region.ts';
import type { BlockTable, Profile } from './profile.ts';

export interface CodeCacheDependencies {
  readonly memory: WebAssembly.Memory;
  readonly table: WebAssembly.Table;
  /** Places in the table. */
  readonly places: number;
  readonly map: MemoryMap;
  /** Functions of the interpreter's module, and the softfloat. */
  readonly imports: Readonly<Record<TranslationImport, unknown>>;
  readonly profile: Profile;
}

interface LoadedModule {
  /** Size of its binary form. */
  readonly bytes: number;
  /** Translations of it that are in the table. */
  live: number;
}

/** A region that is in the table. */
export interface Translation {
  readonly number: number;
  readonly decoded: number;
  /** Its page of RAM, as an offset in linear memory. */
  readonly host: number;
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

export class CodeCache {
  readonly #deps: CodeCacheDependencies;
  readonly #free: number[] = [];
  readonly #limit: number;
  #used = 0;
  readonly #translations = new Map<number, Translation>();
  #modules = 0;
  #bytes = 0;

  constructor(deps: CodeCacheDependencies) {
    this.#deps = deps;
    this.#limit = deps.places;
  }

  /** Translations in the table, modules that hold them, and the size of these modules' binary forms. */
  get size(): { readonly translations: number; readonly modules: number; readonly bytes: number } {
    return { translations: this.#translations.size, modules: this.#modules, bytes: this.#bytes };
  }

  get translations(): Iterable<Translation> {
    return this.#translations.values();
  }

  /** A place in the table for a translation to come; undefined if all are taken. */
  reserve(): number | undefined {
    return this.#free.pop() ?? (this.#used < this.#limit ? this.#used++ : undefined);
  }

  /** Gives a place back into which nothing came. */
  release(number: number): void {
    this.#free.push(number);
  }

  /** Puts regions of a module into the table and marks their blocks. Between slices only. */
  install({ module, bytes }: CompiledModule, fitting: readonly Fitting[]): Translation[] {
    const { memory, table, imports, profile } = this.#deps;
    const { exports } = new WebAssembly.Instance(module, { env: { memory, table, ...imports } });
    const loaded: LoadedModule = { bytes, live: fitting.length };
    this.#modules++;
    this.#bytes += bytes;
    return fitting.map(({ region, host, entries }) => {
      const { number, decoded, blocks, instructions } = region;
      table.set(number, exports[exportName(number)]);
      profile.mark(decoded, number, blocks);
      const translation = { number, decoded, host, blocks, entries, instructions, module: loaded };
      this.#translations.set(number, translation);
      return translation;
    });
  }

  /** Whether jumps still find it: a store may have dropped it, or the decoded page been given up. */
  isLive({ decoded, host, blocks, number }: Translation): boolean {
    const { profile } = this.#deps;
    return profile.isCurrent(decoded, host) && profile.isMarked(decoded, number, blocks);
  }

  /** Takes it out of the table, and its marks away if they are its own. `count`: where its entries' counts begin again. */
  remove(translation: Translation, count: number): void {
    const { table, profile } = this.#deps;
    const { number, decoded, host, blocks, module } = translation;
    if (this.#translations.get(number) !== translation) return;
    if (profile.isCurrent(decoded, host)) profile.unmark(decoded, number, blocks, count);
    table.set(number, null);
    this.#translations.delete(number);
    this.#free.push(number);
    module.live--;
    if (module.live > 0) return;
    this.#modules--;
    this.#bytes -= module.bytes;
  }
}
