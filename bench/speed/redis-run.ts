/**
 * redis on one subject: the demo's guest behind our hub and passt, loaded by redis-benchmark on this host. Between the tests the guest's
 * shell prints a mark, so that a replay, which has no clients, can be timed test by test on its console as well.
 */
import { join } from 'node:path';
import type { BuiltImage } from '../../src/host/image/manifest.ts';
import { type Child, startChild } from '../../src/host/processes.ts';
import { Guest } from '../../test/integration/support/guest.ts';
import { type MachineDirectory, makeMachineDirectory } from '../../test/integration/support/machine-directory.ts';
import { type RedisTest, redisBenchmark, testName } from '../support/redis-benchmark.ts';
import { threadUse } from '../support/threads.ts';
import { FACTS, ourCommand, qemuMachine, qemuProgram, type SubjectName } from './subjects.ts';

interface NamedTest extends RedisTest {
  readonly name: string;
}

const named = (test: RedisTest): NamedTest => ({ ...test, name: testName(test) });

/** The first one comes as soon as the guest has booted, when the code for it still waits to be translated: it stands apart. */
export const FIRST_TEST = 'SET -c 20 -P 1, the first seconds';

const REDIS_TESTS: readonly NamedTest[] = [
  { command: 'set', clients: 20, pipeline: 1, requests: 5000, name: FIRST_TEST },
  named({ command: 'set', clients: 20, pipeline: 1, requests: 10_000 }),
  named({ command: 'get', clients: 20, pipeline: 1, requests: 10_000 }),
  named({ command: 'set', clients: 20, pipeline: 16, requests: 100_000 }),
  named({ command: 'get', clients: 20, pipeline: 16, requests: 100_000 }),
];

/** Recording, QEMU answers some hundred requests a second: it gets fewer of them. */
function testsOf(subject: SubjectName): NamedTest[] {
  const share = subject.includes('-rr-') ? 20 : 1;
  return REDIS_TESTS.map((test) => ({ ...test, requests: test.requests / share }));
}

export interface RedisFigure {
  readonly name: string;
  readonly requests: number;
  /** As redis-benchmark says; absent in a replay. */
  readonly requestsPerSecond?: number;
  readonly p50Ms?: number;
  readonly p99Ms?: number;
  /** From the mark before the test to the one behind it. */
  readonly wallSeconds: number;
  /** Of the machine's process, the hub and passt. */
  readonly cpuSeconds: number;
}

export interface RedisRun {
  readonly tests: readonly RedisFigure[];
  readonly seconds: number;
}

interface Instant {
  readonly wallSeconds: number;
  readonly cpuSeconds: number;
}

const instantOf = (pids: readonly number[]): Instant => ({
  wallSeconds: performance.now() / 1000,
  cpuSeconds: Object.values(threadUse(pids)).reduce((sum, { cpuSeconds }) => sum + cpuSeconds, 0),
});

const between = (before: Instant, after: Instant): Instant => ({
  wallSeconds: after.wallSeconds - before.wallSeconds,
  cpuSeconds: after.cpuSeconds - before.cpuSeconds,
});

/** Rejects when a request failed, the guest ended early, or all took longer than `timeoutMs`. Recordings stay in `directory`. */
export async function redisRun(
  subject: SubjectName,
  image: BuiltImage,
  directory: string,
  timeoutMs: number,
): Promise<RedisRun> {
  const machine = await makeMachineDirectory(image);
  let hub: Child | undefined;
  let guest: Guest | undefined;
  let killer: NodeJS.Timeout | undefined;
  try {
    const begun = performance.now();
    const replays = FACTS[subject].after !== undefined;
    const hubPath = join(machine.path, 'hub');
    const needsHub = FACTS[subject].qemu !== undefined && !replays;
    if (needsHub) hub = await startChild(['hub', machine.descriptionFile, '--listen', `unix:${hubPath}`]);
    const started = await start(subject, { image, machine, directory, hubPath: needsHub ? hubPath : undefined });
    guest = started;
    killer = setTimeout(() => void started.kill(), timeoutMs);
    const pids = hub === undefined ? [started.pid] : [started.pid, hub.pid];
    const wanted = testsOf(subject);
    const tests = replays
      ? await watchTests(started, pids, wanted)
      : await runTests(started, pids, wanted, machine.redisPort);
    if (!replays) started.type('poweroff\n');
    await started.ended;
    return { tests, seconds: (performance.now() - begun) / 1000 };
  } finally {
    clearTimeout(killer);
    await guest?.kill();
    await hub?.stop();
    await machine.remove();
  }
}

