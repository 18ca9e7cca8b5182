/**
 * Where a region looks whether it may go on. Each block takes its steps off the count; the count itself is looked at only
 * where a region is entered, at the heads of loops, and where a path would get too long without. What is left of a slice when
 * that says no, the interpreter does to the exact position.
 */
import { ENTRY_STEPS } from '../../machine/memory-map.ts';
import type { Block } from './region.ts';

/** By block: 0, or the steps that must be left when control comes to it: enough for the longest path to the next look. */
export function stepsNeeded(blocks: readonly Block[], successors: readonly (readonly number[])[]): number[] {
  const looks = blocks.map(() => false);
  for (const [from, targets] of successors.entries()) {
    for (const to of targets) if (to <= from) looks[to] = true;
  }
  const longest = blocks.map(() => 0);
  for (let i = blocks.length - 1; i >= 0; i--) {
    const own = blocks[i].instructions.length;
    const forward = successors[i].filter((to) => to > i);
    const beyond = (): number => Math.max(0, ...forward.map((to) => (looks[to] ? 0 : longest[to])));
    if (own + beyond() > ENTRY_STEPS) for (const to of forward) looks[to] = true;
    longest[i] = own + beyond();
  }
  return longest.map((steps, i) => (looks[i] ? steps : 0));
}
