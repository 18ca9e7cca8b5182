/**
 * A clock in milliseconds that never runs backwards and goes on while the process is stopped or the whole host is suspended
 * (CLOCK_BOOTTIME), which Node does not offer: the fine steps come from its monotonic clock, and the time that this one
 * slept through from /proc/uptime. PROTOCOL.md, 14 rests on it.
 */
import { openSync, readSync } from 'node:fs';

/** /proc/uptime counts in hundredths of a second. */
const RESOLUTION_MS = 10;

export function openBootClock(): () => number {
  const buffer = Buffer.alloc(64);
  let uptimeFile: number | undefined;
  try {
    uptimeFile = openSync('/proc/uptime', 'r');
  } catch {
    // Not Linux, or no /proc: the monotonic clock alone.
    return () => performance.now();
  }
  const uptimeMs = (file: number): number => {
    const length = readSync(file, buffer, 0, buffer.length, 0);
    return Number.parseFloat(buffer.toString('latin1', 0, length)) * 1000;
  };
  const file = uptimeFile;
  const origin = uptimeMs(file) - performance.now();
  let slept = 0;
  return () => {
    const now = performance.now();
    const ahead = uptimeMs(file) - now - origin;
    if (ahead - slept > 2 * RESOLUTION_MS) slept = ahead;
    return now + slept;
  };
}
