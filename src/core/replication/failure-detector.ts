/**
 * Suspects a peer that is silent for too long. Suspicion decides nothing: it only makes a replica ask the arbiter
 * (PROTOCOL.md, 8). Silence counts only while this process itself was running: after a gap in its own life it starts anew,
 * because what the peer said meanwhile still waits in the socket (PROTOCOL.md, 12).
 */
export interface FailureDetectorOptions {
  /** Silence of this length is suspicious. */
  readonly silenceMs: number;
  /** A gap of this length between two calls of `observe` means that this process was not running. */
  readonly ownPauseMs: number;
}

export class FailureDetector {
  readonly #options: FailureDetectorOptions;
  #heardMs: number;
  #observedMs: number;

  constructor(options: FailureDetectorOptions, nowMs: number) {
    this.#options = options;
    this.#heardMs = nowMs;
    this.#observedMs = nowMs;
  }

  /** This process runs now. Called at every event, ticks included, before anything else. */
  observe(nowMs: number): void {
    if (nowMs - this.#observedMs >= this.#options.ownPauseMs) this.#heardMs = nowMs;
    this.#observedMs = nowMs;
  }

  /** The peer said something that only a working peer says. */
  heard(nowMs: number): void {
    this.#heardMs = nowMs;
  }

  suspects(nowMs: number): boolean {
    return nowMs - this.#heardMs >= this.#options.silenceMs;
  }
}
