import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FileTree } from './file-tree.ts';
import {
  type KernelModule,
  type ModuleSource,
  moduleClosure,
  modulesAlias,
  modulesDep,
  treeModules,
} from './modules.ts';

function module(name: string, ...depends: string[]): KernelModule {
  return { name, path: `kernel/${name}.ko`, depends, aliases: [`fs-${name}`], data: new Uint8Array(0) };
}

function source(...modules: KernelModule[]): ModuleSource {
  return {
    async load(name) {
      return name === 'inside' ? 'builtin' : modules.find((each) => each.name === name);
    },
  };
}

const files = source(
  module('ext4', 'jbd2', 'mbcache', 'inside'),
  module('jbd2', 'crc'),
  module('crc'),
  module('mbcache'),
);

test('dependencies load before what needs them, each once, and builtin ones not at all', async () => {
  const order = await moduleClosure(['crc', 'ext4', 'jbd2'], files);
  assert.deepEqual(
    order.map(({ name }) => name),
    ['crc', 'jbd2', 'mbcache', 'ext4'],
  );
});

test('a module that is nowhere is named with the one that needs it', async () => {
  const broken = source(module('ext4', 'nowhere'));
  await assert.rejects(moduleClosure(['ext4'], broken), { code: 'bad-package', message: /"nowhere".*needed by ext4/ });
});

test('a circle of dependencies ends', async () => {
  const circle = await moduleClosure(['a'], source(module('a', 'b'), module('b', 'a')));
  assert.deepEqual(
    circle.map(({ name }) => name),
    ['b', 'a'],
  );
});

test('modules.dep lists everything that each module needs', async () => {
  const order = await moduleClosure(['ext4'], files);
  assert.equal(modulesDep(order).split('\n').at(-2), 'kernel/ext4.ko: kernel/jbd2.ko kernel/crc.ko kernel/mbcache.ko');
  assert.equal(modulesAlias(order.slice(0, 1)), 'alias fs-crc crc\n');
});

test('a kernel tree tells builtin modules from missing ones, dashes and underscores being the same', async () => {
  const tree = new FileTree(0);
  tree.write('usr/lib/modules/6.12/modules.builtin', 'kernel/drivers/char/hw_random/rng-core.ko\n');
  const modules = treeModules(tree, '6.12');
  assert.equal(await modules.load('rng_core'), 'builtin');
  assert.equal(await modules.load('rng-core'), 'builtin');
  assert.equal(await modules.load('ext5'), undefined);
});
