/** Debian's redis-benchmark (redis-tools) as the client: what it asks, and what it says. */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

export interface RedisTest {
  readonly command: 'set' | 'get' | 'ping';
  readonly clients: number;
  /** Commands in one write (-P). */
  readonly pipeline: number;
  readonly requests: number;
}

export interface RedisFigures {
  readonly requestsPerSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
}

export function testName({ command, clients, pipeline }: RedisTest): string {
  return `${command.toUpperCase()} -c ${clients} -P ${pipeline}`;
}

/** It waits for ever for a guest that does not answer. */
const LIMIT_MS = 180_000;

/** Throws if a client lost its connection or a request failed. */
export async function redisBenchmark(port: number, test: RedisTest): Promise<RedisFigures> {
  const numbers = ['-n', test.requests, '-c', test.clients, '-P', test.pipeline].map(String);
  // An inline PING is a second test of its own.
  const name = test.command === 'ping' ? 'ping_mbulk' : test.command;
  const words = ['-p', String(port), '-t', name, ...numbers, '--csv'];
  const limit = { timeout: LIMIT_MS, killSignal: 'SIGKILL' } as const;
  const { stdout, stderr } = await promisify(execFile)('redis-benchmark', words, limit);
  // "test","rps","avg_latency_ms","min_latency_ms","p50_latency_ms","p95_latency_ms","p99_latency_ms","max_latency_ms"
  const line = stdout.split('\n').find((candidate) => candidate.startsWith(`"${name.toUpperCase()}"`));
  const fields = line?.split(',').map((field) => Number(field.replaceAll('"', '')));
  if (fields === undefined || fields.length < 8) throw new Error(`redis-benchmark says: ${stdout}${stderr}`);
  return { requestsPerSecond: fields[1], p50Ms: fields[4], p99Ms: fields[6] };
}
