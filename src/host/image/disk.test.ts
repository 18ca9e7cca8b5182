import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, test } from 'node:test';
import { writeDisk } from './disk.ts';
import { FileTree } from './file-tree.ts';

const directory = mkdtempSync(path.join(tmpdir(), 'understudy-disk-'));
after(() => rmSync(directory, { recursive: true }));

const toolPath = { env: { ...process.env, PATH: `${process.env.PATH}:/usr/sbin:/sbin` } };

function sample(): FileTree {
  const tree = new FileTree(1700000000);
  tree.write('usr/bin/passwd', 'program', 0o4755);
  tree.write('etc/shadow', 'secret', 0o640, 0, 42);
  tree.write('etc/with "quotes" and spaces', 'x', 0o600, 199, 199);
  tree.put('usr/bin/twin', tree.lookup('usr/bin/passwd')!);
  tree.symlink('bin', 'usr/bin');
  return tree;
}

async function make(name: string, tree: FileTree, sizeMiB = 64): Promise<string> {
  const workDir = path.join(directory, `${name}-work`);
  mkdirSync(workDir);
  const file = path.join(directory, name);
  await writeDisk(tree, { file, workDir, sizeMiB, timeS: 1700000000, uuid: '01234567-89ab-8def-8123-456789abcdef' });
  return file;
}

function debugfs(file: string, command: string): string {
  return execFileSync('debugfs', ['-R', command, file], {
    ...toolPath,
    stdio: ['ignore', 'pipe', 'ignore'],
  }).toString();
}

test('owners, modes, links and times arrive on the disk, and fsck is content', async () => {
  const file = await make('one.img', sample());
  assert.equal(statSync(file).size, 64 * 2 ** 20);
  assert.ok(statSync(file).blocks * 512 < 16 * 2 ** 20, 'the file is sparse');
  assert.match(debugfs(file, 'stat /usr/bin/passwd'), /Mode: {2}04755[\s\S]*User: {5}0 {3}Group: {5}0[\s\S]*Links: 2/);
  assert.match(debugfs(file, 'stat /etc/shadow'), /Mode: {2}0640[\s\S]*User: {5}0 {3}Group: {4}42/);
  assert.match(debugfs(file, 'stat "/etc/with ""quotes"" and spaces"'), /User: {3}199 {3}Group: {3}199/);
  assert.match(debugfs(file, 'stat /bin'), /Fast link dest: "usr\/bin"/);
  assert.equal(spawnSync('e2fsck', ['-fn', file], toolPath).status, 0);
});

test('the same tree gives the same disk', async () => {
  const [first, second] = [await make('first.img', sample()), await make('second.img', sample())];
  assert.ok(readFileSync(first).equals(readFileSync(second)));
});

test('a disk that is too small for its files says so', async () => {
  const tree = new FileTree(0);
  tree.write('big', new Uint8Array(80 * 2 ** 20).fill(1));
  await assert.rejects(make('small.img', tree), { code: 'guest-disk-too-small', message: /64 MiB/ });
});
