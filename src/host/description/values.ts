/**
 * The small languages of a description's values: amounts of memory, durations, MAC addresses, ports. Each parser takes
 * the text as the user wrote it and returns the value, or a `Wrong` that says what was expected instead; the caller
 * knows where the text stands (a line of a file, an option) and adds that.
 */
import { createHash } from 'node:crypto';
import { isIP, isIPv4 } from 'node:net';
import { OperatingError } from '../../core/base/error.ts';
import { parseAddress as parseStreamAddress } from '../net/address.ts';
import { MAX_VNI, VXLAN_PORT } from '../net/vxlan-header.ts';
import type { GuestAddress, PortForward, Uplink, VxlanDescription } from './description.ts';

/** A text that is not what it should be: half a sentence that goes on from the text itself. */
export class Wrong {
  readonly why: string;
  constructor(why: string) {
    this.why = why;
  }
}

const binaryUnits: Readonly<Record<string, number>> = { k: 2 ** 10, m: 2 ** 20, g: 2 ** 30 };

/** `512M`, `1.5G`, `3072MiB`, `65536K`: powers of 1024. A bare number is refused: nobody agrees on its unit. */
export function parseSize(text: string): number | Wrong {
  const match = /^(\d+(?:\.\d+)?)\s*([kmg])(?:i?b)?$/i.exec(text.trim());
  if (match === null) {
    return new Wrong(/^\d+$/.test(text.trim()) ? `has no unit: write ${text.trim()}M` : 'is no amount like 512M or 2G');
  }
  const bytes = Number(match[1]) * (binaryUnits[match[2].toLowerCase()] ?? 0);
  return Number.isSafeInteger(bytes) ? bytes : new Wrong('is not a whole number of bytes');
}

/** `512M` for messages. */
export function formatSize(bytes: number): string {
  for (const [unit, size] of [
    ['G', 2 ** 30],
    ['M', 2 ** 20],
    ['K', 2 ** 10],
  ] as const) {
    if (bytes >= size && bytes % size === 0) return `${bytes / size}${unit}`;
  }
  return `${bytes} bytes`;
}

const durationUnits: Readonly<Record<string, number>> = { ms: 1, s: 1000, min: 60_000 };

/** `250ms`, `1.5 s`, `2min`, in milliseconds. */
export function parseDuration(text: string): number | Wrong {
  const match = /^(\d+(?:\.\d+)?)\s*(ms|s|min)$/.exec(text.trim());
  if (match === null) return new Wrong('is no duration like 250ms or 2s');
  return Number(match[1]) * (durationUnits[match[2]] ?? 0);
}

/** A unicast MAC address, in lower case with colons. */
export function parseMac(text: string): string | Wrong {
  const mac = text.trim().toLowerCase().replaceAll('-', ':');
  if (!/^([0-9a-f]{2}:){5}[0-9a-f]{2}$/.test(mac)) return new Wrong('is no MAC address like 52:54:00:12:34:56');
  if (mac === '00:00:00:00:00:00') return new Wrong('is the null address');
  if (Number.parseInt(mac.slice(0, 2), 16) & 1) return new Wrong('is a multicast address: its first byte is odd');
  return mac;
}

/** The MAC address of a machine that names none: locally administered, unicast, always the same for the same name. */
export function macFromName(name: string): string {
  const digest = createHash('sha256').update(`understudy mac ${name}`).digest();
  digest[0] = (digest[0] & 0xfc) | 0x02;
  return [...digest.subarray(0, 6)].map((byte) => byte.toString(16).padStart(2, '0')).join(':');
}

function parsePort(text: string): number | undefined {
  const port = /^\d{1,5}$/.test(text) ? Number(text) : 0;
  return port >= 1 && port <= 65535 ? port : undefined;
}

const forwardForm = 'is no port forward like 127.0.0.1:8080:80, 8080:80, 80 or udp:127.0.0.1:5353:53';

/**
 * A port forward as `[tcp:|udp:][address:]hostPort[:guestPort]`, as QEMU's `hostfwd` and Docker's `-p` write it. Without
 * an address the host listens on 127.0.0.1 only; `0.0.0.0` opens it to the network.
 */
