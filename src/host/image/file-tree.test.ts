import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FileTree } from './file-tree.ts';

test('missing parents are made, and entries come sorted with parents first', () => {
  const tree = new FileTree(7);
  tree.write('etc/apt/sources.list', 'x');
  tree.write('bin', '');
  const paths = tree.entries().map(([path]) => path);
  assert.deepEqual(paths, ['', 'bin', 'etc', 'etc/apt', 'etc/apt/sources.list']);
});

test('an absolute link leads to the tree root and never to the host', () => {
  const tree = new FileTree(0);
  tree.directory('run');
  tree.symlink('var/run', '/run');
  tree.write('var/run/state', 'here');
  assert.equal(tree.readText('run/state'), 'here');
  assert.equal(tree.lookup('var/run')?.kind, 'symlink');
});

test('a link cannot climb out of the tree', () => {
  const tree = new FileTree(0);
  tree.symlink('out', '../../../etc');
  tree.write('out/passwd', 'inside');
  assert.equal(tree.readText('etc/passwd'), 'inside');
});

test('a directory over a link to a directory keeps the link', () => {
  const tree = new FileTree(0);
  tree.directory('usr/lib');
  tree.symlink('lib', 'usr/lib');
  tree.put('lib', { kind: 'directory', mode: 0o700, uid: 0, gid: 0, mtimeS: 0 });
  tree.write('lib/libc.so', 'code');
  assert.equal(tree.readText('usr/lib/libc.so'), 'code');
  assert.equal(tree.follow('lib')?.mode, 0o755);
});

test('a loop of links is an error that names the path', () => {
  const tree = new FileTree(0);
  tree.symlink('a', 'b');
  tree.symlink('b', 'a');
  assert.throws(() => tree.write('a/file', ''), { code: 'bad-tree', message: /\/a\/file.*loop/ });
});

test('a file cannot replace a directory that is not empty, nor be a parent', () => {
  const tree = new FileTree(0);
  tree.write('etc/hosts', '');
  assert.throws(() => tree.write('etc', ''), { code: 'bad-tree' });
  assert.throws(() => tree.write('etc/hosts/x', ''), { code: 'bad-tree' });
});

test('list gives the names directly below, over links too', () => {
  const tree = new FileTree(0);
  tree.write('usr/share/b', '');
  tree.write('usr/share/a/deep', '');
  tree.symlink('share', 'usr/share');
  assert.deepEqual(tree.list('share'), ['a', 'b']);
});

test('remove takes what is below along', () => {
  const tree = new FileTree(0);
  tree.write('var/run/x', '');
  tree.write('var/runner', '');
  tree.remove('var/run');
  assert.deepEqual(tree.list('var'), ['runner']);
});
