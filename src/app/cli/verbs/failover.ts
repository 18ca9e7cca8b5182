import { Command } from 'commander';
import { addContactOptions, type ContactOptions, contactRequest } from '../host-options.ts';

/** `understudy failover`: a planned hand-over. */
export function command(): Command {
  const failover = new Command('failover')
    .summary('move a machine to its backup, without loss')
    .description(
      "The primary stops its guest at a step, its backup executes up to that step, and goes on in its place: before a host's maintenance, or to try it.",
    )
    .argument('<machine>', 'its name');
  return addContactOptions(failover)
    .addHelpText(
      'after',
      `
Example, before the maintenance of the host that web runs on:
  $ understudy failover web
`,
    )
    .action(async (machine: string, options: ContactOptions) => {
      const { failover } = await import('../actions/machines.ts');
      process.exitCode = await failover(contactRequest(options), machine);
    });
}
