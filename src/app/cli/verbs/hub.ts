import { Command, Option } from 'commander';
import type { StreamAddress } from '../../../host/net/address.ts';
import { usageError } from '../failure.ts';
import { streamAddress } from '../replica-options.ts';

interface Options {
  readonly listen?: readonly StreamAddress[];
  readonly networkJson?: string;
}

/** `understudy hub`: the switch outside both replicas. */
export function command(): Command {
  return new Command('hub')
    .summary('run the network hub that both replicas connect to')
    .description(
      "Joins the replicas' network cards and the machine's uplink (passt, a socket in QEMU's stream framing, or VXLAN), outside both replicas, so that the network outlives either of them. Without a description there is no uplink.",
    )
    .argument('[description]', 'machine description (YAML) whose network section says what the uplink is')
    .requiredOption(
      '--listen <address>',
      'where replicas connect: HOST:PORT or unix:PATH; may be repeated',
      (text: string, previous: readonly StreamAddress[] | undefined) => [...(previous ?? []), streamAddress(text)],
    )
    .addOption(new Option('--network-json <json>', 'the network section of a checked description').hideHelp())
    .addHelpText(
      'after',
      `
Examples:
  $ understudy hub machine.yaml --listen 0.0.0.0:7002
  $ understudy hub --listen unix:/run/lab.sock
`,
    )
    .action(async (file: string | undefined, options: Options) => {
      const description =
        file === undefined
          ? undefined
          : await (await import('../../../host/description/load.ts')).loadDescription(file, { filesAreHere: false });
      if (description !== undefined && description.network === undefined) {
        throw usageError(`${file} describes a machine without a network`, 'Such a machine needs no hub.');
      }
      // A program of ours that has no description file gives what it needs of one (src/host/plain).
      const given = options.networkJson === undefined ? description : JSON.parse(options.networkJson);
      const { hub } = await import('../actions/hub.ts');
      process.exitCode = await hub({ listen: options.listen ?? [], description: given });
    });
}
