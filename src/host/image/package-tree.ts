/**
 * Unpacks packages into a file tree, and records them in the guest's package database as dpkg would have left them after
 * "dpkg --unpack": files in place, maintainer scripts kept, status "install ok unpacked" (dpkg's own term for a package whose postinst
 * has not run yet). So dpkg and apt in the guest know every file and version, and "dpkg --configure -a" there finishes the work.
 *
 * Why not configured: the scripts are programs of the guest's architecture, and running them would need an emulator on every host
 * (and, inside the guest, minutes at the first boot). What they would have done that a running system needs is done in base-system.ts.
 */
import { createHash } from 'node:crypto';
import type { DebPackage } from './deb.ts';
import type { FileTree, TreeNode } from './file-tree.ts';
import type { TarEntry } from './tar.ts';

/** What is left out of every package: dpkg's "path-exclude" (dpkg(1)), which the guest's dpkg is told as well. */
export const pathExclude = [
  '/usr/share/doc/*',
  '/usr/share/man/*',
  '/usr/share/info/*',
  '/usr/share/locale/*',
  '/usr/share/lintian/*',
] as const;
/** What stays all the same: licences must go with the software. */
export const pathInclude = ['/usr/share/doc/*/copyright'] as const;

/** The dpkg.cfg(5) fragment that says the same to the guest's dpkg. */
export function dpkgPathConfiguration(): string {
  return [
    '# Documentation and translations are left out of this image; remove this file to get them with new packages.',
    ...pathExclude.map((pattern) => `path-exclude=${pattern}`),
    ...pathInclude.map((pattern) => `path-include=${pattern}`),
    '',
  ].join('\n');
}

const excluded = pathExclude.map((pattern) => pattern.slice(1, -1));

/** Whether a file of a package goes into the image. Directories always do: dpkg makes them too. */
export function isWanted(path: string): boolean {
  return !excluded.some((prefix) => path.startsWith(prefix)) || /^usr\/share\/doc\/[^/]+\/copyright$/.test(path);
}

/** Unpacks the packages in order; the one that holds the top-level links (base-files) must come first. */
export function unpackPackages(tree: FileTree, packages: readonly DebPackage[]): void {
  for (const each of packages) unpackPayload(tree, each.entries);
  writeDatabase(tree, packages);
}

/** Unpacks one payload, keeping to `isWanted`. */
export function unpackPayload(tree: FileTree, entries: readonly TarEntry[]): void {
  for (const entry of entries) {
    if (entry.path !== '' && (entry.kind === 'directory' ? isWantedDirectory(entry.path) : isWanted(entry.path))) {
      tree.put(entry.path, toNode(tree, entry));
    }
  }
}

/** Directories of left-out files would be thousands of empty ones; those of kept files are made with the files. */
function isWantedDirectory(path: string): boolean {
  return !excluded.some((prefix) => path.startsWith(prefix));
}

function toNode(tree: FileTree, entry: TarEntry): TreeNode {
  const { mode, uid, gid, mtimeS } = entry;
  const facts = { mode, uid, gid, mtimeS };
  if (entry.kind === 'file') return { kind: 'file', ...facts, data: entry.data };
  if (entry.kind === 'symlink') return { kind: 'symlink', ...facts, target: entry.target };
  if (entry.kind === 'directory') return { kind: 'directory', ...facts };
  // A hard link to a file that was left out stands for nothing.
  return tree.lookup(entry.target) ?? { kind: 'file', ...facts, data: new Uint8Array(0) };
}

function writeDatabase(tree: FileTree, packages: readonly DebPackage[]): void {
  const info = 'var/lib/dpkg/info';
  tree.write(`${info}/format`, '1\n');
  const stanzas: string[] = [];
  for (const { control, entries, members } of packages) {
    const base = `${info}/${infoName(control)}`;
    const list = entries.map(({ path }) => (path === '' ? '/.' : `/${path}`));
    tree.write(`${base}.list`, list.map((path) => `${path}\n`).join(''));
    for (const [name, { data, mode }] of members) tree.write(`${base}.${name}`, data, mode);
    stanzas.push(statusStanza(tree, control, members.get('conffiles')?.data));
  }
  tree.write('var/lib/dpkg/status', stanzas.join('\n'));
  tree.write('var/lib/dpkg/available', '');
  tree.directory('var/lib/dpkg/updates');
  tree.directory('var/lib/dpkg/triggers');
  tree.directory('var/lib/dpkg/parts');
}

/** Packages that several architectures may share a system with carry theirs in their file names ("Multi-Arch: same"). */
function infoName(control: ReadonlyMap<string, string>): string {
  const name = control.get('Package');
  return control.get('Multi-Arch') === 'same' ? `${name}:${control.get('Architecture')}` : `${name}`;
}

function statusStanza(tree: FileTree, control: ReadonlyMap<string, string>, conffiles: Uint8Array | undefined): string {
  const fields = [...control].filter(([name]) => name !== 'Package').map(([name, value]) => `${name}: ${value}`);
  const paths = new TextDecoder().decode(conffiles ?? new Uint8Array(0)).split('\n');
  const sums = paths
    .map((line) => line.trim())
    .filter((path) => path.startsWith('/'))
    .map((path) => ` ${path} ${md5(tree.read(path) ?? new Uint8Array(0))}`);
  return [
    `Package: ${control.get('Package')}`,
    'Status: install ok unpacked',
    ...fields,
    ...(sums.length === 0 ? [] : ['Conffiles:', ...sums]),
    '',
  ].join('\n');
}

/** dpkg recognises unchanged configuration files by their MD5 sums; this guards nothing. */
function md5(data: Uint8Array): string {
  return createHash('md5').update(data).digest('hex');
}
