import { Command } from 'commander';

/** `understudy replica`: what `understudy host` starts; not for people, and not in the help. */
export function command(): Command {
  return new Command('replica')
    .summary('one replica of a host, as "understudy host" starts it')
    .argument('<directory>', 'its directory in the state of the host')
    .addHelpText(
      'after',
      `
Example:
  $ understudy replica /var/lib/understudy/replicas/web
`,
    )
    .action(async (path: string) => {
      const { replica } = await import('../actions/host-replica.ts');
      process.exitCode = await replica(path);
    });
}
