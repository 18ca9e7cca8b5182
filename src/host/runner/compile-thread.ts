/**
 * The compile thread: takes batches of what is to be translated from a port, generates and compiles, and hands the modules
 * back. It knows nothing of the machine; it may be slow, or end, and the guest is interpreted where its code is missing.
 */
import { parentPort, workerData } from 'node:worker_threads';
import { assert } from '../../core/base/assert.ts';
import { type CompileBatch, type CompileResult, compileBatch } from '../../core/engine/translator/compiler.ts';
import type { CompileThreadData, CompileThreadNote } from './compile-worker.ts';

const main = parentPort;
assert(main !== null, 'the compile thread is a worker');
const { port, delivered } = workerData as CompileThreadData;

function compile(batch: CompileBatch): CompileResult {
  try {
    return compileBatch(batch);
  } catch (error) {
    // A bug of the translator. The guest does not see it, somebody should.
    const why = error instanceof Error ? (error.stack ?? error.message) : String(error);
    main!.postMessage({ type: 'failed', why } satisfies CompileThreadNote);
    return { id: batch.id, code: undefined };
  }
}

port.on('message', (batch: CompileBatch) => {
  port.postMessage(compile(batch));
  Atomics.add(delivered, 0, 1);
});
