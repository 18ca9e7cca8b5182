/**
 * What a VXLAN tunnel end point has learned (RFC 7348, 4.1): behind which remote end point a MAC address was last seen as
 * a source. A frame to an address that is not here, or to a group, goes to all remotes. Bounded, because whoever is on the
 * segment may invent addresses; when full, the address not heard for longest makes room.
 */

/** As long as a Linux bridge and its vxlan device remember. */
const AGEING_MS = 300_000;
const MAX_ADDRESSES = 4096;

export const MAC_BYTES = 6;

/** The six bytes at `offset` as one number: exact, as 48 bits are. */
export function macAt(frame: Uint8Array, offset: number): number {
  const high = (frame[offset]! << 8) | frame[offset + 1]!;
  const middle = (frame[offset + 2]! << 8) | frame[offset + 3]!;
  const low = (frame[offset + 4]! << 8) | frame[offset + 5]!;
  return (high * 0x1_0000 + middle) * 0x1_0000 + low;
}

/** Broadcast and multicast: the lowest bit of the first byte. */
export function isGroup(frame: Uint8Array, offset: number): boolean {
  return (frame[offset]! & 1) === 1;
}

export class ForwardingTable {
  readonly #maxAddresses: number;
  /** In the order in which they were last heard. */
  readonly #entries = new Map<number, { readonly remote: number; readonly heardMs: number }>();

  constructor(maxAddresses = MAX_ADDRESSES) {
    this.#maxAddresses = maxAddresses;
  }

  get size(): number {
    return this.#entries.size;
  }

  /** `frame` came from `remote`. */
  learn(frame: Uint8Array, remote: number, nowMs: number): void {
    if (isGroup(frame, MAC_BYTES)) return;
    const mac = macAt(frame, MAC_BYTES);
    this.#entries.delete(mac);
    if (this.#entries.size >= this.#maxAddresses) this.#entries.delete(this.#entries.keys().next().value!);
    this.#entries.set(mac, { remote, heardMs: nowMs });
  }

  /** The remote behind which the destination of `frame` is; undefined: all of them. */
  remoteFor(frame: Uint8Array, nowMs: number): number | undefined {
    if (isGroup(frame, 0)) return undefined;
    const entry = this.#entries.get(macAt(frame, 0));
    return entry !== undefined && nowMs - entry.heardMs < AGEING_MS ? entry.remote : undefined;
  }
}
