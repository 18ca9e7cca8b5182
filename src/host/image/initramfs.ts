/** The initramfs: a busybox, one script and the modules of the boot, in loading order. */
import { OperatingError } from '../../core/base/error.ts';
import { writeCpio } from './cpio.ts';
import type { ImageErrorCode } from './errors.ts';
import { FileTree } from './file-tree.ts';
import type { KernelModule } from './modules.ts';

export interface InitramfsParts {
  /** The root disk's tree, for its busybox. */
  readonly root: FileTree;
  /** Text of the init script. */
  readonly init: Uint8Array;
  /** The modules, each after what it needs. */
  readonly modules: readonly KernelModule[];
  readonly mtimeS: number;
}

/**
 * The archive, neither itself nor the modules in it compressed: it is read once at the speed of the host's disk, but would be unpacked by the
 * guest at every boot.
 */
export function makeInitramfs(parts: InitramfsParts): Uint8Array {
  return writeCpio(initramfsTree(parts));
}

/** The archive's contents. Throws `bad-package` without busybox. */
export function initramfsTree({ root, init, modules, mtimeS }: InitramfsParts): FileTree {
  const busybox = root.read('bin/busybox');
  if (busybox === undefined)
    throw new OperatingError<ImageErrorCode>('bad-package', 'busybox-static has no /bin/busybox');
  const tree = new FileTree(mtimeS);
  for (const path of ['dev', 'proc', 'root', 'sys']) tree.directory(path);
  // Open before anything is mounted: without it the kernel gives init no standard output.
  tree.put('dev/console', { kind: 'character-device', mode: 0o600, uid: 0, gid: 0, mtimeS, major: 5, minor: 1 });
  tree.write('bin/busybox', busybox, 0o755);
  tree.write('init', init, 0o755);
  for (const module of modules) tree.write(`modules/${module.name}.ko`, module.data);
  tree.write('modules/order', modules.map(({ name }) => `${name}.ko\n`).join(''));
  return tree;
}
