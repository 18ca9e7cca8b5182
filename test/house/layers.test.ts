/** The layer check must fail on each kind of wrong import, and on nothing that is right. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { makeTree, runProgram, tool } from './tree.ts';

interface Violation {
  readonly from: string;
  readonly rule: { readonly name: string };
}

async function violationsOf(context: Parameters<typeof makeTree>[0], files: Readonly<Record<string, string>>) {
  const tree = await makeTree(context, { copies: ['.dependency-cruiser.mjs'], files });
  const words = ['--config', '.dependency-cruiser.mjs', '--output-type', 'json', 'src', 'sim'];
  const { stdout, stderr } = await runProgram(tool('depcruise'), words, { cwd: tree });
  assert.equal(stderr, '');
  const { summary } = JSON.parse(stdout) as { readonly summary: { readonly violations: readonly Violation[] } };
  return summary.violations.map((violation) => `${violation.from}: ${violation.rule.name}`).sort();
}

/** One importable file for each layer, and for each place that is no layer. */
const targets = {
  'src/core/base/error.ts': 'export const value = 1;',
  'src/core/isa/table.ts': 'export const value = 1;',
  'src/core/wasm/expression.ts': 'export type Type = number; export const value = 1;',
  'src/core/wasm/module.ts': 'export const value = 1;',
  'src/core/machine/hart.ts': 'export const value = 1;',
  'src/core/machine/doors.ts': 'export const value = 1;',
  'src/core/devices/plic.ts': 'export const value = 1;',
  'src/core/vm/machine.ts': 'export const value = 1;',
  'src/core/replay/recorder.ts': 'export const value = 1;',
  'src/core/replication/primary.ts': 'export const value = 1;',
  'src/core/engine/interpreter/loop.ts': 'export const value = 1;',
  'src/core/engine/translator/block.ts': 'export const value = 1;',
  'src/host/disk/disk.ts': 'export const value = 1;',
  'src/app/cli/main.ts': 'export const value = 1;',
  'src/app/console/messages.ts': 'export const value = 1;',
};

test('imports that point up the layers are accepted', async (context) => {
  const violations = await violationsOf(context, {
    ...targets,
    'src/core/isa/good.ts': "import type { Type } from '../wasm/expression.ts';\nexport const a: Type = 1;",
    'src/core/machine/good.ts': "import { value } from '../isa/table.ts';\nexport const a = value;",
    'src/core/replication/good.ts': "import { value } from '../replay/recorder.ts';\nexport const a = value;",
    'src/core/replay/good.ts': "import { value } from '../machine/doors.ts';\nexport const a = value;",
    'src/host/disk/good.ts':
      "import fs from 'node:fs';\nimport { value } from '../../core/vm/machine.ts';\nexport const a = [fs, value];",
    'src/core/base/good.test.ts':
      "import { test } from 'node:test';\nimport { value } from '../vm/machine.ts';\nexport const a = [test, value];",
    'src/app/console/web/good.ts': "import { value } from '../messages.ts';\nexport const a = value;",
    'sim/good.ts': "import { value } from '../src/core/vm/machine.ts';\nexport const a = value;",
    'src/app/cli/good.ts': "import { value } from '../../host/disk/disk.ts';\nexport const a = value;",
  });
  assert.deepEqual(violations, []);
});

test('each wrong import is found, type-only ones too', async (context) => {
  const take = (path: string) => `import { value } from '${path}';\nexport const a = value;`;
  const takeType = (path: string) => `import type { value } from '${path}';\nexport type A = typeof value;`;
  const violations = await violationsOf(context, {
    ...targets,
    'src/core/base/a.ts': take('../isa/table.ts'),
    'src/core/isa/a.ts': take('../machine/hart.ts'),
    'src/core/isa/b.ts': take('../wasm/module.ts'),
    'src/core/wasm/a.ts': takeType('../isa/table.ts'),
    'src/core/machine/a.ts': takeType('../devices/plic.ts'),
    'src/core/devices/a.ts': take('../vm/machine.ts'),
    'src/core/replay/a.ts': take('../machine/hart.ts'),
    'src/core/replication/a.ts': take('../../host/disk/disk.ts'),
    'src/core/engine/interpreter/a.ts': takeType('../translator/block.ts'),
    'src/core/engine/translator/a.ts': take('../interpreter/loop.ts'),
    'src/core/vm/a.ts': "import fs from 'node:fs';\nexport const a = fs;",
    'src/core/vm/b.ts': "export const a = await import('node:crypto');",
    'src/core/invented/a.ts': take('../base/error.ts'),
    'src/host/disk/a.ts': take('../../app/cli/main.ts'),
    'src/host/disk/b.ts': take('./nowhere.ts'),
    'src/host/disk/c.ts': take('./c.test.ts'),
    'src/host/disk/c.test.ts': 'export const value = 1;',
    'src/host/disk/d.ts': 'import { b } from "./e.ts";\nexport const a = b;',
    'src/host/disk/e.ts': 'import { a } from "./d.ts";\nexport const b = () => a;',
    'sim/a.ts': take('../src/host/disk/disk.ts'),
    'src/app/console/web/a.ts': take('../../../host/disk/disk.ts'),
  });
  assert.deepEqual(violations, [
    'sim/a.ts: simulation-without-world',
    'src/app/console/web/a.ts: web-sees-messages-only',
    'src/core/base/a.ts: core-base',
    'src/core/devices/a.ts: core-devices',
    'src/core/engine/interpreter/a.ts: interpreter-not-translator',
    'src/core/engine/translator/a.ts: translator-not-interpreter',
    'src/core/invented/a.ts: core-files-have-known-layers',
    'src/core/isa/a.ts: core-isa',
    'src/core/isa/b.ts: core-isa',
    'src/core/machine/a.ts: core-machine',
    'src/core/replay/a.ts: core-replay',
    'src/core/replication/a.ts: core-replication',
    'src/core/vm/a.ts: core-is-deterministic',
    'src/core/vm/b.ts: core-is-deterministic',
    'src/core/wasm/a.ts: core-wasm',
    'src/host/disk/a.ts: cli-is-the-root',
    'src/host/disk/a.ts: host-below-app',
    'src/host/disk/b.ts: no-unresolved',
    'src/host/disk/c.ts: product-without-tests',
    'src/host/disk/d.ts: no-cycles',
  ]);
});
