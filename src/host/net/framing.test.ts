import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ETHERNET_LIMITS, encodeFrame, FrameDecoder, FrameLengthError } from './framing.ts';

function frameOf(length: number, seed: number): Uint8Array {
  return Uint8Array.from({ length }, (_, index) => (index * 7 + seed) & 255);
}

/** Decodes `stream` in pieces of `size` bytes and returns copies of what came out. */
function decodeInPieces(stream: Uint8Array, size: number): Uint8Array[] {
  const frames: Uint8Array[] = [];
  const decoder = new FrameDecoder(ETHERNET_LIMITS, (frame) => frames.push(Uint8Array.from(frame)));
  for (let at = 0; at < stream.length; at += size) decoder.push(stream.subarray(at, at + size));
  assert.equal(decoder.pendingBytes, 0);
  return frames;
}

test('frames come out whole however the stream is cut into chunks', () => {
  const frames = [frameOf(14, 1), frameOf(1514, 2), frameOf(60, 3), frameOf(9000, 4), frameOf(65_550, 5)];
  const stream = Buffer.concat(frames.map((frame) => encodeFrame(frame, ETHERNET_LIMITS)));
  for (const size of [1, 3, 4, 5, 17, 1518, 4096, 65_536, stream.length]) {
    const decoded = decodeInPieces(stream, size);
    assert.equal(decoded.length, frames.length);
    decoded.forEach((frame, index) => {
      assert.deepEqual(frame, frames[index]);
    });
  }
});

test('the length on the wire is big-endian', () => {
  assert.deepEqual([...encodeFrame(frameOf(0x0102, 0), ETHERNET_LIMITS).subarray(0, 4)], [0, 0, 1, 2]);
});

test('a length outside the limits is refused before its body arrives', () => {
  for (const length of [0, 13, 65_551, 0x7fff_ffff, 0xffff_ffff]) {
    const header = Buffer.alloc(4);
    header.writeUInt32BE(length);
    const decoder = new FrameDecoder(ETHERNET_LIMITS, () => assert.fail('no frame is complete'));
    assert.throws(
      () => decoder.push(header),
      (error: unknown) => error instanceof FrameLengthError && error.length === length,
    );
  }
});

test('a frame outside the limits cannot be sent', () => {
  assert.throws(() => encodeFrame(frameOf(13, 0), ETHERNET_LIMITS), FrameLengthError);
  assert.throws(() => encodeFrame(frameOf(65_551, 0), ETHERNET_LIMITS), FrameLengthError);
});

test('a cut stream shows as pending bytes', () => {
  const decoder = new FrameDecoder(ETHERNET_LIMITS, () => assert.fail('no frame is complete'));
  decoder.push(encodeFrame(frameOf(100, 0), ETHERNET_LIMITS).subarray(0, 50));
  assert.equal(decoder.pendingBytes, 50);
});
