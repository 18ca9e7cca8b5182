/**
 * The directory of one demo: a machine of its own, made from the demo image and thrown away at the end. The disk, the arbiter's
 * records and the generation that the disk has admitted belong together, so they live and die together, and every demo begins
 * with a disk as it was built. Two demos at once do not meet: the directory's name holds the process id.
 */
import { mkdir, readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { OperatingError } from '../../core/base/error.ts';
import { copySparse } from '../../host/copy-sparse.ts';
import type { BuiltImage } from '../../host/image/manifest.ts';

export const MACHINE_NAME = 'demo';

/** Ports of the guest. */
export const GUEST_PORTS = { redis: 6379, stream: 7000 } as const;

export interface RunDirectory {
  readonly path: string;
  readonly descriptionFile: string;
  readonly consoleLog: string;
}

/** Ports of this host that lead to the guest's. */
export interface HostPorts {
  readonly redis: number;
  readonly stream: number;
}

/** Makes it below `parent`, and clears away those of demos that were killed. Throws OperatingError 'demo-directory'. */
export async function makeRunDirectory(parent: string, image: BuiltImage, ports: HostPorts): Promise<RunDirectory> {
  const path = join(parent, `run-${process.pid}`);
  const descriptionFile = join(path, 'machine.yaml');
  try {
    await mkdir(parent, { recursive: true });
    await removeAbandoned(parent);
    await rm(path, { recursive: true, force: true });
    await mkdir(path);
    await copySparse(image.disk, join(path, 'disk.img'));
    await writeFile(descriptionFile, descriptionOf(image, ports));
  } catch (error) {
    await rm(path, { recursive: true, force: true }).catch(() => {});
    const { code = String(error) } = error as NodeJS.ErrnoException;
    throw new OperatingError(
      'demo-directory',
      `the demo's machine cannot be written to ${path} (${code})`,
      code === 'ENOSPC' ? 'Free some room there: it needs about 500 MB.' : 'See that you may write there.',
      { cause: error },
    );
  }
  return { path, descriptionFile, consoleLog: join(path, 'console.log') };
}

/** Without the disk, which is large; what is left tells what happened. */
export async function keepTraces({ path }: RunDirectory): Promise<void> {
  await rm(join(path, 'disk.img'), { force: true });
}

export async function removeRunDirectory({ path }: RunDirectory): Promise<void> {
  await rm(path, { recursive: true, force: true });
}

async function removeAbandoned(parent: string): Promise<void> {
  for (const name of await readdir(parent)) {
    const owner = /^run-(\d+)$/.exec(name)?.[1];
    if (owner !== undefined && !isRunning(Number(owner)))
      await rm(join(parent, name), { recursive: true, force: true });
  }
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

/** Suspicion is patient: on a busy laptop silence is more often the scheduler than a death, and a kill closes the channel at once. */
function descriptionOf(image: BuiltImage, ports: HostPorts): string {
  const seconds = Math.floor(Date.now() / 1000);
  return `# The machine of one "understudy demo".
name: ${MACHINE_NAME}
memory: 256M
kernel: ${JSON.stringify(image.kernel)}
initramfs: ${JSON.stringify(image.initramfs)}
commandLine: ${JSON.stringify(`${image.manifest.commandLine} understudy.time=${seconds}`)}
disk: disk.img
network:
  address: 10.0.2.15/24
  gateway: 10.0.2.2
  forwards:
    - 127.0.0.1:${ports.redis}:${GUEST_PORTS.redis}
    - 127.0.0.1:${ports.stream}:${GUEST_PORTS.stream}
timeouts:
  suspicion: 1s
`;
}
