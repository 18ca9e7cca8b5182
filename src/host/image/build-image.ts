/**
 * Builds a guest image: a kernel, an initramfs and a root disk, from Debian's packages, on a Debian-family host of any architecture, with
 * or without root rights. Nothing of the guest is run on the host, nothing is mounted, and no system state of the host changes: packages are
 * fetched by a private apt, composed in memory, and written by mke2fs.
 *
 * The image appears at once and whole: it is built in a directory beside its place and renamed when it is finished. It is built once:
 * when the inputs are equal (options, the user's files, this project's files) the one that is there is used again.
 */
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdir, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { OperatingError } from '../../core/base/error.ts';
import { type ChosenPackage, PrivateApt } from './apt.ts';
import { basePackages, bootModules, demoPackages, kernelCommandLine, kernelPackage } from './contents.ts';
import { type DebPackage, readDeb } from './deb.ts';
import { writeDisk } from './disk.ts';
import type { ImageErrorCode } from './errors.ts';
import { checkHostTools, debianKeyring, isReadable } from './host-tools.ts';
import { makeInitramfs } from './initramfs.ts';
import { openKernel, realKernelPackage } from './kernel.ts';
import { type BuiltImage, type ImageFileName, type ImageManifest, imageFormat, locate, readImage } from './manifest.ts';
import { hostMirror } from './mirror.ts';
import { moduleClosure } from './modules.ts';
import { type CheckedImageOptions, checkImageOptions, type ImageOptions } from './options.ts';
import { filesBelow, makeRootTree, readUserFile } from './root-disk.ts';
import { hostDiskFull } from './run-tool.ts';

/** What a build reports while it runs. */
export interface BuildProgress {
  /** What is being done, one line for a person. */
  readonly message: string;
  /** How far a download has come, 0 to 100. */
  readonly percent?: number;
}

export interface BuildControl {
  readonly onProgress?: (progress: BuildProgress) => void;
  /** Cancels the build; nothing is left behind. */
  readonly signal?: AbortSignal;
}

interface Build extends BuildControl {
  readonly options: CheckedImageOptions;
  readonly outputDir: string;
  /** Where everything is made; becomes the output directory. */
  readonly workDir: string;
  readonly inputs: string;
  readonly report: (message: string, percent?: number) => void;
}

const architecture = 'riscv64';
/** A disk larger than this is not hashed for the manifest: reading it would take longer than making it. */
const maxHashedBytes = 4 * 2 ** 30;
const guestDir = path.resolve(import.meta.dirname, '../../../guest');

/**
 * Builds an image, or finds the one of the same inputs. Throws an `OperatingError` with an `ImageErrorCode`; then the output directory
 * is as it was before.
 */
export async function buildImage(given: ImageOptions = {}, control: BuildControl = {}): Promise<BuiltImage> {
  const options = checkImageOptions(given);
  const outputDir = path.resolve(options.outputDir);
  const inputs = await hashInputs(options);
  if (!options.rebuild) {
    const present = await readImage(outputDir).catch(() => undefined);
    if (present?.manifest.inputs === inputs) return present;
  }
  await checkHostTools();
  const report = (message: string, percent?: number) =>
    control.onProgress?.(percent === undefined ? { message } : { message, percent });
  const workDir = `${outputDir}.building-${process.pid}`;
  try {
    await prepare(outputDir, workDir);
    const manifest = await build({ ...control, options, outputDir, workDir, inputs, report });
    await takePlace(workDir, outputDir);
    return locate(outputDir, manifest, false);
  } catch (error) {
    await rm(workDir, { recursive: true, force: true }).catch(() => {});
    throw asOperatingError(error, outputDir);
  }
}

