/** Credit in bytes: who sends takes some first, in order of asking, and it comes back when the other side has answered. */
export class Window {
  readonly #bytes: number;
  #free: number;
  #waiting: { readonly bytes: number; readonly go: () => void }[] = [];
  #closed = false;

  constructor(bytes: number) {
    this.#bytes = bytes;
    this.#free = bytes;
  }

  /** Resolves when there is room. What is larger than the window waits until it is empty. */
  take(bytes: number): Promise<void> {
    return new Promise((go) => {
      this.#waiting.push({ bytes, go });
      this.#serve();
    });
  }

  give(bytes: number): void {
    this.#free += Math.min(bytes, this.#bytes);
    this.#serve();
  }

  /** Lets everybody go, now and later. */
  close(): void {
    this.#closed = true;
    this.#serve();
  }

  #serve(): void {
    for (let next = this.#waiting[0]; next !== undefined; next = this.#waiting[0]) {
      const bytes = Math.min(next.bytes, this.#bytes);
      if (!this.#closed && bytes > this.#free) return;
      this.#free -= bytes;
      this.#waiting.shift();
      next.go();
    }
  }
}
