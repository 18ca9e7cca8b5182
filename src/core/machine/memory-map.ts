/**
 * The memory map, twice: where devices and RAM are for the guest (the one home of these addresses), and where things lie
 * in the engine's linear memory.
 *
 * Linear memory holds, from 0: the hart's state; the TLBs; one row a RAM page of flags, dirty marks, page-table epochs and
 * decoded-page pointers; the pool of decoded pages; and RAM itself. Offsets are unsigned 32-bit (RAM can lie above 2 GiB).
 */
import { HART_BYTES } from './hart.ts';

/** Guest-physical addresses. */
export const RAM_BASE = 0x8000_0000;
export const MAX_RAM_BYTES = 3 * 1024 ** 3;
export const PAGE_BYTES = 4096;

export const guestMap = {
  rtc: { base: 0x0010_1000, length: 0x1000 },
  aclint: { base: 0x0200_0000, length: 0x1_0000 },
  plic: { base: 0x0c00_0000, length: 0x0400_0000 },
  uart: { base: 0x1000_0000, length: 0x100 },
  /** Slot i is at base + i * length. */
  virtio: { base: 0x1000_1000, length: 0x1000, slots: 8 },
} as const;

/** PLIC sources. */
export const interruptSource = { virtio0: 1, uart: 10, rtc: 11 } as const;

// ---- the software TLB -------------------------------------------------------------------------------------------------
/** Data TLB: 4 modes of 4,096 entries of 32 bytes: read tag, write tag, watched-write tag, addend, PTE's offset. */
export const DATA_TLB = 0x1_0000;
export const DATA_TLB_ENTRIES = 4096;
export const DATA_TLB_ENTRY_BYTES = 32;
export const DATA_TLB_BYTES = DATA_TLB_ENTRIES * DATA_TLB_ENTRY_BYTES;
/** Order of the data modes' tables. */
export const dataMode = { U: 0, S: 1, SSum: 2, M: 3 } as const;
export const tlbEntry = { readTag: 0, writeTag: 8, watchTag: 16, addend: 24, pte: 28 } as const;

/** Fetch TLB: 3 privileges (U, S, M) of 1,024 entries of 16 bytes: tag, decoded page, PTE's offset. */
export const FETCH_TLB = DATA_TLB + 4 * DATA_TLB_BYTES;
export const FETCH_TLB_ENTRIES = 1024;
export const FETCH_TLB_ENTRY_BYTES = 16;
export const FETCH_TLB_BYTES = FETCH_TLB_ENTRIES * FETCH_TLB_ENTRY_BYTES;
export const fetchEntry = { tag: 0, decode: 8, pte: 12 } as const;
const TLB_END = FETCH_TLB + 3 * FETCH_TLB_BYTES;

// ---- decoded pages ------------------------------------------------------------------------------------------------------
/** A predecoded instruction: 16 bytes, one for each 2-byte slot of a page. See engine/interpreter/record.ts. */
export const RECORD_BYTES = 16;
export const SLOTS = PAGE_BYTES / 2;
/** Two slots behind the last catch what runs off the page's end; the trailer follows. */
export const DECODED_TRAILER = (SLOTS + 2) * RECORD_BYTES;
/** A word for each slot: how often it was jumped to, or (with PROFILE_TRANSLATED) the translation that begins there. */
export const DECODED_PROFILE = DECODED_TRAILER + 2 * RECORD_BYTES;
/** A byte for each slot: its bytes are part of a translation. */
export const DECODED_COVER = DECODED_PROFILE + SLOTS * 4;
export const DECODED_BYTES = DECODED_COVER + SLOTS;
/**
 * In the trailer: RAM offset of the page; stores since the last decode; whether any translation covers a part of it; its
 * life, which changes whenever its translations are lost: by 1 if they were dropped, by LIFE_DECODED if the decoded page
 * was given up and made again; whether a fetch has looked it up since the pool's hand came by; and while it is free, the
 * next one that is.
 */
export const trailer = { host: 0, stores: 4, translated: 8, life: 12, used: 16, nextFree: 20 } as const;
export const LIFE_DECODED = 0x1_0000;
/** A profile word of a translation: its number in bits 14:0, this bit, and the block to begin with from bit 16. */
export const PROFILE_TRANSLATED = 0x8000;
/** Translations are entered only with this many steps left: no path in them to the next look at the count is longer. */
export const ENTRY_STEPS = 512;
export const DECODED_PAGES = 2048;

/** Flags of a RAM page: stores there take the slow path. */
export const PAGE_CODE = 1;
/** Leaf PTEs of 4 KiB pages were read from it. */
export const PAGE_PTE = 2;
/** Upper-level PTEs (or superpage leaves) were read from it. */
export const PAGE_TABLE = 4;
/** It holds `tohost` (a bare-metal ELF's console and exit). */
export const PAGE_HTIF = 8;

/**
 * Written since the memory was last hashed, since it was last copied, and ever. A store sets all bits at once, and whoever clears
 * his own voids the write tags (MACHINE.md, 13), so a page gets a write tag only while all of them are set.
 */
export const DIRTY_HASH = 1;
export const DIRTY_COPY = 2;
export const DIRTY_EVER = 4;
export const DIRTY_ALL = DIRTY_HASH | DIRTY_COPY | DIRTY_EVER;

export interface MemoryMap {
  readonly ramBytes: number;
  readonly ramPages: number;
  /** u8 a page: PAGE_* flags. */
  readonly flags: number;
  /** u8 a page: DIRTY_* bits, one for each who wants to know of writes. */
  readonly dirty: number;
  /** u32 a page: the epoch in which PTEs were last read from it. */
  readonly pteEpoch: number;
  /** u32 a page: its decoded page, 0 = none. */
  readonly decodedOf: number;
  /** The scratch page for straddling instructions, then the pool. */
  readonly scratch: number;
  readonly pool: number;
  readonly poolEnd: number;
  readonly ram: number;
  readonly totalBytes: number;
}

const align = (offset: number, to: number): number => Math.ceil(offset / to) * to;

export function memoryMap(ramBytes: number): MemoryMap {
  const ramPages = ramBytes / PAGE_BYTES;
  const flags = align(Math.max(TLB_END, HART_BYTES), 64);
  const dirty = align(flags + ramPages, 64);
  const pteEpoch = align(dirty + ramPages, 64);
  const decodedOf = pteEpoch + ramPages * 4;
  const scratch = align(decodedOf + ramPages * 4, 64);
  const pool = scratch + DECODED_BYTES;
  const poolEnd = pool + DECODED_PAGES * DECODED_BYTES;
  const ram = align(poolEnd, 65536);
  return {
    ramBytes,
    ramPages,
    flags,
    dirty,
    pteEpoch,
    decodedOf,
    scratch,
    pool,
    poolEnd,
    ram,
    totalBytes: align(ram + ramBytes, 65536),
  };
}
