/**
 * One round: a pair under a load of redis that syncs each write, SIGKILL of every process, the loss of all that the storage had not
 * been told to flush, power again. Does the newest generation start from its disk, and is every acknowledged write there?
 */
import { execFile } from 'node:child_process';
import { copyFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { openDirectoryArbiter } from '../../../src/host/arbiter/directory.ts';
import type { BuiltImage } from '../../../src/host/image/manifest.ts';
import { startChild } from '../../../src/host/processes.ts';
import { VolatileStorage } from './power-cut.ts';
import { MACHINE, PowerCutMachine, PowerCutPair } from './power-cut-pair.ts';
import { randomFrom } from './random.ts';
import { RedisConnection } from './redis-connection.ts';
import { RedisLoad } from './redis-load.ts';
import { freePort } from './watched-pair.ts';

const run = promisify(execFile);
const STORAGE_BYTES = 2 ** 31;
const BOOT_MS = 120_000;
const SBIN = { env: { ...process.env, PATH: `${process.env.PATH}:/usr/sbin:/sbin` } };

export interface PowerCutOptions {
  readonly image: BuiltImage;
  readonly seed: number;
  readonly connections: number;
  /** Answers of redis before the cut: at least this many, and at random up to as many again. */
  readonly answers: number;
}

export interface PowerCutResult {
  readonly seed: number;
  /** Empty if all was as it must be. */
  readonly problems: readonly string[];
  readonly acknowledgedWrites: number;
  readonly lostWrites: number;
  /** At the cut, and after it. */
  readonly generations: readonly [number, number];
  /** A backup had taken over before the cut. */
  readonly failedOver: boolean;
}

export async function runPowerCut(options: PowerCutOptions): Promise<PowerCutResult> {
  const storage = await VolatileStorage.create(STORAGE_BYTES);
  let load: RedisLoad | undefined;
  let pair: PowerCutPair | undefined;
  try {
    const random = randomFrom(options.seed);
    const machine = await PowerCutMachine.create(storage.mountPoint, options.image, await freePort());
    pair = await PowerCutPair.start(machine, BOOT_MS);
    await syncEachWrite(machine.redisPort);
    const failedOver = random(3) === 0;
    if (failedOver) await pair.failOver();
    load = await RedisLoad.start(machine.redisPort, options.connections, options.seed);
    await load.hasAnswered(options.answers + random(options.answers));
    // Not right after an answer: anywhere between two.
    await new Promise((resolve) => setTimeout(resolve, random(200)));
    const before = pair.generation;
    await pair.killAll();
    pair = undefined;
    await storage.cutPower();
    await storage.powerOn();
    const problems = [...(await diskProblems(machine)), ...(await generationProblems(machine, before))];
    pair = await PowerCutPair.start(machine, BOOT_MS);
    if (pair.generation <= before) problems.push(`it runs in generation ${pair.generation}, and was in ${before}`);
    const report = await load.finish();
    problems.push(
      ...report.wrongAnswers,
      ...report.lost.map((what) => `lost: ${what}`),
      ...report.torn.map((what) => `half there: ${what}`),
      ...(pair.console.match(/^.*(?:EXT4-fs error|I\/O error|Kernel panic).*$/gm) ?? []),
    );
    return {
      seed: options.seed,
      problems,
      acknowledgedWrites: report.acknowledgedWrites,
      lostWrites: report.lost.length,
      generations: [before, pair.generation],
      failedOver,
    };
  } finally {
    load?.close();
    await pair?.killAll();
    await storage.remove();
  }
}

/** From here on redis answers a write when the guest's kernel says that it is on the disk. */
async function syncEachWrite(port: number): Promise<void> {
  const connection = await RedisConnection.open(port);
  const [reply] = await connection.ask([['CONFIG', 'SET', 'appendfsync', 'always']]);
  connection.close();
  if (reply !== 'OK') throw new Error(`redis does not sync each write: ${String(reply)}`);
}

/** What the guest's journal mends is no problem; what is wrong after that is one. */
async function diskProblems({ disk }: PowerCutMachine): Promise<string[]> {
  const copy = join(tmpdir(), `understudy-fsck-${process.pid}.img`);
  try {
    await run('cp', ['--sparse=always', disk, copy]).catch(() => copyFile(disk, copy));
    await run('e2fsck', ['-y', '-E', 'journal_only', copy], SBIN).catch(() => {});
    await run('e2fsck', ['-f', '-n', copy], SBIN);
    return [];
  } catch (error) {
    const { stdout = '' } = error as { stdout?: string };
    return [`fsck: ${stdout.trim() || String(error)}`];
  } finally {
    await rm(copy, { force: true });
  }
}

/** The arbiter remembers the generation that ran, and nobody can begin the machine anew. */
async function generationProblems(machine: PowerCutMachine, ran: number): Promise<string[]> {
  const arbiter = await openDirectoryArbiter({ directory: machine.arbiterDirectory });
  const owner = await arbiter.owner(MACHINE);
  await arbiter.close();
  const problems: string[] = [];
  if (owner?.generation !== ran) problems.push(`the arbiter knows generation ${owner?.generation}, and ${ran} ran`);
  const words = ['primary', machine.bareDescriptionFile, '--create', '--alone', '--arbiter', machine.arbiterDirectory];
  const socket = join(tmpdir(), `understudy-anew-${process.pid}`);
  const anew = await startChild([...words, '--unsafe-arbiter', '--listen', `unix:${socket}`]).catch(() => undefined);
  const end = await anew?.ended;
  if (end?.code === 0) problems.push('the machine was begun anew beside its own past');
  return problems;
}
