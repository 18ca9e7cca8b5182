import { Command } from 'commander';
import type { EngineKind } from '../../../core/engine/engine.ts';
import type { MachineOptions } from '../../../host/description/options.ts';
import { addMachineOptions, machineOf } from '../machine-source.ts';
import { controlOption, engineOption } from '../option-values.ts';

interface Options extends MachineOptions {
  readonly engine: EngineKind;
  readonly control?: string;
}

/** `understudy resume`: a machine goes on from a snapshot. */
export function command(): Command {
  const resume = new Command('resume')
    .summary('let a machine go on from a snapshot')
    .description(
      'Runs a machine as "understudy run" does, from the step at which the snapshot was taken. It must be described as it was then, with the same kernel and initramfs, and its disk must be as it was then. Its clock goes on from its own time; the guest sets it right by NTP.',
    )
    .argument('<file>', 'what "understudy snapshot" has written')
    .argument('[description]', 'machine description (YAML)');
  return addMachineOptions(resume)
    .addOption(engineOption())
    .addOption(controlOption())
    .addHelpText(
      'after',
      `
Example:
  $ understudy resume before-upgrade.snap machine.yaml
`,
    )
    .action(async (snapshot: string, file: string | undefined, options: Options) => {
      const description = await machineOf(file, options);
      const { run } = await import('../actions/run.ts');
      process.exitCode = await run({
        description,
        engine: options.engine,
        control: options.control,
        resume: snapshot,
      });
    });
}
