/** The set-up, tried for real: in a copy of the repository with nothing installed. It needs what the set-up needs: npm's registry. */
import assert from 'node:assert/strict';
import { chmod, mkdir, readFile, realpath, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { makeTree, root, runProgram } from './tree.ts';

const sources = ['package.json', 'package-lock.json', 'understudy', 'tools', 'src'];

test('these tests run on the pinned Node', async () => {
  const { optionalDependencies } = JSON.parse(await readFile(join(root, 'package.json'), 'utf8')) as {
    readonly optionalDependencies: Readonly<Record<string, string>>;
  };
  const name = `node-${process.platform}-${process.arch}`;
  assert.equal(process.versions.node, optionalDependencies[name]);
  assert.equal(process.execPath, await realpath(join(root, 'node_modules', name, 'bin/node')));
});

test('package-lock.json names no registry', async () => {
  assert.doesNotMatch(await readFile(join(root, 'package-lock.json'), 'utf8'), /"resolved"/);
});

test('in a fresh copy the first command does the set-up, once even if two start together', async (context) => {
  const tree = await makeTree(context, { copies: sources });
  const command = join(tree, 'understudy');
  const both = await Promise.all([runProgram(command, ['version']), runProgram(command, ['version'])]);
  for (const { status, stdout, stderr } of both) {
    assert.equal(status, 0, stderr);
    assert.match(stdout, /^understudy \d+\.\d+\.\d+ \(Node v24\./);
  }
  const installations = both.map(({ stderr }) => stderr.split('installing the npm packages').length - 1);
  assert.equal(installations[0] + installations[1], 1);
  const again = await runProgram(command, ['version']);
  assert.equal(again.stderr, '');
});

test('the command works through a symbolic link', async (context) => {
  const tree = await makeTree(context, {});
  await symlink(join(root, 'understudy'), join(tree, 'us'));
  const { status, stdout } = await runProgram(join(tree, 'us'), ['version'], { cwd: tree });
  assert.equal(status, 0);
  assert.match(stdout, /^understudy /);
});

/** A tree whose npm packages seem to be installed, with `node` as its runtime, and a PATH of the plainest programs. */
async function installedTree(context: TestContext, node: string): Promise<{ tree: string; bin: string }> {
  const tree = await makeTree(context, { copies: ['package.json', 'package-lock.json', 'tools'] });
  const { stdout: sum } = await runProgram('sh', ['-c', 'cksum <package-lock.json'], { cwd: tree });
  await mkdir(join(tree, 'node_modules/.bin'), { recursive: true });
  await writeFile(join(tree, 'node_modules/.understudy-setup'), sum);
  await writeFile(join(tree, 'node_modules/.bin/node'), node);
  await chmod(join(tree, 'node_modules/.bin/node'), 0o755);
  return { tree, bin: await plainPrograms(tree) };
}

/** A directory with links to the programs that every system has. */
async function plainPrograms(tree: string): Promise<string> {
  const bin = join(tree, 'bin');
  await mkdir(bin);
  for (const program of ['sh', 'dirname', 'mkdir', 'cksum', 'cat', 'flock']) {
    const { stdout } = await runProgram('sh', ['-c', `command -v ${program}`]);
    await symlink(stdout.trim(), join(bin, program));
  }
  return bin;
}

test('a runtime that is too old is refused in clear words', async (context) => {
  const { tree } = await installedTree(context, '#!/bin/sh\necho v20.20.2\n');
  const { status, stderr } = await runProgram('sh', ['tools/setup.sh', '--npm-only'], { cwd: tree });
  assert.equal(status, 1);
  assert.match(stderr, /is Node v20\.20\.2, and Understudy needs 24 or later/);
});

test('without apt-get the set-up names the missing programs and goes on', async (context) => {
  const { tree, bin } = await installedTree(context, '#!/bin/sh\necho v24.0.0\n');
  const { status, stderr } = await runProgram(join(bin, 'sh'), ['tools/setup.sh'], { cwd: tree, env: { PATH: bin } });
  assert.equal(status, 0);
  assert.match(stderr, /not on this system: passt .*README\.md/);
});

test('without npm the set-up says what to install', async (context) => {
  const tree = await makeTree(context, { copies: ['package.json', 'package-lock.json', 'tools'] });
  const bin = await plainPrograms(tree);
  const { status, stderr } = await runProgram(join(bin, 'sh'), ['tools/setup.sh'], { cwd: tree, env: { PATH: bin } });
  assert.equal(status, 1);
  assert.match(stderr, /npm is not installed/);
});
