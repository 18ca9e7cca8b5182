/** `understudy hub`: the switch outside both replicas, in a process of its own. */
import type { OperatingError } from '../../../core/base/error.ts';
import type { Description } from '../../../host/description/description.ts';
import { formatAddress } from '../../../host/net/address.ts';
import { type HubOptions, startHub } from '../../../host/net/hub.ts';
import { untilToldToStop } from '../../../host/net/lifeline.ts';
import { vxlanOptions } from '../../../host/net/vxlan.ts';
import { exitStatus } from '../failure.ts';
import type { HubRequest } from '../requests.ts';

/** Runs until SIGTERM, SIGINT, the end of its parent, or the end of passt (which is an error). */
export async function hub({ listen, description }: HubRequest): Promise<number> {
  let tellFailure: (error: OperatingError) => void = () => {};
  const failed = new Promise<OperatingError>((resolve) => {
    tellFailure = resolve;
  });
  const running = await startHub({
    listen,
    uplink: description === undefined ? undefined : uplinkOf(description),
    onFailure: (error) => tellFailure(error),
    onEvent: (line) => process.stderr.write(`${line}\n`),
  });
  process.stdout.write(`the hub listens on ${running.addresses.map(formatAddress).join(', ')}\n`);
  const end = await Promise.race([untilToldToStop(), failed]);
  await running.close();
  if (typeof end !== 'string') throw end;
  return exitStatus.success;
}

/** What the hub's uplink is, by the machine's description. */
export function uplinkOf({ mac, network }: Pick<Description, 'mac' | 'network'>): HubOptions['uplink'] {
  if (network === undefined) return undefined;
  if (network.uplink.kind === 'socket') return { connect: network.uplink.address };
  if (network.uplink.kind === 'vxlan') return { vxlan: vxlanOptions(network.uplink, network.gateway) };
  const { forwards, address, gateway } = network;
  return {
    passt: {
      forwards,
      guestMac: Uint8Array.from(mac.split(':'), (byte) => Number.parseInt(byte, 16)),
      ...(address === undefined ? {} : { guestAddress: address.address, prefixLength: address.prefixLength }),
      ...(gateway === undefined ? {} : { gateway }),
    },
  };
}
