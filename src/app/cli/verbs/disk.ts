import { Command } from 'commander';
import type { StreamAddress } from '../../../host/net/address.ts';
import { streamAddress } from '../replica-options.ts';
import { addTlsOptions, securityRequest, type TlsOptions } from '../tls-options.ts';

interface Options extends TlsOptions {
  readonly listen: StreamAddress;
  readonly name: string;
  readonly state?: string;
  readonly arbiter?: string;
}

/** `understudy disk`: the owner of the shared disk's file. */
export function command(): Command {
  const disk = new Command('disk')
    .summary('run the disk server that owns the shared disk')
    .description(
      'Owns the file of a shared disk and serves it to the replicas. It admits one generation of the machine at a time and refuses requests of any earlier one, so that a late write of a dead primary cannot land. Only one disk server at a time can have the file.',
    )
    .argument('<file>', 'raw disk image or block device')
    .requiredOption('--listen <address>', 'where replicas connect: HOST:PORT or unix:PATH', streamAddress)
    .requiredOption('--name <machine>', "the machine's name")
    .option('--arbiter <address>', 'admit only the owner that this arbiter names (as for the replicas)')
    .option('--state <dir>', 'where to keep the admitted generation (default: <file>.state)');
  return addTlsOptions(disk)
    .addHelpText(
      'after',
      `
Example:
  $ understudy disk root.img --listen 0.0.0.0:7001 --name web --arbiter /mnt/shared/arbiter \\
        --tls-certificate certificate.pem --tls-key key.pem --tls-authority authority.pem
`,
    )
    .action(async (file: string, options: Options) => {
      const { disk } = await import('../actions/disk.ts');
      process.exitCode = await disk({
        file,
        listen: options.listen,
        machine: options.name,
        stateDirectory: options.state ?? `${file}.state`,
        arbiter: options.arbiter,
        security: securityRequest(options),
      });
    });
}
