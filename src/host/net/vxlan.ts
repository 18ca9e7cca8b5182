/**
 * An uplink over VXLAN (RFC 7348): this process is a tunnel end point (VTEP) for one segment, the guest's. Frames travel in
 * UDP datagrams to the configured remote end points, such as a Linux bridge with a vxlan device, Open vSwitch or a hardware
 * switch; each host runs an end point of its own, so that none of them dies with the other. Peers are static: there is no
 * multicast group, and a datagram from anyone else is refused. Like any VTEP it learns which address is behind which
 * remote, and sends groups and unknown addresses to all.
 *
 * One socket listens on VXLAN's port, where all VTEPs send to. To each remote leads a connected socket of its own: only on those
 * does the kernel report "port unreachable". docs/networks.md says how the far side is set up.
 */
import { randomBytes } from 'node:crypto';
import dgram, { type Socket } from 'node:dgram';
import { once } from 'node:events';
import { isIPv6 } from 'node:net';
import { performance } from 'node:perf_hooks';
import { OperatingError } from '../../core/base/error.ts';
import { errorCode } from './address.ts';
import { ForwardingTable } from './forwarding-table.ts';
import type { PortCounters } from './frame-port.ts';
import { ETHERNET_LIMITS } from './framing.ts';
import { LinkHealth } from './link-health.ts';
import { SegmentProbe } from './segment-probe.ts';
import type { LinkState, Uplink, UplinkEvents } from './uplink.ts';
import { VtepSocket } from './vtep-socket.ts';
import { decodeVxlan, encodeVxlan, MAX_VXLAN_FRAME_BYTES } from './vxlan-header.ts';

export type VxlanOptions = {
  /** The segment, 24 bits. */
  readonly vni: number;
  /** The remote end points: IP addresses of one family, at least one. */
  readonly remotes: readonly string[];
  /** This host's end point: one of its own IP addresses; undefined: whichever the route to a remote has. */
  readonly local?: string | undefined;
  /** UDP port of all end points; 4789 is VXLAN's. */
  readonly port: number;
  /** An IPv4 address on the guest's segment that is always there, such as its router, 4 bytes: silence there means loss. */
  readonly neighbour?: Uint8Array | undefined;
  /** Between two looks at the link's health. */
  readonly tickMs?: number;
  /** Ticks of silence that a healthy link may have. */
  readonly patienceTicks?: number;
};

/** The options of a description's uplink; the description's gateway, where it names one, is the neighbour. */
export function vxlanOptions(uplink: Omit<VxlanOptions, 'neighbour'>, gateway: string | undefined): VxlanOptions {
  const { vni, remotes, local, port } = uplink;
  const neighbour = gateway === undefined ? undefined : Uint8Array.from(gateway.split('.'), Number);
  return { vni, remotes, local, port, neighbour };
}

export type VxlanErrorCode = 'address-in-use' | 'cannot-listen';

export type VxlanCounters = PortCounters & {
  /** Datagrams from strangers, of other segments, or without a frame in them. */
  datagramsRefused: number;
};

export interface VxlanUplink extends Uplink {
  readonly counters: Readonly<VxlanCounters>;
}

const DEFAULT_TICK_MS = 100;
const DEFAULT_PATIENCE_TICKS = 8;
/** A burst of several TCP windows; the kernel gives what its limits allow. */
const SOCKET_BUFFER_BYTES = 4 * 1024 * 1024;

/** Binds the port and returns; the remotes need not be there. Throws OperatingError<VxlanErrorCode>. */
export async function openVxlanUplink(options: VxlanOptions, events: UplinkEvents): Promise<VxlanUplink> {
  const socket = dgram.createSocket({
    type: familyOf(options),
    recvBufferSize: SOCKET_BUFFER_BYTES,
    ...(familyOf(options) === 'udp6' ? { ipv6Only: true } : {}),
  });
  try {
    socket.bind({
      port: options.port,
      exclusive: true,
      ...(options.local === undefined ? {} : { address: options.local }),
    });
    await once(socket, 'listening');
  } catch (error) {
    socket.close();
    throw bindError(options, error);
  }
  return new Vtep(options, socket, events);
}

function familyOf({ remotes }: VxlanOptions): 'udp4' | 'udp6' {
  return isIPv6(remotes[0]!) ? 'udp6' : 'udp4';
}

class Vtep implements VxlanUplink {
  readonly counters: VxlanCounters = { framesIn: 0, framesOut: 0, framesDropped: 0, datagramsRefused: 0 };
  state: LinkState = 'down';
  readonly #vni: number;
  readonly #events: UplinkEvents;
  readonly #listener: Socket;
  readonly #remotes: readonly VtepSocket[];
  readonly #remoteOf: ReadonlyMap<string, number>;
  readonly #table = new ForwardingTable();
  readonly #probe: SegmentProbe;
  readonly #health: LinkHealth;
  readonly #timer: NodeJS.Timeout;
  #reason: string | undefined;
  #closed = false;

