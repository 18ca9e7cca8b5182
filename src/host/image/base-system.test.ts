import assert from 'node:assert/strict';
import { test } from 'node:test';
import { addSystemUser, parseAlternatives, setUpAlternatives, setUpBaseSystem } from './base-system.ts';
import type { DebPackage } from './deb.ts';
import { FileTree } from './file-tree.ts';

function withPostinst(script: string): DebPackage {
  const members = new Map([['postinst', { mode: 0o755, data: Buffer.from(script) }]]);
  return { file: 'x.deb', control: new Map(), members, entries: [] };
}

const mawk = `if [ "$1" = "configure" ]; then
	update-alternatives --install /usr/bin/awk awk /usr/bin/mawk 5 \\
	    --slave /usr/share/man/man1/awk.1.gz awk.1.gz /usr/share/man/man1/mawk.1.gz \\
	    --slave /usr/bin/nawk nawk /usr/bin/mawk
fi
`;

test('alternatives are read with their slaves, and calls with variables are passed over', () => {
  assert.deepEqual(parseAlternatives(mawk), [
    { link: 'usr/bin/awk', name: 'awk', target: '/usr/bin/mawk', priority: 5 },
    { link: 'usr/share/man/man1/awk.1.gz', name: 'awk.1.gz', target: '/usr/share/man/man1/mawk.1.gz', priority: 5 },
    { link: 'usr/bin/nawk', name: 'nawk', target: '/usr/bin/mawk', priority: 5 },
  ]);
  assert.deepEqual(parseAlternatives('update-alternatives --install "$link" editor $path 10'), []);
});

test('the alternative of highest priority whose file is there gets the name', () => {
  const tree = new FileTree(0);
  tree.write('usr/bin/mawk', '');
  tree.write('usr/bin/gawk', '');
  const gawk = withPostinst('update-alternatives --install /usr/bin/awk awk /usr/bin/gawk 10');
  const absent = withPostinst('update-alternatives --install /usr/bin/awk awk /usr/bin/original-awk 50');
  setUpAlternatives(tree, [withPostinst(mawk), gawk, absent]);
  assert.equal(tree.follow('usr/bin/awk'), tree.lookup('usr/bin/gawk'));
  assert.equal(tree.follow('usr/bin/nawk'), tree.lookup('usr/bin/mawk'));
  assert.equal(tree.lookup('usr/share/man/man1/awk.1.gz'), undefined);
});

test('accounts have shadow entries, no passwords, and room for more', () => {
  const tree = new FileTree(0);
  tree.write(
    'usr/share/base-passwd/passwd.master',
    'root:*:0:0:root:/root:/bin/bash\nmail:*:8:8:mail:/var/mail:/usr/sbin/nologin\n',
  );
  tree.write('usr/share/base-passwd/group.master', 'root:*:0:\nshadow:*:42:\n');
  setUpBaseSystem(tree, [], { hostname: 'guest', suite: 'trixie' });
  addSystemUser(tree, { name: 'redis', id: 199, home: '/var/lib/redis' });
  assert.equal(tree.readText('etc/passwd')!.split('\n')[0], 'root:x:0:0:root:/root:/bin/bash');
  assert.match(tree.readText('etc/passwd')!, /^redis:x:199:199::\/var\/lib\/redis:\/usr\/sbin\/nologin$/m);
  assert.match(tree.readText('etc/shadow')!, /^root:\*:[0-9:]*$/m);
  assert.match(tree.readText('etc/group')!, /^shadow:x:42:$/m);
  assert.deepEqual([tree.lookup('etc/shadow')!.mode, tree.lookup('etc/shadow')!.gid], [0o640, 42]);
  assert.equal(tree.readText('etc/hostname'), 'guest\n');
  assert.equal(tree.lookup('var/run')?.kind, 'symlink');
});
