import { Command } from 'commander';
import type { EngineKind } from '../../../core/engine/engine.ts';
import type { MachineOptions } from '../../../host/description/options.ts';
import { addMachineOptions, machineOf } from '../machine-source.ts';
import { controlOption, engineOption } from '../option-values.ts';

interface Options extends MachineOptions {
  readonly engine: EngineKind;
  readonly control?: string;
}

/** `understudy run`: one machine, here, with nobody behind it. */
export function command(): Command {
  const run = new Command('run')
    .summary('run a machine on this host, alone')
    .description(
      "Runs a machine with its console in this terminal. Ends with status 0 when the guest powers off.\n\nIn a terminal, Ctrl-A x quits (as if the power failed) and Ctrl-A Ctrl-A sends a Ctrl-A. On a pipe, the guest's console is standard input and output.",
    )
    .argument('[description]', 'machine description (YAML)');
  return addMachineOptions(run)
    .addOption(engineOption())
    .addOption(controlOption())
    .addHelpText(
      'after',
      `
Examples:
  $ understudy run machine.yaml
  $ understudy run --kernel vmlinux --initrd initramfs --disk root.img --append "console=ttyS0 root=/dev/vda rw"
  $ understudy run --kernel vmlinux --initrd initramfs --net passt --forward 127.0.0.1:8080:80
`,
    )
    .action(async (file: string | undefined, options: Options) => {
      const description = await machineOf(file, options);
      const { run } = await import('../actions/run.ts');
      process.exitCode = await run({
        description,
        engine: options.engine,
        control: options.control,
        resume: undefined,
      });
    });
}
