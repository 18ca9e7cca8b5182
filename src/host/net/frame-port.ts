/**
 * One end of an Ethernet link over a connected stream socket: frames in, frames out, in QEMU's framing. It behaves as a
 * wire does: what the other end does not read in time is dropped and counted, never waited for, and the sender is
 * never told. Each frame is one write, at once: nothing gathers frames and no timer delays them.
 */
import type { Socket } from 'node:net';
import { ETHERNET_LIMITS, encodeFrame, FrameDecoder, FrameLengthError } from './framing.ts';

export type PortCounters = {
  framesIn: number;
  framesOut: number;
  /** Frames that were not sent: the peer did not read, the link was down, or the length was not Ethernet's. */
  framesDropped: number;
};

export type FramePortEvents = {
  /** A frame has arrived. Called synchronously, in order; the bytes are never written again. */
  readonly onFrame: (frame: Uint8Array) => void;
  /** The link is gone, with what was wrong if anything was. Called once, after the last frame. */
  readonly onClose: (error: Error | undefined) => void;
};

/** Bytes that may wait for a peer that does not read: a burst of several TCP windows, but no endless queue. */
export const DEFAULT_MAX_QUEUED_BYTES = 8 * 1024 * 1024;

export class FramePort {
  readonly counters: PortCounters = { framesIn: 0, framesOut: 0, framesDropped: 0 };
  readonly #socket: Socket;
  readonly #maxQueuedBytes: number;
  #error: Error | undefined;

  /** Takes over `socket`, which is connected. */
  constructor(socket: Socket, events: FramePortEvents, maxQueuedBytes = DEFAULT_MAX_QUEUED_BYTES) {
    this.#socket = socket;
    this.#maxQueuedBytes = maxQueuedBytes;
    const decoder = new FrameDecoder(ETHERNET_LIMITS, (frame) => {
      this.counters.framesIn++;
      events.onFrame(frame);
    });
    socket.on('data', (chunk: Buffer) => {
      try {
        decoder.push(chunk);
      } catch (error) {
        if (!(error instanceof FrameLengthError)) throw error;
        this.#error ??= error;
        socket.destroy();
      }
    });
    socket.on('error', (error) => {
      this.#error ??= error;
    });
    socket.on('end', () => socket.destroy());
    socket.on('close', () => events.onClose(this.#error));
  }

  /** Sends a frame, or drops it: the answer says which. The caller may reuse `frame` at once. */
  send(frame: Uint8Array): boolean {
    const { minLength, maxLength } = ETHERNET_LIMITS;
    const fits = frame.length >= minLength && frame.length <= maxLength;
    if (!fits || !this.#socket.writable || this.#socket.writableLength > this.#maxQueuedBytes) {
      this.counters.framesDropped++;
      return false;
    }
    this.#socket.write(encodeFrame(frame, ETHERNET_LIMITS));
    this.counters.framesOut++;
    return true;
  }

  /** Ends the link at once; `onClose` follows. Frames still queued are lost. */
  close(): void {
    this.#socket.destroy();
  }
}