  constructor(options: VxlanOptions, listener: Socket, events: UplinkEvents) {
    const { vni, remotes, local, port, neighbour } = options;
    const { tickMs = DEFAULT_TICK_MS, patienceTicks = DEFAULT_PATIENCE_TICKS } = options;
    this.#vni = vni;
    this.#events = events;
    this.#listener = listener;
    this.#probe = new SegmentProbe({ identity: randomBytes(3), target: neighbour });
    const { expectsAnswers } = this.#probe;
    this.#health = new LinkHealth({ remotes, expectsAnswers, patienceTicks, tickMs });
    this.#remoteOf = new Map(remotes.map((address, i) => [canonicalAddress(address), i]));
    this.#remotes = remotes.map((address, i) => {
      const failed = (why: string) => this.#failed(i, why);
      return new VtepSocket({ type: familyOf(options), address, port, local, onLost: failed });
    });
    listener.on('message', (datagram, { address }) => this.#received(datagram, address));
    listener.on('error', () => {}); // nothing is sent from it, so no error is anyone's in particular
    this.#timer = setInterval(() => this.#tick(), tickMs);
    this.#sendProbe();
  }

  send(frame: Uint8Array): void {
    const fits = frame.length >= ETHERNET_LIMITS.minLength && frame.length <= MAX_VXLAN_FRAME_BYTES;
    if (fits && !this.#closed && this.#sendWhereItBelongs(frame)) this.counters.framesOut++;
    else this.counters.framesDropped++;
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    clearInterval(this.#timer);
    for (const remote of this.#remotes) remote.close();
    await new Promise<void>((resolve) => this.#listener.close(resolve));
  }

  /** False if nobody could be sent it. */
  #sendWhereItBelongs(frame: Uint8Array): boolean {
    const datagram = encodeVxlan(this.#vni, frame);
    const known = this.#table.remoteFor(frame, performance.now());
    if (known !== undefined) return this.#remotes[known]!.send(datagram);
    let sent = false;
    for (const remote of this.#remotes) sent = remote.send(datagram) || sent;
    return sent;
  }

  #received(datagram: Buffer, from: string): void {
    if (this.#closed) return;
    const remote = this.#remoteOf.get(from);
    const frame = remote === undefined ? 'stranger' : decodeVxlan(this.#vni, datagram);
    if (remote === undefined || typeof frame === 'string') {
      this.counters.datagramsRefused++;
      return;
    }
    this.#health.heard(remote);
    this.#table.learn(frame, remote, performance.now());
    this.#judge();
    if (this.#probe.takes(frame)) return;
    this.counters.framesIn++;
    this.#events.onFrame(frame);
  }

  #failed(remote: number, why: string): void {
    if (this.#closed) return;
    this.#health.failed(remote, why);
    this.#judge();
  }

  #tick(): void {
    this.#health.tick();
    this.#judge();
    if (!this.#closed && this.#health.isQuiet) this.#sendProbe();
  }

  #sendProbe(): void {
    this.#sendWhereItBelongs(this.#probe.next());
  }

  /** Tells of a change. What is down from the start is told too, once it is known why. */
  #judge(): void {
    const { state, reason } = this.#health.verdict;
    const news = state !== this.state || (state === 'down' && this.#reason === undefined && reason !== undefined);
    this.state = state;
    this.#reason = reason;
    if (news) this.#events.onState(state, reason);
  }
}

/** As the kernel writes the address of a sender; an IPv6 address has many spellings. */
function canonicalAddress(address: string): string {
  if (!isIPv6(address)) return address;
  const [plain, scope] = address.split('%');
  const spelled = new URL(`http://[${plain}]`).hostname.slice(1, -1);
  return scope === undefined ? spelled : `${spelled}%${scope}`;
}

function bindError({ local, port }: VxlanOptions, error: unknown): OperatingError<VxlanErrorCode> {
  const where = `UDP port ${port}${local === undefined ? '' : ` of ${local}`}`;
  if (errorCode(error) === 'EADDRINUSE') {
    return new OperatingError(
      'address-in-use',
      `${where} is in use already: this host has another VXLAN end point there`,
      "Give each machine an end point of its own: another 'local' address of this host, or another 'port' on all of its end points.",
      { cause: error },
    );
  }
  const reason = error instanceof Error ? error.message : String(error);
  return new OperatingError(
    'cannot-listen',
    `cannot receive VXLAN on ${where}: ${reason}`,
    "'local' has to be an address of this host itself; leave it out to use any.",
    { cause: error },
  );
}
