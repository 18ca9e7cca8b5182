import { Command } from 'commander';
import { controlPath } from '../option-values.ts';

/** `understudy snapshot`: a file of a running machine, from which it can go on. */
export function command(): Command {
  return new Command('snapshot')
    .summary('write a running machine to a file')
    .description(
      'Asks a machine that was started with "--control unix:PATH" ("understudy run", "primary" or "backup") for a snapshot: its memory, its registers and its devices at one step. The machine runs on meanwhile, and stands still for some milliseconds at the end. The content of its disk is not part of the file. A protected machine is asked on its primary\'s host, at /var/lib/understudy/replicas/NAME/machine.',
    )
    .argument('<socket>', "the machine's control socket", controlPath)
    .argument('<file>', 'the file to write; it must not exist')
    .option('--stop', 'leave the machine where it is afterwards: its disk then stays as the snapshot needs it')
    .addHelpText(
      'after',
      `
Examples:
  $ understudy run machine.yaml --control unix:/tmp/machine.sock
  $ understudy snapshot unix:/tmp/machine.sock before-upgrade.snap --stop
  $ understudy resume before-upgrade.snap machine.yaml
  $ understudy snapshot unix:/var/lib/understudy/replicas/web/machine web.snap    on the host of its primary
`,
    )
    .action(async (socket: string, file: string, options: { readonly stop?: boolean }) => {
      const { snapshot } = await import('../actions/snapshot.ts');
      process.exitCode = await snapshot({ socket, file, stop: options.stop ?? false });
    });
}
