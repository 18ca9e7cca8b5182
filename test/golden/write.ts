/**
 * Writes the golden files: `npm run golden`. The programs are assembled if there is an assembler for RISC-V, and otherwise
 * taken from the golden files that are there. Look at the differences before you commit them.
 */
import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { assembler, goldenFile, goldenPrograms, sourceFile } from './files.ts';
import { assembleProgram, readListing } from './program.ts';
import { goldenText, otherHere } from './translate.ts';

for (const name of goldenPrograms()) {
  const program = assembler ? assembleProgram(sourceFile(name)) : readListing(readFileSync(goldenFile(name), 'utf8'));
  const reason = otherHere(program);
  if (reason === undefined) writeFileSync(goldenFile(name), goldenText(program));
  else console.error(`${name} is left as it is: ${reason}`);
}
spawnSync('git', ['diff', '--stat', '--', goldenFile('*')], { stdio: 'inherit' });
