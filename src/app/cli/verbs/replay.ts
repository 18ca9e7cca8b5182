import { Command } from 'commander';
import type { EngineKind } from '../../../core/engine/engine.ts';
import { engineOption, steps } from '../option-values.ts';

interface Options {
  readonly machine?: string;
  readonly to?: bigint;
  readonly hashes?: boolean;
  readonly engine: EngineKind;
}

/** `understudy replay`: the recorded run once more. */
export function command(): Command {
  return new Command('replay')
    .summary('repeat a recorded run')
    .description(
      'Repeats a run from its log: the same console output, the same state at every position. Each hash in the log is compared; a difference ends the replay with status 1. Nothing leaves the machine: no frame, no disk write. A log that was cut short is replayed up to its last whole entry.',
    )
    .argument('<log>', 'a log that "understudy record" wrote')
    .option('--machine <file>', 'machine description (YAML) to take the kernel and initramfs from, if they have moved')
    .option('--to <position>', 'stop at this position (a count of steps)', steps)
    .option('--hashes', 'print each compared hash with its position')
    .addOption(engineOption())
    .addHelpText(
      'after',
      `
Examples:
  $ understudy replay monday.log
  $ understudy replay monday.log --to 250M --hashes
`,
    )
    .action(async (log: string, options: Options) => {
      const { machine } = options;
      const description =
        machine === undefined
          ? undefined
          : await (await import('../../../host/description/load.ts')).loadDescription(machine, { diskIsHere: false });
      const { replay } = await import('../actions/replay.ts');
      process.exitCode = await replay({
        log,
        engine: options.engine,
        description,
        to: options.to,
        showHashes: options.hashes ?? false,
      });
    });
}
