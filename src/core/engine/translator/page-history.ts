/**
 * Pages of RAM whose translations were dropped: those that somebody writes to again and again must be ever hotter before
 * they are translated once more. It forgets: a page that was left alone for a while is like any other.
 */
interface History {
  drops: number;
  /** Reports that do not count. */
  skip: number;
  /** When it was dropped last. */
  at: number;
}

/** Pages that are remembered; the longest known ones make room. */
const MAX_PAGES = 4096;
/** Drops that cost nothing: a page that is used for something else is no offender. */
const FREE_DROPS = 2;
const MAX_SKIP = 1024;

export class PageHistory {
  readonly #pages = new Map<number, History>();
  readonly #forgetAfter: number;

  /** A page that was not dropped for so long, in the unit of `now`, starts afresh. */
  constructor(forgetAfter: number) {
    this.#forgetAfter = forgetAfter;
  }

  /** The translations of the page of RAM at offset `host` were dropped. */
  dropped(host: number, now: number): void {
    const known = this.#pages.get(host);
    const drops = known === undefined || now - known.at > this.#forgetAfter ? 1 : known.drops + 1;
    this.#pages.delete(host);
    if (this.#pages.size === MAX_PAGES) this.#pages.delete(this.#pages.keys().next().value!);
    const skip = drops <= FREE_DROPS ? 0 : Math.min(2 ** (drops - FREE_DROPS), MAX_SKIP);
    this.#pages.set(host, { drops, skip, at: now });
  }

  /** Something in the page was reported as hot: whether that counts. */
  counts(host: number): boolean {
    const known = this.#pages.get(host);
    if (known === undefined || known.skip === 0) return true;
    known.skip--;
    return false;
  }
}
