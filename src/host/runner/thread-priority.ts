/**
 * Compiling is background work: where the host has fewer processors than threads that want one, the guest goes first. Linux
 * takes a thread's id where a process's is asked for (setpriority(2), "C library/kernel differences"), and threads have
 * names in /proc.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { setPriority } from 'node:os';

/** V8's own threads, on which its optimising compiler runs. */
const V8_THREADS = 'V8Worker';
/** A ninth of the weight of others. */
const NICE = 10;

/** For the threads of this process with that name, and for V8's. Where it cannot be done it is left. */
export function lowerPriority(threadName: string): void {
  try {
    for (const id of readdirSync('/proc/self/task')) {
      const name = readFileSync(`/proc/self/task/${id}/comm`, 'utf8').trim();
      if (name === V8_THREADS || name === threadName) setPriority(Number(id), NICE);
    }
  } catch {
    // Threads come and go, and not every system has a /proc: it goes without.
  }
}
