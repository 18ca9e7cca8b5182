/** The kernel of Debian's package: which package it is, its image, its modules. */
import { OperatingError } from '../../core/base/error.ts';
import { kernelPackage } from './contents.ts';
import type { DebPackage } from './deb.ts';
import type { ImageErrorCode } from './errors.ts';
import { FileTree } from './file-tree.ts';
import { type ModuleSource, treeModules } from './modules.ts';
import { unpackPayload } from './package-tree.ts';

export interface GuestKernel {
  /** As `uname -r` says it. */
  readonly release: string;
  /** The raw boot image (Linux, Documentation/arch/riscv/boot-image-header.rst). */
  readonly image: Uint8Array;
  readonly modules: ModuleSource;
}

/** The real kernel package behind the meta package, from the latter's control fields. Throws `bad-package`. */
export function realKernelPackage(meta: ReadonlyMap<string, string>): { name: string; version: string } {
  const match = /(linux-image-\S+) \(= ([^)]+)\)/.exec(meta.get('Depends') ?? '');
  if (match === null) throw badKernel(`${kernelPackage} names no kernel package that it depends on`);
  return { name: match[1]!, version: match[2]! };
}

/** Opens a kernel package. Throws `bad-package`. */
export function openKernel(deb: DebPackage): GuestKernel {
  const tree = new FileTree(0);
  unpackPayload(tree, deb.entries);
  const name = tree.list('boot').find((each) => each.startsWith('vmlinux-'));
  if (name === undefined) throw badKernel(`${deb.file} holds no /boot/vmlinux-*`);
  const image = tree.read(`boot/${name}`)!;
  const magic = new TextDecoder().decode(image.subarray(0x38, 0x3c));
  if (magic !== 'RSC\x05') throw badKernel(`/boot/${name} is not a raw RISC-V boot image`);
  const release = name.slice('vmlinux-'.length);
  return { release, image, modules: treeModules(tree, release) };
}

function badKernel(message: string): OperatingError<ImageErrorCode> {
  return new OperatingError<ImageErrorCode>('bad-package', `the Debian kernel cannot be used: ${message}`);
}
