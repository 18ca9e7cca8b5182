/**
 * One connection of Debian's redis-cli from a host of the test's network to the guest: counts up, one request at a time, and checks each answer. The number that
 * redis gave the connection shows whether it is still the same one.
 */
import assert from 'node:assert/strict';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { Arrivals } from '../../../src/host/net/testing.ts';
import type { Host } from './namespaces.ts';

export class RedisCounter {
  readonly #child: ChildProcess;
  readonly #lines = new Arrivals<string>();
  readonly #ended: Promise<unknown>;
  #count = 0;
  /** The longest time between a request and its answer, in milliseconds. */
  longestMs = 0;

  constructor(host: Host, address: string) {
    this.#child = host.spawn('redis-cli', ['-h', address], { stdio: ['pipe', 'pipe', 'inherit'] });
    this.#ended = once(this.#child, 'close');
    createInterface({ input: this.#child.stdout! }).on('line', this.#lines.put);
  }

  async ask(command: string): Promise<string> {
    this.#child.stdin!.write(`${command}\n`);
    return this.#lines.take();
  }

  /** The connection's number at the server. */
  id(): Promise<string> {
    return this.ask('CLIENT ID');
  }

  /** `times` requests, each answered with the number after the last. */
  async count(times: number): Promise<void> {
    for (let i = 0; i < times; i++) {
      const startMs = performance.now();
      assert.equal(await this.ask('INCR understudy:count'), String(++this.#count));
      this.longestMs = Math.max(this.longestMs, performance.now() - startMs);
    }
  }

  async close(): Promise<void> {
    this.#child.kill('SIGTERM');
    await this.#ended;
  }
}
