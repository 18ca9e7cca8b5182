import { Command } from 'commander';
import type { EngineKind } from '../../../core/engine/engine.ts';
import type { MachineOptions } from '../../../host/description/options.ts';
import { addMachineOptions, machineOf } from '../machine-source.ts';
import { engineOption } from '../option-values.ts';

/** `understudy record`: a plain run that can be repeated, step for step. */
export function command(): Command {
  const record = new Command('record')
    .summary('run a machine and write a log that repeats the run')
    .description(
      'Runs a machine as "understudy run" does, and writes everything unpredictable that reaches it to a log. "understudy replay" repeats the run from that log, step for step. The log holds what the guest was sent: network frames, typed keys, the disk\'s content as it was read. Treat it as you treat the guest\'s data.',
    )
    .argument('[description]', 'machine description (YAML)')
    .requiredOption('--log <file>', 'the log to write; it must not exist');
  return addMachineOptions(record)
    .addOption(engineOption())
    .addHelpText(
      'after',
      `
Examples:
  $ understudy record machine.yaml --log monday.log
  $ understudy replay monday.log
`,
    )
    .action(
      async (
        file: string | undefined,
        options: MachineOptions & { readonly log: string; readonly engine: EngineKind },
      ) => {
        const description = await machineOf(file, options);
        const { record } = await import('../actions/record.ts');
        process.exitCode = await record({ description, engine: options.engine, log: options.log });
      },
    );
}
