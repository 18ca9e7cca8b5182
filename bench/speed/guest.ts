/**
 * The benchmark's guest: one kernel and one initramfs, no disk. The initramfs holds the compiled C programs, and of Debian's packages just
 * the files that the timed programs need. For riscv64 the kernel and packages are Debian 13's; for i386 (v86's guest) the
 * packages are too, but the kernel is Debian 12's, the last one that there is for that architecture.
 *
 * Built once for equal inputs, in .cache/bench; the packages come from the mirror that the host's apt uses.
 */
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { writeCpio } from '../../src/host/image/cpio.ts';
import { type DebPackage, readDeb } from '../../src/host/image/deb.ts';
import { FileTree } from '../../src/host/image/file-tree.ts';
import { unpackPayload } from '../../src/host/image/package-tree.ts';
import { CACHE, fetchDebs } from './debian.ts';
import { PROGRAMS } from './programs.ts';

const run = promisify(execFile);

const SOURCES = path.resolve(import.meta.dirname, '../guest');

export interface BenchGuest {
  readonly kernel: string;
  readonly initramfs: string;
  /** Of the kernel and of the packages that are timed, for the record. */
  readonly versions: Readonly<Record<string, string>>;
}

export type GuestArchitecture = 'riscv64' | 'i386';

interface Recipe {
  readonly compiler: string;
  readonly flags: readonly string[];
  readonly kernel: { readonly suite: string; readonly metaPackage: string; readonly file: RegExp };
  /** Where the dynamic loader is asked for, and the directory of shared libraries. */
  readonly libraries: string;
}

const RECIPES: Readonly<Record<GuestArchitecture, Recipe>> = {
  riscv64: {
    compiler: 'riscv64-linux-gnu-gcc',
    flags: [],
    kernel: { suite: 'trixie', metaPackage: 'linux-image-riscv64', file: /^vmlinux-/ },
    libraries: 'usr/lib/riscv64-linux-gnu',
  },
  i386: {
    compiler: 'i686-linux-gnu-gcc',
    // What Debian 13's own i386 packages may use.
    flags: ['-march=pentium4', '-mfpmath=sse'],
    kernel: { suite: 'bookworm', metaPackage: 'linux-image-686', file: /^vmlinuz-/ },
    libraries: 'usr/lib/i386-linux-gnu',
  },
};

const PACKAGES = ['dash', 'gzip', 'coreutils', 'python3-minimal'] as const;

/** Files of the packages that go into the guest: the programs, the libraries that they load, Python's modules. */
const WANTED = [
  /^usr\/bin\/(dash|gzip|sha256sum|python3(\.\d+)?)$/,
  /^(usr\/)?lib\/ld-linux[^/]*$/,
  /^usr\/lib\/[^/]+\/(ld-linux[^/]*|lib(c|m|z|zstd|crypto|expat)\.so[^/]*)$/,
  /^usr\/lib\/python3[^/]*\//,
];
const UNWANTED =
  /\/(__pycache__|test|encodings\/(?!__init__|aliases|utf_8|latin_1|ascii)[^/]+|ensurepip|idlelib|pydoc_data)/;

