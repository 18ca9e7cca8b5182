import assert from 'node:assert/strict';
import { test } from 'node:test';
import { checkMemory } from './memory-check.ts';

const MiB = 1024 * 1024;

test('a machine that fits is let through', () => {
  checkMemory(512 * MiB, 1024 * MiB);
});

test('a machine that does not fit is refused with what it needs and what there is', () => {
  assert.throws(() => checkMemory(3072 * MiB, 1024 * MiB), {
    name: 'OperatingError',
    code: 'memory-unavailable',
    message: /^a machine with 3072 MiB needs 3\d\d\d MiB of memory, and this host has 1024 MiB left$/,
  });
});
