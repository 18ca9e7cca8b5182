/**
 * How fast programs run inside the guest, on Understudy and on its peers. Alone, it measures what it is told and prints it:
 *
 *     node bench/speed.ts --subjects translator,qemu-7.2 --programs sieve,sort --rounds 1
 *     node bench/speed.ts --subjects translator --programs sieve --cpu-prof /tmp/profiles
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { PROGRAMS, programsNamed } from './speed/programs.ts';
import { launch, SUBJECTS, type SubjectName } from './speed/subjects.ts';
import { type RunFigures, timedRun } from './speed/timed-run.ts';
import { median, table } from './support/numbers.ts';

const { values } = parseArgs({
  options: {
    subjects: { type: 'string', default: SUBJECTS.join(',') },
    programs: { type: 'string', default: PROGRAMS.map(({ name }) => name).join(',') },
    rounds: { type: 'string', default: '5' },
    'cpu-prof': { type: 'string' },
    'node-options': { type: 'string', default: '' },
  },
});

function subjectsNamed(names: readonly string[]): SubjectName[] {
  const unknown = names.filter((name) => !SUBJECTS.some((subject) => subject === name));
  if (unknown.length > 0)
    throw new Error(`there is no subject ${unknown.join(', ')}: choose from ${SUBJECTS.join(', ')}`);
  return SUBJECTS.filter((name) => names.includes(name));
}

const subjects = subjectsNamed(values.subjects.split(','));
const programs = programsNamed(values.programs.split(',')).map(({ name }) => name);
const profile = values['cpu-prof'];
const nodeOptions = values['node-options'].split(' ').filter((word) => word !== '');
if (profile !== undefined) nodeOptions.push('--cpu-prof', `--cpu-prof-dir=${profile}`);
const runs: { subject: SubjectName; figures: RunFigures }[] = [];

for (let round = 0; round < Number(values.rounds); round++) {
  for (const subject of subjects) {
    const directory = await mkdtemp(join(tmpdir(), 'understudy-speed-'));
    try {
      const figures = await timedRun(await launch(subject, { programs, directory, nodeOptions }), 170_000);
      runs.push({ subject, figures });
      const text = programs.map((name) => `${name} ${figures.programs[name].wallSeconds.toFixed(2)}`);
      console.error(`${subject}: boot ${figures.boot.wallSeconds.toFixed(2)}, ${text.join(', ')}`);
    } finally {
      await rm(directory, { recursive: true, force: true });
    }
  }
}

const of = (subject: SubjectName, take: (figures: RunFigures) => number): number =>
  median(runs.filter((run) => run.subject === subject).map(({ figures }) => take(figures)));
const peer = subjects.find((name) => name.startsWith('qemu'));
const row = (name: string, take: (figures: RunFigures) => { wallSeconds: number; cpuSeconds: number }): string[] => [
  name,
  ...subjects.map((subject) => {
    const wall = of(subject, (figures) => take(figures).wallSeconds);
    const cpu = of(subject, (figures) => take(figures).cpuSeconds);
    const times =
      peer === undefined ? '' : ` = ${(of(peer, (figures) => take(figures).wallSeconds) / wall).toFixed(2)}x`;
    return `${wall.toFixed(2)} (${cpu.toFixed(2)})${times}`;
  }),
];
const results = programs.map((name) => new Set(runs.map(({ figures }) => figures.programs[name].result)));
console.log(
  table([
    ['seconds (processor seconds) = times the peer', ...subjects],
    row('boot', ({ boot }) => boot),
    ...programs.map((name) => row(name, (figures) => figures.programs[name])),
  ]),
);
for (const [at, found] of results.entries()) {
  if (found.size === 1) continue;
  console.log(`WRONG: the results of ${programs[at]} differ: ${[...found].join(', ')}`);
  process.exitCode = 1;
}
