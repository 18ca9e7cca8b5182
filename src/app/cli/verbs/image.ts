import { Command } from 'commander';
import { collect, collectCommaSeparated, integer } from '../option-values.ts';

interface Options {
  readonly output?: string;
  readonly cache?: string;
  readonly demo: boolean;
  readonly package?: readonly string[];
  readonly copy?: readonly string[];
  readonly module?: readonly string[];
  readonly size?: number;
  readonly hostname?: string;
  readonly mirror?: string;
  readonly keyring?: string;
  readonly rebuild?: boolean;
  readonly machine?: string;
}

/** `understudy image build`: a Debian guest from Debian's packages. */
function build(): Command {
  return new Command('build')
    .summary('make a Debian guest')
    .description(
      "Makes a guest from Debian's riscv64 packages: a kernel, an initramfs with the modules that the boot needs, and an ext4 root disk. It needs a Debian-family host of any architecture, no root rights, and changes nothing on the host but the output and cache directories. Package signatures are verified.",
    )
    .option('-o, --output <dir>', 'directory of the finished image (default: .cache/images/demo)')
    .option('--machine <file>', 'also write a machine description there, and a copy of the disk beside it')
    .option('--package <names>', 'Debian packages to install, between commas; may be repeated', collectCommaSeparated)
    .option('--copy <host:guest>', 'add a file of this host, HOST:/GUEST or HOST:/GUEST:MODE; may be repeated', collect)
    .option('--module <names>', 'more kernel modules, between commas; may be repeated', collectCommaSeparated)
    .option('--size <MiB>', 'size of the root disk (default: 1024)', integer(64, 1 << 20))
    .option('--no-demo', 'leave out redis, python3 and the streaming service of the demo')
    .option('--hostname <name>', "the guest's host name (default: understudy)")
    .option('--mirror <url>', "Debian mirror (default: the one that this host's apt uses)")
    .option('--keyring <file>', "keys to check the mirror's signature with (default: debian-archive-keyring)")
    .option('--cache <dir>', 'directory of downloaded packages (default: .cache/apt)')
    .option('--rebuild', 'build even if an image of the same inputs is there')
    .addHelpText(
      'after',
      `
Examples:
  $ understudy image build --machine machine.yaml
  $ understudy run machine.yaml
  $ understudy image build -o images/web --no-demo --package nginx,curl --copy ./site.conf:/etc/nginx/conf.d/site.conf
`,
    )
    .action(async (options: Options) => {
      const { parseAddedFile } = await import('../../../host/image/options.ts');
      const { imageBuild } = await import('../actions/image-build.ts');
      const given = {
        outputDir: options.output,
        cacheDir: options.cache,
        demo: options.demo,
        packages: options.package === undefined ? undefined : [...options.package],
        files: options.copy?.map(parseAddedFile),
        modules: options.module === undefined ? undefined : [...options.module],
        diskSizeMiB: options.size,
        hostname: options.hostname,
        mirror: options.mirror,
        keyring: options.keyring,
        rebuild: options.rebuild,
      };
      process.exitCode = await imageBuild({ options: withoutUndefined(given), machine: options.machine });
    });
}

/** Left-out options take the builder's own defaults. */
function withoutUndefined<T extends object>(value: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(value).filter(([, inner]) => inner !== undefined)) as {
    [K in keyof T]?: Exclude<T[K], undefined>;
  };
}

export function command(): Command {
  return new Command('image').summary('make guest images').description('Makes guest images.').addCommand(build());
}
