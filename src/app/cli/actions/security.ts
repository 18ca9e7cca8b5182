/** Reads the keys of this host, and refuses to listen to strangers without them. */
import type { StreamAddress } from '../../../host/net/address.ts';
import { Credentials } from '../../../host/tls/credentials.ts';
import { checkListenAddress } from '../../../host/tls/listen-policy.ts';
import type { SecurityRequest } from '../tls-options.ts';

/**
 * What to speak TLS with; undefined without keys. `say` gets warnings, a line each.
 * Throws OperatingError `tls-bad-files` or `needs-tls`.
 */
export function openSecurity(
  { tls, insecure }: SecurityRequest,
  listen: readonly StreamAddress[],
  say: (line: string) => void,
): Credentials | undefined {
  for (const address of listen) {
    const { warning } = checkListenAddress(address, { hasTls: tls !== undefined, insecure });
    if (warning !== undefined) say(warning);
  }
  return tls === undefined ? undefined : Credentials.load(tls, say);
}
