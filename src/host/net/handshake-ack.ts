/**
 * Completes TCP handshakes that passt leaves open. Versions of passt before 2023_03_29 (Debian 12 has 2023_03_09) do not
 * acknowledge the guest's SYN-ACK for a connection that came from the host until the host's side sends something; so a
 * protocol in which the server speaks first (SSH, SMTP, MySQL) stays silent for ever. passt has accepted such a connection
 * before the guest ever hears of it, so the missing acknowledgement is certain, and can be made from the SYN-ACK alone. To a
 * newer passt it is a duplicate that changes nothing.
 *
 * It must not be made too early. When these versions find a SYN-ACK and another segment of the same connection in what they
 * read at once, they never come out of their loop over it (upstream: "Correctly advance through packets in
 * tcp_tap_handler()", September 2023), and the guest's whole network is dead. So an ARP probe (RFC 5227) follows each SYN-ACK, and
 * the guest gets its acknowledgement, and only then has something to say, when passt has answered the probe: what it reads
 * later it reads by itself. A SYN-ACK that the guest repeats meanwhile is dropped for the same reason.
 *
 * Formats: Ethernet II; IPv4 (RFC 791) and TCP (RFC 9293) without options; checksums as in RFC 1071.
 */

const ETHERTYPE_ARP = 0x0806;
const ARP_REPLY = 2;
const ETHERNET_BYTES = 14;
const IPV4_BYTES = 20;
const TCP_BYTES = 20;
const PROTOCOL_TCP = 6;
const FLAGS_SYN_ACK = 0x12;
const FLAGS_MASK = 0x17; // FIN, SYN, RST, ACK
const FLAG_ACK = 0x10;
/** What the peer's window is until its own first segment says so. */
const WINDOW = 0xffff;

/** Stands between the guest and passt. */
export class Handshakes {
  readonly #target: Uint8Array;
  /** Acknowledgements that wait for the answers to their probes, in order. */
  readonly #waiting: { readonly connection: string; readonly acknowledgement: Uint8Array }[] = [];

  /** `target` is the address to ask passt for: the gateway's, 4 bytes. */
  constructor(target: Uint8Array) {
    this.#target = target;
  }

  /** What passt is to get for a frame of the guest. */
  toPasst(frame: Uint8Array): Uint8Array[] {
    const acknowledgement = acknowledgementOf(frame);
    if (acknowledgement === undefined) return [frame];
    const connection = connectionOf(acknowledgement);
    if (this.#waiting.some((other) => other.connection === connection)) return [];
    this.#waiting.push({ connection, acknowledgement });
    // From the MAC address of the SYN-ACK: passt takes the last one that it saw for the guest's.
    return [frame, arpProbe(frame.subarray(6, 12), this.#target)];
  }

  /** What the guest is to get for a frame of passt. */
  toGuest(frame: Uint8Array): Uint8Array {
    if (this.#waiting.length === 0 || !isAnswerToProbe(frame)) return frame;
    return this.#waiting.shift()!.acknowledgement;
  }
}

/** An ARP request without a sender's IP address: nobody learns anything from it. */
function arpProbe(mac: Uint8Array, target: Uint8Array): Uint8Array {
  const frame = new Uint8Array(60);
  frame.fill(0xff, 0, 6);
  frame.set(mac, 6);
  frame.set([0x08, 0x06, 0, 1, 0x08, 0, 6, 4, 0, 1], 12);
  frame.set(mac, 22);
  frame.set(target, 38);
  return frame;
}

/** An ARP reply to nobody's IP address. */
function isAnswerToProbe(frame: Uint8Array): boolean {
  if (frame.length < 42) return false;
  const view = new DataView(frame.buffer, frame.byteOffset, frame.length);
  return view.getUint16(12) === ETHERTYPE_ARP && view.getUint16(20) === ARP_REPLY && view.getUint32(38) === 0;
}

/** Addresses and ports of an acknowledgement. */
function connectionOf(acknowledgement: Uint8Array): string {
  return acknowledgement.subarray(26, 38).join();
}

/** The acknowledgement, from the host's side, of a frame of the guest that is a SYN-ACK over IPv4; else undefined. */
export function acknowledgementOf(frame: Uint8Array): Uint8Array | undefined {
  if (frame.length < ETHERNET_BYTES + IPV4_BYTES + TCP_BYTES) return undefined;
  const view = new DataView(frame.buffer, frame.byteOffset, frame.byteLength);
  if (view.getUint16(12) !== 0x0800 || view.getUint8(14) >> 4 !== 4) return undefined;
  const tcp = ETHERNET_BYTES + (view.getUint8(14) & 15) * 4;
  if (view.getUint8(23) !== PROTOCOL_TCP || frame.length < tcp + TCP_BYTES) return undefined;
  if ((view.getUint8(tcp + 13) & FLAGS_MASK) !== FLAGS_SYN_ACK) return undefined;
  return build(frame, view, tcp);
}

function build(synAck: Uint8Array, from: DataView, tcp: number): Uint8Array {
  // An Ethernet frame has at least 60 bytes.
  const bytes = new Uint8Array(60);
  const view = new DataView(bytes.buffer);
  bytes.set(synAck.subarray(6, 12), 0);
  bytes.set(synAck.subarray(0, 6), 6);
  view.setUint16(12, 0x0800);
  view.setUint8(14, 0x45);
  view.setUint16(16, IPV4_BYTES + TCP_BYTES);
  view.setUint16(20, 0x4000); // don't fragment
  view.setUint8(22, 64);
  view.setUint8(23, PROTOCOL_TCP);
  bytes.set(synAck.subarray(30, 34), 26);
  bytes.set(synAck.subarray(26, 30), 30);
  view.setUint16(24, checksum(view, 14, IPV4_BYTES, 0));
  const at = ETHERNET_BYTES + IPV4_BYTES;
  view.setUint16(at, from.getUint16(tcp + 2));
  view.setUint16(at + 2, from.getUint16(tcp));
  view.setUint32(at + 4, from.getUint32(tcp + 8));
  view.setUint32(at + 8, (from.getUint32(tcp + 4) + 1) >>> 0);
  view.setUint8(at + 12, (TCP_BYTES / 4) << 4);
  view.setUint8(at + 13, FLAG_ACK);
  view.setUint16(at + 14, WINDOW);
  view.setUint16(at + 16, checksum(view, at, TCP_BYTES, pseudoHeaderSum(view)));
  return bytes;
}

function pseudoHeaderSum(view: DataView): number {
  let sum = PROTOCOL_TCP + TCP_BYTES;
  for (let at = 26; at < 34; at += 2) sum += view.getUint16(at);
  return sum;
}

function checksum(view: DataView, offset: number, length: number, start: number): number {
  let sum = start;
  for (let at = offset; at < offset + length; at += 2) sum += view.getUint16(at);
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16);
  return ~sum & 0xffff;
}
