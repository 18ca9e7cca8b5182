/**
 * Whether this host has the memory that a machine may come to use. A guest's memory is taken page by page as it is touched:
 * without this look the host would find out much later, and end some process for it.
 */
import { OperatingError } from '../../core/base/error.ts';
import { memoryMap } from '../../core/machine/memory-map.ts';

const MiB = 1024 * 1024;
/** What the process needs beside the machine: the runtime, the kernel's and the initramfs' bytes, buffers. */
const PROCESS_BYTES = 128 * MiB;

/** Throws OperatingError `memory-unavailable` if `availableBytes` are too few for a machine with `ramBytes` of RAM. */
export function checkMemory(ramBytes: number, availableBytes: number): void {
  const needed = memoryMap(ramBytes).totalBytes + PROCESS_BYTES;
  if (needed <= availableBytes) return;
  const inMiB = (bytes: number): number => Math.round(bytes / MiB);
  throw new OperatingError(
    'memory-unavailable',
    `a machine with ${inMiB(ramBytes)} MiB needs ${inMiB(needed)} MiB of memory, and this host has ${inMiB(availableBytes)} MiB left`,
    'Give the machine less memory, or stop something else.',
  );
}
