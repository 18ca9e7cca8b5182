/**
 * Length-prefixed framing of a byte stream: a big-endian u32 length, then that many bytes. QEMU's `stream` netdev, passt,
 * gvproxy and socket_vmnet all speak it with one Ethernet frame a message (QEMU, net/stream.c); the logging channel
 * uses the same shape with its own limits.
 *
 * A length is checked against the limits as soon as its four bytes are there, before anything is allocated for it: a
 * stream with a bad length is out of step for good, so the decoder refuses it and the caller closes the connection.
 */

/** What the decoder may see as a length, both ends included. */
export type FrameLimits = { readonly minLength: number; readonly maxLength: number };

/** 14 bytes of Ethernet header, at most 65,535 of payload, and one left over: the limit that QEMU's users know. */
export const ETHERNET_LIMITS: FrameLimits = { minLength: 14, maxLength: 65_550 };

export const HEADER_BYTES = 4;

/** The stream is out of step: nothing after this length can be trusted. */
export class FrameLengthError extends Error {
  override readonly name = 'FrameLengthError';
  readonly length: number;

  constructor(length: number, limits: FrameLimits) {
    super(
      `a frame says that it is ${length} bytes long; between ${limits.minLength} and ${limits.maxLength} are allowed`,
    );
    this.length = length;
  }
}

/**
 * `frame` with its length before it, in one buffer of its own: one write, one system call, and the caller may reuse
 * `frame` at once. Throws `FrameLengthError` if it is outside the limits.
 */
export function encodeFrame(frame: Uint8Array, limits: FrameLimits): Buffer {
  if (frame.length < limits.minLength || frame.length > limits.maxLength) {
    throw new FrameLengthError(frame.length, limits);
  }
  const message = Buffer.allocUnsafe(HEADER_BYTES + frame.length);
  message.writeUInt32BE(frame.length, 0);
  message.set(frame, HEADER_BYTES);
  return message;
}

/**
 * Cuts a stream of chunks into frames. A frame that lies whole in one chunk is passed on as a view of it, without a copy
 * (chunks of a Node socket are never written again); one that spans chunks is put together once.
 */
export class FrameDecoder {
  readonly #limits: FrameLimits;
  readonly #onFrame: (frame: Uint8Array) => void;
  readonly #header = new Uint8Array(HEADER_BYTES);
  #headerFilled = 0;
  #body: Uint8Array | undefined;
  #bodyFilled = 0;

  constructor(limits: FrameLimits, onFrame: (frame: Uint8Array) => void) {
    this.#limits = limits;
    this.#onFrame = onFrame;
  }

  /** Takes the next bytes of the stream; calls `onFrame` for each frame that they complete. Throws `FrameLengthError`. */
  push(chunk: Uint8Array): void {
    let at = 0;
    while (at < chunk.length) {
      at = this.#body === undefined ? this.#takeHeader(chunk, at) : this.#takeBody(chunk, at, this.#body);
    }
  }

  /** Bytes of a frame that has begun and not ended; more than 0 at the end of a stream means that it was cut. */
  get pendingBytes(): number {
    return this.#headerFilled + this.#bodyFilled;
  }

  #takeHeader(chunk: Uint8Array, start: number): number {
    let at = start;
    while (this.#headerFilled < HEADER_BYTES && at < chunk.length) this.#header[this.#headerFilled++] = chunk[at++]!;
    if (this.#headerFilled < HEADER_BYTES) return at;
    const [a, b, c, d] = this.#header as unknown as [number, number, number, number];
    const length = a * 0x1000000 + ((b << 16) | (c << 8) | d);
    if (length < this.#limits.minLength || length > this.#limits.maxLength) {
      throw new FrameLengthError(length, this.#limits);
    }
    if (at + length <= chunk.length) {
      this.#headerFilled = 0;
      this.#onFrame(chunk.subarray(at, at + length));
      return at + length;
    }
    this.#body = new Uint8Array(length);
    return at;
  }

  #takeBody(chunk: Uint8Array, at: number, body: Uint8Array): number {
    const count = Math.min(body.length - this.#bodyFilled, chunk.length - at);
    body.set(chunk.subarray(at, at + count), this.#bodyFilled);
    this.#bodyFilled += count;
    if (this.#bodyFilled === body.length) {
      this.#body = undefined;
      this.#bodyFilled = 0;
      this.#headerFilled = 0;
      this.#onFrame(body);
    }
    return at + count;
  }
}