/** All steps from packages to files in the work directory. */
async function build(build: Build): Promise<ImageManifest> {
  const { options, workDir, inputs, report, signal } = build;
  const scratch = path.join(workDir, 'scratch');
  await mkdir(scratch, { recursive: true });
  const mirror = options.mirror ?? (await hostMirror(signal));
  const { root, kernelDeb } = await fetchPackages(build, mirror, scratch);

  report(`composing the system of ${root.length} packages`);
  const kernel = openKernel(kernelDeb);
  const mtimeS = Math.max(...[...root, kernelDeb].flatMap(({ entries }) => entries.map((entry) => entry.mtimeS)));
  const modules = await moduleClosure(bootModules, kernel.modules);
  const extraModules = await moduleClosure(options.modules, kernel.modules);
  const tree = await makeRootTree({
    options,
    packages: root,
    kernelRelease: kernel.release,
    modules: extraModules,
    guestDir,
    mtimeS,
  });

  report('writing kernel and initramfs');
  await writeFile(path.join(workDir, 'kernel'), kernel.image);
  const init = await readFile(path.join(guestDir, 'initramfs/init'));
  await writeFile(path.join(workDir, 'initramfs'), makeInitramfs({ root: tree, init, modules, mtimeS }));

  report(`writing the root disk (${options.diskSizeMiB} MiB, sparse)`);
  await writeDisk(tree, {
    file: path.join(workDir, 'disk.img'),
    workDir: scratch,
    sizeMiB: options.diskSizeMiB,
    timeS: mtimeS,
    uuid: uuidOf(inputs),
    ...(signal === undefined ? {} : { signal }),
  });
  await rm(scratch, { recursive: true });

  const manifest: ImageManifest = {
    format: imageFormat,
    inputs,
    suite: options.suite,
    architecture,
    mirror,
    kernelRelease: kernel.release,
    commandLine: kernelCommandLine,
    modules: modules.map(({ name }) => name),
    packages: versions([...root, kernelDeb]),
    files: {
      kernel: await fileFacts(workDir, 'kernel'),
      initramfs: await fileFacts(workDir, 'initramfs'),
      'disk.img': await fileFacts(workDir, 'disk.img'),
    },
  };
  await writeFile(path.join(workDir, 'image.json'), `${JSON.stringify(manifest, null, 2)}\n`);
  return manifest;
}

/** Resolves, downloads and reads all packages of the root disk, and the kernel's. */
async function fetchPackages(
  { options, report, signal }: Build,
  mirror: string,
  scratch: string,
): Promise<{ root: DebPackage[]; kernelDeb: DebPackage }> {
  const apt = await PrivateApt.create({
    cacheDir: path.resolve(options.cacheDir),
    workDir: scratch,
    mirror,
    suite: options.suite,
    architecture,
    keyring: await findKeyring(options),
    ...(signal === undefined ? {} : { signal }),
  });
  report(`fetching package lists from ${mirror} (${options.suite}, ${architecture})`);
  const found = await apt.update();
  if (found !== options.suite)
    report(`the mirror is being updated: its lists of ${found} are whole, and of ${options.suite}`);
  const names = [...basePackages, ...(options.demo ? demoPackages : []), ...options.packages];
  const chosen = await apt.resolve(names);
  const kernel: ChosenPackage = { ...realKernelPackage(await apt.show(kernelPackage)), architecture };

  const message = `downloading ${chosen.length + 1} packages`;
  report(message);
  const files = await apt.download([...chosen, kernel], (percent) => report(message, percent));
  const kernelFile = files.pop()!;
  report(`reading ${files.length + 1} packages`);
  // The kernel's package takes as long to unpack as all the others, so it is read beside them.
  const [kernelDeb, root] = await Promise.all([readDeb(kernelFile, signal), readDebs(files, signal)]);
  return { root, kernelDeb };
}

async function readDebs(files: readonly string[], signal: AbortSignal | undefined): Promise<DebPackage[]> {
  const debs: DebPackage[] = [];
  for (const file of files) debs.push(await readDeb(file, signal));
  return debs;
}

