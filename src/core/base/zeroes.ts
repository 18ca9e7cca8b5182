/** Most pages of most machines hold nothing: they are worth a quick look. */

/** Whether all bytes are 0. */
export function isZero(bytes: Uint8Array): boolean {
  const start = bytes.byteOffset;
  if (start % 4 !== 0 || bytes.length % 4 !== 0) return bytes.every((byte) => byte === 0);
  const words = new Int32Array(bytes.buffer, start, bytes.length / 4);
  for (let i = 0; i < words.length; i++) if (words[i] !== 0) return false;
  return true;
}
