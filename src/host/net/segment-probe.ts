/**
 * Frames with which a host asks whether its end of the guest's segment is alive. UDP says nothing of itself: a datagram
 * into a cut cable looks like one that was read. So the host asks a neighbour whose address is known, the guest's router,
 * in words that change nothing in anybody's tables: an ARP probe (RFC 5227, 1.1: sender address 0.0.0.0). Without such an
 * address it sends a loopback frame to itself (EtherType 0x9000, as switches keep a line alive), which the far bridge
 * drops, and which shows at least that something takes datagrams there.
 *
 * Probes come from a MAC address of the host's own, never the guest's: with that, a backup's probe would draw the guest's
 * frames to the backup. All such addresses share a prefix, so that no host takes another's answers, flooded by a bridge
 * that does not learn, for the guest's.
 */
import { assert } from '../../core/base/assert.ts';
import { MAC_BYTES } from './forwarding-table.ts';

/** Locally administered, unicast. */
const PROBE_PREFIX = [0x02, 0x55, 0x53] as const;
const BROADCAST = [0xff, 0xff, 0xff, 0xff, 0xff, 0xff] as const;
const MIN_FRAME_BYTES = 60;
const ETHERTYPE_ARP = 0x0806;
const ETHERTYPE_LOOPBACK = 0x9000;
const OPERATION_REQUEST = 1;

export type SegmentProbeOptions = {
  /** Tells this host's probes from another's: three random bytes. */
  readonly identity: Uint8Array;
  /** Who is asked: an IPv4 address, 4 bytes, on the guest's segment. */
  readonly target: Uint8Array | undefined;
};

export class SegmentProbe {
  readonly #mac: Uint8Array;
  readonly #target: Uint8Array | undefined;
  /** Who answered the last probe: asked directly next time, so that the others on the segment are left in peace. */
  #answerer: Uint8Array | undefined;

  constructor({ identity, target }: SegmentProbeOptions) {
    assert(
      identity.length === 3 && (target === undefined || target.length === 4),
      'three bytes; an IPv4 address has four',
    );
    this.#mac = Uint8Array.from([...PROBE_PREFIX, ...identity]);
    this.#target = target;
  }

  /** Whether anybody is expected to answer. */
  get expectsAnswers(): boolean {
    return this.#target !== undefined;
  }

  /** The next probe. Whoever answered the one before is asked directly, else all. */
  next(): Uint8Array {
    const frame = new Uint8Array(MIN_FRAME_BYTES);
    frame.set(this.#mac, MAC_BYTES);
    if (this.#target === undefined) {
      frame.set(this.#mac, 0);
      frame.set([ETHERTYPE_LOOPBACK >> 8, ETHERTYPE_LOOPBACK & 0xff], 12);
      return frame;
    }
    frame.set(this.#answerer ?? BROADCAST, 0);
    frame.set([ETHERTYPE_ARP >> 8, ETHERTYPE_ARP & 0xff, 0, 1, 0x08, 0, 6, 4, 0, OPERATION_REQUEST], 12);
    frame.set(this.#mac, 22);
    frame.set(this.#target, 38);
    this.#answerer = undefined;
    return frame;
  }

  /** Whether `frame` belongs to probes, this host's or another's, and so is none of the guest's business. */
  takes(frame: Uint8Array): boolean {
    if (hasPrefix(frame, MAC_BYTES)) return true;
    if (!hasPrefix(frame, 0)) return false;
    if (this.#mac.every((byte, i) => frame[i] === byte)) this.#answerer = frame.slice(MAC_BYTES, 2 * MAC_BYTES);
    return true;
  }
}

function hasPrefix(frame: Uint8Array, offset: number): boolean {
  return PROBE_PREFIX.every((byte, i) => frame[offset + i] === byte);
}
