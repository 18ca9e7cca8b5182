import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { test } from 'node:test';
import { writeCpio } from './cpio.ts';
import { FileTree } from './file-tree.ts';

function sample(): FileTree {
  const tree = new FileTree(0x65000000);
  tree.write('init', '#!/bin/sh\n', 0o755, 1, 2);
  tree.symlink('bin', 'usr/bin');
  tree.put('dev/console', { kind: 'character-device', mode: 0o600, uid: 0, gid: 0, mtimeS: 0, major: 5, minor: 1 });
  return tree;
}

test('the archive is, byte for byte, what the format says', () => {
  const tree = new FileTree(0x65000000);
  tree.write('init', 'hello', 0o755, 1, 2);
  const fields = ['00000001', '000081ed', '00000001', '00000002', '00000001', '65000000', '00000005'];
  const devices = ['00000000', '00000000', '00000000', '00000000'];
  const first = `070701${fields.join('')}${devices.join('')}0000000500000000init\0\0hello\0\0\0`;
  const trailer = `070701${'00000000'.repeat(4)}00000001${'00000000'.repeat(6)}0000000b00000000TRAILER!!!\0\0\0\0`;
  assert.equal(Buffer.from(writeCpio(tree)).toString('latin1'), first + trailer);
});

const hasCpio = spawnSync('cpio', ['--version']).status === 0;

test('cpio lists the archive with types, modes, owners and targets', {
  skip: !hasCpio && 'cpio is not installed',
}, () => {
  const listing = execFileSync('cpio', ['-itv', '--numeric-uid-gid'], {
    input: writeCpio(sample()),
    stdio: 'pipe',
  }).toString();
  const lines = listing
    .trim()
    .split('\n')
    .map((line) => line.replace(/ +/g, ' '));
  assert.match(lines[0]!, /^lrwxrwxrwx 1 0 0 7 .* bin -> usr\/bin$/);
  assert.match(lines[1]!, /^drwxr-xr-x 2 0 0 0 .* dev$/);
  assert.match(lines[2]!, /^crw------- 1 0 0 5, 1 .* dev\/console$/);
  assert.match(lines[3]!, /^-rwxr-xr-x 1 1 2 10 .* init$/);
  assert.equal(lines.length, 4);
});
