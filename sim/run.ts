/**
 * Runs seeds of the simulated cluster, and tells the story of the first one that fails:
 *
 *     node sim/run.ts --seeds 1000 --from 1
 *     node sim/run.ts --seed 417          the story of one seed, whether it fails or not
 *     node sim/run.ts --bug NAME          with a bug planted (bugs.ts)
 */
import { parseArgs } from 'node:util';
import { bugs } from './bugs.ts';
import { type Outcome, runSeed } from './scenario.ts';

const { values } = parseArgs({
  options: {
    seeds: { type: 'string', default: '200' },
    from: { type: 'string', default: '1' },
    seed: { type: 'string' },
    bug: { type: 'string' },
  },
});

const bug = values.bug === undefined ? {} : bugs[values.bug];
if (bug === undefined) {
  console.error(`there is no bug '${values.bug}'; there are: ${Object.keys(bugs).join(', ')}`);
  process.exit(2);
}

function tell(outcome: Outcome): void {
  console.log(`seed ${outcome.seed}`);
  for (const line of outcome.story) console.log(line);
  for (const violation of outcome.violations) console.log(`VIOLATION: ${violation}`);
}

if (values.seed !== undefined) {
  const outcome = runSeed(Number(values.seed), bug);
  tell(outcome);
  process.exit(outcome.violations.length > 0 ? 1 : 0);
}

const from = Number(values.from);
const seeds = Number(values.seeds);
let failovers = 0;
let answers = 0;
for (let seed = from; seed < from + seeds; seed++) {
  const outcome = runSeed(seed, bug);
  if (outcome.violations.length > 0) {
    tell(outcome);
    process.exit(1);
  }
  failovers += outcome.failedOver ? 1 : 0;
  answers += outcome.answers;
}
console.log(`${seeds} seeds from ${from}: no violation; ${failovers} failovers, ${answers} answers checked`);
