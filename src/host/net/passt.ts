/**
 * The way to the host's network: a `passt` process, started and watched here. passt turns the guest's TCP and UDP flows
 * into sockets of the host, and forwards ports of the host to the guest, without any privilege.
 *
 * passt gets one end of a socket pair as file descriptor 3 (`--fd 3`). So there is no path in the file system that it or
 * anyone could trip over (started as root, passt becomes `nobody` and locks itself into an empty directory), and passt
 * ends by itself when the other end closes: whatever kills this process takes passt along.
 *
 * It is ready when it answers: an ARP request for the gateway, from the guest's own address, is the first frame it gets. That
 * also teaches it the guest's MAC address, so that a connection from the host that comes before the guest's first frame
 * finds its way. Works with passt of Debian 12 (2023_03_09) and later.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import dgram from 'node:dgram';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import net, { type Socket } from 'node:net';
import { OperatingError } from '../../core/base/error.ts';
import { errorCode } from './address.ts';
import { FramePort, type PortCounters } from './frame-port.ts';
import { Handshakes } from './handshake-ack.ts';
import type { LinkState, Uplink, UplinkEvents } from './uplink.ts';

export type PortForward = {
  readonly protocol: 'tcp' | 'udp';
  /** Address of the host to listen on; 127.0.0.1 unless told. */
  readonly hostAddress?: string;
  readonly hostPort: number;
  readonly guestPort: number;
};

export type PasstOptions = {
  readonly forwards?: readonly PortForward[];
  /** The guest's IPv4 address; 10.0.2.15 unless told. */
  readonly guestAddress?: string;
  /** Bits of the netmask; 24 unless told. */
  readonly prefixLength?: number;
  /** The router's address, which also reaches the host's own loopback services; 10.0.2.2 unless told. */
  readonly gateway?: string;
  /** The guest's MAC address, 6 bytes. */
  readonly guestMac?: Uint8Array;
  /** Name servers that DHCP hands out; those of the host unless told. */
  readonly nameServers?: readonly string[];
  /** IPv6 too, with the host's own prefix; off unless told. */
  readonly ipv6?: boolean;
  /** The program; `passt` of the search path unless told. */
  readonly command?: string;
  /** How long passt may take until it answers. */
  readonly startTimeoutMs?: number;
};

export type PasstErrorCode = 'passt-missing' | 'passt-failed' | 'port-in-use' | 'port-not-permitted' | 'bad-forward';

export const DEFAULT_GUEST_ADDRESS = '10.0.2.15';
export const DEFAULT_GATEWAY = '10.0.2.2';
/** The router's MAC address as QEMU's user network has it, the same on every host. */
const GATEWAY_MAC = '52:55:0a:00:02:02';
const DEFAULT_GUEST_MAC = Uint8Array.from([0x52, 0x54, 0x00, 0x12, 0x34, 0x56]);
const MAX_STDERR_CHARS = 4000;
const KILL_AFTER_MS = 2000;

/**
 * Starts passt and waits until it answers. `events.onState('down', reason)` tells of its end, which is final.
 * Throws OperatingError<PasstErrorCode>.
 */
export async function openPasst(options: PasstOptions, events: UplinkEvents): Promise<Uplink> {
  for (const forward of options.forwards ?? []) await checkForward(forward);
  const passt = new PasstUplink(options, events);
  await passt.start();
  return passt;
}

/**
 * The command line of passt, for tests and for people who want to see it. A host without a default route (`routed` false:
 * a laptop on a journey, a container without a network) has no interface for passt to copy from; with the loopback
 * interface in its place the guest still reaches this host, and this host the guest.
 */
