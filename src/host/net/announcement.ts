/**
 * The frames with which a host says "this MAC address is now behind me", so that switches on the way send there what they
 * used to send elsewhere (PROTOCOL.md, 18). The RARP request is what QEMU's announce-self sends after a migration
 * (QEMU, net/announce.c; RFC 903): it needs no IP address, and nobody answers it. Where the description names an IPv4
 * address, a gratuitous ARP (RFC 5944, 4.6) also refreshes neighbours' caches.
 *
 * Pure functions: the host sends what they return, and the machine never sees it.
 */
import { assert } from '../../core/base/assert.ts';

const BROADCAST = [0xff, 0xff, 0xff, 0xff, 0xff, 0xff] as const;
const ETHERTYPE_ARP = 0x0806;
const ETHERTYPE_RARP = 0x8035;
const OPERATION_ARP_REQUEST = 1;
const OPERATION_RARP_REQUEST = 3;
/** Shortest Ethernet frame without its checksum; shorter ones are padded with zeroes. */
const MIN_FRAME_BYTES = 60;

export type Announcement = {
  /** The guest's MAC address, 6 bytes. */
  readonly mac: Uint8Array;
  /** The guest's IPv4 address, 4 bytes, where it is known. */
  readonly ipv4?: Uint8Array;
};

/** All the frames of one announcement: RARP always, gratuitous ARP where the address is known. */
export function announcementFrames({ mac, ipv4 }: Announcement): Uint8Array[] {
  const rarp = rarpAnnounceFrame(mac);
  return ipv4 === undefined ? [rarp] : [rarp, gratuitousArpFrame(mac, ipv4)];
}

/** A broadcast RARP request for the MAC's own address, byte for byte QEMU's. */
export function rarpAnnounceFrame(mac: Uint8Array): Uint8Array {
  const unknown = new Uint8Array(4);
  return arpFrame(ETHERTYPE_RARP, OPERATION_RARP_REQUEST, mac, unknown, mac, unknown);
}

/** An ARP request that the guest makes for its own address: whoever knew it learns the way anew. */
export function gratuitousArpFrame(mac: Uint8Array, ipv4: Uint8Array): Uint8Array {
  return arpFrame(ETHERTYPE_ARP, OPERATION_ARP_REQUEST, mac, ipv4, new Uint8Array(6), ipv4);
}

/**
 * Pauses before the second, third, ... announcement, in milliseconds: the first goes at once, the others over about
 * five seconds with growing intervals, so that a switch port that is still learning (or a bridge that is still
 * changing) hears one of them.
 */
export const ANNOUNCEMENT_PAUSES_MS: readonly number[] = [50, 150, 250, 350, 450, 550, 1000, 2000];

function arpFrame(
  etherType: number,
  operation: number,
  senderMac: Uint8Array,
  senderIp: Uint8Array,
  targetMac: Uint8Array,
  targetIp: Uint8Array,
): Uint8Array {
  assert(senderMac.length === 6 && targetMac.length === 6, 'a MAC address has 6 bytes');
  assert(senderIp.length === 4 && targetIp.length === 4, 'an IPv4 address has 4 bytes');
  const frame = new Uint8Array(MIN_FRAME_BYTES);
  const view = new DataView(frame.buffer);
  frame.set(BROADCAST, 0);
  frame.set(senderMac, 6);
  view.setUint16(12, etherType);
  view.setUint16(14, 1); // hardware: Ethernet
  view.setUint16(16, 0x0800); // protocol: IPv4
  frame[18] = 6;
  frame[19] = 4;
  view.setUint16(20, operation);
  frame.set(senderMac, 22);
  frame.set(senderIp, 28);
  frame.set(targetMac, 32);
  frame.set(targetIp, 38);
  return frame;
}
