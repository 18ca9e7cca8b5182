import { Command } from 'commander';
import type { StreamAddress } from '../../../host/net/address.ts';
import { addReplicaOptions, type ReplicaOptions, replicaRequest, streamAddress } from '../replica-options.ts';

interface Options extends ReplicaOptions {
  readonly primary: StreamAddress;
  readonly listen?: StreamAddress;
}

/** `understudy backup`: the replica that runs the same machine a few milliseconds behind. */
export function command(): Command {
  const backup = new Command('backup')
    .summary('run the backup replica, for a pair on two hosts')
    .description(
      'Runs the same machine a little behind the primary, from its log, with its outputs dropped. When the primary is lost it claims the machine at the arbiter, finishes the log, and goes live in its place.',
    )
    .argument('<description>', 'machine description (YAML), the same on both hosts')
    .requiredOption('--primary <address>', "the primary's --listen address, HOST:PORT", streamAddress)
    .option('--listen <address>', 'where to wait for a new backup once it has taken over, HOST:PORT', streamAddress);
  return addReplicaOptions(backup)
    .addHelpText(
      'after',
      `
Example:
  host-b$ understudy backup machine.yaml --primary host-a:7000 --arbiter /mnt/shared/arbiter \\
              --disk host-c:7001 --hub host-c:7002

"understudy primary --help" shows both sides.
`,
    )
    .action(async (file: string, options: Options) => {
      const request = await replicaRequest(file, options);
      const { backup } = await import('../actions/backup.ts');
      process.exitCode = await backup({ ...request, primary: options.primary, listen: options.listen });
    });
}
