/** The options that say how a connection between hosts is protected, for every verb that has one. */
import { type Command, Option } from 'commander';
import type { TlsFiles } from '../../host/tls/credentials.ts';
import { usageError } from './failure.ts';

export interface TlsOptions {
  readonly tlsCertificate?: string;
  readonly tlsKey?: string;
  readonly tlsAuthority?: string;
  readonly insecure?: boolean;
}

/** How the connections of a process with other hosts are protected. */
export interface SecurityRequest {
  /** The files of this host; undefined: no TLS. */
  readonly tls: TlsFiles | undefined;
  /** Listen without TLS where other hosts reach it. */
  readonly insecure: boolean;
}

export function addTlsOptions(command: Command): Command {
  return command
    .option('--tls-certificate <file>', 'this host\'s certificate ("understudy keys"); connections are TLS 1.3 then')
    .option('--tls-key <file>', "this host's private key")
    .option('--tls-authority <file>', 'certificate of the authority that all hosts have in common')
    .addOption(new Option('--insecure', 'without keys, listen where other hosts reach it all the same'));
}

/** All three files, or none. Throws a usage error. */
export function securityRequest(options: TlsOptions): SecurityRequest {
  const { tlsCertificate, tlsKey, tlsAuthority, insecure = false } = options;
  const given = [tlsCertificate, tlsKey, tlsAuthority].filter((path) => path !== undefined).length;
  if (given !== 0 && given !== 3) {
    throw usageError(
      '--tls-certificate, --tls-key and --tls-authority belong together, and some are missing',
      '"understudy keys host" makes all three files.',
    );
  }
  if (given === 3 && insecure) {
    throw usageError('--insecure and --tls-certificate contradict each other', 'Leave one of them out.');
  }
  const tls = given === 0 ? undefined : { certificate: tlsCertificate!, key: tlsKey!, authority: tlsAuthority! };
  return { tls, insecure };
}
