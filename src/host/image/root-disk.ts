/** The root disk's contents: packages, what their scripts would have done, this project's init files, and the user's files. */
import { readdir, readFile, stat } from 'node:fs/promises';
import path from 'node:path';
import { OperatingError } from '../../core/base/error.ts';
import { addSystemUser, setUpBaseSystem } from './base-system.ts';
import { adminGroupId, busyboxCommands, demoUsers, moduleCommands } from './contents.ts';
import type { DebPackage } from './deb.ts';
import type { ImageErrorCode } from './errors.ts';
import { FileTree } from './file-tree.ts';
import { type KernelModule, modulesAlias, modulesDep } from './modules.ts';
import type { AddedFile, CheckedImageOptions } from './options.ts';
import { dpkgPathConfiguration, unpackPackages } from './package-tree.ts';

export interface RootParts {
  readonly options: CheckedImageOptions;
  readonly packages: readonly DebPackage[];
  readonly kernelRelease: string;
  /** Modules to have on the disk. */
  readonly modules: readonly KernelModule[];
  /** The folder of this project's init files. */
  readonly guestDir: string;
  readonly mtimeS: number;
}

/** Composes the tree. Throws `bad-tree`, `file-unreadable`. */
export async function makeRootTree(parts: RootParts): Promise<FileTree> {
  const { options, packages, guestDir, mtimeS } = parts;
  const tree = new FileTree(mtimeS);
  // The links of a merged /usr (/bin -> usr/bin) must be there before anything is placed under them.
  const first = packages.filter(({ control }) => control.get('Package') === 'base-files');
  unpackPackages(tree, [...first, ...packages.filter((each) => !first.includes(each))]);
  setUpBaseSystem(tree, packages, options);
  tree.write('etc/dpkg/dpkg.cfg.d/understudy', dpkgPathConfiguration());
  linkBusybox(tree, busyboxCommands);
  addModules(tree, parts);
  await addFolder(tree, path.join(guestDir, 'base'));
  // Older than any stop of the guest, and never older than the packages: the guest's clock starts here.
  tree.write('etc/understudy/last-stop', '');
  if (options.demo) await addDemo(tree, guestDir);
  for (const file of options.files) await addUserFile(tree, file);
  return tree;
}

/** A command of busybox at every place where no package has put one. */
function linkBusybox(tree: FileTree, places: Readonly<Record<string, readonly string[]>>): void {
  for (const [directory, commands] of Object.entries(places)) {
    for (const command of commands) {
      const known = ['usr/bin', 'usr/sbin', directory].some(
        (place) => tree.lookup(`${place}/${command}`) !== undefined,
      );
      if (!known) tree.symlink(`${directory}/${command}`, '/usr/bin/busybox');
    }
  }
}

async function addDemo(tree: FileTree, guestDir: string): Promise<void> {
  await addFolder(tree, path.join(guestDir, 'demo'));
  for (const user of demoUsers) {
    addSystemUser(tree, user);
    // What the postinst of redis-tools sets up.
    tree.directory('var/lib/redis', 0o750, user.id, user.id);
    tree.directory('var/log/redis', 0o2750, user.id, adminGroupId);
    tree.directory('etc/redis', 0o2770, user.id, user.id);
  }
}

function addModules(tree: FileTree, { modules, kernelRelease }: RootParts): void {
  if (modules.length === 0) return;
  linkBusybox(tree, moduleCommands);
  const base = `usr/lib/modules/${kernelRelease}`;
  for (const module of modules) tree.write(`${base}/${module.path}`, module.data);
  tree.write(`${base}/modules.dep`, modulesDep(modules));
  tree.write(`${base}/modules.alias`, modulesAlias(modules));
}

/** Copies a folder of this project; what git holds as a program is one in the guest. */
async function addFolder(tree: FileTree, folder: string): Promise<void> {
  for (const file of await filesBelow(folder)) {
    const source = path.join(folder, file);
    const isProgram = ((await stat(source)).mode & 0o100) !== 0;
    tree.write(file, await readFile(source), isProgram ? 0o755 : 0o644);
  }
}

/** Paths of all regular files below a folder, relative to it, sorted. */
export async function filesBelow(folder: string): Promise<string[]> {
  const found = await readdir(folder, { recursive: true, withFileTypes: true });
  return found
    .filter((entry) => entry.isFile())
    .map((entry) => path.relative(folder, path.join(entry.parentPath, entry.name)))
    .sort();
}

async function addUserFile(tree: FileTree, { from, to, mode }: AddedFile): Promise<void> {
  const { data, isProgram } = await readUserFile(from);
  tree.write(to, data, mode ?? (isProgram ? 0o755 : 0o644));
}

/** A file that the user named. Throws `file-unreadable`. */
export async function readUserFile(file: string): Promise<{ data: Uint8Array; isProgram: boolean }> {
  try {
    const facts = await stat(file);
    return { data: await readFile(file), isProgram: (facts.mode & 0o111) !== 0 };
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    const why = code === 'ENOENT' ? 'there is no such file' : code === 'EISDIR' ? 'it is a directory' : String(code);
    throw new OperatingError<ImageErrorCode>(
      'file-unreadable',
      `the file ${file}, to be added to the image, cannot be read: ${why}`,
      'Name single files of this host that you may read.',
    );
  }
}
