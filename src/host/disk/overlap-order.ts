/**
 * Keeps requests that overlap, one of them a write, in the order of their submission (PROTOCOL.md, 23); all others run in
 * parallel. The guest's own file system never has two such requests outstanding, but a guest may, and then two copies of
 * the machine must get the same bytes.
 */
import type { Extent } from './disk.ts';

type Entry = { readonly extent: Extent; readonly done: Promise<unknown> };

export class OverlapOrder {
  readonly #entries = new Set<Entry>();

  /**
   * Runs `work` as soon as every request submitted earlier that conflicts with `extent` has ended; at once, within this
   * call, if there is none. `work` must not throw.
   */
  run<Result>(extent: Extent | undefined, work: () => Promise<Result>): Promise<Result> {
    if (extent === undefined) return work();
    const earlier: Promise<unknown>[] = [];
    for (const entry of this.#entries) if (conflict(entry.extent, extent)) earlier.push(entry.done);
    const done = earlier.length === 0 ? work() : Promise.all(earlier).then(work);
    const entry: Entry = { extent, done };
    this.#entries.add(entry);
    const forget = () => this.#entries.delete(entry);
    done.then(forget, forget);
    return done;
  }

  /** Resolves when every request submitted so far has ended. */
  async idle(): Promise<void> {
    await Promise.allSettled([...this.#entries].map((entry) => entry.done));
  }
}

function conflict(a: Extent, b: Extent): boolean {
  return (a.writes || b.writes) && a.start < b.end && b.start < a.end;
}
