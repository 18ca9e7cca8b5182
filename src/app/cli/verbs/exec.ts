import { Command } from 'commander';
import type { EngineKind } from '../../../core/engine/engine.ts';
import { engineOption, integer, steps } from '../option-values.ts';

interface Options {
  readonly memory: number;
  readonly engine: EngineKind;
  readonly maxSteps?: bigint;
  readonly signature?: string;
  readonly trace?: boolean;
}

/** `understudy exec`: a bare-metal program, in the convention of the RISC-V test suites. */
export function command(): Command {
  return new Command('exec')
    .summary('run a bare-metal RISC-V ELF file')
    .description(
      'Loads a 64-bit RISC-V ELF file into RAM at 0x80000000 and starts it at its entry point in M mode, on one hart, without firmware. The program ends the run by storing to its symbol "tohost": 1 is a pass (status 0), and (n << 1) | 1 means that test n failed (status n, at most 255). Its console is HTIF putchar.',
    )
    .argument('<file>', 'ELF file')
    .option('--memory <MiB>', 'RAM', integer(1, 3072), 256)
    .option('--max-steps <n>', 'give up with a failure after this many steps (5M, 1G)', steps)
    .option('--signature <file>', 'write the memory from begin_signature to end_signature, 4 bytes a line')
    .option('--trace', 'a line a step on standard error: position, pc, disassembly, register written')
    .addOption(engineOption())
    .addHelpText(
      'after',
      `
Examples:
  $ understudy exec rv64ui-p-add
  $ understudy exec --max-steps 100M --signature add.signature add-01.elf
`,
    )
    .action(async (file: string, options: Options) => {
      const { exec } = await import('../actions/exec.ts');
      process.exitCode = await exec({
        file,
        engine: options.engine,
        memoryBytes: options.memory * 1024 * 1024,
        maxSteps: options.maxSteps,
        signature: options.signature,
        trace: options.trace ?? false,
      });
    });
}
