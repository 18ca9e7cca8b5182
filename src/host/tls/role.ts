/**
 * What the holder of a certificate is, as the certificate itself says. Whether it may do what it asks for is another question
 * (PROTOCOL.md, 29): the arbiter's record and the membership answer it, by fingerprint.
 *
 *   host       for server and client use, or without a limit (RFC 5280, 4.2.1.12): it may stand at either end of a channel
 *   operator   for client use only, of the organizational unit `understudy-operator`: a person who protects and stops machines
 *   client     anything else for client use: it may look
 */
import { PURPOSE } from './certificate.ts';

export type CertificateRole = 'host' | 'operator' | 'client';

/** An authority that signs other things too (a company's) would make many operators by the use alone. */
export const OPERATOR_UNIT = 'understudy-operator';

export function roleOf(certificate: { readonly keyUsage?: unknown; readonly subject: string }): CertificateRole {
  const purposes = certificate.keyUsage as readonly string[] | undefined;
  if (purposes === undefined || Object.values(PURPOSE).every((purpose) => purposes.includes(purpose))) return 'host';
  const isOperator = !purposes.includes(PURPOSE.server) && purposes.includes(PURPOSE.client);
  return isOperator && certificate.subject.split('\n').includes(`OU=${OPERATOR_UNIT}`) ? 'operator' : 'client';
}
