/** Simulated time: a queue of things to do, in order of time and, at one time, in the order in which they were put in. */
interface Item {
  readonly atMs: number;
  readonly order: number;
  readonly run: () => void;
}

export class Schedule {
  /** A binary heap. */
  readonly #heap: Item[] = [];
  #nowMs = 0;
  #order = 0;

  get nowMs(): number {
    return this.#nowMs;
  }

  /** Runs `run` after `delayMs`; not before what was put in earlier for the same time. */
  after(delayMs: number, run: () => void): void {
    const item = { atMs: this.#nowMs + Math.max(0, delayMs), order: this.#order++, run };
    const heap = this.#heap;
    let at = heap.push(item) - 1;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (before(heap[parent]!, item)) break;
      heap[at] = heap[parent]!;
      at = parent;
    }
    heap[at] = item;
  }

  /** Runs everything up to `untilMs`. */
  runUntil(untilMs: number): void {
    while (this.#heap.length > 0 && this.#heap[0]!.atMs <= untilMs) {
      const item = this.#pop();
      this.#nowMs = item.atMs;
      item.run();
    }
    this.#nowMs = untilMs;
  }

  #pop(): Item {
    const heap = this.#heap;
    const top = heap[0]!;
    const last = heap.pop()!;
    if (heap.length === 0) return top;
    let at = 0;
    for (;;) {
      let child = at * 2 + 1;
      if (child >= heap.length) break;
      if (child + 1 < heap.length && before(heap[child + 1]!, heap[child]!)) child++;
      if (before(last, heap[child]!)) break;
      heap[at] = heap[child]!;
      at = child;
    }
    heap[at] = last;
    return top;
  }
}

function before(one: Item, other: Item): boolean {
  return one.atMs < other.atMs || (one.atMs === other.atMs && one.order < other.order);
}
