/** How eagerly the translator translates. Nothing in here shows in the guest. */
export interface TranslatorTuning {
  /** Arrivals at a place before it is reported; at most 32,766. */
  readonly hotAfter: number;
  /** When a page is reported, places of it with this fraction of `hotAfter` arrivals are translated with it. */
  readonly warmFraction: number;
  /** Most regions in one module. */
  readonly batchRegions: number;
  /** Guest instructions from which on a region is not built anew with further places: they get a region of their own. */
  readonly fullRegion: number;
  /** How often the regions of a page may be built anew. */
  readonly maxRebuilds: number;
  /** The binary forms of all modules may take so many bytes together. V8 takes about ten times that. */
  readonly codeBytes: number;
  /** Translations at a time. */
  readonly maxTranslations: number;
}

export const defaultTuning: TranslatorTuning = {
  hotAfter: 4000,
  warmFraction: 0.125,
  batchRegions: 8,
  fullRegion: 400,
  maxRebuilds: 8,
  codeBytes: 24 * 1024 * 1024,
  maxTranslations: 32_768,
};

/** For tests: everything is translated nearly at once. */
export const eagerTuning: TranslatorTuning = { ...defaultTuning, hotAfter: 2, warmFraction: 0.5 };