async function findKeyring({ keyring }: CheckedImageOptions): Promise<string> {
  if (keyring === undefined) return (await debianKeyring())!;
  if (await isReadable(keyring)) return path.resolve(keyring);
  throw new OperatingError<ImageErrorCode>('file-unreadable', `the key ring ${keyring} cannot be read`);
}

/** A hash over everything that the image depends on, the mirror's state aside: a newer package is no reason to build anew. */
async function hashInputs(options: CheckedImageOptions): Promise<string> {
  const { outputDir, cacheDir, rebuild, ...relevant } = options;
  const hash = createHash('sha256');
  hash.update(JSON.stringify({ imageFormat, ...relevant }));
  for (const { from } of options.files) hash.update((await readUserFile(from)).data);
  for (const folder of [guestDir, import.meta.dirname]) {
    for (const file of await filesBelow(folder)) {
      if (file.endsWith('.test.ts')) continue;
      hash.update(`\0${file}\0`).update(await readFile(path.join(folder, file)));
    }
  }
  return hash.digest('hex');
}

/** Makes the work directory, and clears away those of builds that died. */
async function prepare(outputDir: string, workDir: string): Promise<void> {
  const parent = path.dirname(outputDir);
  await mkdir(parent, { recursive: true });
  for (const name of await readdir(parent)) {
    const owner = new RegExp(`^${RegExp.escape(path.basename(outputDir))}\\.(?:building|replaced)-(\\d+)$`).exec(
      name,
    )?.[1];
    if (owner !== undefined && !isRunning(Number(owner)))
      await rm(path.join(parent, name), { recursive: true, force: true });
  }
  await rm(workDir, { recursive: true, force: true });
  await mkdir(workDir);
}

function isRunning(processId: number): boolean {
  if (processId === process.pid) return false;
  try {
    process.kill(processId, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

/** Puts the finished directory in its place; an older image there is moved aside first, and removed last. */
async function takePlace(workDir: string, outputDir: string): Promise<void> {
  const replaced = `${outputDir}.replaced-${process.pid}`;
  const wasThere = await rename(outputDir, replaced).then(
    () => true,
    () => false,
  );
  await rename(workDir, outputDir);
  if (wasThere) await rm(replaced, { recursive: true, force: true });
}

function versions(packages: readonly DebPackage[]): Record<string, string> {
  const pairs = packages.map(({ control }) => [control.get('Package')!, control.get('Version')!] as const);
  return Object.fromEntries(pairs.sort(([a], [b]) => (a < b ? -1 : 1)));
}

async function fileFacts(directory: string, name: ImageFileName): Promise<ImageManifest['files'][ImageFileName]> {
  const file = path.join(directory, name);
  const { size } = await stat(file);
  if (size > maxHashedBytes) return { bytes: size, sha256: null };
  return { bytes: size, sha256: await sha256(file) };
}

async function sha256(file: string): Promise<string> {
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(file, { highWaterMark: 1 << 20 })) hash.update(chunk as Buffer);
  return hash.digest('hex');
}

/** A UUID (version 8, RFC 9562) made of the first bytes of a hex hash. */
function uuidOf(hex: string): string {
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-8${hex.slice(13, 16)}-8${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
}

function asOperatingError(error: unknown, outputDir: string): unknown {
  if (error instanceof OperatingError || !(error instanceof Error)) return error;
  const { code, path: where } = error as NodeJS.ErrnoException;
  if (code === 'ENOSPC' || code === 'EDQUOT') return hostDiskFull(where ?? outputDir);
  if (code === 'EACCES' || code === 'EPERM' || code === 'EROFS' || code === 'ENOTDIR') {
    return new OperatingError<ImageErrorCode>(
      'cannot-write',
      `${where ?? outputDir} cannot be written (${code})`,
      'Choose other directories for the image and its cache, or run as a user who may write there.',
      { cause: error },
    );
  }
  return error;
}
