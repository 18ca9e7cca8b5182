/**
 * What fault tolerance costs a server: redis-benchmark against the demo guest, alone, recorded, as a pair, and on QEMU; and how
 * much log there is, idle and under load. Alone:
 *
 *     node bench/redis.ts [--subjects plain,pair] [--quick]
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { buildImage } from '../src/host/image/build-image.ts';
import type { BuiltImage } from '../src/host/image/manifest.ts';
import { table } from './support/numbers.ts';
import { type RedisFigures, type RedisTest, redisBenchmark, testName } from './support/redis-benchmark.ts';
import { SUBJECTS, type Subject, type SubjectKind, startSubject } from './support/subject.ts';
import { threadUse, type Uses, useBetween } from './support/threads.ts';

export interface RedisOptions {
  readonly tests: readonly RedisTest[];
  readonly idleSeconds: number;
}

/** Requests are counted for a few seconds a test on a subject of some thousand requests a second. */
const FULL: RedisOptions = {
  tests: [
    { command: 'set', clients: 20, pipeline: 1, requests: 10_000 },
    { command: 'get', clients: 20, pipeline: 1, requests: 10_000 },
    { command: 'set', clients: 20, pipeline: 16, requests: 80_000 },
    { command: 'get', clients: 20, pipeline: 16, requests: 80_000 },
    { command: 'get', clients: 1, pipeline: 1, requests: 3000 },
  ],
  idleSeconds: 20,
};

export const redisOptions = (quick: boolean): RedisOptions =>
  quick ? { tests: FULL.tests.map((test) => ({ ...test, requests: test.requests / 5 })), idleSeconds: 5 } : FULL;

export interface TestFigures extends RedisFigures {
  readonly name: string;
  readonly seconds: number;
  readonly logMbits: number | undefined;
  readonly use: Uses;
}

export interface SubjectFigures {
  readonly subject: SubjectKind;
  readonly tests: readonly TestFigures[];
  readonly idle: { readonly logMbits: number | undefined; readonly use: Uses; readonly seconds: number };
}

interface Measured {
  readonly seconds: number;
  readonly logMbits: number | undefined;
  readonly use: Uses;
}

async function measured<Result>(subject: Subject, work: () => Promise<Result>): Promise<Measured & { result: Result }> {
  const logBefore = await subject.logBytes();
  const useBefore = threadUse(subject.pids);
  const begun = performance.now();
  const result = await work();
  const seconds = (performance.now() - begun) / 1000;
  const logAfter = await subject.logBytes();
  const logMbits =
    logBefore === undefined || logAfter === undefined ? undefined : ((logAfter - logBefore) * 8) / 1e6 / seconds;
  return { result, seconds, logMbits, use: useBetween(useBefore, threadUse(subject.pids)) };
}

/** Behind QEMU's user network (libslirp 4.7) 20 clients gave no result within 10 s here: only one client is measured. */
const mostClients = (kind: SubjectKind): number => (kind === 'qemu-user' ? 1 : Number.POSITIVE_INFINITY);

export async function measureRedis(
  kind: SubjectKind,
  image: BuiltImage,
  options: RedisOptions,
): Promise<SubjectFigures> {
  const subject = await startSubject(kind, image);
  try {
    await redisBenchmark(subject.redisPort, { command: 'set', clients: 1, pipeline: 1, requests: 1000 });
    const tests: TestFigures[] = [];
    for (const test of options.tests.filter(({ clients }) => clients <= mostClients(kind))) {
      const { result, ...rest } = await measured(subject, () => redisBenchmark(subject.redisPort, test));
      tests.push({ name: testName(test), ...result, ...rest });
    }
    const { result: _, ...idle } = await measured(subject, () => sleep(options.idleSeconds * 1000));
    return { subject: kind, tests, idle };
  } finally {
    await subject.stop();
  }
}

/** A table with a row for each test that any subject ran, and a column for each subject. */
function byTest(head: string, all: readonly SubjectFigures[], cell: (test: TestFigures) => string): string[][] {
  const names = [...new Set(all.flatMap(({ tests }) => tests.map(({ name }) => name)))];
  const cells = ({ tests }: SubjectFigures, name: string): string => {
    const test = tests.find((candidate) => candidate.name === name);
    return test === undefined ? '' : cell(test);
  };
  return [
    [head, ...all.map(({ subject }) => subject)],
    ...names.map((name) => [name, ...all.map((figures) => cells(figures, name))]),
  ];
}

/** Requests a second of each subject; in brackets the share of the plain run's. */
export function showRates(all: readonly SubjectFigures[]): string {
  const plain = all.find(({ subject }) => subject === 'plain');
  const share = ({ name, requestsPerSecond }: TestFigures): string => {
    const base = plain?.tests.find((test) => test.name === name)?.requestsPerSecond;
    return base === undefined ? '' : ` (${Math.round((100 * requestsPerSecond) / base)} %)`;
  };
  return table(byTest('requests a second', all, (test) => `${Math.round(test.requestsPerSecond)}${share(test)}`));
}

export function showLatency(all: readonly SubjectFigures[]): string {
  const cell = ({ p50Ms, p99Ms }: TestFigures): string => `${p50Ms.toFixed(2)} / ${p99Ms.toFixed(2)}`;
  return table(byTest('latency p50 / p99, ms', all, cell));
}

export function showLog(all: readonly SubjectFigures[]): string {
  const logged = all.filter(({ idle }) => idle.logMbits !== undefined);
  const cell = ({ logMbits }: { logMbits?: number | undefined }): string => logMbits?.toFixed(3) ?? '';
  const idle = ['idle at the prompt', ...logged.map((figures) => cell(figures.idle))];
  const [head, ...rows] = byTest('log, Mbit/s', logged, cell);
  return table([head, idle, ...rows]);
}

/** Cores used by each thread, in the test of that number and idle. */
export function showUse({ tests, idle, subject }: SubjectFigures): string {
  const columns = [...tests, { name: 'idle', ...idle }];
  const roles = [...new Set(columns.flatMap(({ use }) => Object.keys(use)))];
  const cores = (use: Uses, role: string, seconds: number): string => {
    const { cpuSeconds = 0, waitedSeconds = 0 } = use[role] ?? {};
    return `${(cpuSeconds / seconds).toFixed(2)} (${(waitedSeconds / seconds).toFixed(2)})`;
  };
  return table([
    [`${subject}: cores`, ...columns.map(({ name }) => name)],
    ...roles.map((role) => [role, ...columns.map(({ use, seconds }) => cores(use, role, seconds))]),
  ]);
}

if (import.meta.main) {
  const { values } = parseArgs({
    options: { subjects: { type: 'string' }, quick: { type: 'boolean', default: false } },
  });
  const wanted = values.subjects?.split(',') ?? SUBJECTS;
  const image = await buildImage();
  const all: SubjectFigures[] = [];
  for (const kind of SUBJECTS.filter((name) => wanted.includes(name))) {
    all.push(await measureRedis(kind, image, redisOptions(values.quick)));
  }
  for (const text of [showRates(all), showLatency(all), showLog(all), ...all.map(showUse)]) console.log(`${text}\n`);
}
