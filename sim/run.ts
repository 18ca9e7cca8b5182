/**
 * Runs seeds of the simulated cluster (docs/simulator.md):
 *
 *     npm run sim -- --seeds 1000 --from 1
 *
 * The first seed that fails ends the run with status 1, with what is wrong and the command that tells its story.
 */
import { availableParallelism } from 'node:os';
import { parseArgs } from 'node:util';
import { bugs } from './bugs.ts';
import { askedOptions, variants } from './options.ts';
import { firstToSee, runSeeds } from './pool.ts';
import { type Outcome, runSeed } from './scenario.ts';
import { Summary } from './summary.ts';

/** After so many seeds a word of life. */
const PROGRESS_SEEDS = 10_000;

const usage = `npm run sim -- [options]
  --seeds N    how many seeds (1000)
  --from S     the first one (1)
  --jobs J     threads (all of this machine: ${availableParallelism()})
  --all        go on after a failure, and list them
${Object.entries(variants)
  .map(([name, { help }]) => `  --${name.padEnd(9)}  ${help}`)
  .join('\n')}
  --bug NAME   with a bug planted: ${Object.keys(bugs).join(', ')}
  --bugs       for each planted bug, which seed shows it first
  --seed S     this seed alone
  --story      and tell its story, or that of the seed that fails`;

const { values } = parseArgs({
  options: {
    seeds: { type: 'string', default: '1000' },
    from: { type: 'string', default: '1' },
    jobs: { type: 'string', default: String(availableParallelism()) },
    all: { type: 'boolean', default: false },
    ...Object.fromEntries(Object.keys(variants).map((name) => [name, { type: 'boolean' } as const])),
    bug: { type: 'string' },
    bugs: { type: 'boolean', default: false },
    seed: { type: 'string' },
    story: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
});

function fail(message: string): never {
  console.error(`${message}\n${usage}`);
  process.exit(2);
}

function number(name: 'seeds' | 'from' | 'jobs' | 'seed', least: number): number {
  const value = Number(values[name]);
  if (!Number.isSafeInteger(value) || value < least) fail(`--${name} is a whole number, not '${values[name]}'`);
  return value;
}

function complain({ seed, violations }: Outcome): void {
  console.log(`seed ${seed} fails:`);
  for (const { atMs, checker, what } of violations.slice(0, 5))
    console.log(`  ${checker}: ${what} (at ${atMs.toFixed(2)} ms)`);
  if (violations.length > 5) console.log(`  and ${violations.length - 5} more`);
}

function story(seed: number): Outcome {
  const outcome = runSeed(seed, { ...askedOptions(asked), story: values.story });
  for (const line of outcome.story) console.log(line);
  return outcome;
}

/** One seed, for a person. */
function tell(seed: number): number {
  const outcome = story(seed);
  if (outcome.violations.length > 0) complain(outcome);
  else console.log(`seed ${seed} keeps every promise; in the end: ${outcome.ending}`);
  return outcome.violations.length > 0 ? 1 : 0;
}

async function many(): Promise<number> {
  const summary = new Summary();
  const request = {
    from: number('from', 0),
    seeds: number('seeds', 1),
    jobs: number('jobs', 1),
    ...asked,
  };
  const startMs = performance.now();
  await runSeeds(values.all ? { ...request, ends: () => false } : request, (outcome) => {
    summary.add(outcome);
    if (summary.seeds % PROGRESS_SEEDS === 0) console.log(`${summary.seeds} seeds, ${summary.failures} of them failed`);
    if (outcome.violations.length === 0) return;
    if (values.story) story(outcome.seed);
    complain(outcome);
    const how = asked.variants.map((name) => `--${name} `).join('') + (bug === undefined ? '' : `--bug ${bug} `);
    console.log(`  again: npm run sim -- --seed ${outcome.seed} ${how}--story`);
  });
  for (const line of summary.lines((performance.now() - startMs) / 1000)) console.log(line);
  return summary.failures > 0 ? 1 : 0;
}

/** A line for each planted bug. */
async function findBugs(): Promise<number> {
  const request = { from: number('from', 0), seeds: number('seeds', 1), jobs: number('jobs', 1) };
  let missed = 0;
  for (const [name, { seenBy }] of Object.entries(bugs)) {
    const found = await firstToSee(name, { ...request, variants: asked.variants });
    if (found === undefined) missed++;
    const where = found === undefined ? 'by no seed' : `by seed ${found}, number ${found - request.from + 1}`;
    console.log(`${name} is found ${where} (${seenBy})`);
  }
  return missed > 0 ? 1 : 0;
}

if (values.help) {
  console.log(usage);
  process.exit(0);
}
const bug = values.bug;
if (bug !== undefined && !(bug in bugs)) fail(`there is no bug '${bug}'`);
const given: Readonly<Record<string, unknown>> = values;
const asked = { bug, variants: Object.keys(variants).filter((name) => given[name] === true) };
if (values.bugs) process.exitCode = await findBugs();
else process.exitCode = values.seed === undefined ? await many() : tell(number('seed', 0));
