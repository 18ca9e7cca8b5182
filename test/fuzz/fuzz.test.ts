/**
 * A short run of the fuzzer with seeds that stay, and the proof that it can fail: an operation that computes wrongly in the
 * translator alone is found, and shrunk to a few instructions.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { TranslatorContext } from '../../src/core/engine/translator/context.ts';
import type { Context } from '../../src/core/isa/context.ts';
import { operationId, operations } from '../../src/core/isa/table.ts';
import { i64 } from '../../src/core/wasm/expression.ts';
import { qemuMissing } from '../conformance/testing/qemu.ts';
import { readCase, writeCase } from './case-file.ts';
import { subjects } from './engines.ts';
import { type Failure, type FuzzOptions, fuzzSeed, runCase, shrinkFailure } from './fuzz.ts';
import { around } from './generate.ts';
import { kindNames } from './kinds.ts';
import { linesOf } from './part.ts';
import { describeFailure } from './report.ts';
import { Statistics } from './statistics.ts';

const options: FuzzOptions = { steps: 40_000, engines: subjects, only: undefined, qemuEvery: 0 };

test('programs of every kind leave the same behind on every engine, wherever they are stopped', () => {
  const statistics = new Statistics();
  for (const only of kindNames) {
    for (let seed = 1; seed <= 2; seed++) {
      const failure = fuzzSeed(seed, { ...options, only }, statistics);
      assert.equal(failure && describeFailure(failure, `seed ${seed}`), undefined);
    }
  }
  assert(statistics.steps > 300_000n);
  assert(statistics.compiled.regions > 100, 'translations were made');
});

test('portable programs leave behind what they leave in QEMU', { skip: qemuMissing }, () => {
  const statistics = new Statistics();
  for (const only of ['compute', 'paged', 'patching'] as const) {
    const failure = fuzzSeed(4, { ...options, engines: [], only, qemuEvery: 1 }, statistics);
    assert.equal(failure && describeFailure(failure, `seed 4, ${only}`), undefined);
  }
  assert(statistics.stepsOf.get('QEMU')! > 50_000n);
});

/** What the translator gets wrong, by operation. */
const bugs: { readonly [operation: string]: (c: Context) => void } = {
  lh: (c) => c.rd(c.load(2, false, i64.add(c.rs1, c.imm))),
  bge: (c) => c.branch(i64.gt_s(c.rs1, c.rs2)),
};

/** While `action` runs, the translator has the bug. */
function withBug<T>(name: string, action: () => T): T {
  const operation: { semantics: (c: Context) => void } = operations[operationId(name)];
  const right = operation.semantics;
  operation.semantics = (c) => (c instanceof TranslatorContext ? bugs[name](c) : right(c));
  try {
    return action();
  } finally {
    operation.semantics = right;
  }
}

function find(): Failure {
  for (let seed = 1; seed <= 60; seed++) {
    const failure = fuzzSeed(seed, { ...options, engines: ['translator'], only: 'compute' }, new Statistics());
    if (failure !== undefined && !/thrown/.test(failure.difference.what[0])) return failure;
  }
  assert.fail('nothing was found in 60 programs');
}

for (const name of Object.keys(bugs)) {
  test(`a wrong ${name} in the translator is found, and shrunk to a few instructions`, () => {
    const small = withBug(name, () => shrinkFailure(find(), () => false));
    const lines = linesOf(small.case.program.body).filter((line) => !around.includes(line));
    const text = lines.join('\n');
    const mnemonic = name === 'bge' ? /\bbge|bgez/ : new RegExp(`\\b${name.replace('.', '[.]')}`);
    assert.match(text, mnemonic, `the bug is in what is left:\n${text}`);
    assert(lines.length <= 8, `it is short:\n${text}`);
    const again = readCase(writeCase(small.case));
    assert.notEqual(
      withBug(name, () => runCase(again)),
      undefined,
      'it fails when it is read from a file',
    );
    assert.equal(runCase(again), undefined, 'and not without the bug');
    assert.match(describeFailure(small, ''), mnemonic);
  });
}