export function parseForward(text: string): PortForward | Wrong {
  const match = /^(?:(tcp|udp):)?(?:(\[[^\]]+\]|[^:[\]]*[^\d:[\]][^:[\]]*):)?(\d+)(?::(\d+))?$/.exec(text.trim());
  if (match === null) return new Wrong(forwardForm);
  const [, protocol, address, host, guest] = match;
  const hostAddress = (address ?? '127.0.0.1').replace(/^\[(.*)\]$/, '$1');
  if (isIP(hostAddress) === 0) return new Wrong(`has no IP address before its ports: "${hostAddress}"`);
  const hostPort = parsePort(host);
  const guestPort = parsePort(guest ?? host);
  if (hostPort === undefined || guestPort === undefined) return new Wrong('has a port outside 1 to 65535');
  return { protocol: protocol === 'udp' ? 'udp' : 'tcp', hostAddress, hostPort, guestPort };
}

/**
 * `passt`, a socket as `unix:/path`, `host:port` or `[ipv6]:port`, or VXLAN (see `parseVxlan`). The path is as written,
 * perhaps relative.
 */
export function parseUplink(text: string): Uplink | Wrong {
  if (text.trim() === 'passt') return { kind: 'passt' };
  if (/^vxlan\b/.test(text.trim())) return parseVxlan(text.trim());
  const wrong = new Wrong('is no uplink: write passt, unix:/path/of/socket, host:port or vxlan:VNI,remote=ADDRESS');
  try {
    const address = parseStreamAddress(text.trim());
    return 'port' in address && address.port === 0 ? wrong : { kind: 'socket', address };
  } catch (error) {
    if (error instanceof OperatingError) return wrong;
    throw error;
  }
}

const vxlanForm = 'is no VXLAN uplink like vxlan:42,remote=192.0.2.1,local=192.0.2.11';

/** `vxlan:VNI,remote=ADDRESS[,remote=ADDRESS...][,local=ADDRESS][,port=PORT]`. */
function parseVxlan(text: string): VxlanDescription | Wrong {
  const match = /^vxlan:(\d{1,8})((?:,(?:remote|local|port)=[^,=]+)+)$/.exec(text);
  if (match === null) return new Wrong(vxlanForm);
  const words = match[2].slice(1).split(',');
  const valuesOf = (key: string) =>
    words.filter((word) => word.startsWith(`${key}=`)).map((word) => word.slice(key.length + 1));
  const [locals, ports] = [valuesOf('local'), valuesOf('port')];
  if (locals.length > 1 || ports.length > 1) return new Wrong('names its local address or its port twice');
  const port = parsePort(ports[0] ?? String(VXLAN_PORT));
  if (port === undefined) return new Wrong('has a port outside 1 to 65535');
  const uplink = { kind: 'vxlan', vni: Number(match[1]), remotes: valuesOf('remote'), local: locals[0], port } as const;
  const problem = vxlanProblem(uplink);
  return problem === undefined ? uplink : new Wrong(problem);
}

/** What is wrong with an uplink over VXLAN, as half a sentence. */
export function vxlanProblem({ vni, remotes, local }: VxlanDescription): string | undefined {
  if (vni > MAX_VNI) return `has a VNI beyond 24 bits (${MAX_VNI})`;
  const addresses = [...remotes, ...(local === undefined ? [] : [local])];
  const bad = addresses.find((address) => isIP(address) === 0);
  if (bad !== undefined) return `has "${bad}", which is no IP address`;
  if (remotes.length === 0) return 'names no remote end point';
  if (new Set(addresses).size < addresses.length) return 'names an address twice';
  if (new Set(addresses.map(isIP)).size > 1) return 'mixes IPv4 and IPv6 end points';
  return undefined;
}

/** `192.168.7.2/24`: IPv4, as passt hands it out. */
export function parseGuestAddress(text: string): GuestAddress | Wrong {
  const [address, prefix, ...rest] = text.trim().split('/');
  const prefixLength = /^\d{1,2}$/.test(prefix ?? '') ? Number(prefix) : -1;
  if (rest.length > 0 || !isIPv4(address) || prefixLength < 1 || prefixLength > 30) {
    return new Wrong('is no IPv4 address with prefix like 192.168.7.2/24');
  }
  return { address, prefixLength };
}

/** An IPv4 address without a prefix. */
export function parseAddress(text: string): string | Wrong {
  return isIPv4(text.trim()) ? text.trim() : new Wrong('is no IPv4 address');
}

/** A machine's name becomes part of file names and of keys at the arbiter. */
export function parseName(text: string): string | Wrong {
  if (/^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/.test(text)) return text;
  return new Wrong('is no name of small letters, digits and inner hyphens, at most 63');
}

export function isWrong(value: unknown): value is Wrong {
  return value instanceof Wrong;
}
