/**
 * The demo's guest, plain and recorded, both booted and ready: the two are loaded in turn by redis-benchmark through the hub. While one is
 * measured the other is idle at its prompt, which takes some hundredths of a core, on both sides alike.
 */
import { join } from 'node:path';
import type { BuiltImage } from '../../src/host/image/manifest.ts';
import { type Guest, startUnderstudy } from '../../test/integration/support/guest.ts';
import { type MachineDirectory, makeMachineDirectory } from '../../test/integration/support/machine-directory.ts';
import { type RedisTest, redisBenchmark, testName } from '../support/redis-benchmark.ts';
import { threadUse } from '../support/threads.ts';
import { machineThread, useOf } from './marker-clock.ts';

export const REDIS_TESTS: readonly RedisTest[] = [
  { command: 'get', clients: 20, pipeline: 1, requests: 5000 },
  { command: 'set', clients: 20, pipeline: 16, requests: 50_000 },
];

export interface RedisCostFigure {
  readonly name: string;
  readonly requests: number;
  readonly requestsPerSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  /** Of the machine's process, the hub and passt. */
  readonly cpuSeconds: number;
  /** Of the thread that runs the machine. */
  readonly cpuThreadSeconds: number;
}

export interface RedisCostRun {
  readonly tests: readonly RedisCostFigure[];
}

export interface RedisSubject {
  /** All tests once. Rejects when a request failed. */
  measure(): Promise<RedisCostRun>;
  stop(): Promise<void>;
}

/** Boots it, and runs each test once unmeasured, so that the code is hot. */
export async function startRedis(way: 'plain' | 'recorded', image: BuiltImage): Promise<RedisSubject> {
  const machine = await makeMachineDirectory(image);
  const { descriptionFile } = machine;
  const log = ['--log', join(machine.path, 'run.log')];
  const words = way === 'plain' ? ['run', descriptionFile] : ['record', descriptionFile, ...log];
  const guest = startUnderstudy([...words, '--engine', 'translator']);
  try {
    await guest.ready();
    for (const test of REDIS_TESTS) await redisBenchmark(machine.redisPort, test);
    return subjectOf(guest, machine);
  } catch (error) {
    await guest.kill();
    await machine.remove();
    throw error;
  }
}

function subjectOf(guest: Guest, machine: MachineDirectory): RedisSubject {
  const thread = machineThread(guest.pid);
  const instant = (): { cpuSeconds: number; cpuThreadSeconds: number } => ({
    cpuSeconds: Object.values(threadUse([guest.pid])).reduce((sum, { cpuSeconds }) => sum + cpuSeconds, 0),
    cpuThreadSeconds: useOf(guest.pid, thread).cpuThreadSeconds,
  });
  return {
    measure: async () => {
      const tests: RedisCostFigure[] = [];
      for (const test of REDIS_TESTS) {
        const before = instant();
        const figures = await redisBenchmark(machine.redisPort, test);
        const after = instant();
        tests.push({
          name: testName(test),
          requests: test.requests,
          ...figures,
          cpuSeconds: after.cpuSeconds - before.cpuSeconds,
          cpuThreadSeconds: after.cpuThreadSeconds - before.cpuThreadSeconds,
        });
      }
      return { tests };
    },
    stop: async () => {
      guest.type('poweroff\n');
      const late = setTimeout(() => void guest.kill(), 20_000);
      await guest.ended;
      clearTimeout(late);
      await machine.remove();
    },
  };
}
