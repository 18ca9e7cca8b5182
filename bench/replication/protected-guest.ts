/**
 * A guest that three host daemons on loopback protect, as `understudy protect` starts it: one that loses a replica gets another by itself. Hub, disk
 * server and the arbiter's directory are on this machine too.
 */
import { readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { BuiltImage } from '../../src/host/image/manifest.ts';
import { type Child, startChild } from '../../src/host/processes.ts';
import { LocalHosts } from '../../test/e2e/support/local-hosts.ts';
import { ReplicaWatch } from '../../test/e2e/support/replica-watch.ts';
import { runInGuest } from './agent.ts';
import { inTime, makePlace, type Own } from './guests.ts';

const NAME = 'bench';
const HOSTS = ['a', 'b', 'c'] as const;
const START_LIMIT_MS = 60_000;
const BOOT_LIMIT_MS = 90_000;
const STOP_LIMIT_MS = 15_000;
const POLL_MS = 200;

export interface ProtectedGuest {
  readonly redisPort: number;
  readonly agentPort: number;
  readonly watch: ReplicaWatch;
  readonly stop: () => Promise<void>;
}

/** Resolves when the guest is redundant and its services answer. */
export async function startProtected(image: BuiltImage, own: Own): Promise<ProtectedGuest> {
  const { machine, ...ports } = await makePlace(image, { name: NAME });
  const directory = await mkdtemp(join(tmpdir(), 'us-bench-'));
  const hosts = new LocalHosts(directory);
  const children: Child[] = [];
  const watch = new ReplicaWatch((label) => join(directory, label, 'replicas', NAME));
  const understudy = async (...words: readonly string[]): Promise<void> => {
    const said: string[] = [];
    const child = await startChild([...words, '--host', hosts.address('a')], { onError: (line) => said.push(line) });
    children.push(child);
    const { code } = await child.ended;
    if (code !== 0) throw new Error(`understudy ${words[0]}: ${said.join(' ')}`);
  };
  const stop = async (): Promise<void> => {
    const pids = [...watch.seen.values()].map(({ pid }) => pid);
    watch.stop();
    await inTime(understudy('stop', NAME), STOP_LIMIT_MS, 'the machine was not stopped').catch(() => {});
    await inTime(hosts.close(), STOP_LIMIT_MS, 'the daemons have not ended').catch(() => {});
    for (const pid of pids) killReplica(pid, directory);
    for (const child of children.toReversed()) await child.stop();
    await rm(directory, { recursive: true, force: true });
    await machine.remove();
  };
  own(stop);
  const serve = async (...words: readonly string[]): Promise<string> => {
    const address = `unix:${join(directory, words[0]!)}`;
    children.push(await startChild([...words, '--listen', address]));
    return address;
  };
  const start = async (): Promise<void> => {
    for (const name of HOSTS) await hosts.start(name);
    const arbiter = ['--arbiter', join(directory, 'arbiter'), '--state', join(directory, 'disk-state')];
    const disk = await serve('disk', machine.disk, '--name', NAME, ...arbiter);
    const hub = await serve('hub', machine.descriptionFile);
    watch.start();
    await understudy('protect', machine.descriptionFile, '--hosts', HOSTS.join(','), '--disk', disk, '--hub', hub);
  };
  try {
    await inTime(start(), START_LIMIT_MS, 'the machine is not redundant');
    await inTime(untilServing(ports.agentPort), BOOT_LIMIT_MS, 'the guest has not booted');
  } catch (error) {
    await stop();
    throw error;
  }
  return { ...ports, watch, stop };
}

/** Replicas outlive their daemon, on purpose: one that nobody could stop is ended here, if the process still is one of `directory`. */
function killReplica(pid: number, directory: string): void {
  try {
    if (readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes(directory)) process.kill(pid, 'SIGKILL');
  } catch {
    // has ended
  }
}

/** passt takes connections from the start, so only an answer tells. */
async function untilServing(agentPort: number): Promise<void> {
  for (;;) {
    const said = await runInGuest(agentPort, 'redis-cli ping').catch(() => '');
    if (said.trim() === 'PONG') return;
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
}
