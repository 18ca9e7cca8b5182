/**
 * One question to the arbiter at a time, asked again until the answer is something else than 'unknown' (PROTOCOL.md, 4).
 * Nothing is ever guessed from a missing answer.
 */
import type { ArbiterReply, ArbiterRequest } from './arbiter-protocol.ts';

export class Asking {
  readonly #retryMs: number;
  #request: ArbiterRequest | undefined;
  #retryAtMs: number | undefined;

  constructor(retryMs: number) {
    this.#retryMs = retryMs;
  }

  /** Whether a question of this kind waits for its answer. */
  asks(op: ArbiterRequest['op']): boolean {
    return this.#request?.op === op;
  }

  /** The question is now this one; an answer to an earlier one will be ignored. */
  ask(request: ArbiterRequest): ArbiterRequest {
    this.#request = request;
    this.#retryAtMs = undefined;
    return request;
  }

  /** True if `reply` settles the question. */
  settles(reply: ArbiterReply, nowMs: number): boolean {
    const request = this.#request;
    if (request === undefined || request.op !== reply.op) return false;
    if (
      'generation' in request &&
      'generation' in reply &&
      reply.op !== 'cold-claim' &&
      request.generation !== reply.generation
    )
      return false;
    // A record that is missing may be one that this replica's path to the arbiter does not show (yet).
    if (reply.outcome === 'unknown' || reply.outcome === 'missing') {
      this.#retryAtMs = nowMs + this.#retryMs;
      return false;
    }
    this.#request = undefined;
    this.#retryAtMs = undefined;
    return true;
  }

  /** The question, if it is time to ask it again. */
  again(nowMs: number): ArbiterRequest | undefined {
    if (this.#retryAtMs === undefined || nowMs < this.#retryAtMs) return undefined;
    this.#retryAtMs = undefined;
    return this.#request;
  }
}