interface Place {
  readonly image: BuiltImage;
  readonly machine: MachineDirectory;
  readonly directory: string;
  /** The hub's socket, for a QEMU that has clients. */
  readonly hubPath: string | undefined;
}

async function start(subject: SubjectName, place: Place): Promise<Guest> {
  const { machine, directory } = place;
  const log = join(directory, 'redis.log');
  const { descriptionFile } = machine;
  const engine = ['--engine', 'translator'];
  if (FACTS[subject].qemu !== undefined) return startQemu(subject, place);
  if (subject === 'replay') return startOurs(['replay', log, ...engine]);
  const words = subject === 'record' ? ['record', descriptionFile, '--log', log] : ['run', descriptionFile];
  return startOurs([...words, ...engine]);
}

function startOurs(words: readonly string[]): Guest {
  const { program, words: all } = ourCommand(words);
  return new Guest(program, all);
}

async function startQemu(subject: SubjectName, { image, machine, directory, hubPath }: Place): Promise<Guest> {
  const { program, words } = await qemuProgram(subject);
  const rr = subject.includes('-rr-');
  const file = `file=${machine.disk},format=raw,if=none`;
  const disk = rr
    ? ['-drive', `${file},id=image,snapshot=on`, '-drive', 'driver=blkreplay,if=none,image=image,id=disk']
    : ['-drive', `${file},id=disk`];
  // A replay has no network: its frames are in the recording.
  const net =
    hubPath === undefined ? 'user,id=net,restrict=on' : `stream,id=net,server=off,addr.type=unix,addr.path=${hubPath}`;
  return new Guest(program, [
    ...words,
    ...qemuMachine(subject, join(directory, `redis.${FACTS[subject].qemu}.rr`)),
    ...['-kernel', image.kernel, '-initrd', image.initramfs, '-append', machine.commandLine],
    ...[...disk, '-device', 'virtio-blk-device,drive=disk'],
    ...['-netdev', net, '-device', 'virtio-net-device,netdev=net'],
    ...(rr ? ['-object', 'filter-replay,id=replay,netdev=net'] : []),
    ...['-device', 'virtio-rng-device'],
  ]);
}

/**
 * Sixteen characters are what QEMU's serial port takes at once when it records (no more ever arrive), so the command is short. The terminal
 * echoes it, but only the shell itself makes "m0" of it.
 */
const MARK = 'echo m$?\n';
const MARK_SAID = /\nm0\r?\n/g;

/** Until the console has shown that many marks. */
const marks = (guest: Guest, count: number): Promise<true> =>
  guest.until(`mark ${count}`, () => ((guest.console.match(MARK_SAID)?.length ?? 0) >= count ? true : undefined));

async function runTests(
  guest: Guest,
  pids: readonly number[],
  wanted: readonly NamedTest[],
  port: number,
): Promise<RedisFigure[]> {
  await guest.ready();
  await redisBenchmark(port, { command: 'set', clients: 1, pipeline: 1, requests: 200 });
  guest.type(MARK);
  await marks(guest, 1);
  const tests: RedisFigure[] = [];
  for (const [at, test] of wanted.entries()) {
    const before = instantOf(pids);
    const figures = await redisBenchmark(port, test);
    guest.type(MARK);
    await marks(guest, at + 2);
    tests.push({ name: test.name, requests: test.requests, ...figures, ...between(before, instantOf(pids)) });
  }
  return tests;
}

/** The same marks, as the console of a replay says them again. */
async function watchTests(guest: Guest, pids: readonly number[], wanted: readonly NamedTest[]): Promise<RedisFigure[]> {
  await marks(guest, 1);
  const tests: RedisFigure[] = [];
  let before = instantOf(pids);
  for (const [at, test] of wanted.entries()) {
    await marks(guest, at + 2);
    const after = instantOf(pids);
    tests.push({ name: test.name, requests: test.requests, ...between(before, after) });
    before = after;
  }
  return tests;
}
