import assert from 'node:assert/strict';
import { mkdtempSync, rmdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { localityIn, localityOf, refuseLocalArbiter } from './locality.ts';

const MOUNTS = [
  '22 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw',
  '30 22 0:40 / /mnt/nfs rw - nfs4 filer.example:/export rw,vers=4.2',
  '31 22 0:41 / /mnt/own rw - nfs4 192.0.2.7:/export rw',
  '32 22 0:42 / /mnt/loop rw - nfs 127.0.0.1:/export rw',
  '33 22 0:43 / /mnt/a\\040b rw - cifs //server/share rw',
  '34 22 0:44 / /mnt/ssh rw - fuse.sshfs user@host:/path rw',
  '35 22 0:45 / /mnt/merged rw - fuse.mergerfs a:b rw',
  '36 22 0:46 / /mnt/ceph rw - ceph 10.0.0.1:6789:/ rw',
  '37 30 0:47 / /mnt/nfs/scratch rw - tmpfs tmpfs rw',
  '38 22 0:48 / /mnt/share rw - 9p hostshare rw',
  '39 22 0:49 / /mnt/over rw - nfs4 filer.example:/export rw',
  '40 22 0:50 / /mnt/over rw - ext4 /dev/sdb1 rw',
  '',
].join('\n');

const OWN = new Set(['192.0.2.7']);

for (const [path, local, why] of [
  ['/srv/arbiter', true, 'a disk of its own'],
  ['/mnt/nfs/arbiter', false, 'an NFS export of another machine'],
  ['/mnt/nfs', false, 'the mount point itself'],
  ['/mnt/nfs-not', true, 'a name that only begins like a mount point'],
  ['/mnt/nfs/scratch/x', true, 'a file system of its own inside a shared one'],
  ['/mnt/own/x', true, 'an NFS export of this very host'],
  ['/mnt/loop/x', true, 'an NFS export over the loopback'],
  ['/mnt/a b/x', false, 'a share with a space in its name'],
  ['/mnt/ssh/x', false, 'a FUSE file system of a network'],
  ['/mnt/merged/x', true, 'a FUSE file system over local ones'],
  ['/mnt/ceph/x', false, 'a cluster'],
  ['/mnt/share/x', false, "a hypervisor's share"],
  ['/mnt/over/x', true, 'a local file system mounted over a shared one'],
] as const) {
  test(`${why} is ${local ? 'local' : 'shared'}`, () => {
    assert.equal(localityIn(MOUNTS, path, OWN).local, local);
  });
}

test('an unmounted share is local, so it is refused', (t) => {
  const directory = mkdtempSync(join(tmpdir(), 'understudy-locality-'));
  t.after(() => rmdirSync(directory));
  assert.equal(localityOf(directory).local, true);
  assert.throws(() => refuseLocalArbiter(directory, false), { code: 'arbiter-local', advice: /--unsafe-arbiter/ });
  assert.equal(refuseLocalArbiter(directory, true).local, true);
});