export function passtArguments(options: PasstOptions, routed = hasDefaultRoute()): string[] {
  const words = ['--foreground', '--quiet', '--fd', '3'];
  words.push('--address', options.guestAddress ?? DEFAULT_GUEST_ADDRESS);
  words.push('--netmask', String(options.prefixLength ?? 24));
  words.push('--gateway', options.gateway ?? DEFAULT_GATEWAY);
  words.push('--mac-addr', GATEWAY_MAC);
  for (const server of options.nameServers ?? []) words.push('--dns', server);
  if (!routed) words.push('--interface', 'lo');
  if (!options.ipv6 || !routed) words.push('--ipv4-only');
  for (const { protocol, hostAddress = '127.0.0.1', hostPort, guestPort } of options.forwards ?? []) {
    words.push(protocol === 'tcp' ? '--tcp-ports' : '--udp-ports', `${hostAddress}/${hostPort}:${guestPort}`);
  }
  return words;
}

/** Whether this host has a default route for IPv4 (Linux, proc_net_route: destination and mask 0). */
function hasDefaultRoute(): boolean {
  try {
    const lines = readFileSync('/proc/net/route', 'utf8').split('\n').slice(1);
    return lines.some((line) => line.split('\t')[1] === '00000000' && line.split('\t')[7] === '00000000');
  } catch {
    return true; // no such file: let passt judge
  }
}

class PasstUplink implements Uplink {
  readonly counters: PortCounters;
  state: LinkState = 'down';
  readonly #child: ChildProcess;
  readonly #port: FramePort;
  readonly #handshakes: Handshakes;
  readonly #options: PasstOptions;
  readonly #ended: Promise<string>;
  #stderr = '';
  #answered: (() => void) | undefined;
  #closed = false;

