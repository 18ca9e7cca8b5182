/** What redis-benchmark asks in the replication benchmark, and how often each thing is measured. */
import { type RedisTest, redisBenchmark, testName } from '../support/redis-benchmark.ts';
import type { TestResult } from './journal.ts';

const ONE: Pick<RedisTest, 'clients' | 'pipeline'> = { clients: 1, pipeline: 1 };
const MANY: Pick<RedisTest, 'clients' | 'pipeline'> = { clients: 20, pipeline: 1 };
const PIPELINED: Pick<RedisTest, 'clients' | 'pipeline'> = { clients: 20, pipeline: 16 };

export interface Plan {
  /** Plain guest and pair, in turn. */
  readonly rateRounds: number;
  readonly rates: readonly RedisTest[];
  readonly idleSeconds: number;
  readonly logTests: readonly RedisTest[];
  readonly compileSeconds: number;
  /** Of the link, each direction. */
  readonly delaysMs: readonly number[];
  readonly delayRounds: number;
  /** With one client at a time, so that a test takes some seconds whatever the link does. */
  readonly delayTests: (delayMs: number) => readonly RedisTest[];
  readonly transfers: number;
}

const FULL: Plan = {
  rateRounds: 5,
  rates: [
    { ...ONE, command: 'ping', requests: 2500 },
    { ...ONE, command: 'get', requests: 2500 },
    { ...MANY, command: 'set', requests: 6000 },
    { ...MANY, command: 'get', requests: 6000 },
    { ...PIPELINED, command: 'set', requests: 50_000 },
    { ...PIPELINED, command: 'get', requests: 50_000 },
  ],
  idleSeconds: 60,
  logTests: [
    { ...MANY, command: 'set', requests: 15_000 },
    { ...MANY, command: 'get', requests: 15_000 },
    { ...PIPELINED, command: 'set', requests: 120_000 },
    { ...PIPELINED, command: 'get', requests: 120_000 },
  ],
  compileSeconds: 30,
  delaysMs: [0, 1, 5],
  delayRounds: 3,
  delayTests: (delayMs) => [
    { ...ONE, command: 'ping', requests: delayMs < 5 ? 1200 : 400 },
    { ...ONE, command: 'get', requests: delayMs < 5 ? 1200 : 400 },
    { ...MANY, command: 'get', requests: 4000 },
  ],
  transfers: 10,
};

const fifth = (test: RedisTest): RedisTest => ({ ...test, requests: test.requests / 5 });

const QUICK: Plan = {
  ...FULL,
  rateRounds: 1,
  rates: FULL.rates.map(fifth),
  idleSeconds: 8,
  logTests: FULL.logTests.map(fifth),
  compileSeconds: 10,
  delayRounds: 1,
  delayTests: (delayMs) => FULL.delayTests(delayMs).map(fifth),
  transfers: 2,
};

export const planOf = (quick: boolean): Plan => (quick ? QUICK : FULL);

/** One after the other. Rejects if a request failed. */
export async function runTests(port: number, tests: readonly RedisTest[]): Promise<TestResult[]> {
  const results: TestResult[] = [];
  for (const test of tests) results.push({ name: testName(test), ...(await redisBenchmark(port, test)) });
  return results;
}
