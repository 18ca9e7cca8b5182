/** What the host says of its multiply-add, in each of V8's compilers: they must agree, since either may run the same code. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { test } from 'node:test';
import { hostFuses } from './fusion.ts';

const program = `import { hostFuses } from ${JSON.stringify(new URL('fusion.ts', import.meta.url).href)};
console.log(hostFuses());`;

function fusesWith(...flags: readonly string[]): string {
  const options = [...flags, '--disable-warning=ExperimentalWarning', '--input-type=module', '--eval', program];
  return execFileSync(process.execPath, options, { encoding: 'utf8' }).trim();
}

test('the baseline and the optimizing compiler both fuse multiply-add, or neither does', () => {
  assert.equal(fusesWith('--liftoff-only'), `${hostFuses()}`);
  assert.equal(fusesWith('--no-liftoff'), `${hostFuses()}`);
});

test('a processor without the fused instruction is noticed', {
  skip: process.arch !== 'x64' && 'only V8 for x64 can be told to do without',
}, () => {
  assert.equal(fusesWith('--liftoff-only', '--no-enable-fma3'), 'false');
  assert.equal(fusesWith('--no-liftoff', '--no-enable-fma3'), 'false');
});
