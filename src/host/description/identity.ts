/**
 * What makes two machines the same machine: everything in a description that the guest can ever see, and nothing else
 * (no path, no time-out, no port forward). Two replicas, and a log and its replayer, compare it before they begin.
 */
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { open, stat } from 'node:fs/promises';
import { pipeline } from 'node:stream/promises';
import { OperatingError } from '../../core/base/error.ts';
import { MACHINE_REVISION } from '../../core/vm/machine-config.ts';
import type { Description, DiskDescription } from './description.ts';

/** What the description's files hold, as far as the guest can see it at its first step. */
export interface FileDigests {
  /** SHA-256 in hexadecimal. */
  readonly kernel: string;
  readonly initramfs: string | undefined;
  /** The disk's length in bytes. Its content changes all the time, and is the disk's own matter. */
  readonly diskBytes: number | undefined;
}

/**
 * The identity of a machine as canonical JSON: keys sorted, no white space, so that equal machines have equal bytes.
 * The first key holds the machine's revision.
 */
export function machineIdentity(description: Description, digests: FileDigests): string {
  const { disk, network } = description;
  return canonicalJson({
    '#': `understudy machine ${MACHINE_REVISION}`,
    name: description.name,
    memoryBytes: description.memoryBytes,
    firmware: description.firmware,
    kernel: digests.kernel,
    initramfs: digests.initramfs ?? null,
    commandLine: description.commandLine,
    disk: disk === undefined ? null : diskIdentity(disk, digests.diskBytes),
    network: network === undefined ? null : { mac: description.mac },
    console: description.console,
  });
}

/** The guest sees no difference between a shared disk and a mirrored one, but replicas must agree on it. */
function diskIdentity({ readOnly, mirrored }: DiskDescription, diskBytes: number | undefined): Json {
  return { bytes: diskBytes ?? null, readOnly, ...(mirrored ? { mirrored } : {}) };
}

/** SHA-256 of the identity, in hexadecimal: for hellos and log headers. */
export function identityDigest(identity: string): string {
  return createHash('sha256').update(identity).digest('hex');
}

/**
 * What the two replicas of a pair compare: the identity, and who reads what the guest reads. Logs, snapshots and the guest know
 * nothing of that.
 */
export function pairDigest(identity: string, { disk }: Pick<Description, 'disk'>): string {
  return identityDigest(disk?.reads === 'backup' ? `${identity} reads: backup` : identity);
}

type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };

/** JSON with sorted keys and no white space. */
export function canonicalJson(value: Json): string {
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(',')}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return `{${entries.map(([key, inner]) => `${JSON.stringify(key)}:${canonicalJson(inner)}`).join(',')}}`;
}

/**
 * Reads the description's files. `diskBytes` is asked from the file system unless given (a disk server knows it).
 * Throws OperatingError('description') if a file has gone since the description was loaded.
 */
export async function digestFiles(description: Description, diskBytes?: number): Promise<FileDigests> {
  const { kernel, initramfs, disk } = description;
  return {
    kernel: await sha256OfFile(kernel),
    initramfs: initramfs === undefined ? undefined : await sha256OfFile(initramfs),
    diskBytes: disk === undefined ? undefined : (diskBytes ?? (await sizeOfDisk(disk.path))),
  };
}

async function sha256OfFile(path: string): Promise<string> {
  const hash = createHash('sha256');
  try {
    await pipeline(createReadStream(path), hash);
  } catch (error) {
    throw unreadable(path, error);
  }
  return hash.digest('hex');
}

/** The length of a file, or of a block device (which `stat` does not tell: its end has to be found). */
async function sizeOfDisk(path: string): Promise<number> {
  try {
    const status = await stat(path);
    if (!status.isBlockDevice()) return status.size;
    return await sizeOfBlockDevice(path);
  } catch (error) {
    throw unreadable(path, error);
  }
}

/** Binary search for the last byte that can be read. */
async function sizeOfBlockDevice(path: string): Promise<number> {
  const device = await open(path);
  try {
    const probe = Buffer.alloc(1);
    let readable = 0;
    let beyond = 2 ** 50;
    while (beyond - readable > 1) {
      const middle = Math.floor((readable + beyond) / 2);
      const { bytesRead } = await device.read(probe, 0, 1, middle - 1);
      if (bytesRead === 1) readable = middle;
      else beyond = middle;
    }
    return readable;
  } finally {
    await device.close();
  }
}

function unreadable(path: string, cause: unknown): OperatingError<'description'> {
  const why = cause instanceof Error ? cause.message : String(cause);
  return new OperatingError('description', `${path} cannot be read: ${why}`, 'Put the file back, or name another.', {
    cause,
  });
}
