import { Command } from 'commander';
import type { StreamAddress } from '../../../host/net/address.ts';
import { addReplicaOptions, type ReplicaOptions, replicaRequest, streamAddress } from '../replica-options.ts';

interface Options extends ReplicaOptions {
  readonly listen: StreamAddress;
  readonly create?: boolean;
  readonly alone?: boolean;
  readonly acceptDataLoss?: boolean;
}

/** `understudy primary`: the replica that runs the machine for real. */
export function command(): Command {
  const primary = new Command('primary')
    .summary('run the primary replica, for a pair on two hosts')
    .description(
      'Runs the machine for real, and sends its log to the backup that connects. Waits for the backup before the first step. When the backup is lost, it claims the machine at the arbiter and goes on alone; when the arbiter says that the backup has gone on instead, it stops without another output.',
    )
    .argument('<description>', 'machine description (YAML), the same on both hosts')
    .requiredOption('--listen <address>', 'where to wait for the backup, HOST:PORT', streamAddress);
  return addReplicaOptions(primary)
    .option('--create', 'the first start of this machine ever: make its first record at the arbiter')
    .option('--alone', 'do not wait for a backup')
    .option(
      '--accept-data-loss',
      "with a mirrored disk: start from this host's image although another host has a newer one, which is lost",
    )
    .addHelpText(
      'after',
      `
Examples, with /mnt/shared on storage that both hosts reach (a hub and a disk server are outside both hosts):
  host-a$ understudy primary machine.yaml --listen 0.0.0.0:7000 --arbiter /mnt/shared/arbiter --create \\
              --disk host-c:7001 --hub host-c:7002
  host-b$ understudy backup machine.yaml --primary host-a:7000 --arbiter /mnt/shared/arbiter \\
              --disk host-c:7001 --hub host-c:7002

Between hosts each of these, hub aside, needs --tls-certificate, --tls-key and --tls-authority
("understudy keys" makes the files), or --insecure on a network that only trusted hosts reach.
`,
    )
    .action(async (file: string, options: Options) => {
      const request = await replicaRequest(file, options);
      const { primary } = await import('../actions/primary.ts');
      process.exitCode = await primary({
        ...request,
        listen: options.listen,
        create: options.create ?? false,
        alone: options.alone ?? false,
        acceptDataLoss: options.acceptDataLoss ?? false,
      });
    });
}
