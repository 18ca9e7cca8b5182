/**
 * Looks at guest memory through the hart's own eyes, without any effect: no accessed bit, no trap, no device read. For
 * traces and debuggers, which must not change what they show (privileged 1.12, 4.3 to 4.5).
 */
import { hart, PRIVILEGE_M } from '../machine/hart.ts';
import type { GuestRam } from '../machine/ram.ts';
import type { HartViews } from '../machine/views.ts';

const PTE_V = 1n;
const PTE_R_OR_X = 0xan;
const PPN_MASK = (1n << 44n) - 1n;

/** The physical address behind an address that the hart fetches from; undefined if nothing is mapped there. */
export function fetchAddress(views: HartViews, ram: GuestRam, virtual: bigint): bigint | undefined {
  const satp = views.get64(hart.satp);
  const mode = satp >> 60n;
  if (views.get32(hart.privilege) === PRIVILEGE_M || mode === 0n) return virtual;
  const levels = mode === 8n ? 3 : 4;
  if (BigInt.asUintN(64, BigInt.asIntN(12 + levels * 9, virtual)) !== virtual) return undefined;
  let table = (satp & PPN_MASK) << 12n;
  for (let level = levels - 1; level >= 0; level--) {
    const shift = BigInt(12 + level * 9);
    const pte = ram.read64(Number(table + ((virtual >> shift) & 511n) * 8n));
    if (pte === undefined || (pte & PTE_V) === 0n) return undefined;
    const base = ((pte >> 10n) & PPN_MASK) << 12n;
    if ((pte & PTE_R_OR_X) !== 0n) return base | (virtual & ((1n << shift) - 1n));
    table = base;
  }
  return undefined;
}

/** The bits of the instruction at `pc` (16 or 32 of them); undefined if it cannot be read. */
export function instructionAt(views: HartViews, ram: GuestRam, pc: bigint): number | undefined {
  const half = (address: bigint): number | undefined => {
    const physical = fetchAddress(views, ram, address);
    return physical === undefined ? undefined : ram.read16(Number(physical));
  };
  const low = half(pc);
  if (low === undefined || (low & 3) !== 3) return low;
  const high = half(BigInt.asUintN(64, pc + 2n));
  return high === undefined ? undefined : (low | (high << 16)) >>> 0;
}
