/**
 * Reads what `ByteWriter` wrote, from bytes that nobody vouches for: every read is checked against the end first, every
 * length against a limit before anything is taken. What is wrong is a `MalformedError` with the offset, nothing else.
 */

/** The bytes are not what they should be. `offset` is relative to the reader's first byte. */
export class MalformedError extends Error {
  override readonly name = 'MalformedError';
  readonly offset: number;

  constructor(offset: number, message: string) {
    super(message);
    this.offset = offset;
  }
}

const decoder = new TextDecoder('utf-8', { fatal: true });

export class ByteReader {
  readonly #bytes: Uint8Array;
  /** Made when it is needed: most readers live for a few bytes. */
  #view: DataView | undefined;
  #at = 0;

  constructor(bytes: Uint8Array) {
    // A plain view, whatever subclass was given: what is cut from it enters the machine.
    const plain = bytes.constructor === Uint8Array;
    this.#bytes = plain ? bytes : new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  get offset(): number {
    return this.#at;
  }

  get left(): number {
    return this.#bytes.length - this.#at;
  }

  u8(): number {
    return this.#bytes[this.#advance(1)];
  }

  u16(): number {
    return this.#words.getUint16(this.#advance(2), true);
  }

  u32(): number {
    return this.#words.getUint32(this.#advance(4), true);
  }

  u64(): bigint {
    return this.#words.getBigUint64(this.#advance(8), true);
  }

  f64(): number {
    return this.#words.getFloat64(this.#advance(8), true);
  }

  boolean(): boolean {
    const value = this.u8();
    if (value > 1) throw new MalformedError(this.#at - 1, `a truth value is 0 or 1, not ${value}`);
    return value === 1;
  }

  /** A LEB128 integer that is a safe integer. */
  varint(limit: number = Number.MAX_SAFE_INTEGER): number {
    const start = this.#at;
    let value = 0;
    let scale = 1;
    for (let count = 0; count < 8; count++) {
      const byte = this.u8();
      value += (byte & 0x7f) * scale;
      scale *= 128;
      if (byte < 128) {
        if (value > limit) throw new MalformedError(start, `${value} is above the limit of ${limit}`);
        return value;
      }
    }
    throw new MalformedError(start, 'a variable-length integer is too long');
  }

  /** A LEB128 integer, 0 .. 2^64-1. */
  varint64(): bigint {
    const start = this.#at;
    let value = 0n;
    for (let shift = 0n; shift < 70n; shift += 7n) {
      const byte = this.u8();
      value |= BigInt(byte & 0x7f) << shift;
      if (byte < 128) {
        if (value >= 1n << 64n) break;
        return value;
      }
    }
    throw new MalformedError(start, 'a variable-length integer is too long');
  }

  /** `length` bytes, by reference: a view of the reader's own buffer. */
  raw(length: number): Uint8Array {
    const start = this.#advance(length);
    return this.#bytes.subarray(start, start + length);
  }

  /** A byte string of at most `limit` bytes, by reference. */
  bytes(limit: number): Uint8Array {
    return this.raw(this.varint(limit));
  }

  /** A UTF-8 string of at most `limit` bytes. */
  text(limit: number): string {
    const start = this.#at;
    const bytes = this.bytes(limit);
    try {
      return decoder.decode(bytes);
    } catch {
      throw new MalformedError(start, 'a text is not UTF-8');
    }
  }

  /** Nothing may be left. */
  end(): void {
    if (this.left > 0) throw new MalformedError(this.#at, `${this.left} bytes too many`);
  }

  get #words(): DataView {
    this.#view ??= new DataView(this.#bytes.buffer, this.#bytes.byteOffset, this.#bytes.byteLength);
    return this.#view;
  }

  #advance(length: number): number {
    const start = this.#at;
    if (length > this.left) throw new MalformedError(start, `${length} bytes wanted, ${this.left} left`);
    this.#at = start + length;
    return start;
  }
}
