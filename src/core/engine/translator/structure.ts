/**
 * Control flow as WebAssembly wants it: nested loops over blocks in address order. Each backward edge makes a loop from its
 * target to its source; loops that overlap are extended until they nest. Forward edges are branches to the end of an
 * enclosing block; where one leads into the middle of a loop, the loop's head dispatches (the `pend` of emit-region.ts), so
 * irreducible flow needs nothing of its own. No dominators are computed.
 */

/** A block by its index, or a loop over a run of blocks that begins with its header. */
export type Item = { readonly block: number } | Loop;
export interface Loop {
  readonly header: number;
  /** Index of the last block that belongs to it. */
  readonly last: number;
  readonly items: readonly Item[];
}

export const isLoop = (item: Item): item is Loop => 'header' in item;
/** The block that an item begins with. */
export const firstOf = (item: Item): number => (isLoop(item) ? item.header : item.block);

export interface Structure {
  readonly items: readonly Item[];
  /** For each block the loops around it, from the outermost to the innermost. */
  readonly loopsOf: readonly (readonly Loop[])[];
}

/** `successors[i]` are the blocks (by index, in address order) that control may go to from block i. */
export function findStructure(successors: readonly (readonly number[])[]): Structure {
  const ends = loopEnds(successors);
  const loopsOf: Loop[][] = successors.map(() => []);
  const build = (from: number, to: number, within: readonly number[]): Item[] => {
    const items: Item[] = [];
    for (let block = from; block <= to; block++) {
      const last = ends.get(block);
      if (last === undefined || within.includes(block)) items.push({ block });
      else {
        items.push({ header: block, last, items: build(block, last, [...within, block]) });
        block = last;
      }
    }
    return items;
  };
  const note = (items: readonly Item[], around: readonly Loop[]): void => {
    for (const item of items) {
      if (isLoop(item)) note(item.items, [...around, item]);
      else loopsOf[item.block].push(...around);
    }
  };
  const items = build(0, successors.length - 1, []);
  note(items, []);
  return { items, loopsOf };
}

/** The last block of the loop of each header. */
function loopEnds(successors: readonly (readonly number[])[]): Map<number, number> {
  const ends = new Map<number, number>();
  for (const [from, targets] of successors.entries()) {
    for (const to of targets) if (to <= from) ends.set(to, Math.max(ends.get(to) ?? to, from));
  }
  const headers = [...ends.keys()].sort((a, b) => a - b);
  for (let changed = true; changed; ) {
    changed = false;
    for (const [i, outer] of headers.entries()) {
      for (const inner of headers.slice(i + 1)) {
        const outerEnd = ends.get(outer)!;
        const innerEnd = ends.get(inner)!;
        if (inner <= outerEnd && innerEnd > outerEnd) {
          ends.set(outer, innerEnd);
          changed = true;
        }
      }
    }
  }
  return ends;
}
