/**
 * Completes TCP handshakes that passt leaves open. Versions of passt before 2023_03_29 (Debian 12 has 2023_03_09) do not
 * acknowledge the guest's SYN-ACK for a connection that came from the host until the host's side sends something; so a
 * protocol in which the server speaks first (SSH, SMTP, MySQL) stays silent for ever. passt has accepted such a connection
 * before the guest ever hears of it, so the missing acknowledgement is certain, and can be made from the SYN-ACK alone. To a
 * newer passt it is a duplicate that changes nothing.
 *
 * Formats: Ethernet II; IPv4 (RFC 791) and TCP (RFC 9293) without options; checksums as in RFC 1071.
 */

const ETHERNET_BYTES = 14;
const IPV4_BYTES = 20;
const TCP_BYTES = 20;
const PROTOCOL_TCP = 6;
const FLAGS_SYN_ACK = 0x12;
const FLAGS_MASK = 0x17; // FIN, SYN, RST, ACK
const FLAG_ACK = 0x10;
/** What the peer's window is until its own first segment says so. */
const WINDOW = 0xffff;

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
