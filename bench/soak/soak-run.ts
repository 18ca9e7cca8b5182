/**
 * A pair of the demo image under load for as long as one likes. Before the load, redis is made to touch most of the guest's memory once, so that
 * what grows later is not the guest's first use of its memory; the peak is then that of a guest that uses all that it has.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { loadDescription } from '../../src/host/description/load.ts';
import type { BuiltImage } from '../../src/host/image/manifest.ts';
import { parseAddress } from '../../src/host/net/address.ts';
import { Pair } from '../../src/host/pair/pair.ts';
import type { StatusLine } from '../../src/host/replica/status.ts';
import type { CpuThreadState } from '../../src/host/runner/cpu-thread.ts';
import { RedisConnection } from '../../test/e2e/support/redis-connection.ts';
import { READY } from '../../test/integration/support/guest.ts';
import { type MachineDirectory, makeMachineDirectory } from '../../test/integration/support/machine-directory.ts';
import type { Memory, Said, Sample, SoakEnd } from './journal.ts';
import { LogTap } from './log-tap.ts';
import { SteadyLoad } from './steady-load.ts';

export interface SoakOptions {
  readonly image: BuiltImage;
  readonly seconds: number;
  readonly sampleSeconds: number;
  readonly connections: number;
  /** Called in order. */
  readonly onLine: (line: Sample | Said | SoakEnd) => void;
}

const BOOT_LIMIT_MS = 120_000;
const LAST_HASH_LIMIT_MS = 10_000;
/** Of the guest's 512 MB, what its kernel and services leave free. */
const FILL_PIECES = 5;
const FILL_PIECE_BYTES = 64 * 1024 * 1024;

const MEMBERS = ['primary', 'backup', 'hub', 'disk'] as const;

class Soak {
  readonly #options: SoakOptions;
  readonly #begun = performance.now();
  readonly complaints: string[] = [];
  readonly ready = Promise.withResolvers<void>();
  pair: Pair | undefined;
  tap: LogTap | undefined;
  /** Of the primary. */
  status: (StatusLine & { type: 'status' }) | undefined;
  readonly cpu: Record<string, CpuThreadState | undefined> = {};
  #console = '';
  #stopping = false;
  #loadBegun = performance.now();

  constructor(options: SoakOptions) {
    this.#options = options;
    this.ready.promise.catch(() => {});
  }

