/**
 * A machine description from options that QEMU's users know, instead of a file: `--kernel`, `--initrd`, `--append`,
 * `--memory`, `--disk`, `--net`. They are turned into the same form that the YAML file has, and checked by the same
 * schema; what is wrong is reported by the option's name.
 */
import { cwd } from 'node:process';
import { OperatingError } from '../../core/base/error.ts';
import type { Description } from './description.ts';
import type { Problem } from './problems.ts';
import { resolveDescription } from './resolve.ts';

/** As the command line gives them: all texts, unchecked. Absent options take the description's defaults. */
export interface MachineOptions {
  readonly name?: string | undefined;
  readonly kernel?: string | undefined;
  readonly initrd?: string | undefined;
  readonly append?: string | undefined;
  /** `512M`, `2G`; a bare number is MiB, as with QEMU's `-m`. */
  readonly memory?: string | undefined;
  readonly firmware?: string | undefined;
  /** `PATH` or `PATH,readonly`. */
  readonly disk?: string | undefined;
  readonly mac?: string | undefined;
  /** `none`, `passt`, `unix:PATH`, `HOST:PORT` or `vxlan:VNI,remote=ADDRESS`. */
  readonly net?: string | undefined;
  readonly forward?: readonly string[] | undefined;
  readonly console?: string | undefined;
}

/** The option that stands for a key of the description. */
const optionOf: Readonly<Record<string, string>> = {
  name: '--name',
  kernel: '--kernel',
  initramfs: '--initrd',
  commandLine: '--append',
  memory: '--memory',
  firmware: '--firmware',
  disk: '--disk',
  mac: '--mac',
  network: '--net',
  console: '--console',
};

/**
 * The description that the options mean. Paths are relative to `baseDirectory` (default: the current directory).
 * Throws OperatingError: `usage` for an option that cannot be right, `description` for a file that is missing or wrong.
 */
export async function descriptionFromOptions(options: MachineOptions, baseDirectory = cwd()): Promise<Description> {
  const resolved = await resolveDescription(formOf(options), {
    baseDirectory,
    defaultName: 'machine',
    filesAreHere: true,
    diskIsHere: true,
  });
  if ('description' in resolved) return resolved.description;
  const { problems } = resolved;
  const message = problems.map((problem) => `${optionNameOf(problem)}: ${problem.message}`).join('\n');
  if (problems.some((problem) => problem.kind !== 'file')) {
    throw new OperatingError('usage', message, '"understudy run --help" explains the options.');
  }
  throw new OperatingError('description', message, 'Give the path of a file that is there and of that kind.');
}

function formOf(options: MachineOptions): Record<string, unknown> {
  const form: Record<string, unknown> = {
    name: options.name,
    kernel: options.kernel,
    initramfs: options.initrd,
    commandLine: options.append,
    memory: options.memory !== undefined && /^\d+$/.test(options.memory) ? `${options.memory}M` : options.memory,
    firmware: options.firmware,
    disk: options.disk === undefined ? undefined : diskForm(options.disk),
    mac: options.mac,
    network: networkForm(options),
    console: options.console,
  };
  return Object.fromEntries(Object.entries(form).filter(([, value]) => value !== undefined));
}

function diskForm(text: string): Record<string, unknown> {
  const readOnly = /,(readonly|ro|readonly=on)$/.exec(text);
  return readOnly === null ? { path: text } : { path: text.slice(0, readOnly.index), readOnly: true };
}

function networkForm({ net, forward = [] }: MachineOptions): unknown {
  if (net === undefined && forward.length === 0) return undefined;
  if (net === 'none') {
    if (forward.length > 0) {
      throw new OperatingError('usage', '--forward needs a network, and --net none says that there is none');
    }
    return 'none';
  }
  return { uplink: net ?? 'passt', forwards: forward };
}

function optionNameOf({ path }: Problem): string {
  const [key, inner] = path.map(String);
  if (key === 'network' && inner === 'forwards') return '--forward';
  return optionOf[key ?? ''] ?? `--${key ?? 'kernel'}`;
}
