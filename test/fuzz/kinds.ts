/**
 * What kinds of programs there are. A program of a kind marked `portable` computes the same on every RISC-V hart that has
 * our extensions: those are held against QEMU too. The others look at time and counters, change page tables and code
 * without a fence, or live with interrupts, where only our own engines must agree, position by position.
 */
import type { Random } from '../conformance/testing/random.ts';

export const kindNames = ['compute', 'paged', 'patching', 'restless', 'interrupts', 'inputs', 'wide'] as const;
export type KindName = (typeof kindNames)[number];

export interface Features {
  readonly kind: KindName;
  readonly portable: boolean;
  readonly start: 'M' | 'S' | 'U';
  readonly paging: 'bare' | 'sv39' | 'sv48';
  /** Goes from privilege to privilege on the way. */
  readonly switches: boolean;
  /** Causes that S takes itself. */
  readonly delegated: bigint;
  readonly delegatedInterrupts: bigint;
  /** Edits leaves of data pages; and those of code and upper levels. */
  readonly edits: boolean;
  readonly wildEdits: boolean;
  /** Stores into its own code. */
  readonly patches: boolean;
  /** In percent: how often an edit or a patch is followed by its fence. */
  readonly fences: number;
  readonly interrupts: boolean;
  /** Clock and console come as inputs at positions. */
  readonly inputs: boolean;
  /** Runs through more code than the machine keeps decoded. */
  readonly wide: boolean;
  /** Reads time and counters. */
  readonly timing: boolean;
}

const PAGE_FAULTS = 0xb000n;
/** Misaligned and bad accesses, illegal instructions, breakpoints, ecalls of U, page faults. */
const DELEGABLE = 0xb1fen & ~1n;

export function drawFeatures(random: Random, only: KindName | undefined): Features {
  const drawn = random.pick<KindName>([
    ...(['compute', 'compute', 'compute', 'paged', 'paged', 'paged'] as const),
    ...([
      'patching',
      'patching',
      'restless',
      'restless',
      'restless',
      'interrupts',
      'interrupts',
      'inputs',
      'wide',
    ] as const),
  ]);
  const kind = only ?? drawn;
  const portable = kind === 'compute' || kind === 'paged' || kind === 'patching' || kind === 'wide';
  const paged =
    kind === 'wide' ? false : kind === 'compute' ? random.chance(15) : kind === 'paged' || random.chance(75);
  const restless = kind === 'restless';
  const delegated = BigInt(random.word() & random.word()) & DELEGABLE;
  return {
    kind,
    portable,
    paging: paged ? random.pick(['sv39', 'sv39', 'sv48'] as const) : 'bare',
    start: paged ? random.pick(['S', 'S', 'U', 'M'] as const) : 'M',
    switches: paged && (kind !== 'compute' || random.chance(50)),
    delegated: paged ? (restless ? delegated & ~PAGE_FAULTS : delegated) : 0n,
    delegatedInterrupts: paged ? BigInt(random.word()) & 0x222n : 0n,
    edits: paged && kind !== 'compute',
    wildEdits: paged && restless,
    patches: kind === 'patching' || restless || (!portable && random.chance(50)),
    fences: portable ? 100 : random.pick([0, 30, 70]),
    interrupts: kind === 'interrupts' || kind === 'inputs' || (restless && random.chance(60)),
    inputs: kind === 'inputs',
    wide: kind === 'wide',
    timing: !portable,
  };
}
