import { Command } from 'commander';
import { addContactOptions, type ContactOptions, contactRequest } from '../host-options.ts';

/** `understudy stop`: both replicas. */
export function command(): Command {
  const stop = new Command('stop')
    .summary('stop a machine on all hosts')
    .description(
      'Stops both replicas at once, as if its power was cut: shut the guest down first if you can. "understudy start" starts it again.',
    )
    .argument('<machine>', 'its name');
  return addContactOptions(stop)
    .addHelpText(
      'after',
      `
Example:
  $ understudy stop web
`,
    )
    .action(async (machine: string, options: ContactOptions) => {
      const { stop } = await import('../actions/machines.ts');
      process.exitCode = await stop(contactRequest(options), machine);
    });
}
