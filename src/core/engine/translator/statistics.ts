/** What the translator has done so far, and what it holds: plain numbers, for a status page and for measurements. */
export interface TranslatorCounters {
  /** Places that became hot. */
  reports: number;
  /** Batches given to the compiler. */
  batches: number;
  /** Regions that went into the table, and guest instructions in them; those that took the place of a smaller one. */
  installed: number;
  instructions: number;
  rebuilds: number;
  /** Regions in which nothing could be translated, and those whose page had changed before they came. */
  empty: number;
  outdated: number;
  /** Regions lost because their page was written to or given up, and those that had to make room or nearly had. */
  dropped: number;
  evicted: number;
  kept: number;
}

export interface TranslatorStatistics extends Readonly<TranslatorCounters> {
  /** In the table now; the modules that hold them; size of these modules' binary forms. */
  readonly translations: number;
  readonly modules: number;
  readonly bytes: number;
  /** Decoded pages of which something is known, and those that wait to be translated. */
  readonly pages: number;
  readonly waiting: number;
}

export function newStatistics(): TranslatorCounters {
  return {
    reports: 0,
    batches: 0,
    installed: 0,
    instructions: 0,
    rebuilds: 0,
    empty: 0,
    outdated: 0,
    dropped: 0,
    evicted: 0,
    kept: 0,
  };
}
