/**
 * The hub: a small switch in a process of its own, outside both replicas, where the machine's network card meets its
 * uplink. Replicas connect to it over a unix socket or TCP. A frame from the uplink goes to *every* replica: the backup's
 * host keeps the last ones, so that a request which the primary had received but not yet logged is not lost with it
 * (PROTOCOL.md, 19). A frame from a replica goes to the uplink and to the other replicas: a new primary's announcement
 * reaches the old one too. There is nothing to learn and no table: with two ports and one guest a hub is the right switch.
 */
import net from 'node:net';

import { OperatingError } from '../../core/base/error.ts';
import { formatAddress, listenOn, type StreamAddress } from './address.ts';
import { FramePort, type PortCounters } from './frame-port.ts';
import { openPasst, type PasstOptions } from './passt.ts';
import { type LinkState, openStreamUplink, type Uplink } from './uplink.ts';
import { openVxlanUplink, type VxlanOptions } from './vxlan.ts';

export type HubOptions = {
  /** Where replicas connect: at least one; a host and port, a unix socket, or both. */
  readonly listen: readonly StreamAddress[];
  /** The way out: passt, any stream socket in QEMU's framing, VXLAN, or nothing (the replicas' ports only). */
  readonly uplink:
    | { readonly passt: PasstOptions }
    | { readonly connect: StreamAddress }
    | { readonly vxlan: VxlanOptions }
    | undefined;
  /** Bytes that may wait for a replica that does not read; more frames are dropped. */
  readonly maxQueuedBytes?: number;
  /** The hub cannot go on (passt has ended): called once; the caller tells the person and closes the hub. */
  readonly onFailure: (error: OperatingError<'uplink-lost'>) => void;
  /** One line for the log, such as a replica that connects. */
  readonly onEvent?: (line: string) => void;
};

export type HubCounters = {
  readonly uplink: Readonly<PortCounters> | undefined;
  readonly ports: readonly Readonly<PortCounters>[];
};

export interface Hub {
  /** Where it listens, with the port that was really bound, in the order of `listen`. */
  readonly addresses: readonly StreamAddress[];
  readonly uplinkState: LinkState;
  counters(): HubCounters;
  /** Ends everything: ports, listeners, passt. Resolves when passt is gone. */
  close(): Promise<void>;
}

/**
 * Starts the uplink, then listens. Throws OperatingError (PasstErrorCode or AddressErrorCode), with nothing left behind.
 * Run it with `untilToldToStop` (lifeline.ts), so that it never outlives its parent.
 */
export async function startHub(options: HubOptions): Promise<Hub> {
  const hub = new FrameHub(options);
  try {
    await hub.start();
  } catch (error) {
    await hub.close();
    throw error;
  }
  return hub;
}

class FrameHub implements Hub {
  readonly addresses: StreamAddress[] = [];
  readonly #options: HubOptions;
  readonly #ports = new Set<FramePort>();
  readonly #servers: net.Server[] = [];
  #uplink: Uplink | undefined;
  #closing: Promise<void> | undefined;

  constructor(options: HubOptions) {
    this.#options = options;
  }

  get uplinkState(): LinkState {
    return this.#uplink?.state ?? 'down';
  }

  counters(): HubCounters {
    return { uplink: this.#uplink?.counters, ports: [...this.#ports].map((port) => port.counters) };
  }

  async start(): Promise<void> {
    await this.#openUplink();
    for (const address of this.#options.listen) {
      const server = net.createServer({ noDelay: true }, (socket) => this.#join(socket, formatAddress(address)));
      this.#servers.push(server);
      this.addresses.push(await listenOn(server, address));
    }
  }

  close(): Promise<void> {
    this.#closing ??= this.#end();
    return this.#closing;
  }

  async #end(): Promise<void> {
    const stopped = this.#servers
      .filter((server) => server.listening)
      .map((server) => new Promise<void>((resolve) => server.close(() => resolve())));
    for (const port of this.#ports) port.close();
    await Promise.all([...stopped, this.#uplink?.close()]);
  }

  async #openUplink(): Promise<void> {
    const choice = this.#options.uplink;
    if (choice === undefined) return;
    const onFrame = (frame: Uint8Array) => {
      for (const port of this.#ports) port.send(frame);
    };
    if ('passt' in choice) {
      const onState = (_: LinkState, reason: string | undefined) => this.#fail(reason ?? 'passt has ended');
      this.#uplink = await openPasst(choice.passt, { onFrame, onState });
      return;
    }
    const where = 'connect' in choice ? formatAddress(choice.connect) : `VXLAN ${choice.vxlan.vni}`;
    const onState = (state: LinkState, reason: string | undefined) =>
      this.#options.onEvent?.(`uplink ${where} is ${state}${reason === undefined ? '' : `: ${reason}`}`);
    const events = { onFrame, onState };
    this.#uplink =
      'connect' in choice
        ? openStreamUplink({ address: choice.connect }, events)
        : await openVxlanUplink(choice.vxlan, events);
  }

  #join(socket: net.Socket, where: string): void {
    const port: FramePort = new FramePort(
      socket,
      {
        onFrame: (frame) => this.#fromReplica(frame, port),
        onClose: (error) => {
          this.#ports.delete(port);
          this.#options.onEvent?.(`a replica has left ${where}${error === undefined ? '' : `: ${error.message}`}`);
        },
      },
      this.#options.maxQueuedBytes,
    );
    this.#ports.add(port);
    this.#options.onEvent?.(`a replica has connected to ${where}`);
  }

  #fromReplica(frame: Uint8Array, from: FramePort): void {
    this.#uplink?.send(frame);
    for (const port of this.#ports) if (port !== from) port.send(frame);
  }

  #fail(reason: string): void {
    if (this.#closing !== undefined) return;
    const advice = 'Start again; the guest keeps its state, its connections to the outside are lost.';
    this.#options.onFailure(new OperatingError('uplink-lost', `the guest has lost its network: ${reason}`, advice));
  }
}
