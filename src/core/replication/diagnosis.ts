/**
 * Where the memories of two machines that should be one differ, told from the hashes of their pages. It is for people, once
 * the divergence is known (PROTOCOL.md, 28), and decides nothing. (vm/compare-states.ts does registers and devices.)
 *
 * The backup stands exactly where the difference was seen. The primary has gone on. It keeps, for its last checkpoints, the
 * saved state and the table of page hashes as they were there (`Checkpoints`), so that a hash that differs can be traced to
 * pages and registers of the same position. Where an output differed before any hash did, there is no such position, and
 * only pages that the primary has not written since its last checkpoint are known to differ.
 */

/** A machine at a position whose hash was logged, or was found equal to the logged one. */
export interface Checkpoint {
  readonly position: bigint;
  readonly hash: bigint;
  /** `ReplicatedMachine.saveState`. */
  readonly state: Uint8Array<ArrayBuffer>;
  readonly pageHashes: BigUint64Array<ArrayBuffer>;
}

/** The last few checkpoints of a machine that goes on. A backup compares them a lag control's target later. */
export class Checkpoints {
  readonly #kept: Checkpoint[] = [];
  readonly #limit: number;

  constructor(limit: number = 4) {
    this.#limit = limit;
  }

  /** Gives the one that is forgotten for it, whose table may be used again. */
  add(checkpoint: Checkpoint): Checkpoint | undefined {
    this.#kept.push(checkpoint);
    return this.#kept.length > this.#limit ? this.#kept.shift() : undefined;
  }

  /** The one at `position`, or else the last before it. */
  at(position: bigint): Checkpoint | undefined {
    return this.#kept.findLast((checkpoint) => checkpoint.position <= position);
  }
}

export interface PageComparison {
  /** Numbers of pages that differ, in ascending order. */
  readonly differing: readonly number[];
  /** Pages that the owner has written since: whether they differed cannot be told. Only without a checkpoint there. */
  readonly uncertain: number;
}

/**
 * `before`: the owner's page hashes at its last checkpoint that is not behind the position of `other`; `exact` if it is there.
 * `now`: at a later position.
 */
export function comparePages(
  other: BigUint64Array<ArrayBuffer>,
  { before, now, exact }: { before: BigUint64Array<ArrayBuffer>; now: BigUint64Array<ArrayBuffer>; exact: boolean },
): PageComparison {
  const differing: number[] = [];
  let uncertain = 0;
  const same = sameAs(other, before);
  const unchanged = sameAs(now, before);
  const caughtUp = sameAs(other, now);
  for (let page = 0; page < other.length; page++) {
    if (same(page)) continue;
    if (exact || unchanged(page)) differing.push(page);
    else if (!caughtUp(page)) uncertain++;
  }
  return { differing, uncertain };
}

/** Words of 32 bits, because a bigint for each of 100,000 pages takes longer than all the rest. */
function sameAs(one: BigUint64Array<ArrayBuffer>, other: BigUint64Array<ArrayBuffer>): (page: number) => boolean {
  const a = new Uint32Array(one.buffer, one.byteOffset, one.length * 2);
  const b = new Uint32Array(other.buffer, other.byteOffset, other.length * 2);
  return (page) => a[page * 2] === b[page * 2] && a[page * 2 + 1] === b[page * 2 + 1];
}
