/**
 * What every device is, and all that it may touch: guest memory by address, one interrupt line, and the output door.
 * Who knows one device folder knows all: a class with `read`, `write`, `save`, `restore`, constructed from (options,
 * dependencies); its state is plain data, host handles and callbacks are never part of it.
 */

/**
 * Plain, structured-cloneable data: numbers, bigints, booleans, strings, Uint8Array, arrays and objects of these.
 * Object keys are written in a fixed order by construction, because the state's hash is taken over them.
 */
export type Plain =
  | number
  | bigint
  | boolean
  | string
  | null
  | Uint8Array
  | readonly Plain[]
  | { readonly [key: string]: Plain };

/** A device's memory-mapped registers. `offset` is relative to the device's window; `size` is 1, 2 or 4 bytes. */
export interface Device {
  /** The value, zero-extended (0 .. 2^(8*size)-1). Unknown offsets read 0. */
  read(offset: number, size: number): number;
  /** Unknown offsets are ignored. */
  write(offset: number, size: number, value: number): void;
  /** The whole state as plain data; `restore(save())` gives an equal device. Starts with a `version`. */
  save(): Plain;
  restore(state: Plain): void;
}

/**
 * Guest-physical memory, for DMA. Every write goes through the machine's one `wrote(page)` routine, so decoded code,
 * TLB entries and dirty flags stay true. `address` is guest-physical (RAM starts at 0x80000000).
 */
export interface GuestMemory {
  /** A copy of the bytes; undefined if any byte is outside RAM (or the address is not a safe integer). */
  read(address: number, length: number): Uint8Array | undefined;
  /** False, and nothing is written, if any byte would be outside RAM. */
  write(address: number, bytes: Uint8Array): boolean;
  /** Little-endian scalars for queues; undefined / false outside RAM. */
  read16(address: number): number | undefined;
  read32(address: number): number | undefined;
  read64(address: number): bigint | undefined;
  write16(address: number, value: number): boolean;
  write32(address: number, value: number): boolean;
  write64(address: number, value: bigint): boolean;
}

/** A level-triggered interrupt line into the PLIC. Setting the same level twice is harmless. */
export type InterruptLine = (asserted: boolean) => void;
