/**
 * What is translated at once: the blocks of one guest page that hang together, found from the slots that are jumped to often.
 * A block ends at a jump, at the start of another block, and before an instruction that is left to the interpreter (CSR
 * accesses, traps and returns, what straddles the page's end).
 */
import { decodeInto, makeDecoded } from '../../isa/decoder.ts';
import { type Operation, operations } from '../../isa/table.ts';
import { PAGE_BYTES } from '../../machine/memory-map.ts';

/** A decoded instruction at a byte offset in its page. */
export interface Instruction {
  readonly offset: number;
  readonly length: 2 | 4;
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
const MAX_INSTRUCTIONS = 600;
const MAX_BLOCK_INSTRUCTIONS = 100;

const decoded = makeDecoded();

/** The instruction at `offset`; undefined where it is illegal, left to the interpreter, or not wholly in the page. */
function instructionAt(page: DataView, offset: number): Instruction | undefined {
  const low = page.getUint16(offset, true);
  const long = (low & 3) === 3;
  if (long && offset + 4 > PAGE_BYTES) return undefined;
  if (!decodeInto(long ? page.getUint32(offset, true) : low, decoded)) return undefined;
  const { length, rd, rs1, rs2, rs3, imm, rm } = decoded;
  const operation = operations[decoded.operation];
  return { offset, length, operation, rd, rs1, rs2, rs3, imm, rm };
}

const isTranslatable = ({ operation }: Instruction): boolean => operation.kind !== 'csr' && operation.kind !== 'system';

const inPage = (offset: number): boolean => offset >= 0 && offset < PAGE_BYTES;

/**
 * The blocks that are reached from `entries` (byte offsets) within the page, by their start. A branch is followed where
 * `wasReached` knows that somebody has been there: cold code costs compile time and slows the rest down.
 */
export function findBlocks(
  page: DataView,
  entries: readonly number[],
  wasReached: (offset: number) => boolean,
): Block[] {
  const found = new Map<number, Instruction>();
  const starts = new Set<number>();
  const work: number[] = [];
  const lead = (offset: number): void => {
    if (!inPage(offset) || starts.has(offset)) return;
    starts.add(offset);
    work.push(offset);
  };
  for (const entry of entries) lead(entry);
  for (let next = work.shift(); next !== undefined; next = work.shift()) {
    let offset = next;
    while (inPage(offset) && !found.has(offset) && found.size < MAX_INSTRUCTIONS) {
      const instruction = instructionAt(page, offset);
      if (instruction === undefined) break;
      const after = offset + instruction.length;
      if (!isTranslatable(instruction)) {
        lead(after);
        break;
      }
      found.set(offset, instruction);
      const { kind } = instruction.operation;
      const target = offset + instruction.imm;
      const direct = kind === 'branch' || instruction.operation.name === 'jal';
      if (direct && inPage(target) && wasReached(target)) lead(target);
      if (kind === 'branch') lead(after);
      if (kind === 'jump') {
        // Behind a call is where it returns to; behind a plain jump, whatever comes is found by who jumps there.
        if (instruction.rd !== 0) lead(after);
        break;
      }
      offset = after;
    }
  }
  return buildBlocks(found, starts);
}

function buildBlocks(found: ReadonlyMap<number, Instruction>, starts: Set<number>): Block[] {
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
      const { kind } = instruction.operation;
      if (kind === 'branch' || kind === 'jump' || starts.has(offset)) break;
      if (instructions.length >= MAX_BLOCK_INSTRUCTIONS) {
        starts.add(offset);
        queue.push(offset);
        break;
      }
    }
    if (instructions.length > 0) blocks.push({ start, instructions, end: offset, enterable: true });
  }
  return blocks.sort((a, b) => a.start - b.start);
}
