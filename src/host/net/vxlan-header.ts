/**
 * VXLAN's header (RFC 7348, 5): eight bytes before an Ethernet frame in a UDP datagram. One flag says that the 24 bits of
 * the VXLAN Network Identifier (VNI) mean something; all else is reserved, zero when sent and ignored when received.
 *
 * Pure functions; the sockets are in `vxlan.ts`.
 */
import { assert } from '../../core/base/assert.ts';
import { ETHERNET_LIMITS } from './framing.ts';

/** The UDP port that IANA gave to VXLAN. */
export const VXLAN_PORT = 4789;
export const VXLAN_HEADER_BYTES = 8;
export const MAX_VNI = 0xff_ffff;
/** What fits into one UDP datagram over IPv4: 65,535 less the headers of IP and UDP and ours. */
export const MAX_VXLAN_FRAME_BYTES = 65_535 - 20 - 8 - VXLAN_HEADER_BYTES;

const FLAG_VNI_VALID = 0x08;

/** Bytes that VXLAN puts around the guest's IP packets: IP, UDP, VXLAN and the inner Ethernet header (RFC 7348, 4.3). */
export const VXLAN_OVERHEAD_BYTES = { ipv4: 50, ipv6: 70 } as const;

/** Why a datagram holds no frame for us. */
export type VxlanRefusal = 'too-short' | 'no-vni' | 'other-vni' | 'runt' | 'too-long';

/** `frame` with its header before it, in one buffer of its own. The frame's length is the caller's to check. */
export function encodeVxlan(vni: number, frame: Uint8Array): Buffer {
  assert(Number.isInteger(vni) && vni >= 0 && vni <= MAX_VNI, 'a VNI has 24 bits');
  const datagram = Buffer.alloc(VXLAN_HEADER_BYTES + frame.length);
  datagram[0] = FLAG_VNI_VALID;
  datagram.writeUIntBE(vni, 4, 3);
  datagram.set(frame, VXLAN_HEADER_BYTES);
  return datagram;
}

/** The frame in `datagram` as a view of it, or why there is none for the segment `vni`. */
export function decodeVxlan(vni: number, datagram: Uint8Array): Uint8Array | VxlanRefusal {
  if (datagram.length < VXLAN_HEADER_BYTES) return 'too-short';
  if ((datagram[0]! & FLAG_VNI_VALID) === 0) return 'no-vni';
  if (((datagram[4]! << 16) | (datagram[5]! << 8) | datagram[6]!) !== vni) return 'other-vni';
  const length = datagram.length - VXLAN_HEADER_BYTES;
  if (length < ETHERNET_LIMITS.minLength) return 'runt';
  if (length > ETHERNET_LIMITS.maxLength) return 'too-long';
  return datagram.subarray(VXLAN_HEADER_BYTES);
}
