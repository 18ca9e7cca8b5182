/**
 * The machine that a verb is about: a description file as its argument, or the options that QEMU's users know. The two
 * are never mixed, so that a reader of a command line always knows where a value came from.
 */
import type { Command } from 'commander';
import type { Description } from '../../host/description/description.ts';
import type { MachineOptions } from '../../host/description/options.ts';
import { usageError } from './failure.ts';
import { collect } from './option-values.ts';

/** Adds the options that describe a machine. */
export function addMachineOptions(command: Command): Command {
  return command
    .optionsGroup('A machine without a file:')
    .option('--kernel <file>', 'RISC-V Linux kernel (Image or ELF)')
    .option('--initrd <file>', 'initial RAM file system')
    .option('--append <words>', "the kernel's command line")
    .option('--memory <size>', 'such as 512M or 2G; at most 3G (default: 512M)')
    .option('--disk <file>', 'raw disk image, /dev/vda in the guest; FILE,readonly protects it')
    .option('--net <uplink>', 'none, passt, unix:PATH, HOST:PORT or vxlan:VNI,remote=ADDRESS (default: none)')
    .option('--forward <ports>', 'HOSTPORT:GUESTPORT to the guest, by passt; may be repeated', collect)
    .option('--mac <address>', 'MAC address of the network card (default: made from the name)')
    .option('--console <device>', 'uart (ttyS0) or virtio (hvc0) (default: uart)')
    .option('--firmware <kind>', 'builtin (an SBI) or none (the kernel starts in M mode) (default: builtin)')
    .option('--name <name>', "the machine's name (default: machine)")
    .optionsGroup('Options:');
}

const machineOptionNames = [
  'name',
  'kernel',
  'initrd',
  'append',
  'memory',
  'firmware',
  'disk',
  'mac',
  'net',
  'forward',
  'console',
] as const satisfies readonly (keyof MachineOptions)[];

/** The checked description from `file`, or from the options. Throws OperatingError `usage` or `description`. */
export async function machineOf(file: string | undefined, options: MachineOptions): Promise<Description> {
  const given = machineOptionNames.filter((name) => options[name] !== undefined);
  if (file !== undefined) {
    if (given.length > 0) {
      throw usageError(
        `both a machine description (${file}) and --${given[0]} are given`,
        'Write the value into the file, or describe the whole machine by options.',
      );
    }
    const { loadDescription } = await import('../../host/description/load.ts');
    return loadDescription(file);
  }
  if (options.kernel === undefined) {
    throw usageError(
      'no machine is given',
      'Name a machine description ("understudy run machine.yaml"), or give at least --kernel.',
    );
  }
  const { descriptionFromOptions } = await import('../../host/description/options.ts');
  return descriptionFromOptions(options);
}
