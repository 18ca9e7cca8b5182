/**
 * The differential fuzzer (docs/fuzzing.md):
 *
 *     npm run fuzz -- --seed 1 --time 60
 *
 * Seeds count up from `--seed` until the time is over or `--rounds` programs have been run. The first difference is shrunk,
 * shown with the command that finds it again, and ends the run with status 1.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { qemuMissing } from '../conformance/testing/qemu.ts';
import { readCase, writeCase } from './case-file.ts';
import { type Subject, subjects } from './engines.ts';
import { type Failure, type FuzzOptions, fuzzSeed, runCase, shrinkFailure } from './fuzz.ts';
import { type KindName, kindNames } from './kinds.ts';
import { describeFailure } from './report.ts';
import { Statistics } from './statistics.ts';

const usage = `npm run fuzz -- [options]
  --seed N        the first seed (1)
  --time S        stop after about so many seconds (30)
  --rounds N      stop after so many programs
  --steps N       about how many steps a program takes (200000)
  --engines LIST  of ${subjects.join(', ')} (all), or none; each is held against the interpreter
  --oracle NAME   qemu or none (qemu, where it is installed)
  --every N       give QEMU one portable program of so many (1)
  --only KIND     one of ${kindNames.join(', ')}
  --all           go on after a difference, without shrinking it
  --shrink S      shrink a failure for so many seconds at most (120)
  --out FILE      write the failure there, too
  --replay FILE   run the failure that was written to FILE again`;

const { values } = parseArgs({
  options: {
    seed: { type: 'string', default: '1' },
    time: { type: 'string', default: '30' },
    rounds: { type: 'string', default: '1000000000' },
    steps: { type: 'string', default: '200000' },
    engines: { type: 'string', default: subjects.join() },
    oracle: { type: 'string', default: qemuMissing === false ? 'qemu' : 'none' },
    every: { type: 'string', default: '1' },
    only: { type: 'string' },
    all: { type: 'boolean', default: false },
    shrink: { type: 'string', default: '120' },
    out: { type: 'string' },
    replay: { type: 'string' },
    help: { type: 'boolean', default: false },
  },
});

function fail(message: string): never {
  console.error(`${message}\n${usage}`);
  process.exit(2);
}

function number(name: 'seed' | 'time' | 'rounds' | 'steps' | 'every' | 'shrink'): number {
  const value = Number(values[name]);
  if (!Number.isInteger(value) || value < 0) fail(`--${name} is a whole number, not '${values[name]}'`);
  return value;
}

function oneOf<T extends string>(list: readonly T[], text: string): T {
  const found = list.find((name) => name === text);
  return found ?? fail(`there is no '${text}'; there are: ${list.join(', ')}`);
}

/** What stands before the case in a file that --out wrote. */
const CASE = '\ncase: ';

/** In short. */
function announce({ case: one, difference }: Failure, command: string): void {
  const { position, what } = difference;
  console.log(`a difference of ${one.engine} at position ${position}: ${what.slice(0, 3).join('; ')}`);
  console.log(`again: ${command}`);
}

/** At length, as small as it gets. */
function tell(failure: Failure, command: string): never {
  const end = performance.now() + number('shrink') * 1000;
  const small = shrinkFailure(failure, () => performance.now() > end);
  const report = describeFailure(small, command);
  console.log(`\n${report}`);
  if (values.out !== undefined) {
    writeFileSync(values.out, `${report}\n${CASE}${writeCase(small.case)}\n`);
    console.log(`\nwritten to ${values.out}; again: npm run fuzz -- --replay ${values.out}`);
  }
  process.exit(1);
}

function replay(file: string): never {
  const content = readFileSync(file, 'utf8');
  const at = content.indexOf(CASE);
  if (at < 0) fail(`${file} holds no case; --out writes such files`);
  const one = readCase(content.slice(at + CASE.length));
  const difference = runCase(one);
  const command = `npm run fuzz -- --replay ${file}`;
  console.log(difference ? describeFailure({ case: one, difference }, command) : `${file}: no difference`);
  process.exit(difference ? 1 : 0);
}

function main(): void {
  if (values.help) return console.log(usage);
  if (values.replay !== undefined) replay(values.replay);
  const oracle = oneOf(['qemu', 'none'] as const, values.oracle);
  if (oracle === 'qemu' && qemuMissing !== false) fail(qemuMissing);
  const options: FuzzOptions = {
    steps: number('steps'),
    engines: values.engines === 'none' ? [] : values.engines.split(',').map((name): Subject => oneOf(subjects, name)),
    only: values.only === undefined ? undefined : oneOf<KindName>(kindNames, values.only),
    qemuEvery: oracle === 'qemu' ? number('every') : 0,
  };
  const statistics = new Statistics();
  const first = number('seed');
  const end = performance.now() + number('time') * 1000;
  let seed = first;
  let failures = 0;
  for (; seed < first + number('rounds') && performance.now() < end; seed++) {
    const failure = fuzzSeed(seed, options, statistics);
    if (failure === undefined) continue;
    failures++;
    const command = commandFor(failure, seed, options);
    announce(failure, command);
    if (!values.all) tell(failure, command);
  }
  console.log(`seeds ${first} to ${seed - 1}: ${failures === 0 ? 'no difference' : `${failures} differences`}`);
  console.log(statistics.report());
  process.exit(failures === 0 ? 0 : 1);
}

function commandFor({ case: { engine } }: Failure, seed: number, options: FuzzOptions): string {
  const only = options.only === undefined ? '' : ` --only ${options.only}`;
  const how = engine === 'qemu' ? '--engines none' : `--engines ${engine} --oracle none`;
  return `npm run fuzz -- --seed ${seed} --rounds 1 --steps ${options.steps} ${how}${only}`;
}

main();
