/**
 * What is translated at once: the blocks of one guest page that hang together, found from the slots that are jumped to often.
 * A block ends at a jump, at the start of another block, and before an instruction that is left to the interpreter (rare
 * system instructions, CSRs that do not exist, what straddles the page's end).
 */
import { decodeInto, makeDecoded } from '../../isa/decoder.ts';
import { type Operation, operations } from '../../isa/table.ts';
import { csrIndex } from '../../machine/csr-table.ts';
import { PAGE_BYTES } from '../../machine/memory-map.ts';

/** A decoded instruction at a byte offset in its page. */
export interface Instruction {
  readonly offset: number;
  readonly length: 2 | 4;
  /** As fetched, for those who read the code. */
  readonly bits: number;
  readonly operation: Operation;
  readonly rd: number;
  readonly rs1: number;
  readonly rs2: number;
  readonly rs3: number;
  readonly imm: number;
  readonly rm: number;
}

export interface Block {
  readonly start: number;
  readonly instructions: readonly Instruction[];
  /** Offset behind the last instruction. */
  readonly end: number;
  /** It may be entered from outside of the region. */
  readonly enterable: boolean;
}

/** Most instructions in a region, and in a block: larger functions compile slowly and well below their speed. */
export const MAX_INSTRUCTIONS = 400;
const MAX_BLOCK_INSTRUCTIONS = 100;

/** System instructions that translations execute; the others are rare. */
const SYSTEM: ReadonlySet<string> = new Set(['ecall', 'sret', 'fence.i', 'sfence.vma']);

const decoded = makeDecoded();

/** The instruction at `offset`; undefined where it is illegal, or not wholly in the page. */
function instructionAt(page: DataView, offset: number): Instruction | undefined {
  const low = page.getUint16(offset, true);
  const long = (low & 3) === 3;
  if (long && offset + 4 > PAGE_BYTES) return undefined;
  if (!decodeInto(long ? page.getUint32(offset, true) : low, decoded)) return undefined;
  const { length, bits, rd, rs1, rs2, rs3, imm, rm } = decoded;
  const operation = operations[decoded.operation];
  return { offset, length, bits, operation, rd, rs1, rs2, rs3, imm, rm };
}

function isTranslatable({ operation, imm }: Instruction): boolean {
  if (operation.kind === 'csr') return csrIndex.has(imm);
  return operation.kind !== 'system' || SYSTEM.has(operation.name);
}

const inPage = (offset: number): boolean => offset >= 0 && offset < PAGE_BYTES;

/** It goes where only run time knows: nothing falls through it. */
const isDeparture = ({ kind, name }: Operation): boolean => kind === 'jump' || name === 'ecall' || name === 'sret';

export const endsBlock = (operation: Operation): boolean => operation.kind === 'branch' || isDeparture(operation);

/** Byte offset in the page of where a branch or a direct jump goes to. */
export function directTarget({ offset, imm, operation }: Instruction): number | undefined {
  return operation.kind === 'branch' || operation.name === 'jal' ? offset + imm : undefined;
}

/**
 * The blocks that are reached from `entries` (byte offsets) within the page, in address order. A branch is followed where
 * `wasReached` knows that somebody has been there: cold code costs compile time and slows the rest down.
 */
export function findBlocks(
  page: DataView,
  entries: readonly number[],
  wasReached: (offset: number) => boolean,
): Block[] {
  const found = new Map<number, Instruction>();
  const starts = new Set<number>();
  const enterable = new Set<number>();
  const queue: number[] = [];
  const lead = (offset: number): void => {
    if (!inPage(offset) || starts.has(offset)) return;
    starts.add(offset);
    queue.push(offset);
  };
  const enter = (offset: number): void => {
    enterable.add(offset);
    lead(offset);
  };
  for (const entry of entries) enter(entry);
  for (let at = queue.shift(); at !== undefined; at = queue.shift()) {
    for (let offset = at; inPage(offset) && !found.has(offset) && found.size < MAX_INSTRUCTIONS; ) {
      const instruction = instructionAt(page, offset);
      if (instruction === undefined) break;
      const after = offset + instruction.length;
      if (!isTranslatable(instruction)) {
        enter(after);
        break;
      }
      found.set(offset, instruction);
      const { kind, name } = instruction.operation;
      const target = directTarget(instruction);
      if (target !== undefined && inPage(target) && wasReached(target)) lead(target);
      if (kind === 'branch') lead(after);
      if (isDeparture(instruction.operation)) {
        // Behind a call is where it returns to; behind a plain jump, whatever comes is found by who jumps there.
        if (name === 'ecall' || (kind === 'jump' && instruction.rd !== 0)) enter(after);
        break;
      }
      offset = after;
    }
  }
  return buildBlocks(found, starts, enterable);
}

function buildBlocks(
  found: ReadonlyMap<number, Instruction>,
  starts: Set<number>,
  enterable: ReadonlySet<number>,
): Block[] {
  const blocks: Block[] = [];
  const queue = [...starts];
  for (let start = queue.shift(); start !== undefined; start = queue.shift()) {
    const instructions: Instruction[] = [];
    let offset = start;
    for (;;) {
      const instruction = found.get(offset);
      if (instruction === undefined) break;
      instructions.push(instruction);
      offset += instruction.length;
      if (endsBlock(instruction.operation) || starts.has(offset)) break;
      if (instructions.length >= MAX_BLOCK_INSTRUCTIONS) {
        starts.add(offset);
        queue.push(offset);
        break;
      }
    }
    if (instructions.length > 0) {
      blocks.push({ start, instructions, end: offset, enterable: enterable.has(start) });
    }
  }
  blocks.sort((a, b) => a.start - b.start);
  return withEnterableHeaders(blocks);
}

/** Targets of backward edges may be entered too: the interpreter comes by soon after it was sent into a loop's middle. */
function withEnterableHeaders(blocks: readonly Block[]): Block[] {
  const headers = new Set<number>();
  for (const { instructions } of blocks) {
    const last = instructions[instructions.length - 1];
    const target = directTarget(last);
    if (target !== undefined && target <= last.offset) headers.add(target);
  }
  return blocks.map((block) => (headers.has(block.start) ? { ...block, enterable: true } : block));
}
