/**
 * Kernel modules: which ones a set of wanted modules needs, in which order they load, and the files that modprobe reads.
 *
 * Debian's kernel package carries no modules.dep (depmod makes it when the package is installed), so the dependencies are read from
 * where depmod reads them too: the ".modinfo" section of each module, a list of "key=value" strings.
 */
import { OperatingError } from '../../core/base/error.ts';
import { elfSection, slimModule } from './elf.ts';
import type { ImageErrorCode } from './errors.ts';
import type { FileTree } from './file-tree.ts';
import { runTool } from './run-tool.ts';

export interface KernelModule {
  /** Name with underscores, as the kernel shows it. */
  readonly name: string;
  /** Path relative to the modules directory, without compression suffix: "kernel/fs/ext4/ext4.ko". */
  readonly path: string;
  /** The modules whose symbols it uses. */
  readonly depends: readonly string[];
  /** Aliases by which the kernel may ask for it. */
  readonly aliases: readonly string[];
  /** The module itself, uncompressed. */
  readonly data: Uint8Array;
}

/** Finds modules by name in the kernel package's tree. */
export interface ModuleSource {
  /** The module, or 'builtin' when the kernel itself holds it, or undefined when neither. */
  load(name: string): Promise<KernelModule | 'builtin' | undefined>;
}

/** The kernel treats "-" and "_" in module names as the same. */
export function canonicalName(name: string): string {
  return name.replaceAll('-', '_');
}

/** Modules of an unpacked kernel package, in `lib/modules/RELEASE` of the tree. */
export function treeModules(tree: FileTree, release: string): ModuleSource {
  const base = `usr/lib/modules/${release}`;
  const paths = new Map<string, string>();
  for (const [path] of tree.entries()) {
    const match = /\/([^/]+)\.ko(\.xz)?$/.exec(path);
    if (match !== null && path.startsWith(`${base}/`)) paths.set(canonicalName(match[1]!), path);
  }
  const builtin = new Set<string>();
  for (const line of (tree.readText(`${base}/modules.builtin`) ?? '').split('\n')) {
    const name = /([^/]+)\.ko$/.exec(line)?.[1];
    if (name !== undefined) builtin.add(canonicalName(name));
  }
  return {
    async load(name) {
      const path = paths.get(canonicalName(name));
      if (path === undefined) return builtin.has(canonicalName(name)) ? 'builtin' : undefined;
      const stored = tree.read(path)!;
      const module = path.endsWith('.xz') ? (await runTool('xz', ['-dc'], { input: stored })).stdout : stored;
      const data = slimModule(withoutSignature(module));
      const relative = path.slice(base.length + 1).replace(/\.xz$/, '');
      return { name: canonicalName(name), path: relative, data, ...parseModinfo(data) };
    },
  };
}

const signatureMark = '~Module signature appended~\n';

/**
 * A module without the signature that is appended to it (Linux, Documentation/admin-guide/module-signing.rst). The packages were verified
 * when they were downloaded; having the guest hash and verify its modules again at every boot would cost it as many
 * instructions as all the rest of the boot. The code and data are as Debian built them.
 */
export function withoutSignature(module: Uint8Array): Uint8Array {
  const markAt = module.length - signatureMark.length;
  if (new TextDecoder('latin1').decode(module.subarray(markAt)) !== signatureMark) return module;
  // Before the mark: struct module_signature, 12 bytes, which ends with the big-endian length of the signature before it.
  const header = markAt - 12;
  const length = new DataView(module.buffer, module.byteOffset, module.length).getUint32(header + 8);
  return length <= header ? module.subarray(0, header - length) : module;
}

/** Reads the dependencies and aliases that a module states about itself. Throws `bad-package`. */
export function parseModinfo(module: Uint8Array): { depends: string[]; aliases: string[] } {
  const section = elfSection(module, '.modinfo') ?? new Uint8Array(0);
  const depends: string[] = [];
  const aliases: string[] = [];
  for (const item of new TextDecoder().decode(section).split('\0')) {
    const equals = item.indexOf('=');
    const value = item.slice(equals + 1);
    if (item.startsWith('depends='))
      depends.push(
        ...value
          .split(',')
          .filter((name) => name !== '')
          .map(canonicalName),
      );
    else if (item.startsWith('alias=')) aliases.push(value);
  }
  return { depends, aliases };
}

/**
 * The wanted modules and all they depend on, each after what it needs, so that loading in this order always works. Those built
 * into the kernel are left out. Throws `bad-package` when one exists nowhere.
 */
export async function moduleClosure(wanted: readonly string[], source: ModuleSource): Promise<KernelModule[]> {
  const order: KernelModule[] = [];
  const seen = new Set<string>();
  const visit = async (name: string, neededBy: string | undefined): Promise<void> => {
    const canonical = canonicalName(name);
    if (seen.has(canonical)) return;
    seen.add(canonical);
    const module = await source.load(canonical);
    if (module === 'builtin') return;
    if (module === undefined) throw missingModule(name, neededBy);
    for (const dependency of module.depends) await visit(dependency, name);
    order.push(module);
  };
  for (const name of wanted) await visit(name, undefined);
  return order;
}

/** The modules.dep(5) of these modules: each with everything that it needs, nearest first. */
export function modulesDep(modules: readonly KernelModule[]): string {
  const byName = new Map(modules.map((module) => [module.name, module]));
  const needs = (module: KernelModule): KernelModule[] => {
    const direct = module.depends.map((name) => byName.get(name)).filter((each) => each !== undefined);
    return [...new Set(direct.flatMap((each) => [each, ...needs(each)]))];
  };
  const lines = modules.map(
    (module) =>
      `${module.path}:${needs(module)
        .map((each) => ` ${each.path}`)
        .join('')}`,
  );
  return lines.map((line) => `${line}\n`).join('');
}

/** The modules.alias(5) of these modules. */
export function modulesAlias(modules: readonly KernelModule[]): string {
  return modules.flatMap(({ name, aliases }) => aliases.map((alias) => `alias ${alias} ${name}\n`)).join('');
}

function missingModule(name: string, neededBy: string | undefined): OperatingError<ImageErrorCode> {
  const why = neededBy === undefined ? '' : ` (needed by ${neededBy})`;
  return new OperatingError<ImageErrorCode>(
    'bad-package',
    `the kernel package has no module "${name}"${why}`,
    'The modules of the Debian kernel are listed by: apt-file list linux-image-riscv64',
  );
}
