/**
 * The differential fuzzer (docs/fuzzing.md):
 *
 *     npm run fuzz -- --seed 1 --time 60
 *
 * Seeds count up from `--seed` until the time is over or `--rounds` programs have been run. The first difference is shrunk,
 * shown with the command that finds it again, and ends the run with status 1.
 */
import { parseArgs } from 'node:util';
import { type Subject, subjects } from './engines.ts';
import { type FuzzOptions, fuzzSeed } from './fuzz.ts';
import { type KindName, kindNames } from './kinds.ts';
import { Statistics } from './statistics.ts';

const usage = `node test/fuzz/run.ts [options]
  --seed N        the first seed (1)
  --time S        stop after about so many seconds (30)
  --rounds N      stop after so many programs
  --steps N       about how long a program runs (200000)
  --engines LIST  of ${subjects.join(', ')} (all)
  --only KIND     one of ${kindNames.join(', ')}
  --quiet         tell of nothing but the end`;

const { values } = parseArgs({
  options: {
    seed: { type: 'string', default: '1' },
    time: { type: 'string', default: '30' },
    rounds: { type: 'string', default: '1000000000' },
    steps: { type: 'string', default: '200000' },
    engines: { type: 'string', default: subjects.join() },
    only: { type: 'string' },
    quiet: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
});

function fail(message: string): never {
  console.error(message);
  console.error(usage);
  process.exit(2);
}

function number(name: 'seed' | 'time' | 'rounds' | 'steps'): number {
  const value = Number(values[name]);
  if (!Number.isFinite(value) || value < 0) fail(`--${name} is a number, not '${values[name]}'`);
  return value;
}

function oneOf<T extends string>(list: readonly T[], text: string): T {
  const found = list.find((name) => name === text);
  return found ?? fail(`there is no '${text}'; there are: ${list.join(', ')}`);
}

if (values.help) {
  console.log(usage);
  process.exit(0);
}

const options: FuzzOptions = {
  steps: number('steps'),
  engines: values.engines.split(',').map((name): Subject => oneOf(subjects, name)),
  only: values.only === undefined ? undefined : oneOf<KindName>(kindNames, values.only),
};
const statistics = new Statistics();
const first = number('seed');
const end = performance.now() + number('time') * 1000;
let seed = first;
for (; seed < first + number('rounds') && performance.now() < end; seed++) {
  const failure = fuzzSeed(seed, options, statistics);
  if (failure === undefined) continue;
  const { engine, program, difference } = failure;
  console.log(`seed ${seed} (${program.features.kind}): ${engine} differs at position ${difference.position}`);
  for (const line of difference.what) console.log(`  ${line}`);
  process.exit(1);
}
console.log(`seeds ${first} to ${seed - 1}: no difference`);
console.log(statistics.report());
