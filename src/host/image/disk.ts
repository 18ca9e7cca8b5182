/**
 * Writes a file tree as an ext4 disk, without root rights and without mounting anything: the tree is laid out in a plain directory,
 * `mke2fs -d` copies it into a new file system, and `debugfs` gives every inode the owner and the times that the tree says (in the
 * directory all files belong to whoever builds, and were changed just now). The same tree gives the same disk, bit for bit.
 */

import { chmodSync } from 'node:fs';
import { link, lutimes, mkdir, symlink, utimes, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { OperatingError } from '../../core/base/error.ts';
import type { ImageErrorCode } from './errors.ts';
import type { FileTree, TreeNode } from './file-tree.ts';
import { hostDiskFull, runTool } from './run-tool.ts';

export interface DiskSettings {
  /** The disk's file, made anew. */
  readonly file: string;
  /** A directory for the layout, empty. */
  readonly workDir: string;
  readonly sizeMiB: number;
  /** Time stamp of the file system itself, seconds since 1970. */
  readonly timeS: number;
  /** Identity of the file system; the same inputs give the same. */
  readonly uuid: string;
  readonly signal?: AbortSignal;
}

/**
 * The features are ours and not the host's mke2fs.conf, which differs between releases. All are of ext4's first years, so that any e2fsck can
 * check the disk; the tables are written whole (they are holes in the file), so that no guest spends its first minutes on it.
 */
const mke2fsConfiguration = `[defaults]
	base_features = sparse_super,large_file,filetype,resize_inode,dir_index,ext_attr
	blocksize = 4096
	inode_size = 256
	inode_ratio = 16384
	lazy_itable_init = 0
	lazy_journal_init = 0
	reserved_ratio = 1.0
[fs_types]
	ext4 = {
		features = has_journal,extent,huge_file,flex_bg,metadata_csum,64bit,dir_nlink,extra_isize
	}
`;

/** Makes the disk. Throws `guest-disk-too-small`, `host-disk-full`, `cannot-write`. */
export async function writeDisk(tree: FileTree, settings: DiskSettings): Promise<void> {
  const { file, workDir, sizeMiB, signal, timeS, uuid } = settings;
  const layout = path.join(workDir, 'layout');
  const entries = tree.entries();
  await layOut(entries, layout);
  const configuration = path.join(workDir, 'mke2fs.conf');
  await writeFile(configuration, mke2fsConfiguration);
  const tool = {
    env: { MKE2FS_CONFIG: configuration, E2FSPROGS_FAKE_TIME: String(timeS) },
    explain: (output: string) => explainSize(output, sizeMiB),
    ...(signal === undefined ? {} : { signal }),
  };
  const extended = `hash_seed=${uuid},root_owner=0:0,lazy_itable_init=0,lazy_journal_init=0`;
  await runTool(
    'mke2fs',
    ['-q', '-F', '-t', 'ext4', '-L', 'understudy', '-U', uuid, '-E', extended, '-d', layout, file, `${sizeMiB}M`],
    tool,
  );
  await setOwnersAndTimes(entries, file, tool);
}

/** Writes every node into the directory, owners aside. Parents come before children, so directories get their modes last. */
async function layOut(entries: readonly [string, TreeNode][], layout: string): Promise<void> {
  const placed = new Map<TreeNode, string>();
  try {
    for (const [name, node] of entries) await place(path.join(layout, name), node, placed);
    for (const [name, node] of entries.toReversed()) {
      if (node.kind !== 'directory') continue;
      chmodSync(path.join(layout, name), node.mode);
      await utimes(path.join(layout, name), node.mtimeS, node.mtimeS);
    }
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOSPC') throw hostDiskFull(layout);
    throw error;
  }
}

async function place(file: string, node: TreeNode, placed: Map<TreeNode, string>): Promise<void> {
  const first = placed.get(node);
  if (first !== undefined) return link(first, file);
  if (node.kind === 'directory') return void (await mkdir(file, { mode: 0o700 }));
  if (node.kind === 'symlink') {
    await symlink(node.target, file);
    return lutimes(file, node.mtimeS, node.mtimeS);
  }
  if (node.kind === 'character-device') {
    throw new OperatingError<ImageErrorCode>('bad-tree', `${file} is a device, which a root disk does not hold`);
  }
  placed.set(node, file);
  await writeFile(file, node.data);
  chmodSync(file, node.mode);
  await utimes(file, node.mtimeS, node.mtimeS);
}

/** Sets user, group and change time of each inode: what the copy took from the host. */
async function setOwnersAndTimes(
  entries: readonly [string, TreeNode][],
  file: string,
  tool: Parameters<typeof runTool>[2],
): Promise<void> {
  const commands: string[] = [];
  for (const [name, node] of entries) {
    // The root directory's owner is set by mke2fs.
    if (name === '') continue;
    const quoted = `"/${name.replaceAll('"', '""')}"`;
    if (node.uid !== process.getuid?.()) commands.push(`sif ${quoted} uid ${node.uid}`);
    if (node.gid !== process.getgid?.()) commands.push(`sif ${quoted} gid ${node.gid}`);
    commands.push(`sif ${quoted} ctime @${node.mtimeS}`);
  }
  const { stderr } = await runTool('debugfs', ['-w', '-f', '-', file], { ...tool, input: `${commands.join('\n')}\n` });
  // debugfs ends with 0 whatever its commands said; its first line on standard error is its version.
  const complaint = stderr
    .split('\n')
    .slice(1)
    .find((line) => line.trim() !== '');
  if (complaint !== undefined) {
    throw new OperatingError<ImageErrorCode>(
      'tool-failed',
      `debugfs could not set the owners on ${file}: ${complaint}`,
    );
  }
}

function explainSize(output: string, sizeMiB: number): OperatingError<ImageErrorCode> | undefined {
  if (
    !/Could not allocate (block|inode)|No free space|while populating file system.*no.*(block|inode|space)/is.test(
      output,
    )
  ) {
    return undefined;
  }
  return new OperatingError<ImageErrorCode>(
    'guest-disk-too-small',
    `the guest's files do not fit on a disk of ${sizeMiB} MiB`,
    'Choose a larger disk (its file is sparse: free space in it takes none on this host).',
  );
}
