/**
 * The main thread's handle on the compile thread: starts it, starts another when it ends by a fault, and gives up after a
 * few: then what is not yet translated stays interpreted. The guest never notices more than speed.
 */
import { MessageChannel, type MessagePort, Worker } from 'node:worker_threads';
import type { CompileLink } from './port-compiler.ts';
import { lowerPriority } from './thread-priority.ts';

/** Given to the worker as its `workerData`. */
export interface CompileThreadData {
  readonly port: MessagePort;
  /** One word, bumped after each result. */
  readonly delivered: Int32Array<SharedArrayBuffer>;
}

/** What the thread says to the main thread. */
export interface CompileThreadNote {
  readonly type: 'failed';
  readonly why: string;
}

export interface CompileWorkerEvents {
  /** The former thread is gone; what it had been asked for is lost. Undefined: there will be no other. */
  readonly onLink: (link: CompileLink | undefined) => void;
  readonly onNotice: (line: string) => void;
}

/** Beside this file: TypeScript in a clone, JavaScript in a package. */
const THREAD = new URL(
  import.meta.url.endsWith('.ts') ? './compile-thread.ts' : './compile-thread.js',
  import.meta.url,
);

/** Of the thread, for the operating system: at most 15 bytes. */
const NAME = 'compile';
const MAX_RESTARTS = 3;
/**
 * A batch takes a few MB; what takes this much is a fault. V8 lets a young generation without a limit grow to 48 MB before it
 * looks for what is dead there, and never gives that back.
 */
const HEAP_MIB = { maxOldGenerationSizeMb: 128, maxYoungGenerationSizeMb: 12 };

export class CompileWorker {
  readonly #events: CompileWorkerEvents;
  #worker: Worker | undefined;
  #restarts = 0;
  #complained = false;
  #stopped = false;

  constructor(events: CompileWorkerEvents) {
    this.#events = events;
  }

  /** Starts the thread; the link is for the CPU thread, to be transferred with its port. */
  start(): CompileLink {
    const { port1, port2 } = new MessageChannel();
    const delivered = new Int32Array(new SharedArrayBuffer(4));
    const workerData: CompileThreadData = { port: port2, delivered };
    const worker = new Worker(THREAD, {
      workerData,
      transferList: [port2],
      name: NAME,
      resourceLimits: HEAP_MIB,
    });
    worker.unref();
    worker.on('online', () => lowerPriority(NAME));
    worker.on('message', (note: CompileThreadNote) => this.#complain(note.why));
    // 'exit' follows.
    worker.on('error', (error) => this.#events.onNotice(`the compile thread failed: ${error.message}`));
    worker.on('exit', () => this.#ended(worker));
    this.#worker = worker;
    return { port: port1, delivered };
  }

  /** One is enough: a fault of the translator comes again and again. */
  #complain(why: string): void {
    if (this.#complained) return;
    this.#complained = true;
    this.#events.onNotice(`some guest code cannot be translated and stays interpreted, please report this bug: ${why}`);
  }

  #ended(worker: Worker): void {
    if (this.#stopped || worker !== this.#worker) return;
    this.#worker = undefined;
    if (this.#restarts === MAX_RESTARTS) {
      this.#events.onNotice(
        'the compile thread ended again and again: code that is not translated yet stays interpreted',
      );
      return this.#events.onLink(undefined);
    }
    this.#restarts++;
    this.#events.onLink(this.start());
  }

  /** Ends the thread for good. */
  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#worker?.terminate();
  }
}
