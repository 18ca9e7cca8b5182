/**
 * The translator: hears from the interpreter what is hot, has it compiled, and puts what comes into the table and into the
 * decoded pages' profiles, where jumps find it. All of it happens between slices. When anything was translated, and whether
 * at all, never shows in the guest.
 *
 * A page is translated as one region, from all places that jumps arrive at often. When others become hot later, the region
 * is built anew with both, up to a size, then further regions stand beside it. A page whose translations are dropped again
 * and again (it holds data beside code, or somebody writes code there) has to be ever hotter.
 */
import { LIFE_DECODED, type MemoryMap, PROFILE_TRANSLATED, RECORD_BYTES } from '../../machine/memory-map.ts';
import { CodeCache, type Fitting, type Translation } from './code-cache.ts';
import type { CodeLayout, RegionRequest } from './compile.ts';
import type { CompiledModule, CompileResult, Compiler } from './compiler.ts';
import type { TranslationImport } from './emit-region.ts';
import { PageHistory } from './page-history.ts';
import { Profile, SILENT } from './profile.ts';
import { newStatistics, type TranslatorStatistics } from './statistics.ts';
import { defaultTuning, type TranslatorTuning } from './tuning.ts';

export interface TranslatorDependencies {
  readonly memory: WebAssembly.Memory;
  readonly table: WebAssembly.Table;
  readonly map: MemoryMap;
  /** Functions of the interpreter's module, and the softfloat. */
  readonly imports: Readonly<Record<TranslationImport, unknown>>;
  readonly compiler: Compiler;
}

/** Numbers of translations are 15 bits in a profile word. */
export const MAX_TRANSLATIONS: number = PROFILE_TRANSLATED;
/** Reports of one slice that are kept; the others come again. */
const MAX_REPORTS = 1024;

/** Calls of `work` between two looks at what has died, and for how many of these looks a dropped page is remembered. */
const SWEEP_EVERY = 2048;
const REMEMBERED_SWEEPS = 64;

/** What is known of a decoded page that was reported. */
interface Page {
  readonly decoded: number;
  /** The page of RAM that it was made from, as an offset in linear memory. */
  readonly host: number;
  /** Of the decoded page: when it changes, all of this is past. */
  readonly life: number;
  translations: Translation[];
  /** Reports since it was last asked for: the more, the sooner it comes. */
  heat: number;
  rebuilds: number;
  inFlight: boolean;
}

interface Request {
  readonly page: Page;
  readonly region: RegionRequest;
  /** The new region stands for these, too. */
  readonly replaces: readonly Translation[];
}

export class Translator {
  readonly #tuning: TranslatorTuning;
  readonly #compiler: Compiler;
  readonly #profile: Profile;
  readonly #cache: CodeCache;
  readonly #layout: CodeLayout;
  /** Pairs of a decoded page and a record in it. */
  readonly #reports = new Int32Array(MAX_REPORTS * 2);
  #reported = 0;
  readonly #pages = new Map<number, Page>();
  readonly #queue = new Set<Page>();
  readonly #inFlight = new Map<number, readonly Request[]>();
  #nextBatch = 0;
  readonly #count = newStatistics();
  readonly #history = new PageHistory(REMEMBERED_SWEEPS);
  #calls = 0;
  #sweeps = 0;

  /** From where arrivals at a place are counted once it was reported. */
  readonly #again: number;

  constructor(deps: TranslatorDependencies, tuning: TranslatorTuning = defaultTuning) {
    const { memory, map } = deps;
    this.#tuning = tuning;
    this.#again = Math.max(1, tuning.hotAfter >>> 1);
    this.#compiler = deps.compiler;
    this.#profile = new Profile(memory, map);
    const { hotAfter, codeBytes } = tuning;
    const places = Math.min(tuning.maxTranslations, MAX_TRANSLATIONS);
    this.#cache = new CodeCache({ places, bytes: codeBytes, hotAfter }, { ...deps, profile: this.#profile });
    this.#layout = { memoryPages: memory.buffer.byteLength / 65536, ramOffset: map.ram };
  }

