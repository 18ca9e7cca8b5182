/**
 * A replica's way to the guest's segment: the hub outside both hosts, or a VXLAN end point of this host's own. Opening it
 * waits until the far side is there: a replica that begins without its network would only find out when it is needed.
 */
import { OperatingError } from '../../core/base/error.ts';
import type { Description } from '../description/description.ts';
import { formatAddress, type StreamAddress } from '../net/address.ts';
import { type LinkState, openStreamUplink, type Uplink, type UplinkEvents } from '../net/uplink.ts';
import { openVxlanUplink, vxlanOptions } from '../net/vxlan.ts';

export interface ReplicaUplinkOptions {
  readonly network: Description['network'];
  /** Undefined: the description's own uplink. */
  readonly hub: StreamAddress | undefined;
  readonly onNotice: (line: string) => void;
}

export type ReplicaUplinkErrorCode = 'hub-away' | 'uplink-away' | 'address-in-use' | 'cannot-listen';

const TIMEOUT_MS = 2000;

/**
 * The uplink once it is up; undefined if the machine has no network. Throws OperatingError<ReplicaUplinkErrorCode> with
 * nothing left behind.
 */
export async function openReplicaUplink(
  options: ReplicaUplinkOptions,
  events: UplinkEvents,
): Promise<Uplink | undefined> {
  const { hub, network, onNotice } = options;
  if (network === undefined) return undefined;
  const vxlan = hub === undefined && network.uplink.kind === 'vxlan' ? network.uplink : undefined;
  if (hub === undefined && vxlan === undefined) return undefined;
  const name = vxlan === undefined ? 'the hub' : `the uplink VXLAN ${vxlan.vni}`;
  const { promise: connected, resolve } = Promise.withResolvers<'up'>();
  let lastReason: string | undefined;
  const watched: UplinkEvents = {
    onFrame: events.onFrame,
    onState: (state: LinkState, reason) => {
      lastReason = reason;
      if (state === 'up') resolve('up');
      else onNotice(`${name} is away: ${reason ?? 'no reason given'}`);
      events.onState(state, reason);
    },
  };
  const uplink =
    vxlan === undefined
      ? openStreamUplink({ address: hub! }, watched)
      : await openVxlanUplink(vxlanOptions(vxlan, network.gateway), watched);
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<'late'>((tell) => {
    timer = setTimeout(() => tell('late'), TIMEOUT_MS);
  });
  const outcome = await Promise.race([connected, late]);
  clearTimeout(timer);
  if (outcome === 'up') return uplink;
  await uplink.close();
  throw hub !== undefined ? hubAway(hub) : uplinkAway(name, lastReason);
}

function hubAway(hub: StreamAddress): OperatingError<ReplicaUplinkErrorCode> {
  return new OperatingError(
    'hub-away',
    `the hub at ${formatAddress(hub)} cannot be reached`,
    'Check that "understudy hub" is running, and its address.',
  );
}

function uplinkAway(name: string, reason: string | undefined): OperatingError<ReplicaUplinkErrorCode> {
  return new OperatingError(
    'uplink-away',
    `${name} leads nowhere: ${reason ?? 'nobody answers'}`,
    "Check the remote end point, its VNI and port, and that 'gateway' is an address on the guest's segment (docs/networks.md).",
  );
}
