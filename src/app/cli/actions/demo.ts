/** `understudy demo`: the course of src/app/demo in this terminal. */
import { join, resolve } from 'node:path';
import { Interrupted } from '../../demo/changes.ts';
import { runDemo } from '../../demo/demo.ts';
import { Screen } from '../../demo/screen.ts';
import { exitStatus } from '../failure.ts';
import type { DemoRequest } from '../requests.ts';

/** In a clone it belongs to the clone, wherever the demo is started from; an installed package may not be ours to write to. */
const isClone = import.meta.filename.endsWith('.ts');
const CACHE = isClone ? join(import.meta.dirname, '../../../../.cache') : resolve('.cache');

/** Status 0 if all that the demo claims was true, and for Ctrl-C once that is shown. */
export async function demo(request: DemoRequest): Promise<number> {
  const abort = new AbortController();
  const interrupt = (): void => abort.abort();
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
  for (const signal of signals) process.on(signal, interrupt);
  const screen = new Screen(process.stdout);
  try {
    const isGood = await runDemo({ ...request, cacheDirectory: CACHE, screen, signal: abort.signal });
    return isGood ? exitStatus.success : exitStatus.failure;
  } catch (error) {
    if (!(error instanceof Interrupted)) throw error;
    return exitStatus.failure;
  } finally {
    for (const signal of signals) process.off(signal, interrupt);
  }
}
