/**
 * One round: a pair under a load of redis that syncs each write, SIGKILL of every process, the loss of all that the storage had not
 * been told to flush, power again. Does the newest generation start from its disk, and is every acknowledged write there?
 */
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openDirectoryArbiter } from '../../../src/host/arbiter/directory.ts';
import type { BuiltImage } from '../../../src/host/image/manifest.ts';
import { startChild } from '../../../src/host/processes.ts';
import type { DiskKind } from './hosts-disk.ts';
import { MACHINE, type PowerCutMachine, type PowerCutPair } from './power-cut-machine.ts';
import { MirroredPowerCut } from './power-cut-mirrors.ts';
import { SharedPowerCut } from './power-cut-pair.ts';
import { randomFrom } from './random.ts';
import { RedisConnection } from './redis-connection.ts';
import { RedisLoad } from './redis-load.ts';
import { freePort } from './watched-pair.ts';

const BOOT_MS = 120_000;

export interface PowerCutOptions {
  readonly image: BuiltImage;
  readonly disk: DiskKind;
  readonly seed: number;
  readonly connections: number;
  /** Answers of redis before the cut: at least this many, and at random up to as many again. */
  readonly answers: number;
}

export interface PowerCutResult {
  readonly disk: DiskKind;
  readonly seed: number;
  /** Empty if all was as it must be. */
  readonly problems: readonly string[];
  /** What the cut met. */
  readonly variant: string;
  readonly acknowledgedWrites: number;
  readonly lostWrites: number;
  /** At the cut, and after it. */
  readonly generations: readonly [number, number];
}

export async function runPowerCut(options: PowerCutOptions): Promise<PowerCutResult> {
  const { image, disk, seed, connections, answers } = options;
  const random = randomFrom(seed);
  const port = await freePort();
  const machine = await (disk === 'shared'
    ? SharedPowerCut.create(image, port)
    : MirroredPowerCut.create(image, port, random));
  let load: RedisLoad | undefined;
  let pair: PowerCutPair | undefined;
  try {
    pair = await machine.start(BOOT_MS);
    await syncEachWrite(machine.redisPort);
    const prepared = await pair.prepare(random);
    load = await RedisLoad.start(machine.redisPort, connections, seed);
    await load.hasAnswered(answers + random(answers));
    // Not right after an answer: anywhere between two.
    await new Promise((resolve) => setTimeout(resolve, random(200)));
    const last = await pair.beforeCut(random);
    const before = pair.generation;
    await pair.killAll();
    pair = undefined;
    await machine.cutPower();
    await machine.powerOn();
    const problems = [...(await machine.diskProblems()), ...(await generationProblems(machine, before))];
    pair = await machine.start(BOOT_MS);
    if (pair.generation <= before) problems.push(`it runs in generation ${pair.generation}, and was in ${before}`);
    const report = await load.finish();
    problems.push(
      ...report.wrongAnswers,
      ...report.lost.map((what) => `lost: ${what}`),
      ...report.torn.map((what) => `half there: ${what}`),
      ...(pair.console.match(/^.*(?:EXT4-fs error|I\/O error|Kernel panic).*$/gm) ?? []),
      ...(await pair.endProblems()),
    );
    return {
      disk,
      seed,
      problems,
      variant: [prepared, last].filter(Boolean).join(', '),
      acknowledgedWrites: report.acknowledgedWrites,
      lostWrites: report.lost.length,
      generations: [before, pair.generation],
    };
  } finally {
    load?.close();
    await pair?.killAll();
    await machine.remove();
  }
}

/** From here on redis answers a write when the guest's kernel says that it is on the disk. */
async function syncEachWrite(port: number): Promise<void> {
  const connection = await RedisConnection.open(port);
  const [reply] = await connection.ask([['CONFIG', 'SET', 'appendfsync', 'always']]);
  connection.close();
  if (reply !== 'OK') throw new Error(`redis does not sync each write: ${String(reply)}`);
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
