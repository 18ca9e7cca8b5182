/**
 * Without keys nothing listens where other hosts could reach it: whoever can send to the log channel of a backup, or to the disk, has
 * the machine. Unix sockets and loopback addresses are the host's own.
 */
import net from 'node:net';
import { OperatingError } from '../../core/base/error.ts';
import { formatAddress, type StreamAddress } from '../net/address.ts';

export type ListenSecurity = {
  readonly hasTls: boolean;
  /** A person has said that only trusted hosts reach this network. */
  readonly insecure: boolean;
};

/** Whether only this host can reach it. A name counts only if it is 'localhost': others may come to mean anything. */
export function isLocalAddress(address: StreamAddress): boolean {
  if ('path' in address) return true;
  const { host } = address;
  if (net.isIPv4(host)) return host.startsWith('127.');
  return host === 'localhost' || host === '::1';
}

/**
 * Throws OperatingError `needs-tls` for an address that others reach, unless there are keys or a person wants it so; then
 * the warning to give, if there is one.
 */
export function checkListenAddress(
  address: StreamAddress,
  { hasTls, insecure }: ListenSecurity,
): { readonly warning: string | undefined } {
  if (hasTls || isLocalAddress(address)) return { warning: undefined };
  const where = formatAddress(address);
  if (insecure) {
    return { warning: `warning: ${where} is open to everybody who reaches it, without encryption (--insecure)` };
  }
  throw new OperatingError(
    'needs-tls',
    `other hosts reach ${where}, and there are no keys to keep strangers out`,
    'Give --tls-certificate, --tls-key and --tls-authority ("understudy keys" makes them), listen on 127.0.0.1 or a unix socket, or give --insecure on a network that only trusted hosts reach.',
  );
}
