/**
 * Does an arbiter's server run on this very host? One that does is lost together with the replica here, and the other replica
 * could never go on: it is refused unless the person insists (`--unsafe-arbiter`; PROTOCOL.md, 5). Of a cluster, the members
 * elsewhere must be a majority: a cluster with one of three members on this host outlives it.
 *
 * A name that cannot be resolved now is taken for elsewhere: only what is known to lie here is refused.
 */
import { lookup } from 'node:dns/promises';
import { isIP } from 'node:net';
import { networkInterfaces } from 'node:os';
import { OperatingError } from '../../core/base/error.ts';

/** Whether `host` (a name, an address, or the directory of a unix socket) is this host. */
export async function isOwnHost(host: string): Promise<boolean> {
  if (host.startsWith('/')) return true;
  const bare = host.replace(/^\[(.*)\]$/, '$1');
  const addresses = isIP(bare) !== 0 ? [bare] : await lookup(bare, { all: true }).then(plain, () => []);
  const own = ownAddresses();
  return addresses.some((address) => isLoopback(address) || own.has(address.toLowerCase()));
}

/** Throws OperatingError `arbiter-local` if without this host less than a majority of `hosts` is left. */
export async function refuseLocalServers(hosts: readonly string[], unsafe: boolean): Promise<void> {
  if (unsafe) return;
  const own: string[] = [];
  for (const host of hosts) if (await isOwnHost(host)) own.push(host);
  if (own.length * 2 < hosts.length) return;
  throw new OperatingError(
    'arbiter-local',
    `the arbiter at ${own.join(', ')} is on this host: the loss of this host would take it along`,
    'Use a server on a third machine that both hosts reach, or add --unsafe-arbiter ("unsafeArbiter: true" in a host.yaml) if you know what you do.',
  );
}

function plain(found: readonly { readonly address: string }[]): string[] {
  return found.map(({ address }) => address);
}

function isLoopback(address: string): boolean {
  const text = address.toLowerCase().replace(/^::ffff:/, '');
  return text.startsWith('127.') || text === '::1' || text === '::' || text === '0.0.0.0';
}

function ownAddresses(): ReadonlySet<string> {
  const interfaces = Object.values(networkInterfaces()).flatMap((list) => list ?? []);
  return new Set(interfaces.map(({ address }) => address.toLowerCase()));
}