  get seconds(): number {
    return (performance.now() - this.#loadBegun) / 1000;
  }

  async start(machine: MachineDirectory): Promise<void> {
    const { descriptionFile, path } = machine;
    this.pair = await Pair.start({
      descriptionFile,
      description: await loadDescription(descriptionFile),
      stateDirectory: join(path, 'state'),
      engines: { primary: 'translator', backup: 'translator' },
      onStatus: (member, line) => this.#heard(member, line),
      onNotice: (member, line) => this.#say(member, line),
      onReplicaEnd: (member, { code, signal }) => this.#failed(member, `its process ended: ${signal ?? code}`),
      between: async (_, service, address) => {
        if (service !== 'log') return address;
        const listen = join(path, 'log-tap');
        this.tap = await LogTap.open({ path: listen }, parseAddress(address));
        return `unix:${listen}`;
      },
    });
    const late = setTimeout(() => this.ready.reject(new Error('the guest has not booted in time')), BOOT_LIMIT_MS);
    await this.ready.promise.finally(() => clearTimeout(late));
  }

  beginLoad(): void {
    this.#loadBegun = performance.now();
  }

  /** From now on, ends are as they should be. */
  stopping(): void {
    this.#stopping = true;
  }

  #say(member: string, what: string): void {
    const seconds = (performance.now() - this.#begun) / 1000;
    this.#options.onLine({ type: 'said', seconds, member, what });
  }

  #failed(member: string, why: string): void {
    if (this.#stopping) return;
    this.#say(member, why);
    this.complaints.push(`${member}: ${why}`);
    this.ready.reject(new Error(`${member}: ${why}`));
  }

  #heard(member: 'primary' | 'backup', line: StatusLine): void {
    if (line.type === 'console' && this.#console.length < 1e6) {
      this.#console += line.data;
      if (this.#console.includes(READY)) this.ready.resolve();
    } else if (line.type === 'halt') this.#failed(member, `halted (${line.code}): ${line.message}`);
    else if (line.type === 'status') {
      this.cpu[member] = line.cpu;
      if (member === 'primary') this.status = line;
    } else if (line.type === 'phase' && /^(leaving|alone|halted|handing-over|handed-over)$/.test(line.phase)) {
      this.#failed(member, `${line.phase}: ${line.why}`);
    }
  }

  /** Resident memory of all processes that take part. */
  memory(): Record<string, Memory> {
    const found: Record<string, Memory> = { client: memoryOf(process.pid) };
    for (const member of MEMBERS) {
      const pid = this.pair?.pid(member);
      if (pid === undefined) continue;
      found[member] = memoryOf(pid);
      for (const child of childrenOf(pid)) found[nameOf(child)] = memoryOf(child);
    }
    return found;
  }
}

function memoryOf(pid: number): Memory {
  try {
    const text = readFileSync(`/proc/${pid}/status`, 'utf8');
    const mib = (key: string): number => Number(new RegExp(`^${key}:\\s+(\\d+) kB`, 'm').exec(text)?.[1] ?? 0) / 1024;
    return { residentMib: mib('VmRSS'), peakMib: mib('VmHWM') };
  } catch {
    return { residentMib: 0, peakMib: 0 };
  }
}

/** Of a process that is not ours, such as passt, whose name has its instruction set behind a point. */
function nameOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/comm`, 'utf8').trim().replace(/\..*/, '');
  } catch {
    return 'ended';
  }
}

function childrenOf(pid: number): number[] {
  try {
    return readdirSync(`/proc/${pid}/task`).flatMap((thread) =>
      readFileSync(`/proc/${pid}/task/${thread}/children`, 'utf8').split(' ').filter(Boolean).map(Number),
    );
  } catch {
    return [];
  }
}

/** Has redis write to most of the memory that the guest has left, and give it back. */
async function touchMemory(port: number): Promise<void> {
  const connection = await RedisConnection.open(port);
  const keys = Array.from({ length: FILL_PIECES }, (_, at) => `soak:fill:${at}`);
  for (const key of keys) {
    const [reply] = await connection.ask([['SETRANGE', key, String(FILL_PIECE_BYTES), 'x']]);
    if (reply instanceof Error) throw reply;
  }
  await connection.ask([['DEL', ...keys]]);
  connection.close();
}

/** Rejects when the guest does not come up; what goes wrong later is in the end's complaints, and ends the soak. */
export async function soak(options: SoakOptions): Promise<SoakEnd> {
  const machine = await makeMachineDirectory(options.image);
  const run = new Soak(options);
  let load: SteadyLoad | undefined;
  try {
    await run.start(machine);
    await touchMemory(machine.redisPort);
    load = await SteadyLoad.start(machine.redisPort, options.connections, 1);
    run.beginLoad();
    await takeSamples(run, load, options);
    await load.finish(LAST_HASH_LIMIT_MS);
    await lastHash(run);
    const end = endOf(run, load);
    options.onLine(end);
    return end;
  } finally {
    run.stopping();
    await load?.finish(0);
    await run.pair?.stop();
    run.tap?.close();
    await machine.remove();
  }
}

async function takeSamples(run: Soak, load: SteadyLoad, options: SoakOptions): Promise<void> {
  let before = { seconds: 0, answers: 0, position: positionOf(run) };
  while (run.seconds < options.seconds && run.complaints.length === 0 && load.complaints.length === 0) {
    await sleep(options.sampleSeconds * 1000);
    const now = { seconds: run.seconds, answers: load.answers, position: positionOf(run) };
    const seconds = now.seconds - before.seconds;
    const { tap, status } = run;
    options.onLine({
      type: 'sample',
      seconds: now.seconds,
      memory: run.memory(),
      cpu: { ...run.cpu },
      requestsPerSecond: (now.answers - before.answers) / seconds,
      lagMs: status?.lagMs,
      logBytes: status?.logBytes,
      heldOutputs: status?.heldOutputs,
      speed: status?.speed,
      mips: Number(now.position - before.position) / 1e6 / seconds,
      hashesLogged: tap?.hashesLogged ?? 0,
      hashesEqual: tap?.hashesEqual ?? 0,
    });
    before = now;
  }
}

const positionOf = ({ status }: Soak): bigint => BigInt(status?.position ?? 0);

/** Gives the backup the time to come to the hashes that are logged by now. */
async function lastHash({ tap, complaints }: Soak): Promise<void> {
  const wanted = tap?.hashesLogged ?? 0;
  const limit = performance.now() + LAST_HASH_LIMIT_MS;
  while ((tap?.hashesEqual ?? 0) < wanted && complaints.length === 0 && performance.now() < limit) await sleep(50);
}

function endOf(run: Soak, load: SteadyLoad): SoakEnd {
  const { tap, status } = run;
  const complaints = [...run.complaints, ...load.complaints];
  if (tap?.divergence !== undefined) complaints.push(`divergence ${tap.divergence}`);
  if (tap?.welcomes !== 1) complaints.push(`the backup was let in ${tap?.welcomes ?? 0} times`);
  return {
    type: 'end',
    seconds: run.seconds,
    requests: load.answers,
    hashesLogged: tap?.hashesLogged ?? 0,
    hashesEqual: tap?.hashesEqual ?? 0,
    logEntries: tap?.entries ?? 0,
    logBytes: status?.logBytes ?? 0,
    complaints,
  };
}