  /** The interpreter's hook, within a slice: the record at `ip` in the decoded page is jumped to often. */
  readonly hot = (decoded: number, ip: number): void => {
    const slot = slotOf(decoded, ip);
    if (this.#reported === MAX_REPORTS) return this.#profile.setCount(decoded >>> 0, slot, 1);
    this.#reports[this.#reported * 2] = decoded;
    this.#reports[this.#reported * 2 + 1] = slot;
    this.#reported++;
  };

  get statistics(): TranslatorStatistics {
    return { ...this.#count, ...this.#cache.size, pages: this.#pages.size, waiting: this.#queue.size };
  }

  /** Between slices. */
  work(): void {
    if (this.#reported > 0) this.#takeReports();
    if (this.#queue.size > 0) this.#submit();
    if (this.#inFlight.size > 0) this.#takeResults();
    if (++this.#calls % SWEEP_EVERY === 0) this.#sweep();
  }

  #takeReports(): void {
    this.#count.reports += this.#reported;
    for (let i = 0; i < this.#reported; i++) {
      const page = this.#pageOf(this.#reports[i * 2] >>> 0);
      if (!this.#history.counts(page.host)) {
        this.#profile.recount(page.decoded, this.#reports[i * 2 + 1], 1);
        continue;
      }
      const unmarked = page.translations.filter(({ module }) => module.onProbation);
      if (unmarked.length > 0) {
        this.#count.kept += unmarked.length;
        for (const translation of unmarked) this.#cache.keep(translation);
        this.#profile.recount(page.decoded, this.#reports[i * 2 + 1], 1);
        continue;
      }
      page.heat++;
      if (!page.inFlight) this.#queue.add(page);
      // Where the compiler has more to do than it can, those that go on being hot come first.
      this.#profile.recount(page.decoded, this.#reports[i * 2 + 1], this.#again);
    }
    this.#reported = 0;
  }

  #pageOf(decoded: number): Page {
    const known = this.#pages.get(decoded);
    if (known !== undefined) {
      if (this.#isCurrent(known)) return known;
      this.#forget(known);
    }
    const host = this.#profile.hostOf(decoded);
    const life = this.#profile.lifeOf(decoded);
    const page = { decoded, host, life, translations: [], heat: 0, rebuilds: 0, inFlight: false };
    this.#pages.set(decoded, page);
    return page;
  }

  #isCurrent({ decoded, host, life }: Page): boolean {
    return this.#profile.isCurrent(decoded, host) && this.#profile.lifeOf(decoded) === life;
  }

  /** The page is not what it was: its translations are dead. */
  #forget(page: Page): void {
    const { decoded, host, life, translations } = page;
    this.#pages.delete(decoded);
    this.#queue.delete(page);
    if (translations.length === 0) return;
    for (const translation of translations) this.#cache.remove(translation);
    this.#count.dropped += translations.length;
    const written = this.#profile.lifeOf(decoded) - life < LIFE_DECODED;
    if (written) this.#history.dropped(host, this.#sweeps);
  }

  #sweep(): void {
    this.#sweeps++;
    for (const page of this.#pages.values()) if (!this.#isCurrent(page)) this.#forget(page);
  }

  // ---- asking -----------------------------------------------------------------------------------------------------------

  #submit(): void {
    while (this.#queue.size > 0 && this.#inFlight.size < this.#compiler.depth) {
      const hottest = [...this.#queue].sort((a, b) => b.heat - a.heat).slice(0, this.#tuning.batchRegions);
      const requests: Request[] = [];
      for (const page of hottest) {
        this.#queue.delete(page);
        const request = this.#request(page);
        if (request !== undefined) requests.push(request);
      }
      if (requests.length === 0) continue;
      const id = this.#nextBatch++;
      this.#count.batches++;
      this.#inFlight.set(id, requests);
      this.#compiler.submit({ id, layout: this.#layout, requests: requests.map(({ region }) => region) });
    }
  }

  #request(page: Page): Request | undefined {
    const { decoded, host } = page;
    page.heat = 0;
    if (!this.#isCurrent(page)) {
      this.#forget(page);
      return undefined;
    }
    const { hotAfter, warmFraction } = this.#tuning;
    // What was reported may have been translated meanwhile.
    if (this.#profile.arrivals(decoded, this.#again).length === 0) return undefined;
    const warm = Math.max(1, Math.min(this.#again, hotAfter * warmFraction));
    const entries = this.#profile.arrivals(decoded, warm);
    const number = this.#cache.reserve();
    if (number === undefined) return undefined;
    const replaces = this.#rebuilt(page);
    for (const translation of replaces) entries.push(...translation.entries);
    const reached = this.#profile.reached(decoded);
    page.inFlight = true;
    return { page, replaces, region: { number, decoded, page: this.#profile.copyPage(host), entries, reached } };
  }

  /** What a new region of the page is to take over: its latest one, while that is small and has not been built too often. */
  #rebuilt(page: Page): Translation[] {
    const last = page.translations.at(-1);
    if (last === undefined || last.instructions >= this.#tuning.fullRegion) return [];
    if (page.rebuilds >= this.#tuning.maxRebuilds) return [];
    page.rebuilds++;
    return [last];
  }

  // ---- getting ----------------------------------------------------------------------------------------------------------

  #takeResults(): void {
    for (let result = this.#compiler.poll(); result !== undefined; result = this.#compiler.poll()) {
      const requests = this.#inFlight.get(result.id);
      if (requests === undefined) continue;
      this.#inFlight.delete(result.id);
      this.#take(requests, result);
    }
  }

  #take(requests: readonly Request[], { code }: CompileResult): void {
    for (const { page } of requests) {
      page.inFlight = false;
      if (page.heat > 0 && this.#pages.get(page.decoded) === page) this.#queue.add(page);
    }
    const fitting: Fitting[] = [];
    for (const { page, region: request } of requests) {
      const region = code?.regions.find(({ number }) => number === request.number);
      if (region !== undefined && this.#fits(page, request, region.blocks)) {
        fitting.push({ region, host: page.host, entries: request.entries });
      } else {
        this.#cache.release(request.number);
        if (region === undefined) {
          this.#count.empty++;
          if (code !== undefined) this.#silence(page, request.entries);
        } else {
          this.#count.outdated++;
          this.#recount(page, request.entries);
        }
      }
    }
    if (code !== undefined && fitting.length > 0) this.#install(code, fitting, requests);
  }

  #fits(page: Page, request: RegionRequest, blocks: Uint16Array<ArrayBuffer>): boolean {
    if (this.#pages.get(page.decoded) !== page || !this.#isCurrent(page)) return false;
    return this.#profile.isUnchanged(page.host, request.page, blocks);
  }

  /** The page has changed meanwhile: whether these places are still hot will be seen. */
  #recount({ decoded, host }: Page, entries: readonly number[]): void {
    if (!this.#profile.isCurrent(decoded, host)) return;
    for (const entry of entries) this.#profile.recount(decoded, entry >>> 1, 1);
  }

  /** Nothing can be translated at these places: they are not reported again. */
  #silence(page: Page, entries: readonly number[]): void {
    if (!this.#isCurrent(page)) return;
    for (const entry of entries) this.#profile.recount(page.decoded, entry >>> 1, SILENT);
  }

  #install(code: CompiledModule, fitting: readonly Fitting[], requests: readonly Request[]): void {
    for (const translation of this.#cache.install(code, fitting)) {
      const { page, replaces } = requests.find(({ region }) => region.number === translation.number)!;
      this.#count.installed++;
      this.#count.instructions += translation.instructions;
      if (replaces.length > 0) this.#count.rebuilds++;
      for (const old of replaces) this.#cache.remove(old);
      page.translations = page.translations.filter((old) => !replaces.includes(old));
      page.translations.push(translation);
      // In a full region others may not have found room.
      if (translation.instructions < this.#tuning.fullRegion) this.#silence(page, translation.entries);
    }
    this.#makeRoom();
  }

  #makeRoom(): void {
    const gone = new Set(this.#cache.makeRoom());
    this.#count.evicted += gone.size;
    for (const decoded of new Set([...gone].map((translation) => translation.decoded))) {
      const page = this.#pages.get(decoded);
      if (page === undefined || !this.#isCurrent(page)) continue;
      page.translations = page.translations.filter((translation) => !gone.has(translation));
      this.#profile.uncover(decoded);
      for (const { blocks } of page.translations) this.#profile.cover(decoded, blocks);
    }
  }
}

const slotOf = (decoded: number, ip: number): number => ((ip - decoded) >>> 0) / RECORD_BYTES;
