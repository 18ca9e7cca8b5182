/**
 * Three hosts in namespaces, each with three cables: `uplink` to the network of the VXLAN gateway, behind which the client is;
 * `log` to the network on which replicas speak with each other; `storage` to the network of the arbiter, the disk
 * server and the hosts' APIs.
 *
 *     client --- gateway (bridge, vxlan) --- [uplink] --- a, b, c --- [log]
 *                                                         a, b, c --- [storage] --- store (etcd, disk)
 */
import { type Cable, type Host, Network } from './namespaces.ts';
import { GATEWAY_VTEP, makeVxlanGateway } from './vxlan-lab.ts';

export const HOST_LABELS = ['a', 'b', 'c'] as const;
export type HostLabel = (typeof HOST_LABELS)[number];

/** The networks that a host is plugged into. */
export type Plug = 'uplink' | 'log' | 'storage';

export const STORE_ADDRESS = '198.18.4.1';
export const GUEST_ADDRESS = '10.0.2.15';
export const CLIENT_ADDRESS = '10.0.2.2';

const SUBNET: Readonly<Record<Plug, string>> = { uplink: '198.18.1', log: '198.18.3', storage: '198.18.4' };
/** Carries the guest's full frames whole. */
const UNDERLAY_MTU = 1600;

export class HostsLab {
  readonly #network = new Network();
  readonly hosts: Readonly<Record<HostLabel, Host>>;
  readonly gateway: Host;
  readonly client: Host;
  readonly store: Host;
  readonly cables: Readonly<Record<HostLabel, Readonly<Record<Plug, Cable>>>>;

  constructor() {
    const network = this.#network;
    try {
      this.hosts = { a: network.host('a'), b: network.host('b'), c: network.host('c') };
      this.gateway = network.host('gw');
      this.client = network.host('client');
      this.store = network.host('store');
      const hub = network.host('switch');
      for (const [host, bridge] of [
        [hub, 'uplink'],
        [hub, 'log'],
        [this.store, 'storage'],
      ] as const) {
        host.ip('link', 'add', bridge, 'type', 'bridge');
        host.ip('link', 'set', bridge, 'up');
      }
      this.store.address('storage', `${STORE_ADDRESS}/24`);
      this.#plug(this.gateway, 'underlay', hub, 'uplink');
      this.gateway.address('underlay', `${GATEWAY_VTEP}/24`);
      this.cables = {
        a: this.#plugIn('a', hub),
        b: this.#plugIn('b', hub),
        c: this.#plugIn('c', hub),
      };
      // It learns nothing: the frames for the guest reach all hosts (docs/networks.md).
      const vteps = HOST_LABELS.map((label) => this.address(label, 'uplink'));
      makeVxlanGateway(this.gateway, 'flood', vteps);
      const cable = network.cable(this.client, 'eth0', this.gateway, 'client');
      this.client.address('eth0', `${CLIENT_ADDRESS}/24`);
      cable.ends[1].host.ip('link', 'set', 'client', 'master', 'br0');
    } catch (error) {
      network.remove();
      throw error;
    }
  }

  /** The address of a host on one of its networks. */
  address(label: HostLabel, plug: Plug): string {
    return `${SUBNET[plug]}.${2 + HOST_LABELS.indexOf(label)}`;
  }

  /** Ends every process of a host, stopped ones too. */
  end(host: Host): void {
    for (const pid of host.pids()) {
      try {
        process.kill(pid, 'SIGKILL');
      } catch {
        // has ended
      }
    }
  }

  /** Ends every process in it, and removes it. */
  remove(): void {
    for (const host of [...Object.values(this.hosts), this.gateway, this.client, this.store]) this.end(host);
    this.#network.remove();
  }

  #plugIn(label: HostLabel, hub: Host): Record<Plug, Cable> {
    const plug = (kind: Plug): Cable => {
      const cable = this.#plug(this.hosts[label], kind, kind === 'storage' ? this.store : hub, kind);
      this.hosts[label].address(kind, `${this.address(label, kind)}/24`);
      return cable;
    };
    return { uplink: plug('uplink'), log: plug('log'), storage: plug('storage') };
  }

  /** A cable from `host` to a bridge of another. */
  #plug(host: Host, device: string, to: Host, bridge: string): Cable {
    const port = `${bridge}-${host.name.split('-').at(-1)}`.slice(0, 15);
    const cable = this.#network.cable(host, device, to, port);
    if (bridge === 'uplink') cable.mtu(UNDERLAY_MTU);
    to.ip('link', 'set', port, 'master', bridge);
    return cable;
  }
}
