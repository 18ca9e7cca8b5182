/**
 * Who may ask a host for what, by the certificate that the caller has shown (PROTOCOL.md, 29). A certificate of the authority alone
 * lets its holder look, and no more.
 *
 *   look            everybody of the authority: status, metrics
 *   operate         operators ("understudy keys operator"): protect, start, stop, hand over
 *   start-replica   operators; hosts whose lease names their certificate; and the host that the arbiter's record names as
 *                   the machine's owner, whose daemon may be down just when its machine needs a backup
 *
 * Without keys nobody shows anything, and whoever reaches the API may do all: the listen policy keeps it on loopback.
 */
import { OperatingError } from '../../core/base/error.ts';
import type { Owner } from '../arbiter/arbiter.ts';
import type { TlsPeer } from '../tls/secure.ts';
import type { HostRecord } from './messages.ts';

export type Deed = 'look' | 'operate' | 'start-replica';

export interface AccessSources {
  hosts(): Promise<readonly HostRecord[]>;
  /** The owner of a machine's newest generation, as the arbiter's record has it. */
  owner(machine: string): Promise<Owner | undefined>;
}

/** Throws OperatingError `not-allowed`, or what the sources throw. */
export async function checkAccess(caller: TlsPeer, deed: Deed, machine: string, sources: AccessSources): Promise<void> {
  if (deed === 'look' || caller.role === 'operator') return;
  if (deed === 'operate') {
    throw notAllowed(
      `${describe(caller)} may not change what is wanted of ${machine}: that is for operators`,
      'Use a certificate that "understudy keys operator" has made.',
    );
  }
  const { fingerprint } = caller;
  if (caller.role === 'host') {
    if ((await sources.hosts()).some((host) => host.fingerprint === fingerprint)) return;
    if ((await sources.owner(machine))?.fingerprint === fingerprint) return;
  }
  throw notAllowed(
    `${describe(caller)} may not start a replica of ${machine}: its certificate ${fingerprint.slice(0, 16)} is that of no host here`,
    'Start "understudy host" there, with the same arbiter; a renewed certificate is known a few seconds later.',
  );
}

function describe({ name, role }: TlsPeer): string {
  return { host: `host ${name}`, operator: `operator ${name}`, client: name }[role];
}

function notAllowed(message: string, advice: string): OperatingError<'not-allowed'> {
  return new OperatingError('not-allowed', message, advice);
}
