import { Command } from 'commander';
import { addContactOptions, type ContactOptions, contactRequest } from '../host-options.ts';

interface Options extends ContactOptions {
  readonly afterLoss?: boolean;
  readonly alone?: boolean;
  readonly acceptDataLoss?: string;
}

/** `understudy start`: a machine that was stopped, or lost. */
export function command(): Command {
  const start = new Command('start')
    .summary('start a machine again that was stopped, or lost')
    .description(
      'Starts a stopped machine again, from its disk. When all its replicas were lost (all its hosts had a power cut), only a person can know that it runs nowhere any more: say so with --after-loss.',
    )
    .argument('<machine>', 'its name')
    .option('--after-loss', 'it is certain that no replica of it runs anywhere')
    .option('--alone', 'run without waiting for a backup')
    .option(
      '--accept-data-loss <host>',
      "with a mirrored disk: start from this host's image, although another has a newer one, which is lost",
    );
  return addContactOptions(start)
    .addHelpText(
      'after',
      `
Examples:
  $ understudy start web
  $ understudy start web --after-loss    after a power cut of all its hosts
  $ understudy start web --after-loss --accept-data-loss b    and host a is gone for good
`,
    )
    .action(async (machine: string, options: Options) => {
      const { start } = await import('../actions/machines.ts');
      const { afterLoss = false, alone = false, acceptDataLoss } = options;
      process.exitCode = await start(contactRequest(options), machine, { afterLoss, alone, acceptDataLoss });
    });
}
