/**
 * One boot of the benchmark's guest, which runs the programs and powers off: plain, recorded, as a pair on this host, or beside another plain
 * guest that does the same, which tells what a second busy core costs by itself. Each run is a fresh process (or pair), so that what a process
 * owes to chance, such as the layout of its memory, falls on all of them.
 */
import { spawn } from 'node:child_process';
import { mkdir, mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadDescription } from '../../src/host/description/load.ts';
import { Pair } from '../../src/host/pair/pair.ts';
import { launch } from '../speed/subjects.ts';
import { MarkerClock, type PassFigures } from './marker-clock.ts';

export const WAYS = ['plain', 'recorded', 'pair', 'beside'] as const;
export type Way = (typeof WAYS)[number];

export interface ComputeRun {
  readonly passes: readonly Readonly<PassFigures>[];
  /** All of it, boot included. */
  readonly seconds: number;
  /** Of a recording, and of what a primary has sent. */
  readonly logBytes?: number;
}

const TIMEOUT_MS = 120_000;
/** A neighbour has so many passes more, and is ended before them. */
const SPARE_PASSES = 6;

/** Which programs, in this order; and how often all of that. */
export interface Course {
  readonly programs: readonly string[];
  readonly passes: number;
}

/** Rejects when the guest did not run everything, or a pair did not stay one to the end. */
export async function computeRun(way: Way, course: Course): Promise<ComputeRun> {
  const directory = await mkdtemp(join(tmpdir(), 'understudy-cost-'));
  const begun = performance.now();
  try {
    const found = await runs[way](course, directory);
    return { ...found, seconds: (performance.now() - begun) / 1000 };
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

type Found = Pick<ComputeRun, 'passes' | 'logBytes'>;

const runs: Readonly<Record<Way, (course: Course, directory: string) => Promise<Found>>> = {
  plain: (course, directory) => runAlone('plain', course, directory),
  recorded: (course, directory) => runAlone('recorded', course, directory),
  pair: runPair,
  beside: runBeside,
};

const inOrder = ({ programs, passes }: Course): readonly string[] =>
  Array.from({ length: passes }, () => programs).flat();

async function runBeside(course: Course, directory: string): Promise<Found> {
  const [own, other] = [join(directory, 'own'), join(directory, 'other')];
  await Promise.all([mkdir(own), mkdir(other)]);
  const over = new AbortController();
  const longer = { ...course, passes: course.passes + SPARE_PASSES };
  // A neighbour that ends by itself, well or not, leaves a run that is not what it says.
  const neighbour = runAlone('plain', longer, other, over.signal).then(
    () => Promise.reject(new Error('the other guest was done first')),
    (error: unknown) => (over.signal.aborted ? undefined : Promise.reject(error)),
  );
  const measured = runAlone('plain', course, own, over.signal);
  try {
    await Promise.race([measured, neighbour]);
    return await measured;
  } finally {
    over.abort();
    await Promise.allSettled([measured, neighbour]);
  }
}

async function runAlone(
  way: 'plain' | 'recorded',
  course: Course,
  directory: string,
  over?: AbortSignal,
): Promise<Found> {
  const subject = way === 'plain' ? 'translator' : 'record';
  const { program, words } = await launch(subject, { programs: inOrder(course), directory, nodeOptions: [] });
  const child = spawn(program, words, {
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: TIMEOUT_MS,
    killSignal: 'SIGKILL',
    signal: over,
  });
  const clock = new MarkerClock(course.programs.length, () => (child.pid === undefined ? {} : { alone: child.pid }));
  let complaints = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    complaints += text;
  });
  const end = await new Promise<string>((resolve, reject) => {
    child.stdout.setEncoding('latin1').on('data', (text: string) => {
      try {
        clock.heard(text);
      } catch (error) {
        child.kill('SIGKILL');
        reject(error);
      }
    });
    child.once('error', reject);
    child.once('close', (code, signal) => resolve(signal ?? `status ${code}`));
  });
  if (!clock.done) throw new Error(`ended with ${end} before the guest was done:\n${clock.tail}\n${complaints}`);
  const logBytes = way === 'recorded' ? { logBytes: (await stat(join(directory, 'understudy.log'))).size } : {};
  return { passes: clock.passes, ...logBytes };
}

async function runPair(course: Course, directory: string): Promise<Found> {
  // For the description that it leaves there: the same one that the plain run has.
  await launch('translator', { programs: inOrder(course), directory, nodeOptions: [] });
  const descriptionFile = join(directory, 'machine.yaml');
  const done = Promise.withResolvers<void>();
  let pair: Pair | undefined;
  let logBytes = 0;
  const clock = new MarkerClock(course.programs.length, () => {
    const [primary, backup] = [pair?.pid('primary'), pair?.pid('backup')];
    return primary === undefined || backup === undefined ? {} : { primary, backup };
  });
  const late = setTimeout(() => done.reject(new Error(`not done in time:\n${clock.tail}`)), TIMEOUT_MS);
  done.promise.catch(() => {});
  try {
    pair = await Pair.start({
      descriptionFile,
      description: await loadDescription(descriptionFile),
      stateDirectory: join(directory, 'state'),
      engines: { primary: 'translator', backup: 'translator' },
      onStatus: (member, line) => {
        try {
          if (line.type === 'console') clock.heard(line.data);
        } catch (error) {
          done.reject(error);
        }
        if (clock.done) done.resolve();
        if (line.type === 'status' && member === 'primary') {
          logBytes = line.logBytes;
          // Alone it would be a plain run with a primary's costs.
          if (line.phase === 'alone') done.reject(new Error('the primary has gone on alone'));
        } else if (line.type === 'halt') done.reject(new Error(`the ${member} has ended: ${line.message}`));
      },
      onNotice: () => {},
      onReplicaEnd: (member) => done.reject(new Error(`the ${member}’s process has ended:\n${clock.tail}`)),
    });
    await done.promise;
  } finally {
    clearTimeout(late);
    await pair?.stop();
  }
  return { passes: clock.passes, logBytes };
}
