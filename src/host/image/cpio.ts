/**
 * Writes a file tree as a cpio archive in the "new ASCII" format (newc, magic 070701), the one that Linux unpacks as its
 * initramfs (Linux, Documentation/driver-api/early-userspace/buffer-format.rst).
 */
import type { FileTree, TreeNode } from './file-tree.ts';

const typeBits = { directory: 0o040000, file: 0o100000, symlink: 0o120000, 'character-device': 0o020000 } as const;

const encoder = new TextEncoder();

/** The archive's bytes, the end record included. The tree's order makes it deterministic. */
export function writeCpio(tree: FileTree): Uint8Array {
  const parts: Uint8Array[] = [];
  let inode = 1;
  for (const [path, node] of tree.entries()) {
    if (path !== '') parts.push(...record(path, node, inode++));
  }
  parts.push(...record('TRAILER!!!', undefined, 0));
  return Buffer.concat(parts);
}

/** Header, name and data, the latter two padded so that the next part starts at a multiple of four bytes. */
function record(path: string, node: TreeNode | undefined, inode: number): Uint8Array[] {
  const name = encoder.encode(`${path}\0`);
  const data = contents(node);
  const device = node?.kind === 'character-device' ? [node.major, node.minor] : [0, 0];
  const fields = [
    inode,
    node === undefined ? 0 : typeBits[node.kind] | node.mode,
    node?.uid ?? 0,
    node?.gid ?? 0,
    node?.kind === 'directory' ? 2 : 1,
    node?.mtimeS ?? 0,
    data.length,
    0, // device that holds the file
    0,
    ...device,
    name.length,
    0, // checksum, unused in this format
  ];
  const header = encoder.encode(`070701${fields.map((field) => field.toString(16).padStart(8, '0')).join('')}`);
  return [header, name, padding(header.length + name.length), data, padding(data.length)];
}

function contents(node: TreeNode | undefined): Uint8Array {
  if (node?.kind === 'file') return node.data;
  if (node?.kind === 'symlink') return encoder.encode(node.target);
  return new Uint8Array(0);
}

function padding(length: number): Uint8Array {
  return new Uint8Array((4 - (length % 4)) % 4);
}
