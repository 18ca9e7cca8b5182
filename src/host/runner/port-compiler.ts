/**
 * The CPU thread's end of the compile thread: batches go out through a port, modules are taken from it between slices,
 * without a turn of the event loop.
 */
import { type MessagePort, receiveMessageOnPort } from 'node:worker_threads';
import type { CompileBatch, CompileResult, Compiler } from '../../core/engine/translator/compiler.ts';

/** The compile thread is somewhere behind this port. Plain data but for the port: it goes to the CPU thread. */
export interface CompileLink {
  readonly port: MessagePort;
  /** One word, bumped after each result. */
  readonly delivered: Int32Array<SharedArrayBuffer>;
}

/** While one batch is compiled, the next is there already. */
const DEPTH = 2;

export class PortCompiler implements Compiler {
  #link: CompileLink | undefined;
  #seen = 0;
  /** Submitted to the thread behind the present link, without an answer. */
  readonly #pending = new Set<number>();
  readonly #lost: number[] = [];

  /** 0 without a compile thread: nothing is asked for. */
  get depth(): number {
    return this.#link === undefined ? 0 : DEPTH;
  }

  /** Another compile thread takes over, or none does (undefined): what the former one had is lost. */
  attach(link: CompileLink | undefined): void {
    this.#link?.port.close();
    this.#link = link;
    this.#seen = 0;
    this.#lost.push(...this.#pending);
    this.#pending.clear();
  }

  submit(batch: CompileBatch): void {
    if (this.#link === undefined) {
      this.#lost.push(batch.id);
      return;
    }
    this.#pending.add(batch.id);
    this.#link.port.postMessage(batch);
  }

  poll(): CompileResult | undefined {
    const lost = this.#lost.pop();
    if (lost !== undefined) return { id: lost, code: undefined };
    if (this.#link === undefined || Atomics.load(this.#link.delivered, 0) === this.#seen) return undefined;
    const got = receiveMessageOnPort(this.#link.port);
    if (got === undefined) return undefined;
    this.#seen++;
    const result = got.message as CompileResult;
    this.#pending.delete(result.id);
    return result;
  }
}
