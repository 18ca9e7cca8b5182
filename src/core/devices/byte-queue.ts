/**
 * A bounded first-in first-out queue of bytes: console input that waits for the guest. It is bounded because the world
 * may send without end; what does not fit is dropped, and the drop depends on the state only, so that two copies drop
 * the same bytes. A ring inside, but its saved form is the plain content: where the ring stands never shows.
 */
export class ByteQueue {
  readonly capacity: number;
  readonly #ring: Uint8Array;
  #start = 0;
  #length = 0;

  /** `capacity` in bytes. */
  constructor(capacity: number) {
    this.capacity = capacity;
    this.#ring = new Uint8Array(capacity);
  }

  get length(): number {
    return this.#length;
  }

  /** Appends as many bytes as fit; returns how many that were. */
  push(data: Uint8Array): number {
    const count = Math.min(data.length, this.capacity - this.#length);
    const end = (this.#start + this.#length) % this.capacity;
    const first = Math.min(count, this.capacity - end);
    this.#ring.set(data.subarray(0, first), end);
    this.#ring.set(data.subarray(first, count), 0);
    this.#length += count;
    return count;
  }

  /** Appends one byte; false if the queue is full. */
  pushByte(value: number): boolean {
    if (this.#length === this.capacity) return false;
    this.#ring[(this.#start + this.#length) % this.capacity] = value;
    this.#length += 1;
    return true;
  }

  /** Removes and returns the oldest byte; undefined if there is none. */
  shift(): number | undefined {
    if (this.#length === 0) return undefined;
    const value = this.#ring[this.#start];
    this.#start = (this.#start + 1) % this.capacity;
    this.#length -= 1;
    return value;
  }

  /** Removes and returns the oldest bytes, at most `maxBytes`. */
  take(maxBytes: number): Uint8Array {
    const bytes = this.peek(maxBytes);
    this.#start = (this.#start + bytes.length) % this.capacity;
    this.#length -= bytes.length;
    return bytes;
  }

  /** A copy of the oldest bytes, at most `maxBytes`, or of all of them. */
  peek(maxBytes: number = this.#length): Uint8Array {
    const count = Math.min(maxBytes, this.#length);
    const bytes = new Uint8Array(count);
    const first = Math.min(count, this.capacity - this.#start);
    bytes.set(this.#ring.subarray(this.#start, this.#start + first), 0);
    bytes.set(this.#ring.subarray(0, count - first), first);
    return bytes;
  }

  clear(): void {
    this.#start = 0;
    this.#length = 0;
  }
}
