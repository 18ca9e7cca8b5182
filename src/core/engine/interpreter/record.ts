/**
 * The predecoded record: what the interpreter reads instead of instruction bits. 16 bytes for each 2-byte slot of a page:
 *
 *     0 u16 operation (a number of the dispatch)    2 u16 distance to the next record (16 or 32)
 *     4 u16 rd   6 u16 rs1   12 u16 rs2   14 u8 rs3: register number * 8 (rs3: register number)
 *     8 i32 immediate (for CSR instructions the index into the CSR table)      15 u8 rm
 *
 * rd of an x register is SINK for x0.
 */
import { type Decoded, decodeInto, makeDecoded } from '../../isa/decoder.ts';
import { operations } from '../../isa/table.ts';
import { OP_REENTER, OP_UNDECODED } from '../../machine/coherence.ts';
import { csrIndex } from '../../machine/csr-table.ts';
import { SINK } from '../../machine/hart.ts';

export const record = { operation: 0, distance: 2, rd: 4, rs1: 6, imm: 8, rs2: 12, rs3: 14, rm: 15 } as const;

/** Numbers of the dispatch that are not operations; operation `id` has number FIRST_OPERATION + id. */
export const dispatch = { undecoded: OP_UNDECODED, reenter: OP_REENTER, straddle: 2, illegal: 3 } as const;
export const FIRST_OPERATION = 4;

/** Decodes `bits` into the record at `at`; an instruction that does not exist becomes `illegal`. */
export type WriteRecord = (at: number, bits: number) => void;

export function recordWriter(memory: ArrayBufferLike): WriteRecord {
  const u16 = new Uint16Array(memory);
  const i32 = new Int32Array(memory);
  const u8 = new Uint8Array(memory);
  const decoded: Decoded = makeDecoded();
  const isCsr = operations.map((operation) => operation.kind === 'csr');
  const writesX = operations.map((operation) => operation.writes !== 'f');
  return (at, bits) => {
    const half = at >>> 1;
    const known = decodeInto(bits, decoded);
    u16[half + 1] = decoded.length * 8;
    if (!known) {
      u16[half] = dispatch.illegal;
      return;
    }
    const { operation, rd } = decoded;
    let imm = decoded.imm;
    if (isCsr[operation]) {
      const index = csrIndex.get(imm);
      if (index === undefined) {
        u16[half] = dispatch.illegal;
        return;
      }
      imm = index;
    }
    u16[half] = FIRST_OPERATION + operation;
    u16[half + 2] = writesX[operation] && rd === 0 ? SINK : rd * 8;
    u16[half + 3] = decoded.rs1 * 8;
    i32[(at + 8) >>> 2] = imm;
    u16[half + 6] = decoded.rs2 * 8;
    u8[at + 14] = decoded.rs3;
    u8[at + 15] = decoded.rm;
  };
}
