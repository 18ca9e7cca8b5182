/**
 * Which registers a region may have changed since it was entered, at the beginning of each block: what a way out has to
 * store. A forward data-flow over sets as bit masks; every enterable block is also reached with nothing changed, and one
 * that an indirect jump may come to, with whatever the jumping block had changed.
 */
import type { Block, Instruction } from './region.ts';

/** Sets of registers: bit n is register n. */
export interface Registers {
  readonly x: number;
  readonly f: number;
}

export const noRegisters: Registers = { x: 0, f: 0 };
const union = (a: Registers, b: Registers): Registers => ({ x: a.x | b.x, f: a.f | b.f });
const equal = (a: Registers, b: Registers): boolean => a.x === b.x && a.f === b.f;

/** What an instruction writes. */
export function writesOf({ operation, rd }: Instruction): Registers {
  if (operation.writes === 'x') return { x: rd === 0 ? 0 : 1 << rd, f: 0 };
  return operation.writes === 'f' ? { x: 0, f: 1 << rd } : noRegisters;
}

export function changesOf(
  blocks: readonly Block[],
  successors: readonly (readonly number[])[],
): { readonly dirtyAt: readonly Registers[]; readonly written: Registers } {
  const writes = blocks.map(({ instructions }) => instructions.map(writesOf).reduce(union, noRegisters));
  const enterable = blocks.flatMap((block, i) => (block.enterable ? [i] : []));
  const targets = blocks.map(({ instructions }, i) =>
    instructions[instructions.length - 1].operation.name === 'jalr' ? enterable : successors[i],
  );
  const dirtyAt = blocks.map(() => noRegisters);
  const queue = blocks.map((_, i) => i);
  for (let from = queue.pop(); from !== undefined; from = queue.pop()) {
    const out = union(dirtyAt[from], writes[from]);
    for (const to of targets[from]) {
      const merged = union(dirtyAt[to], out);
      if (equal(merged, dirtyAt[to])) continue;
      dirtyAt[to] = merged;
      queue.push(to);
    }
  }
  return { dirtyAt, written: writes.reduce(union, noRegisters) };
}
