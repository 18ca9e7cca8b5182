/** The main thread's handle on the CPU thread. */
import { Worker } from 'node:worker_threads';
import { OperatingError } from '../../core/base/error.ts';
import type { EngineKind } from '../../core/engine/engine.ts';
import type { CpuCommand, CpuReport } from '../../core/replication/cpu-link.ts';
import type { MachineConfig } from '../../core/vm/machine-config.ts';
import type { CpuThreadData, CpuThreadNote } from './cpu-thread.ts';
import { checkMemory } from './memory-check.ts';

/** Beside this file: TypeScript in a clone, JavaScript in a package. */
const THREAD = new URL(import.meta.url.endsWith('.ts') ? './cpu-thread.ts' : './cpu-thread.js', import.meta.url);

export interface RunnerEvents {
  readonly onReport: (report: CpuReport) => void;
  /** The thread ended by a bug (or the host ran out of memory): the machine is gone. */
  readonly onCrash: (error: Error) => void;
}

export class Runner {
  readonly #worker: Worker;
  readonly #signal: Int32Array<SharedArrayBuffer>;
  #ended = false;

  private constructor(worker: Worker, signal: Int32Array<SharedArrayBuffer>) {
    this.#worker = worker;
    this.#signal = signal;
  }

  /** Builds the machine in a thread of its own. Throws OperatingError if that cannot be (memory, a wrong kernel). */
  static async start(config: MachineConfig, engine: EngineKind, events: RunnerEvents): Promise<Runner> {
    checkMemory(config.ramBytes, process.availableMemory());
    const signal = new Int32Array(new SharedArrayBuffer(4));
    const workerData: CpuThreadData = { config, engine, signal };
    const worker = new Worker(THREAD, { workerData });
    const runner = new Runner(worker, signal);
    await new Promise<void>((resolve, reject) => {
      worker.on('message', (message: CpuReport | CpuThreadNote) => {
        if (message.type === 'ready') resolve();
        else if (message.type === 'failed') reject(new OperatingError(message.code, message.message, message.advice));
        else if (!runner.#ended) events.onReport(message);
      });
      worker.on('error', (error) => {
        reject(error);
        if (!runner.#ended) events.onCrash(error);
      });
    });
    return runner;
  }

  send(command: CpuCommand): void {
    this.#worker.postMessage(command);
    Atomics.add(this.#signal, 0, 1);
    Atomics.notify(this.#signal, 0);
  }

  /** Ends the thread wherever it is; no report follows. */
  async stop(): Promise<void> {
    this.#ended = true;
    await this.#worker.terminate();
  }
}
