/**
 * Options of V8 that pay for a machine, set at run time for the whole process, so that it does not matter how it was started.
 *
 * Translations are compiled when their module is made, on the compile thread; V8 would otherwise put that off until the CPU
 * thread calls them. The interpreter is compiled by the optimising compiler from the start: its one large function would
 * else begin slowly, and change over while the guest boots.
 */
import { setFlagsFromString } from 'node:v8';

/** Before the threads of a machine are started. */
export function setMachineOptions(): void {
  setFlagsFromString('--no-wasm-lazy-compilation');
  setFlagsFromString('--experimental-wasm-branch-hinting');
  // Four times V8's own: its optimising compiler costs 34 us a guest instruction, and during a boot it falls seconds behind.
  setFlagsFromString('--wasm-tiering-budget=50000000');
}

/** WebAssembly modules that are made meanwhile, by any thread, are optimised at once. */
export function optimised<T>(make: () => T): T {
  setFlagsFromString('--no-liftoff');
  try {
    return make();
  } finally {
    setFlagsFromString('--liftoff');
  }
}
