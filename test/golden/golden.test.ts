/**
 * Translations of small programs, as they are now: a change to the translator shows in them, to be looked at and committed
 * with it. `npm run golden` writes them anew. That the text says what the binary does, an assembler proves.
 */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { assemble, partsOf } from '../../src/core/wasm/testing/assembler.ts';
import { printModule } from '../../src/core/wasm/wat.ts';
import { assembler, assemblerHint, goldenFile, goldenPrograms, sourceFile } from './files.ts';
import { assembleProgram, listingOf, readListing } from './program.ts';
import { goldenText, otherHere, translate } from './translate.ts';

const skip = !assembler && process.env.CI !== 'true' ? assemblerHint : false;
const goldenOf = (name: string): string => readFileSync(goldenFile(name), 'utf8');
const advice = 'if that is meant, run "npm run golden" and look at the differences';

/** Where two texts first differ, with what comes before. */
function difference(golden: string, now: string): string {
  const [before, after] = [golden.split('\n'), now.split('\n')];
  const at = before.findIndex((line, i) => line !== after[i]);
  const from = Math.max(0, at - 3);
  const context = before.slice(from, at).map((line) => `  ${line}`);
  const shown = (lines: string[], sign: string): string[] => lines.slice(at, at + 8).map((line) => `${sign} ${line}`);
  return [...context, ...shown(before, '-'), ...shown(after, '+')].join('\n');
}

for (const name of goldenPrograms()) {
  test(`${name} is translated as its golden file says`, (t) => {
    const golden = goldenOf(name);
    const program = readListing(golden);
    const reason = otherHere(program);
    if (reason !== undefined) return t.skip(reason);
    const now = goldenText(program);
    if (now !== golden) assert.fail(`${name}.wat differs; ${advice}\n${difference(golden, now)}`);
  });
}

test('the listings in the golden files are what the sources assemble to', { skip }, () => {
  for (const name of goldenPrograms()) {
    assert.equal(listingOf(assembleProgram(sourceFile(name))), listingOf(readListing(goldenOf(name))), advice);
  }
});

test("the translations' texts assemble to their binaries, and are valid", async () => {
  for (const name of goldenPrograms()) {
    const m = translate(readListing(goldenOf(name)));
    const binary = m.encode();
    assert.ok(new WebAssembly.Module(binary));
    assert.deepEqual(partsOf(await assemble(printModule(m))), partsOf(binary), name);
  }
});