/** The guest for that architecture, built if it is not there. */
export async function benchGuest(architecture: GuestArchitecture): Promise<BenchGuest> {
  const place = path.join(CACHE, `guest-${architecture}`);
  const inputs = await hashInputs(architecture);
  try {
    const made = JSON.parse(await readFile(path.join(place, 'guest.json'), 'utf8')) as BenchGuest & { inputs: string };
    if (made.inputs === inputs) return made;
  } catch {
    // Not there yet.
  }
  await mkdir(CACHE, { recursive: true });
  const work = await mkdtemp(path.join(CACHE, 'building-'));
  try {
    const versions = await build(architecture, work);
    const guest = { kernel: path.join(place, 'kernel'), initramfs: path.join(place, 'initramfs'), versions, inputs };
    await writeFile(path.join(work, 'guest.json'), JSON.stringify(guest, undefined, 2));
    await rm(place, { recursive: true, force: true });
    await rename(work, place);
    return guest;
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

async function hashInputs(architecture: GuestArchitecture): Promise<string> {
  const hash = createHash('sha256').update(JSON.stringify([architecture, RECIPES[architecture], PROGRAMS]));
  for (const name of (await readdir(SOURCES)).sort())
    hash.update(name).update(await readFile(path.join(SOURCES, name)));
  return hash.update(await readFile(import.meta.filename)).digest('hex');
}

async function build(architecture: GuestArchitecture, work: string): Promise<Record<string, string>> {
  const { kernel, libraries } = RECIPES[architecture];
  const packages = await fetchPackages('trixie', architecture, async (apt) => apt.resolve(PACKAGES));
  const [kernelPackage] = await fetchPackages(kernel.suite, architecture, async (apt) => {
    const depends = (await apt.show(kernel.metaPackage)).get('Depends') ?? '';
    const real = /(linux-image-\S+) \(= ([^)]+)\)/.exec(depends);
    if (real === null) throw new Error(`${kernel.metaPackage} names no kernel package`);
    return [{ name: real[1], version: real[2], architecture }];
  });
  const boot = new FileTree(0);
  unpackPayload(boot, kernelPackage.entries);
  const file = boot.list('boot').find((name) => kernel.file.test(name));
  const image = file === undefined ? undefined : boot.read(`boot/${file}`);
  if (image === undefined) throw new Error(`${kernelPackage.file} has no kernel`);
  await writeFile(path.join(work, 'kernel'), image);
  await writeFile(path.join(work, 'initramfs'), writeCpio(await makeTree(architecture, packages, libraries)));
  const timed = [...packages, kernelPackage].filter(({ control }) =>
    /^(dash|gzip|coreutils|python3-minimal|libc6|linux-image-.*)$/.test(control.get('Package') ?? ''),
  );
  return Object.fromEntries(timed.map(({ control }) => [control.get('Package')!, control.get('Version')!]));
}

async function fetchPackages(...wish: Parameters<typeof fetchDebs>): Promise<DebPackage[]> {
  const debs: DebPackage[] = [];
  for (const file of await fetchDebs(...wish)) debs.push(await readDeb(file));
  return debs;
}

async function makeTree(
  architecture: GuestArchitecture,
  packages: readonly DebPackage[],
  libraries: string,
): Promise<FileTree> {
  const tree = new FileTree(0);
  for (const directory of ['dev', 'proc', 'tmp', 'bench', libraries]) tree.directory(directory);
  for (const name of ['bin', 'lib', 'sbin']) tree.symlink(name, `usr/${name}`);
  for (const { entries } of packages) {
    unpackPayload(
      tree,
      entries.filter(({ path, kind }) => kind !== 'directory' && isWanted(path)),
    );
  }
  tree.put('dev/console', { kind: 'character-device', mode: 0o600, uid: 0, gid: 0, mtimeS: 0, major: 5, minor: 1 });
  tree.put('dev/null', { kind: 'character-device', mode: 0o666, uid: 0, gid: 0, mtimeS: 0, major: 1, minor: 3 });
  tree.write('init', await readFile(path.join(SOURCES, 'init')), 0o755);
  for (const program of PROGRAMS) {
    for (const step of ['prepare', 'run', 'check'] as const) {
      if (program[step] !== undefined) tree.write(`bench/${program.name}.${step}`, `${program[step]}\n`);
    }
  }
  for (const name of await readdir(SOURCES)) {
    if (/^loop\./.test(name)) tree.write(`bench/${name}`, await readFile(path.join(SOURCES, name)));
    if (name.endsWith('.c')) tree.write(`bench/${name.slice(0, -2)}`, await compile(architecture, name), 0o755);
  }
  return tree;
}

const isWanted = (path: string): boolean => WANTED.some((each) => each.test(path)) && !UNWANTED.test(path);

async function compile(architecture: GuestArchitecture, name: string): Promise<Buffer> {
  const { compiler, flags } = RECIPES[architecture];
  const directory = await mkdtemp(path.join(tmpdir(), 'understudy-bench-cc-'));
  try {
    const output = path.join(directory, 'program');
    const contract = name === 'mandelbrot.c' ? ['-ffp-contract=off'] : [];
    const words = ['-O2', '-static', '-s', ...flags, ...contract, '-o', output, path.join(SOURCES, name), '-lm'];
    await run(compiler, words);
    return await readFile(output);
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}
