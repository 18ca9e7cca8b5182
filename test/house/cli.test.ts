/** The command line as a person meets it: its help, its exit statuses, and the looks of its three kinds of error. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { test } from 'node:test';
import type { Command } from 'commander';
import { failureOf } from '../../src/app/cli/failure.ts';
import { program } from '../../src/app/cli/program.ts';
import { makeTree, root, runProgram } from './tree.ts';

const understudy = (...words: string[]) => runProgram(join(root, 'understudy'), words);

/** Every verb that does something, with the words that name it. */
function verbs(command: Command, path: readonly string[] = []): { path: readonly string[]; command: Command }[] {
  const inner = command.commands.filter((candidate) => candidate.name() !== 'help');
  if (inner.length === 0) return [{ path, command }];
  return inner.flatMap((child) => verbs(child, [...path, child.name()]));
}

test('every verb explains itself, and all but the plainest show an example', async () => {
  for (const { path } of verbs(program())) {
    const { status, stdout, stderr } = await understudy(...path, '--help');
    assert.equal(status, 0, path.join(' '));
    assert.equal(stderr, '');
    assert.match(stdout, new RegExp(`^Usage: understudy ${path.join(' ')}`));
    if (path[0] !== 'version') assert.match(stdout, /\nExamples?[^\n]*:\n( +\S+)?\$ |\nExample/, path.join(' '));
  }
});

test('asking for help is no error, and needing it is a usage error', async () => {
  assert.equal((await understudy('--help')).status, 0);
  assert.equal((await understudy('help', 'run')).status, 0);
  const bare = await understudy();
  assert.equal(bare.status, 2);
  assert.match(bare.stderr, /^Usage: understudy/);
});

test('usage errors have status 2, name what is wrong, and point at the help', async () => {
  const cases: [words: string[], message: RegExp][] = [
    [['rnu'], /^understudy: unknown command 'rnu'\n.*run/],
    [['run', '--fo'], /^understudy: unknown option '--fo'.*understudy run --help/s],
    [['run'], /^understudy: no machine is given\n {2}Name a machine description/],
    [
      ['run', 'machine.yaml', '--memory', '1G'],
      /^understudy: both a machine description \(machine.yaml\) and --memory/,
    ],
    [['run', '--kernel', 'x', '--memory', 'lots'], /^understudy: --memory: "lots"/],
    [['exec'], /^understudy: missing required argument 'file'/],
    [['exec', 'x', '--max-steps', '-3'], /--max-steps <n>' argument '-3' is invalid/],
    [['exec', 'x', '--memory', '4000'], /Give a whole number from 1 to 3072/],
    [['record', 'machine.yaml'], /^understudy: required option '--log <file>' not specified/],
    [['hub', '--listen', 'x'], /Write HOST:PORT/],
    [['image', 'build', '--size', '1'], /Give a whole number from 64/],
  ];
  for (const [words, message] of cases) {
    const { status, stdout, stderr } = await understudy(...words);
    assert.match(stderr, message);
    assert.equal(status, 2, words.join(' '));
    assert.equal(stdout, '');
  }
});

test('operating errors have status 1 and say what, where, and what to do', async (context) => {
  const tree = await makeTree(context, { files: { 'machine.yaml': 'kernel: nowhere\nmemory: 7\n' } });
  const missing = await understudy('run', join(tree, 'none.yaml'));
  assert.equal(missing.status, 1);
  assert.match(missing.stderr, /^understudy: the machine description .*none\.yaml does not exist\n {2}\S/);
  const wrong = await understudy('pair', join(tree, 'machine.yaml'));
  assert.equal(wrong.status, 1);
  assert.match(wrong.stderr, /machine\.yaml:2:9: memory: "7" has no unit.*2 \| memory: 7\n.*\^\n/s);
});

test('a replica is told what its machine needs before it starts', async (context) => {
  const kernel = `${'\0'.repeat(56)}RSC\x05`;
  const files = { vmlinux: kernel, 'machine.yaml': 'kernel: vmlinux\ndisk: elsewhere.img\nnetwork: passt\n' };
  const tree = await makeTree(context, { files });
  const words = ['primary', join(tree, 'machine.yaml'), '--listen', '127.0.0.1:0', '--arbiter', tree];
  const noDisk = await understudy(...words);
  assert.equal(noDisk.status, 2);
  assert.match(noDisk.stderr, /describes a disk, and --disk is not given/);
  const noHub = await understudy(...words, '--disk', '127.0.0.1:1');
  assert.equal(noHub.status, 2);
  assert.match(noHub.stderr, /describes a network, and --hub is not given/);
});

test('an image never replaces a directory that holds anything else', async (context) => {
  const tree = await makeTree(context, { files: { 'kernel/notes.txt': 'mine', 'web.yaml': '' } });
  const foreign = await understudy('image', 'build', '--output', tree);
  assert.equal(foreign.status, 1);
  assert.match(foreign.stderr, /holds more than an image \(web\.yaml\)/);
  const words = ['image', 'build', '--output', join(tree, 'new'), '--machine', join(tree, 'web.yaml')];
  const there = await understudy(...words);
  assert.equal(there.status, 1);
  assert.match(there.stderr, /web\.yaml is there already/);
});

test('the hub tells where it listens, and ends with its parent', async (context) => {
  const tree = await makeTree(context, {});
  const child = spawn(join(root, 'understudy'), ['hub', '--listen', `unix:${tree}/hub`], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const ended = once(child, 'exit');
  const [line] = (await once(child.stdout, 'data')) as [Buffer];
  assert.equal(line.toString(), `the hub listens on ${tree}/hub\n`);
  child.stdin.end();
  assert.deepEqual(await ended, [0, null]);
});

test('a bug looks like a bug: a stack, the command, and no advice to the user', () => {
  const { text, status } = failureOf(new TypeError('x is not a function'), ['run', 'machine.yaml']);
  assert.equal(status, 1);
  assert.match(text, /This is a bug in Understudy/);
  assert.match(text, /TypeError: x is not a function\n +at /);
  assert.match(text, /command: understudy run machine.yaml/);
});
