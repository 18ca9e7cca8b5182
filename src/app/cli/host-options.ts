/** The options of verbs that talk to hosts, and what they come to. */
import type { Command } from 'commander';
import { InvalidArgumentError } from 'commander';
import { OperatingError } from '../../core/base/error.ts';
import type { HostChoice } from '../../host/daemon/operator.ts';
import { parseAddress } from '../../host/net/address.ts';
import type { ContactRequest } from './requests.ts';
import { securityRequest, type TlsOptions } from './tls-options.ts';

export interface ContactOptions extends Omit<TlsOptions, 'insecure'> {
  readonly host: string;
}

function hostAddress(text: string): string {
  try {
    if ('host' in parseAddress(text)) return text;
  } catch (error) {
    if (!(error instanceof OperatingError)) throw error;
  }
  throw new InvalidArgumentError('Write HOST:PORT.');
}

/** `a` or `a=HOST:PORT`, between commas. */
export function hostChoices(text: string): HostChoice[] {
  return text.split(',').map((part) => {
    const [name, address, ...rest] = part.trim().split('=');
    if (rest.length > 0 || !/^[a-z0-9][a-z0-9-]*$/.test(name)) {
      throw new InvalidArgumentError('Write names of hosts, or NAME=HOST:PORT, between commas.');
    }
    return { name, address: address === undefined ? undefined : hostAddress(address) };
  });
}

export function addContactOptions(command: Command): Command {
  return command
    .option(
      '--host <address>',
      'the API of any host, HOST:PORT (also: the variable UNDERSTUDY_HOST)',
      hostAddress,
      process.env.UNDERSTUDY_HOST ?? '127.0.0.1:7400',
    )
    .option(
      '--tls-certificate <file>',
      'your certificate, of the authority that all hosts have in common ("understudy keys operator")',
    )
    .option('--tls-key <file>', 'its private key')
    .option('--tls-authority <file>', 'certificate of the authority');
}

export function contactRequest(options: ContactOptions): ContactRequest {
  return { address: options.host, tls: securityRequest(options).tls };
}
