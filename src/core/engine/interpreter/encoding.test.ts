/**
 * The interpreter's module, by an assembler that shares nothing with our encoder: from the text form it makes the same
 * bytes. Functions with a dispatch over hundreds of blocks are too deep for it (testing/assembler.ts).
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { memoryMap } from '../../machine/memory-map.ts';
import type { Statement } from '../../wasm/function.ts';
import { ModuleBuilder } from '../../wasm/module.ts';
import { assemble, MAX_DEPTH, partsOf } from '../../wasm/testing/assembler.ts';
import { printModule } from '../../wasm/wat.ts';
import { buildInterpreter } from './module.ts';

function depth(statements: readonly Statement[]): number {
  const of = (t: Statement): number => {
    if (t.kind === 'sequence') return depth(t.body);
    if (t.kind === 'block' || t.kind === 'loop') return 1 + depth(t.body);
    return t.kind === 'if' ? 1 + Math.max(depth(t.then), depth(t.otherwise)) : 0;
  };
  return Math.max(0, ...statements.map(of));
}

test("the interpreter's functions are encoded as an assembler encodes their text", async (t) => {
  const encode = t.mock.method(ModuleBuilder.prototype, 'encode');
  const binary = buildInterpreter(memoryMap(1 << 25), 1024, { hotAfter: 1000 });
  const m = encode.mock.calls.find(({ result }) => result === binary)?.this as ModuleBuilder;
  const { functions } = m.contents;
  const shallow = functions.filter(({ body }) => depth(body) < MAX_DEPTH);
  assert.ok(shallow.length > 20, `${shallow.length} of ${functions.length} functions`);
  const theirs = partsOf(await assemble(printModule(m, { show: (f) => shallow.includes(f) })));
  const ours = partsOf(binary);
  for (const [i, f] of functions.entries()) {
    if (shallow.includes(f)) assert.equal(theirs.get(`function ${i}`), ours.get(`function ${i}`), f.name);
    theirs.delete(`function ${i}`);
    ours.delete(`function ${i}`);
  }
  assert.deepEqual(theirs, ours);
});
