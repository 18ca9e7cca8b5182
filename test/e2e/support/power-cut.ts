/**
 * Storage whose power can be cut: a directory, on a file system of its own, that loses all that was not flushed.
 *
 *     directory (ext4)  ->  loop device  ->  nbdfuse  ->  nbdkit, its cache filter (write-back)  ->  a file
 *
 * nbdkit keeps every write to itself until a flush comes down the stack, as a disk with a volatile cache does. SIGKILL of
 * nbdkit is the cut: its cache is gone, and so is what the kernel still had, because nothing can be written back any more. What is
 * left is what a host finds after a power failure: journal, torn files and all. A fsync, a flush of the guest that
 * reaches fdatasync, and nothing else, makes data survive.
 *
 * Why a whole file system: what is tested is not only images but the records, states and renames around them. Why nbdfuse
 * and a loop device: the kernel's own NBD device (nbd.ko) and dm-flakey are missing on many hosts, FUSE and loop are not.
 * It needs root, /dev/fuse and a free loop device.
 */
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { accessSync, mkdirSync, mkdtempSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);
const PROGRAMS = ['nbdkit', 'nbdfuse', 'losetup', 'mkfs.ext4', 'mount', 'umount'] as const;
const START_TIMEOUT_MS = 10_000;
const POLL_MS = 10;

/** Why there can be no such storage here; undefined where there can. */
export async function whyNoPowerCut(): Promise<string | undefined> {
  if (process.getuid?.() !== 0) return 'only root can mount';
  for (const device of ['/dev/fuse', '/dev/loop-control']) {
    try {
      accessSync(device);
    } catch {
      return `this host has no ${device}`;
    }
  }
  for (const program of PROGRAMS) {
    const found = await run('sh', ['-c', `command -v ${program}`], withSbin()).catch(() => undefined);
    if (found === undefined) return `the program ${program} is not installed`;
  }
  return undefined;
}

export class VolatileStorage {
  /** The directory; there is something in it while the power is on. */
  readonly mountPoint: string;
  readonly #directory: string;
  readonly #store: string;
  readonly #export: string;
  #nbdkit: ChildProcess | undefined;
  #nbdfuse: ChildProcess | undefined;
  #loop = '';

  private constructor(directory: string) {
    this.#directory = directory;
    this.#store = join(directory, 'store.img');
    this.#export = join(directory, 'export.img');
    this.mountPoint = join(directory, 'storage');
  }

  /** An empty file system of about `sizeBytes`, with its power on. */
  static async create(sizeBytes: number): Promise<VolatileStorage> {
    const storage = new VolatileStorage(mkdtempSync(join(tmpdir(), 'understudy-volatile-')));
    writeFileSync(storage.#store, '');
    truncateSync(storage.#store, sizeBytes);
    await run('mkfs.ext4', ['-q', '-F', '-m', '0', storage.#store], withSbin());
    writeFileSync(storage.#export, '');
    mkdirSync(storage.mountPoint);
    await storage.powerOn();
    return storage;
  }

  /** After a cut: the file system recovers by its journal and is there again. */
  async powerOn(): Promise<void> {
    const socket = join(this.#directory, 'nbd.sock');
    rmSync(socket, { force: true });
    const nbdkitWords = ['-f', '--exit-with-parent', '-U', socket, '--filter=cache', 'file', `file=${this.#store}`];
    this.#nbdkit = spawn('nbdkit', [...nbdkitWords, 'cache=writeback'], { stdio: 'ignore' });
    await until(() => isThere(socket), 'nbdkit does not listen');
    this.#nbdfuse = spawn('nbdfuse', [this.#export, `nbd+unix:///?socket=${socket}`], { stdio: 'ignore' });
    await until(() => statSync(this.#export).size > 0, 'nbdfuse does not mount');
    const { stdout } = await run('losetup', ['--show', '-f', this.#export], withSbin());
    this.#loop = stdout.trim();
    // The file system commits by itself every 5 s otherwise, and with that flushes for everybody.
    await run('mount', ['-t', 'ext4', '-o', 'commit=600,noatime', this.#loop, this.mountPoint], withSbin());
  }

  /** All that was not flushed is lost. Whoever has files open there must be killed first, or gets I/O errors. */
  async cutPower(): Promise<void> {
    await this.#end(this.#nbdkit);
    this.#nbdkit = undefined;
    await this.#takeDown();
  }

  /** Switches off in good order, unless the power is off already, and removes everything. */
  async remove(): Promise<void> {
    if (this.#nbdkit !== undefined) await this.#takeDown();
    await this.#end(this.#nbdkit);
    rmSync(this.#directory, { recursive: true });
  }

  async #takeDown(): Promise<void> {
    await run('umount', [this.mountPoint], withSbin());
    await run('losetup', ['-d', this.#loop], withSbin());
    await this.#end(this.#nbdfuse);
    this.#nbdfuse = undefined;
    // Lazily: the kernel lets go of a loop device's file a little after it says so.
    await run('umount', ['--lazy', this.#export], withSbin());
  }

  async #end(child: ChildProcess | undefined): Promise<void> {
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const gone = once(child, 'exit');
    child.kill('SIGKILL');
    await gone;
  }
}

/** mkfs and losetup are in directories that not every user's PATH has. */
function withSbin(): { env: NodeJS.ProcessEnv } {
  return { env: { ...process.env, PATH: `${process.env.PATH}:/usr/sbin:/sbin` } };
}

function isThere(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false }) !== undefined;
}

/** Neither program tells that it is ready but by what it makes. */
async function until(ready: () => boolean, complaint: string): Promise<void> {
  for (const end = Date.now() + START_TIMEOUT_MS; !ready(); ) {
    if (Date.now() > end) throw new Error(complaint);
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
}
