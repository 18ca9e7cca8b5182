/**
 * CRC-32C (Castagnoli; RFC 3720, appendix B.4): the checksum of log entries, log batches and outputs. It finds accidents
 * on a wire or a disk; it proves nothing against an attacker.
 *
 * Slicing by eight: eight tables, so that eight bytes cost eight look-ups that do not wait for each other.
 */
const POLYNOMIAL = 0x82f63b78;

const tables: readonly Uint32Array[] = makeTables();

function makeTables(): Uint32Array[] {
  const made = Array.from({ length: 8 }, () => new Uint32Array(256));
  const first = made[0]!;
  for (let byte = 0; byte < 256; byte++) {
    let crc = byte;
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ POLYNOMIAL : crc >>> 1;
    first[byte] = crc >>> 0;
  }
  for (let slice = 1; slice < 8; slice++) {
    const before = made[slice - 1]!;
    for (let byte = 0; byte < 256; byte++) {
      const crc = before[byte]!;
      made[slice]![byte] = ((crc >>> 8) ^ first[crc & 0xff]!) >>> 0;
    }
  }
  return made;
}

/** The CRC of `bytes`, 0 .. 2^32-1. `seed` is the CRC of what came before, so that a sum can go on over several parts. */
export function crc32c(bytes: Uint8Array, seed = 0): number {
  const [t0, t1, t2, t3, t4, t5, t6, t7] = tables as [
    Uint32Array,
    Uint32Array,
    Uint32Array,
    Uint32Array,
    Uint32Array,
    Uint32Array,
    Uint32Array,
    Uint32Array,
  ];
  let crc = ~seed;
  const end = bytes.length;
  const wholeEnd = end - (end & 7);
  let at = 0;
  for (; at < wholeEnd; at += 8) {
    const low = crc ^ (bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24));
    crc =
      t7[low & 0xff]! ^
      t6[(low >>> 8) & 0xff]! ^
      t5[(low >>> 16) & 0xff]! ^
      t4[low >>> 24]! ^
      t3[bytes[at + 4]!]! ^
      t2[bytes[at + 5]!]! ^
      t1[bytes[at + 6]!]! ^
      t0[bytes[at + 7]!]!;
  }
  for (; at < end; at++) crc = (crc >>> 8) ^ t0[(crc ^ bytes[at]!) & 0xff]!;
  return ~crc >>> 0;
}
