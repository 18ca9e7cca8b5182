/**
 * A file system held in memory: what the builder composes (from packages, its own files and the user's) before it is
 * written out as an ext4 disk or as a cpio archive.
 *
 * Why not a directory on the host: an image's files belong to root and to the guest's users, have set-uid bits, and
 * reach each other over symbolic links that mean something only inside the guest ("/var/run -> /run"). In memory all
 * that is plain data: no root rights are needed, and no link can lead out of the tree.
 *
 * Paths are relative to the guest's root and written without a leading slash; '' is the root itself.
 */
import { OperatingError } from '../../core/base/error.ts';
import type { ImageErrorCode } from './errors.ts';

interface NodeFacts {
  /** Permission bits, set-uid, set-gid and sticky included (12 bits). */
  mode: number;
  uid: number;
  gid: number;
  /** Modification time, seconds since 1970. */
  mtimeS: number;
}

export type DirectoryNode = NodeFacts & { readonly kind: 'directory' };
export type FileNode = NodeFacts & { readonly kind: 'file'; data: Uint8Array };
export type LinkNode = NodeFacts & { readonly kind: 'symlink'; readonly target: string };
export type DeviceNode = NodeFacts & {
  readonly kind: 'character-device';
  readonly major: number;
  readonly minor: number;
};
/** One inode. A hard link is the same node under two paths. */
export type TreeNode = DirectoryNode | FileNode | LinkNode | DeviceNode;

/** How many links one path may pass before it counts as a loop (Linux allows 40). */
const maxLinks = 40;

export class FileTree {
  readonly #nodes = new Map<string, TreeNode>();
  readonly #mtimeS: number;

  /** @param mtimeS the time stamp of everything that is made here and not copied, seconds since 1970 */
  constructor(mtimeS: number) {
    this.#mtimeS = mtimeS;
    this.#nodes.set('', { kind: 'directory', mode: 0o755, uid: 0, gid: 0, mtimeS });
  }

  /** Every path with its node, parents before children, in byte order. */
  entries(): [string, TreeNode][] {
    return [...this.#nodes].sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0));
  }

  /** The node at a path, the last component not followed; parents are. */
  lookup(path: string): TreeNode | undefined {
    return this.#nodes.get(this.#canonical(path, false));
  }

  /** The node that a path leads to, links followed. */
  follow(path: string): TreeNode | undefined {
    return this.#nodes.get(this.#canonical(path, true));
  }

  /** The contents of a regular file, links followed; undefined when there is none. */
  read(path: string): Uint8Array | undefined {
    const node = this.follow(path);
    return node?.kind === 'file' ? node.data : undefined;
  }

  /** As `read`, decoded as UTF-8. */
  readText(path: string): string | undefined {
    const data = this.read(path);
    return data === undefined ? undefined : new TextDecoder().decode(data);
  }

  /** The names in a directory, links followed, sorted; empty when there is no such directory. */
  list(path: string): string[] {
    const canonical = this.#canonical(path, true);
    const prefix = canonical === '' ? '' : `${canonical}/`;
    const names: string[] = [];
    for (const key of this.#nodes.keys()) {
      if (key !== '' && key.startsWith(prefix) && !key.includes('/', prefix.length))
        names.push(key.slice(prefix.length));
    }
    return names.sort();
  }

  /**
   * Puts a node at a path, making missing parent directories. As dpkg does it: a directory over a link to a directory keeps
   * the link, and a directory over a directory keeps the first one's facts.
   */
  put(path: string, node: TreeNode): void {
    const key = this.#canonical(path, false);
    this.#makeParents(key);
    const old = this.#nodes.get(key);
    if (node.kind === 'directory' && old !== undefined) {
      if (old.kind === 'directory') return;
      if (old.kind === 'symlink' && this.follow(key)?.kind === 'directory') return;
    }
    if (old?.kind === 'directory' && node.kind !== 'directory') {
      if (this.list(key).length > 0) throw treeError(path, 'a directory that is not empty is there already');
    }
    this.#nodes.set(key, node);
  }

  /** Makes a directory, or sets the facts of one that is there. */
  directory(path: string, mode = 0o755, uid = 0, gid = 0): void {
    const old = this.follow(path);
    if (old?.kind === 'directory') Object.assign(old, { mode, uid, gid });
    else this.put(path, { kind: 'directory', mode, uid, gid, mtimeS: this.#mtimeS });
  }

  /** Writes a regular file, root's own unless said otherwise, in place of what is there. */
  write(path: string, content: string | Uint8Array, mode = 0o644, uid = 0, gid = 0): void {
    const data = typeof content === 'string' ? new TextEncoder().encode(content) : content;
    this.put(path, { kind: 'file', mode, uid, gid, mtimeS: this.#mtimeS, data });
  }

  /** Makes a symbolic link in place of what is there. */
  symlink(path: string, target: string): void {
    this.put(path, { kind: 'symlink', mode: 0o777, uid: 0, gid: 0, mtimeS: this.#mtimeS, target });
  }

  /** Removes a path and all below it, if it is there. */
  remove(path: string): void {
    const key = this.#canonical(path, false);
    for (const name of [...this.#nodes.keys()]) {
      if (name === key || name.startsWith(`${key}/`)) this.#nodes.delete(name);
    }
  }

  #makeParents(key: string): void {
    const slash = key.lastIndexOf('/');
    if (slash < 0) return;
    const parent = key.slice(0, slash);
    const node = this.#nodes.get(parent);
    if (node === undefined) {
      this.#makeParents(parent);
      this.#nodes.set(parent, { kind: 'directory', mode: 0o755, uid: 0, gid: 0, mtimeS: this.#mtimeS });
    } else if (node.kind !== 'directory') {
      throw treeError(key, `/${parent} is not a directory`);
    }
  }

  /** The path with every link among its parents resolved inside the tree (and the last component's, if asked). */
  #canonical(path: string, followLast: boolean): string {
    const todo = components(path);
    const done: string[] = [];
    let links = 0;
    while (todo.length > 0) {
      const name = todo.shift()!;
      if (name === '..') {
        done.pop();
        continue;
      }
      const node = this.#nodes.get([...done, name].join('/'));
      if (node?.kind === 'symlink' && (followLast || todo.length > 0)) {
        if (++links > maxLinks) throw treeError(path, 'it is a loop of symbolic links');
        if (node.target.startsWith('/')) done.length = 0;
        todo.unshift(...components(node.target));
        continue;
      }
      done.push(name);
    }
    return done.join('/');
  }
}

function components(path: string): string[] {
  return path.split('/').filter((name) => name !== '' && name !== '.');
}

function treeError(path: string, why: string): OperatingError<ImageErrorCode> {
  return new OperatingError<ImageErrorCode>('bad-tree', `cannot place /${path} in the image: ${why}`);
}
