import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, test } from 'node:test';
import { readDeb } from './deb.ts';
import { FileTree } from './file-tree.ts';
import { isWanted, unpackPackages } from './package-tree.ts';

const directory = mkdtempSync(path.join(tmpdir(), 'understudy-deb-'));
after(() => rmSync(directory, { recursive: true }));

/** A package made by dpkg-deb itself. */
function makeDeb(): string {
  const root = path.join(directory, 'root');
  for (const folder of ['DEBIAN', 'etc', 'usr/bin', 'usr/share/doc/tool', 'usr/share/man/man1']) {
    mkdirSync(path.join(root, folder), { recursive: true });
  }
  chmodSync(path.join(root, 'DEBIAN'), 0o755);
  const control = 'Package: tool\nVersion: 1:2.0-1\nArchitecture: riscv64\nMulti-Arch: same\nMaintainer: nobody\n';
  writeFileSync(path.join(root, 'DEBIAN/control'), `${control}Description: a tool\n It does something.\n`);
  writeFileSync(path.join(root, 'DEBIAN/conffiles'), '/etc/tool.conf\n');
  writeFileSync(path.join(root, 'DEBIAN/postinst'), '#!/bin/sh\n', { mode: 0o755 });
  writeFileSync(path.join(root, 'etc/tool.conf'), 'answer = 42\n');
  writeFileSync(path.join(root, 'usr/bin/tool'), 'program', { mode: 0o755 });
  writeFileSync(path.join(root, 'usr/share/doc/tool/copyright'), 'free');
  writeFileSync(path.join(root, 'usr/share/doc/tool/README'), 'long');
  writeFileSync(path.join(root, 'usr/share/man/man1/tool.1.gz'), 'long');
  const file = path.join(directory, 'tool.deb');
  execFileSync('dpkg-deb', ['--root-owner-group', '--build', root, file], { stdio: 'ignore' });
  return file;
}

test('a package is unpacked and recorded as dpkg would have left it', async () => {
  const deb = await readDeb(makeDeb());
  assert.equal(deb.control.get('Description'), 'a tool\n It does something.');
  const tree = new FileTree(0);
  unpackPackages(tree, [deb]);

  assert.equal(tree.readText('usr/bin/tool'), 'program');
  assert.equal(tree.lookup('usr/bin/tool')?.mode, 0o755);
  assert.equal(tree.lookup('usr/bin/tool')?.uid, 0);
  assert.equal(tree.readText('usr/share/doc/tool/copyright'), 'free');
  assert.equal(tree.lookup('usr/share/doc/tool/README'), undefined);
  assert.equal(tree.lookup('usr/share/man/man1/tool.1.gz'), undefined);

  const status = tree.readText('var/lib/dpkg/status')!;
  assert.match(status, /^Package: tool\nStatus: install ok unpacked\n/);
  assert.match(status, /^Version: 1:2\.0-1$/m);
  assert.match(status, /^Conffiles:\n \/etc\/tool\.conf [0-9a-f]{32}$/m);
  assert.equal(tree.lookup('var/lib/dpkg/info/tool:riscv64.postinst')?.mode, 0o755);
  assert.match(tree.readText('var/lib/dpkg/info/tool:riscv64.list')!, /^\/\.\n\/etc\n\/etc\/tool\.conf\n/);
});

test('dpkg itself reads the database', async () => {
  const tree = new FileTree(0);
  unpackPackages(tree, [await readDeb(makeDeb())]);
  const admin = path.join(directory, 'admin');
  for (const [name, node] of tree.entries()) {
    if (!name.startsWith('var/lib/dpkg')) continue;
    const file = path.join(admin, name.slice('var/lib/dpkg'.length));
    if (node.kind === 'directory') mkdirSync(file, { recursive: true });
    else if (node.kind === 'file') writeFileSync(file, node.data);
  }
  const shown = execFileSync('dpkg-query', [`--admindir=${admin}`, '--status', 'tool:riscv64']).toString();
  assert.match(shown, /^Package: tool\nStatus: install ok unpacked\n/);
  assert.match(shown, /^Version: 1:2\.0-1$/m);
});

test('a damaged package is refused', async () => {
  const file = path.join(directory, 'broken.deb');
  writeFileSync(file, 'not a package');
  await assert.rejects(readDeb(file), { name: 'OperatingError' });
});

test('documentation stays out, licences stay in', () => {
  assert.equal(isWanted('usr/share/man/man1/ls.1.gz'), false);
  assert.equal(isWanted('usr/share/locale/de/LC_MESSAGES/x.mo'), false);
  assert.equal(isWanted('usr/share/doc/bash/copyright'), true);
  assert.equal(isWanted('usr/share/doc/bash/examples/copyright'), false);
  assert.equal(isWanted('usr/bin/ls'), true);
});
