/**
 * Is a path on this host's own storage? An arbiter that lies with one replica dies with it, or, worse, each host has
 * its own of the same name and both win. So a directory arbiter on a local file system is refused unless the person insists
 * (`--unsafe-arbiter`, for a pair on one machine; PROTOCOL.md, 5).
 *
 * The kernel's list of mounts tells (proc_pid_mountinfo(5)): the file system of the mount that holds the path is one of
 * those that several hosts reach, or it is not. An NFS export that this very host serves is local too.
 */
import { readFileSync, realpathSync } from 'node:fs';
import { networkInterfaces } from 'node:os';
import { OperatingError } from '../../core/base/error.ts';

export type Locality = {
  readonly local: boolean;
  /** As the kernel names it: ext4, nfs4, fuse.sshfs, ...; 'unknown' where there is no list of mounts. */
  readonly fileSystem: string;
  readonly mountPoint: string;
  /** A device, or server:/path. */
  readonly source: string;
};

/** File systems of a server or of disks that several hosts share. `fuse.x` counts as x, or else by `FUSE_LOCAL`. */
const SHARED = new Set([
  ...['nfs', 'nfs4', 'cifs', 'smb3', 'smbfs', 'ncpfs', 'afs', '9p', 'virtiofs'],
  ...['ceph', 'glusterfs', 'lustre', 'beegfs', 'gpfs', 'orangefs', 'pvfs2', 'coda'],
  ...['gfs2', 'ocfs2'],
]);

/** FUSE file systems that only show this host's own storage in another way; others are taken for a network's. */
const FUSE_LOCAL = new Set([
  ...['fuse', 'fuseblk', 'fuse.bindfs', 'fuse.mergerfs', 'fuse.unionfs', 'fuse.fuse-overlayfs', 'fuse.lxcfs'],
  ...['fuse.encfs', 'fuse.gocryptfs', 'fuse.cryfs', 'fuse.ntfs-3g', 'fuse.exfat', 'fuse.zfs', 'fuse.portal'],
  ...['fuse.gvfsd-fuse', 'fuse.squashfuse', 'fuse.archivemount', 'fuse.ecryptfs'],
]);

/** Where `path`, which exists, lies. Symbolic links are followed. */
export function localityOf(path: string): Locality {
  let mounts: string;
  try {
    mounts = readFileSync('/proc/self/mountinfo', 'utf8');
  } catch {
    return { local: true, fileSystem: 'unknown', mountPoint: '/', source: 'unknown' };
  }
  return localityIn(mounts, realpathSync(path), ownAddresses());
}

/** `localityOf` with the facts given: `mounts` in the format of mountinfo, `path` real and absolute. Pure. */
export function localityIn(mounts: string, path: string, hostAddresses: ReadonlySet<string>): Locality {
  let found: Locality = { local: true, fileSystem: 'unknown', mountPoint: '', source: 'unknown' };
  for (const line of mounts.split('\n')) {
    const mount = parseMount(line);
    // A later line of the same mount point lies over an earlier one.
    if (mount === undefined || !holds(mount.mountPoint, path) || mount.mountPoint.length < found.mountPoint.length)
      continue;
    found = { ...mount, local: !isShared(mount.fileSystem, mount.source, hostAddresses) };
  }
  return found;
}

/**
 * Refuses an arbiter's directory on this host's own storage. Throws OperatingError `arbiter-local`; with `unsafe` it
 * only tells.
 */
export function refuseLocalArbiter(directory: string, unsafe: boolean): Locality {
  const locality = localityOf(directory);
  if (locality.local && !unsafe) {
    throw new OperatingError(
      'arbiter-local',
      `the arbiter directory ${directory} is on this host's own storage (${locality.fileSystem} at ${locality.mountPoint}): the loss of this host would take it along`,
      'Use storage of a third machine that both hosts reach, or add --unsafe-arbiter ("unsafeArbiter: true" in a host.yaml) if you know what you do.',
    );
  }
  return locality;
}

function parseMount(line: string): Omit<Locality, 'local'> | undefined {
  const [before, after] = line.split(' - ');
  const mountPoint = before?.split(' ')[4];
  const [fileSystem, source] = after?.split(' ') ?? [];
  if (mountPoint === undefined || fileSystem === undefined) return undefined;
  return { fileSystem, mountPoint: unescapeOctal(mountPoint), source: unescapeOctal(source ?? '') };
}

/** mountinfo writes a space as \040 and so on. */
function unescapeOctal(text: string): string {
  return text.replace(/\\([0-7]{3})/g, (_, digits: string) => String.fromCharCode(Number.parseInt(digits, 8)));
}

function holds(mountPoint: string, path: string): boolean {
  return path === mountPoint || path.startsWith(mountPoint.endsWith('/') ? mountPoint : `${mountPoint}/`);
}

function isShared(fileSystem: string, source: string, hostAddresses: ReadonlySet<string>): boolean {
  const isFuse = fileSystem.startsWith('fuse');
  if (isFuse ? FUSE_LOCAL.has(fileSystem) : !SHARED.has(fileSystem)) return false;
  const server = /^(?:\/\/)?\[?([^/\]]+?)\]?(?::\/|\/|:$)/.exec(source)?.[1] ?? '';
  const name = server.replace(/^.*@/, '').toLowerCase();
  return !(name === 'localhost' || name.startsWith('127.') || hostAddresses.has(name));
}

function ownAddresses(): ReadonlySet<string> {
  const interfaces = Object.values(networkInterfaces()).flatMap((list) => list ?? []);
  return new Set(interfaces.map(({ address }) => address.toLowerCase()));
}
