/**
 * The network of docs/networks.md in namespaces: hosts a and b for the replicas, a switch that joins them to a gateway
 * with a Linux bridge and a vxlan device, a client on that bridge, and a store (disk server, arbiter) that both hosts
 * reach by a cable of their own.
 *
 *     client --- gateway (bridge, vxlan) --- switch --- a ===log=== b --- switch
 *                                                       a -- store -- b
 */
import { type Cable, type Host, Network, whyNoNamespaces } from './namespaces.ts';

export const VNI = 42;
/** The gateway's tunnel end point. */
export const GATEWAY_VTEP = '198.18.1.1';

/**
 * How the gateway's vxlan device finds the guest. `flood`: it learns nothing and sends every frame for the segment to both hosts.
 * `learn`: it remembers from which host the guest's MAC came last, and sends the guest's frames there only.
 */
export type GatewayMode = 'flood' | 'learn';

export const whyNoVxlan = (): string | false => whyNoNamespaces(['bridge'], ['vxlan', 'id', '1', 'dstport', '4789']);

export type VxlanLabOptions = {
  readonly mode: GatewayMode;
  /** The client's address on the guest's segment, with its prefix. */
  readonly client: string;
  /** MTU of the network of hosts and gateway: 1550 or more carries the guest's full frames whole. */
  readonly underlayMtu?: number;
};

export class VxlanLab {
  readonly #network = new Network();
  readonly a: Host;
  readonly b: Host;
  readonly gateway: Host;
  readonly client: Host;
  readonly store: Host;
  readonly #switch: Host;
  /** Between a host (first) and the switch (second): the way to the gateway and its clients. */
  readonly uplinks: { readonly a: Cable; readonly b: Cable };
  /** Between a (first) and b (second): the log. */
  readonly log: Cable;
  /** Between a host (first) and the store (second). */
  readonly storage: { readonly a: Cable; readonly b: Cable };
  readonly addresses = {
    a: { uplink: '198.18.1.2', log: '198.18.3.1', storage: '198.18.4.2', store: '198.18.4.1' },
    b: { uplink: '198.18.1.3', log: '198.18.3.2', storage: '198.18.5.2', store: '198.18.5.1' },
  } as const;

  constructor({ mode, client, underlayMtu = 1600 }: VxlanLabOptions) {
    const network = this.#network;
    try {
      this.a = network.host('a');
      this.b = network.host('b');
      this.gateway = network.host('gw');
      this.client = network.host('client');
      this.store = network.host('store');
      this.#switch = network.host('switch');
      this.#switch.ip('link', 'add', 'br0', 'type', 'bridge');
      this.#switch.ip('link', 'set', 'br0', 'up');
      this.#plug(this.gateway, 'underlay', 'gateway', underlayMtu);
      this.gateway.address('underlay', `${GATEWAY_VTEP}/24`);
      this.uplinks = { a: this.#uplink('a', underlayMtu), b: this.#uplink('b', underlayMtu) };
      this.storage = { a: this.#storage('a'), b: this.#storage('b') };
      this.log = network.cable(this.a, 'log', this.b, 'log');
      for (const host of ['a', 'b'] as const) this[host].address('log', `${this.addresses[host].log}/30`);
      makeVxlanGateway(
        this.gateway,
        mode,
        (['a', 'b'] as const).map((host) => this.addresses[host].uplink),
      );
      const cable = network.cable(this.client, 'eth0', this.gateway, 'client');
      this.client.address('eth0', client);
      cable.ends[1].host.ip('link', 'set', 'client', 'master', 'br0');
    } catch (error) {
      network.remove();
      throw error;
    }
  }

  /** The uplink of a replica on `host`, as `--uplink` takes it. */
  uplinkOf(host: 'a' | 'b'): string {
    return `vxlan:${VNI},remote=${GATEWAY_VTEP},local=${this.addresses[host].uplink}`;
  }

  remove(): void {
    this.#network.remove();
  }

  #uplink(label: 'a' | 'b', mtu: number): Cable {
    const cable = this.#plug(this[label], 'uplink', `to-${label}`, mtu);
    this[label].address('uplink', `${this.addresses[label].uplink}/24`);
    return cable;
  }

  /** A cable from `host` to the switch. */
  #plug(host: Host, device: string, port: string, mtu: number): Cable {
    const cable = this.#network.cable(host, device, this.#switch, port);
    cable.mtu(mtu);
    this.#switch.ip('link', 'set', port, 'master', 'br0');
    return cable;
  }

  #storage(label: 'a' | 'b'): Cable {
    const { storage, store } = this.addresses[label];
    const cable = this.#network.cable(this[label], 'storage', this.store, `to-${label}`);
    this[label].address('storage', `${storage}/24`);
    this.store.address(`to-${label}`, `${store}/24`);
    return cable;
  }
}

/** The commands of docs/networks.md: `gateway` becomes the end point GATEWAY_VTEP, with the bridge br0 behind it. */
export function makeVxlanGateway(gateway: Host, mode: GatewayMode, vteps: readonly string[]): void {
  gateway.ip('link', 'add', 'br0', 'type', 'bridge');
  const vxlan = ['type', 'vxlan', 'id', String(VNI), 'local', GATEWAY_VTEP, 'dstport', '4789'];
  gateway.ip('link', 'add', 'vx0', 'mtu', '1500', ...vxlan, ...(mode === 'flood' ? ['nolearning'] : []));
  gateway.run('ethtool', '-K', 'vx0', 'tx', 'off');
  gateway.ip('link', 'set', 'vx0', 'master', 'br0');
  for (const device of ['br0', 'vx0']) gateway.ip('link', 'set', device, 'up');
  for (const vtep of vteps) gateway.run('bridge', 'fdb', 'append', '00:00:00:00:00:00', 'dev', 'vx0', 'dst', vtep);
}
