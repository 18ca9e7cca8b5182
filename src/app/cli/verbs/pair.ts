import { Command } from 'commander';
import type { EngineKind } from '../../../core/engine/engine.ts';
import { engineOption } from '../option-values.ts';

interface Options {
  readonly state?: string;
  readonly engine: EngineKind;
}

/** `understudy pair`: both replicas and all that stands around them, on this host. */
export function command(): Command {
  return new Command('pair')
    .summary('run a machine twice on this host: primary and backup')
    .description(
      'Runs a machine as a primary and a backup in two processes on this host, with everything around them: the hub, the disk server and an arbiter directory. Kill either replica, and the other goes on. (Against the loss of a host the two replicas must be on two hosts: see "understudy primary --help".) Prints each replica\'s process id and state.',
    )
    .argument('<description>', 'machine description (YAML)')
    .option(
      '--state <dir>',
      'directory for sockets, logs and the arbiter (default: understudy-<name> beside the description)',
    )
    .addOption(engineOption())
    .addHelpText(
      'after',
      `
Examples:
  $ understudy pair machine.yaml
  then, in another terminal, with the primary's process id from its output:
  $ kill -9 12345
`,
    )
    .action(async (descriptionFile: string, options: Options) => {
      const { loadDescription } = await import('../../../host/description/load.ts');
      const description = await loadDescription(descriptionFile);
      const { pair } = await import('../actions/pair.ts');
      process.exitCode = await pair({
        engine: options.engine,
        descriptionFile,
        description,
        stateDirectory: options.state,
      });
    });
}
