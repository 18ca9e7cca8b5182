/**
 * A program as a tree that can lose branches. A string is a line of assembler text that belongs to its list; a list inside
 * a list is a part that can be left out, and so can its own parts without it. Labels are used only where they are defined,
 * or further inside: what refers to a label that has gone does not assemble, and whoever removed it tries something else.
 */
export type Part = string | readonly Part[];

/** All lines, in order. */
export function linesOf(part: Part): string[] {
  const lines: string[] = [];
  collect(part, lines);
  return lines;
}

function collect(part: Part, into: string[]): void {
  if (typeof part === 'string') into.push(part);
  else for (const child of part) collect(child, into);
}

/** How many lists there are below the root: what may be left out. */
export function countParts(part: Part): number {
  if (typeof part === 'string') return 0;
  return part.reduce<number>((sum, child) => sum + (typeof child === 'string' ? 0 : 1 + countParts(child)), 0);
}
