/** Host daemons on loopback with one arbiter between them, and whatever replicas they have started: all of it ends with `close`. */
import assert from 'node:assert/strict';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { HostClient } from '../../../src/host/daemon/api-client.ts';
import type { HostReport, ReplicaReport } from '../../../src/host/daemon/messages.ts';
import { type Child, startChild } from '../../../src/host/processes.ts';

export class LocalHosts {
  /** Configurations, and the daemons' state under `prefix` and the host's name. */
  readonly directory: string;
  readonly #prefix: string;
  readonly #daemons = new Map<string, Child>();
  readonly #replicas = new Set<number>();

  constructor(directory: string, prefix = '') {
    this.directory = directory;
    this.#prefix = prefix;
  }

  #path(name: string): string {
    return join(this.directory, `${this.#prefix}${name}`);
  }

  async start(name: string, more: object = {}): Promise<Child> {
    const file = await this.configure(name, more);
    const daemon = await startChild(['host', file]);
    this.#daemons.set(name, daemon);
    return daemon;
  }

  async configure(name: string, more: object = {}): Promise<string> {
    await mkdir(this.#path('arbiter'), { recursive: true });
    const file = this.#path(`${name}.yaml`);
    const config = {
      name,
      listen: '127.0.0.1:0',
      state: `${this.#prefix}${name}`,
      memory: '1G',
      arbiter: `${this.#prefix}arbiter`,
      unsafeArbiter: true,
      ...more,
    };
    await writeFile(file, JSON.stringify(config));
    return file;
  }

  address(name: string): string {
    return /listens on (\S+)/.exec(this.#daemons.get(name)!.greeting)![1];
  }

  client(name: string): HostClient {
    return new HostClient(this.address(name));
  }

  async report(name: string): Promise<HostReport> {
    const report = await this.client(name).report();
    for (const { pid } of report.replicas) if (pid > 0) this.#replicas.add(pid);
    return report;
  }

  async replica(name: string): Promise<ReplicaReport> {
    const { replicas } = await this.report(name);
    assert.equal(replicas.length, 1);
    return replicas[0];
  }

  /** Looks until `wanted` holds; the test's own time limit ends a wait in vain. */
  async until(name: string, wanted: (report: HostReport) => boolean): Promise<HostReport> {
    for (;;) {
      const report = await this.report(name);
      if (wanted(report)) return report;
    }
  }

  async killDaemon(name: string): Promise<void> {
    const daemon = this.#daemons.get(name)!;
    daemon.process.kill('SIGKILL');
    await daemon.ended;
  }

  async close(): Promise<void> {
    for (const name of this.#daemons.keys()) await this.report(name).catch(() => {});
    for (const daemon of this.#daemons.values()) await daemon.stop();
    for (const pid of this.#replicas) {
      try {
        process.kill(pid, 'SIGKILL');
      } catch {
        // has ended
      }
    }
  }
}
