/**
 * What an engine is to the machine: it takes steps. Engines never show in the guest's state; any mix of them, stopped at
 * any position, gives the same machine.
 */
import type { Compiler } from './translator/compiler.ts';
import type { TranslatorStatistics } from './translator/statistics.ts';
import type { TranslatorTuning } from './translator/tuning.ts';

export interface EngineHooks {
  /** (physical address, size 1|2|4|8) → 1 if a device answered: the value is then in hart.mmioLow and mmioHigh. */
  readonly mmioRead: (address: number, size: number) => number;
  /** (physical address, size) → 1 if a device took the value in hart.mmioLow and mmioHigh. */
  readonly mmioWrite: (address: number, size: number) => number;
  /** (offset in linear memory, size): a store went into the page of `tohost`. */
  readonly htifStore: (offset: number, size: number) => void;
}

export interface Engine {
  /** Takes at most `limit` steps (1 .. 2^31-1), gives how many; the reason is in hart.exit. May return early with EXIT_LIMIT. */
  run(limit: number): number;
  /** Voids all translations: privileged state changed behind the engine's back. */
  flush(): void;
  /** Begins an epoch of dirty tracking: the next store to each page marks it. */
  bumpWrite(): void;
  /** Data and fetch modes follow privilege, mstatus and satp: call after changing those from outside. */
  updateModes(): void;
  /** These bytes of RAM (by offset in linear memory) are about to be written by somebody else than the hart. */
  touch(offset: number, length: number): void;
  /** The hash of the page of RAM at that offset of linear memory; 0 for a page of zeroes. Signed 64 bits. */
  hashPage(offset: number, page: bigint): bigint;
  /** What the translator has done; undefined for an engine without one. */
  statistics?(): TranslatorStatistics;
}

/**
 * `translator`: the interpreter, and translations of what is hot. `mixed`, for tests: the same in slices of random length,
 * each with or without entering translations.
 */
export type EngineKind = 'interpreter' | 'translator' | 'mixed';
export const engineKinds: readonly EngineKind[] = ['interpreter', 'translator', 'mixed'];
/** What runs a guest unless somebody asks for another. */
export const defaultEngine: EngineKind = 'translator';

export interface EngineChoice {
  readonly kind: EngineKind;
  /** Of the random choices of `mixed`; not 0. */
  readonly seed?: number;
  /** Who compiles translations; at once on this thread, unless told. */
  readonly compiler?: Compiler;
  /** Instead of the usual. */
  readonly tuning?: Partial<TranslatorTuning>;
}
