/**
 * Are the files that a description names there, and are they what they should be? Looked at before anything starts, so
 * that a wrong kernel is a message at its line and no guest that stays silent.
 */
import { constants } from 'node:fs';
import { access, type FileHandle, open, stat } from 'node:fs/promises';
import type { DiskDescription } from './description.ts';

/** Half a sentence on why the system refused, for the errors that a user's path can cause. */
function reason(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  switch (code) {
    case 'ENOENT':
      return 'does not exist';
    case 'ENOTDIR':
      return 'does not exist: a part of its path is a file';
    case 'EACCES':
    case 'EPERM':
      return 'may not be read by this user';
    case 'EISDIR':
      return 'is a directory';
    case 'EROFS':
      return 'is on a read-only file system';
    default:
      return `cannot be opened (${code === '' ? String(error) : code})`;
  }
}

/** Opens a regular, non-empty file and hands its first bytes to `inspect`. */
async function inspectFile(path: string, bytes: number, inspect: (head: Buffer) => string | undefined) {
  let file: FileHandle | undefined;
  try {
    const status = await stat(path);
    if (status.isDirectory()) return `${path} is a directory, not a file`;
    if (!status.isFile()) return `${path} is no regular file`;
    if (status.size === 0) return `${path} is empty`;
    file = await open(path);
    const { buffer, bytesRead } = await file.read(Buffer.alloc(bytes), 0, bytes, 0);
    const wrong = inspect(buffer.subarray(0, bytesRead));
    return wrong === undefined ? undefined : `${path} ${wrong}`;
  } catch (error) {
    return `${path} ${reason(error)}`;
  } finally {
    await file?.close();
  }
}

const elfMachineRiscv = 243;
const expectedKernel = 'a RISC-V Linux kernel is needed (the "Image" format, Debian\'s vmlinux-*-riscv64, or ELF)';

/**
 * What the first bytes say. The `Image` header is Documentation/arch/riscv/boot-image-header.rst: "RSC\x05" at 56.
 * Returns half a sentence for a file that is none, undefined for one that may be.
 */
export function kernelHeadProblem(head: Buffer): string | undefined {
  if (head.subarray(0, 4).equals(Buffer.from('\x7fELF', 'latin1'))) {
    if (head[4] !== 2 || head[5] !== 1) return 'is an ELF file, but not a 64-bit little-endian one';
    const machine = head.length >= 20 ? head.readUInt16LE(18) : 0;
    if (machine !== elfMachineRiscv)
      return `is an ELF file for another architecture (e_machine ${machine}); ${expectedKernel}`;
    return undefined;
  }
  if (head.subarray(56, 60).equals(Buffer.from('RSC\x05', 'latin1'))) return undefined;
  if (head.subarray(56, 60).equals(Buffer.from('ARM\x64', 'latin1'))) return `is a kernel for arm64; ${expectedKernel}`;
  if (head.subarray(0x202, 0x206).equals(Buffer.from('HdrS'))) return `is a kernel for x86; ${expectedKernel}`;
  if (head[0] === 0x1f && head[1] === 0x8b) return 'is compressed with gzip; unpack it first: gunzip';
  if (head.subarray(0, 4).equals(Buffer.from([0x28, 0xb5, 0x2f, 0xfd])))
    return 'is compressed with zstd; unpack it first: unzstd';
  if (head.subarray(0, 6).equals(Buffer.from([0xfd, 0x37, 0x7a, 0x58, 0x5a, 0])))
    return 'is compressed with xz; unpack it first: unxz';
  return `is no kernel; ${expectedKernel}`;
}

/** What is wrong with the kernel's file; undefined if nothing is. */
export function kernelProblem(path: string): Promise<string | undefined> {
  return inspectFile(path, 0x210, kernelHeadProblem);
}

/** The kernel itself unpacks an initramfs in any format it was built with, so only its being there is checked. */
export function initramfsProblem(path: string): Promise<string | undefined> {
  return inspectFile(path, 16, () => undefined);
}

const sectorBytes = 512;

/** What is wrong with the disk's file; undefined if nothing is. */
export async function diskProblem(disk: DiskDescription): Promise<string | undefined> {
  const { path, readOnly } = disk;
  try {
    const status = await stat(path);
    if (status.isDirectory()) return `${path} is a directory, not a disk image`;
    if (!status.isFile() && !status.isBlockDevice()) return `${path} is neither a file nor a block device`;
    if (status.isFile() && status.size === 0) return `${path} is empty: it has no size that a disk could have`;
    if (status.isFile() && status.size % sectorBytes !== 0) {
      return `${path} has ${status.size} bytes, no multiple of ${sectorBytes}: it is no raw disk image`;
    }
    const wrong = status.isFile() ? await inspectFile(path, 8, diskHeadProblem) : undefined;
    if (wrong !== undefined) return wrong;
  } catch (error) {
    return `${path} ${reason(error)}`;
  }
  if (readOnly) return undefined;
  try {
    await access(path, constants.R_OK | constants.W_OK);
    return undefined;
  } catch {
    return `${path} may not be written by this user; say readOnly: true if the guest need not write it`;
  }
}

function diskHeadProblem(head: Buffer): string | undefined {
  if (head.subarray(0, 4).equals(Buffer.from('QFI\xfb', 'latin1'))) {
    return 'is a qcow2 image, and a raw one is needed: qemu-img convert -O raw';
  }
  return undefined;
}
