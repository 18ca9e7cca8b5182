import { Command } from 'commander';
import { AUTHORITY_DAYS, HOST_DAYS } from '../../../host/tls/key-defaults.ts';
import { collectCommaSeparated, integer } from '../option-values.ts';

interface HostCommandOptions {
  readonly address?: readonly string[];
  readonly days?: number;
  readonly renew?: boolean;
}

const days = integer(1, 36_500);

function init(): Command {
  return new Command('init')
    .summary('make a private authority')
    .description(
      "Makes an authority of your own in a directory: a certificate, which every host gets, and a key, which signs the hosts' certificates. Whoever has that key can pass for any host, so keep it off the hosts.",
    )
    .argument('<dir>', 'directory for the authority; made if it is not there')
    .option('--days <n>', `how long it is valid (default: ${AUTHORITY_DAYS})`, days)
    .addHelpText('after', '\nExample:\n  $ understudy keys init keys\n')
    .action(async (directory: string, options: { readonly days?: number }) => {
      const { keysInit } = await import('../actions/keys.ts');
      process.exitCode = await keysInit({ directory, days: options.days ?? AUTHORITY_DAYS });
    });
}

function host(): Command {
  return new Command('host')
    .summary('make the key and certificate of a host')
    .description(
      'Makes <dir>/<name>/ with certificate.pem, key.pem and authority.pem: all that this host needs for --tls-certificate, --tls-key and --tls-authority. The certificate holds the names and addresses by which other hosts reach this one.',
    )
    .argument('<name>', "the host's name")
    .argument('<dir>', "the authority's directory")
    .option(
      '--address <names>',
      'more names and IP addresses by which others reach it, between commas; may be repeated',
      collectCommaSeparated,
    )
    .option('--days <n>', `how long it is valid (default: ${HOST_DAYS})`, days)
    .option('--renew', 'replace the certificate and key that are there; addresses stay unless given')
    .addHelpText(
      'after',
      `
Example:
  $ understudy keys init keys
  $ understudy keys host host-a keys --address 10.0.0.1
  $ scp -r keys/host-a root@host-a:/etc/understudy/tls
`,
    )
    .action(async (name: string, directory: string, options: HostCommandOptions) => {
      const { keysHost } = await import('../actions/keys.ts');
      process.exitCode = await keysHost({
        name,
        directory,
        addresses: options.address,
        days: options.days,
        renew: options.renew,
      });
    });
}

function operator(): Command {
  return new Command('operator')
    .summary('make the key and certificate of a person who looks after machines')
    .description(
      'Makes <dir>/<name>/ with certificate.pem, key.pem and authority.pem, for a person at "understudy protect", "start", "stop" and "failover". The certificate is no host\'s: no machine runs and no disk is written with it.',
    )
    .argument('<name>', "the operator's name")
    .argument('<dir>', "the authority's directory")
    .option('--days <n>', `how long it is valid (default: ${HOST_DAYS})`, days)
    .option('--renew', 'replace the certificate and key that are there')
    .addHelpText('after', '\nExample:\n  $ understudy keys operator alice keys\n')
    .action(async (name: string, directory: string, options: Omit<HostCommandOptions, 'address'>) => {
      const { keysOperator } = await import('../actions/keys.ts');
      process.exitCode = await keysOperator({ name, directory, days: options.days, renew: options.renew });
    });
}

function show(): Command {
  return new Command('show')
    .summary('say what is in a certificate')
    .description(
      'Says of each certificate in a file whose it is, what it is for, how long it is valid, and its fingerprint (SHA-256).',
    )
    .argument('<file>', 'PEM file of certificates')
    .option('--json', 'as JSON')
    .addHelpText('after', '\nExample:\n  $ understudy keys show keys/host-a/certificate.pem\n')
    .action(async (file: string, options: { readonly json?: boolean }) => {
      const { keysShow } = await import('../actions/keys.ts');
      process.exitCode = await keysShow({ file, json: options.json ?? false });
    });
}

/** `understudy keys`: certificates for connections between hosts. */
export function command(): Command {
  return new Command('keys')
    .summary('make and show the certificates with which hosts know each other')
    .description(
      'Hosts speak TLS 1.3 with each other, and each side shows a certificate of the same authority. This makes a small private authority, and the certificates of hosts and of the people who look after machines.',
    )
    .addCommand(init())
    .addCommand(host())
    .addCommand(operator())
    .addCommand(show());
}
