import { Command } from 'commander';
import type { EngineKind } from '../../../core/engine/engine.ts';
import type { HostChoice } from '../../../host/daemon/operator.ts';
import { formatAddress, type StreamAddress } from '../../../host/net/address.ts';
import { addContactOptions, type ContactOptions, contactRequest, hostChoices } from '../host-options.ts';
import { engineOption } from '../option-values.ts';
import { streamAddress } from '../replica-options.ts';

interface Options extends ContactOptions {
  readonly hosts: readonly HostChoice[];
  readonly disk?: StreamAddress;
  readonly hub?: StreamAddress;
  readonly engine: EngineKind;
}

/** `understudy protect`: a new machine on two hosts. */
export function command(): Command {
  const protect = new Command('protect')
    .summary('start a machine on two of your hosts')
    .description(
      'Starts a new machine: its primary on the first of the hosts, its backup on the next that has room. From then on the machine\'s primary looks after its redundancy by itself. Returns when the machine is redundant. "understudy host" must run on the hosts.',
    )
    .argument(
      '<description>',
      'machine description (YAML); kernel and initramfs are on every host, under the same paths',
    )
    .requiredOption(
      '--hosts <names>',
      'hosts for its replicas, the preferred first: a,b,c or NAME=HOST:PORT',
      hostChoices,
    )
    .option('--disk <address>', 'the disk server ("understudy disk"), as all hosts reach it', streamAddress)
    .option('--hub <address>', 'the network hub ("understudy hub"), as all hosts reach it', streamAddress)
    .addOption(engineOption());
  return addContactOptions(protect)
    .addHelpText(
      'after',
      `
Example:
  $ understudy protect machine.yaml --hosts a,b,c --disk nas:7001 --hub nas:7002
`,
    )
    .action(async (descriptionFile: string, options: Options) => {
      const { protect } = await import('../actions/machines.ts');
      const text = (address: StreamAddress | undefined) => (address === undefined ? undefined : formatAddress(address));
      process.exitCode = await protect(contactRequest(options), {
        descriptionFile,
        hosts: options.hosts,
        disk: text(options.disk),
        hub: text(options.hub),
        engine: options.engine,
      });
    });
}
