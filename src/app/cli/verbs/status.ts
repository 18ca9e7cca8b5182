import { Command } from 'commander';
import { addContactOptions, type ContactOptions, contactRequest } from '../host-options.ts';

interface Options extends ContactOptions {
  readonly json?: boolean;
}

/** `understudy status`: machines and hosts. */
export function command(): Command {
  const status = new Command('status')
    .summary('show the machines and the hosts')
    .description(
      'Shows each machine with its generation, its primary, its backup and how far that is behind; why a machine is not redundant, and what to do; and each host with its free memory.',
    )
    .option('--json', 'for programs: one JSON document');
  return addContactOptions(status)
    .addHelpText(
      'after',
      `
Example:
  $ understudy status --host host-a:7400
`,
    )
    .action(async (options: Options) => {
      const { status } = await import('../actions/machines.ts');
      process.exitCode = await status(contactRequest(options), options.json ?? false);
    });
}
