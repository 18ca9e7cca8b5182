/** `understudy image build`: the builder with its progress on standard error, and a machine to go with the image if asked. */
import { access, mkdir, readdir, writeFile } from 'node:fs/promises';
import { basename, dirname, extname, join, relative, resolve } from 'node:path';
import { OperatingError } from '../../../core/base/error.ts';
import { copySparse } from '../../../host/copy-sparse.ts';
import { buildImage } from '../../../host/image/build-image.ts';
import type { BuiltImage } from '../../../host/image/manifest.ts';
import { defaultImageOptions } from '../../../host/image/options.ts';
import { exitStatus } from '../failure.ts';
import type { ImageBuildRequest } from '../requests.ts';

export async function imageBuild({ options, machine }: ImageBuildRequest): Promise<number> {
  await refuseForeignDirectory(options.outputDir ?? defaultImageOptions.outputDir);
  if (machine !== undefined) await makeRoomFor(machineFiles(machine));
  const abort = new AbortController();
  const interrupt = () => abort.abort();
  process.once('SIGINT', interrupt);
  try {
    const image = await buildImage(options, { onProgress: progressPrinter(), signal: abort.signal });
    const { kernelRelease, packages } = image.manifest;
    const found = image.reused ? 'nothing to do, the image is there' : 'image built';
    process.stdout.write(
      `${found}: ${image.directory} (Linux ${kernelRelease}, ${Object.keys(packages).length} packages)\n`,
    );
    if (machine !== undefined) await writeMachine(image, machine);
    return exitStatus.success;
  } finally {
    process.off('SIGINT', interrupt);
  }
}

/** The finished image replaces its directory whole, so that directory must hold an image and nothing else. */
async function refuseForeignDirectory(directory: string): Promise<void> {
  const own = new Set(['kernel', 'initramfs', 'disk.img', 'image.json']);
  const names = await readdir(directory).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return [];
    throw new OperatingError('output', `${directory} cannot be the image's directory (${error.code})`, undefined, {
      cause: error,
    });
  });
  const foreign = names.find((name) => !own.has(name));
  if (foreign === undefined) return;
  throw new OperatingError(
    'output',
    `the directory ${directory} holds more than an image (${foreign}), and building would replace it`,
    'Name a new directory with --output.',
  );
}

function machineFiles(machine: string): { readonly description: string; readonly disk: string } {
  const stem = basename(machine, extname(machine));
  return { description: machine, disk: join(dirname(machine), `${stem}.img`) };
}

/** Before the long build, not after it: nothing is overwritten, and the directory is there. */
async function makeRoomFor({ description, disk }: ReturnType<typeof machineFiles>): Promise<void> {
  for (const file of [description, disk]) {
    const isThere = await access(file).then(
      () => true,
      () => false,
    );
    if (isThere) throw new OperatingError('output', `${file} is there already`, 'Name another file with --machine.');
  }
  await mkdir(dirname(description), { recursive: true }).catch((error: NodeJS.ErrnoException) => {
    throw new OperatingError('output', `the directory of ${description} cannot be made (${error.code})`, undefined, {
      cause: error,
    });
  });
}

/** A description that runs the image, with a disk of its own: the image stays as it was built. */
async function writeMachine(image: BuiltImage, machine: string): Promise<void> {
  const { description, disk } = machineFiles(machine);
  const fromHere = (path: string) => relative(dirname(resolve(description)), path) || '.';
  await copySparse(image.disk, disk);
  const lines = [
    '# A machine made by "understudy image build". docs/machine-description.md lists all keys.',
    'memory: 512M',
    `kernel: ${JSON.stringify(fromHere(image.kernel))}`,
    `initramfs: ${JSON.stringify(fromHere(image.initramfs))}`,
    `commandLine: ${JSON.stringify(image.manifest.commandLine)}`,
    `disk: ${JSON.stringify(basename(disk))}`,
    'network: none   # or: passt, and then forwards such as 127.0.0.1:8080:80',
  ];
  await writeFile(description, `${lines.join('\n')}\n`, { flag: 'wx' });
  process.stdout.write(`${description} describes a machine with its own disk, ${disk}\n`);
  process.stdout.write(`  run it: understudy run ${description}\n`);
}

/** In a terminal a line that changes in place, else a line for each step. */
function progressPrinter() {
  let last = '';
  return ({ message, percent }: { readonly message: string; readonly percent?: number }) => {
    if (message === last && (percent === undefined || !process.stderr.isTTY)) return;
    last = message;
    const line = percent === undefined ? message : `${message} (${Math.round(percent)} %)`;
    process.stderr.write(process.stderr.isTTY ? `\r\x1b[K${line}${percent === undefined ? '\n' : ''}` : `${line}\n`);
  };
}