  constructor(options: PasstOptions, events: UplinkEvents) {
    this.#options = options;
    this.#child = spawn(options.command ?? 'passt', passtArguments(options), {
      stdio: ['ignore', 'ignore', 'pipe', 'pipe'],
    });
    this.#child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.#stderr = (this.#stderr + text).slice(-MAX_STDERR_CHARS);
    });
    const onFrame = (frame: Uint8Array) => {
      if (this.#answered !== undefined) this.#answered();
      else if (!this.#closed) events.onFrame(this.#handshakes.toGuest(frame));
    };
    this.#port = new FramePort(this.#child.stdio[3] as Socket, { onFrame, onClose: () => {} });
    const gateway = Uint8Array.from(ipv4Bytes(options.gateway ?? DEFAULT_GATEWAY));
    this.#handshakes = new Handshakes(gateway);
    this.counters = this.#port.counters;
    this.#ended = this.#watch();
    void this.#ended.then((reason) => {
      const wasUp = this.state === 'up';
      this.state = 'down';
      if (wasUp && !this.#closed) events.onState('down', reason);
    });
  }

  async start(): Promise<void> {
    const answered = new Promise<'answered'>((resolve) => {
      this.#answered = () => resolve('answered');
    });
    this.#port.send(gatewayRequest(this.#options));
    const timeoutMs = this.#options.startTimeoutMs ?? 10_000;
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<string>((resolve) => {
      timer = setTimeout(() => resolve(`passt does not answer after ${timeoutMs} ms`), timeoutMs);
    });
    const outcome = await Promise.race([answered, this.#ended, late]);
    clearTimeout(timer);
    this.#answered = undefined;
    if (outcome !== 'answered') {
      await this.close();
      throw this.#startError(outcome);
    }
    this.state = 'up';
  }

  send(frame: Uint8Array): void {
    for (const sent of this.#handshakes.toPasst(frame)) this.#port.send(sent);
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#port.close();
    this.#child.kill('SIGTERM');
    const timer = setTimeout(() => this.#child.kill('SIGKILL'), KILL_AFTER_MS);
    await this.#ended;
    clearTimeout(timer);
  }

  /** Resolves with a sentence when passt has ended, or could not be started (then the sentence is its error code). */
  async #watch(): Promise<string> {
    try {
      const [status, signal] = await once(this.#child, 'close');
      const said = complaintOf(this.#stderr);
      return `passt ended with ${signal ?? `status ${status}`}${said === '' ? '' : `: ${said}`}`;
    } catch (error) {
      return errorCode(error) || String(error);
    }
  }

  #startError(outcome: string): OperatingError<PasstErrorCode> {
    const command = this.#options.command ?? 'passt';
    if (outcome === 'ENOENT') {
      return new OperatingError(
        'passt-missing',
        `'${command}' is not installed: the guest's network needs it to reach this host`,
        'Install it: sudo apt-get install passt  (or run without a network: --net none).',
      );
    }
    const complaint = outcome.startsWith('passt') ? outcome : `'${command}' cannot be started: ${outcome}`;
    return new OperatingError(
      'passt-failed',
      complaint,
      `Try it by hand: ${command} ${passtArguments(this.#options).join(' ')}`,
    );
  }
}

/** What passt said on its standard error, without the words that it always says. */
function complaintOf(stderr: string): string {
  const usual = /to syslog|run as root|Started as root|AVX2|Client connection closed|No IPv6 nameserver|^\s*$/;
  return stderr
    .split('\n')
    .filter((line) => !usual.test(line))
    .slice(-5)
    .join('; ');
}

/** An ARP request of the guest for its gateway (RFC 826). */
function gatewayRequest(options: PasstOptions): Uint8Array {
  const mac = options.guestMac ?? DEFAULT_GUEST_MAC;
  const frame = new Uint8Array(60);
  frame.fill(0xff, 0, 6);
  frame.set(mac, 6);
  frame.set([0x08, 0x06, 0, 1, 0x08, 0, 6, 4, 0, 1], 12);
  frame.set(mac, 22);
  frame.set(ipv4Bytes(options.guestAddress ?? DEFAULT_GUEST_ADDRESS), 28);
  frame.set(ipv4Bytes(options.gateway ?? DEFAULT_GATEWAY), 38);
  return frame;
}

function ipv4Bytes(text: string): number[] {
  if (!net.isIPv4(text))
    throw new OperatingError('bad-forward', `'${text}' is no IPv4 address`, 'Write it like 10.0.2.15.');
  return text.split('.').map(Number);
}

/** Binds the port of the host for a moment: passt's own words for one in use depend on its version. */
async function checkForward(forward: PortForward): Promise<void> {
  const { protocol, hostAddress = '127.0.0.1', hostPort, guestPort } = forward;
  const isPort = (port: number) => Number.isInteger(port) && port >= 1 && port <= 65_535;
  if (!isPort(hostPort) || !isPort(guestPort) || !net.isIP(hostAddress)) {
    throw new OperatingError(
      'bad-forward',
      `cannot forward ${protocol} ${hostAddress}:${hostPort} to the guest's port ${guestPort}`,
      'Ports go from 1 to 65535, and the address is one of this host, in numbers.',
    );
  }
  try {
    await (protocol === 'tcp' ? bindTcp(hostAddress, hostPort) : bindUdp(hostAddress, hostPort));
  } catch (error) {
    throw forwardError(forward, hostAddress, errorCode(error), error);
  }
}

function forwardError(
  forward: PortForward,
  address: string,
  code: string,
  cause: unknown,
): OperatingError<PasstErrorCode> {
  const what = `${forward.protocol} port ${forward.hostPort} on ${address}`;
  if (code === 'EADDRINUSE') {
    return new OperatingError(
      'port-in-use',
      `${what}, to be forwarded to the guest's port ${forward.guestPort}, is in use already`,
      'Stop the program that holds it, or forward another port.',
      { cause },
    );
  }
  return new OperatingError(
    'port-not-permitted',
    `${what} cannot be forwarded to the guest: ${code}`,
    'Use an address of this host, and a port from 1024 up unless you are root.',
    { cause },
  );
}

async function bindTcp(host: string, port: number): Promise<void> {
  const server = net.createServer().listen({ host, port, exclusive: true });
  await once(server, 'listening');
  server.close();
  await once(server, 'close');
}

async function bindUdp(address: string, port: number): Promise<void> {
  const socket = dgram.createSocket(net.isIPv6(address) ? 'udp6' : 'udp4');
  socket.bind({ address, port, exclusive: true });
  await once(socket, 'listening');
  socket.close();
  await once(socket, 'close');
}
