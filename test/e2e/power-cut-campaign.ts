/**
 * Power cuts of everything by the dozen, with a real guest and a client that knows what was acknowledged:
 *
 *     node test/e2e/power-cut-campaign.ts --rounds 20 --seed 1
 *     node test/e2e/power-cut-campaign.ts --rounds 20 --seed 1 --disk mirrored
 *     node --import ./test/e2e/support/lying-disk.ts test/e2e/power-cut-campaign.ts --rounds 1 --out /dev/null     must find lost writes
 *
 * `--resume` leaves out the rounds that the journal has, and as they must be; `--minutes N` ends it after the round that is under way
 * then. A line of JSON for each round goes to `--out` (bench/results/power-cut.jsonl, power-cut-mirrored.jsonl). Exit status 1 if any
 * round was not as it must be. It needs root, FUSE and loop devices (support/power-cut.ts).
 */
import { appendFileSync, existsSync, mkdirSync, readFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { inspect, parseArgs } from 'node:util';
import { buildImage } from '../../src/host/image/build-image.ts';
import { DISK_KINDS, type DiskKind } from './support/hosts-disk.ts';
import { whyNoPowerCut } from './support/power-cut.ts';
import { type PowerCutResult, runPowerCut } from './support/power-cut-round.ts';

/** A round that came to no end has its problems only. */
export type PowerCutLine = { readonly atMs: number } & (
  | PowerCutResult
  | Pick<PowerCutResult, 'disk' | 'seed' | 'problems'>
);

const JOURNALS: Readonly<Record<DiskKind, string>> = {
  shared: 'power-cut.jsonl',
  mirrored: 'power-cut-mirrored.jsonl',
};

/** Nothing where there is no file. */
export function readPowerCuts(path: string): PowerCutLine[] {
  if (!existsSync(path)) return [];
  const lines = readFileSync(path, 'utf8').split('\n').filter(Boolean);
  return lines.map((line) => JSON.parse(line) as PowerCutLine);
}

/** Seeds whose last line is as it must be. */
function goodSeeds(lines: readonly PowerCutLine[]): Set<number> {
  const last = new Map(lines.map((line) => [line.seed, line]));
  return new Set([...last.values()].filter(({ problems }) => problems.length === 0).map(({ seed }) => seed));
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      rounds: { type: 'string', default: '1' },
      seed: { type: 'string', default: '1' },
      disk: { type: 'string', default: 'shared' },
      connections: { type: 'string', default: '4' },
      answers: { type: 'string', default: '400' },
      minutes: { type: 'string' },
      resume: { type: 'boolean', default: false },
      out: { type: 'string' },
    },
  });
  const why = await whyNoPowerCut();
  if (why !== undefined) throw new Error(why);
  const disk = DISK_KINDS.find((kind) => kind === values.disk);
  if (disk === undefined) throw new Error(`--disk is one of: ${DISK_KINDS.join(', ')}`);
  const out = resolve(values.out ?? join(import.meta.dirname, '../../bench/results', JOURNALS[disk]));
  mkdirSync(dirname(out), { recursive: true });
  const done = values.resume ? goodSeeds(readPowerCuts(out)) : new Set<number>();
  const endMs = values.minutes === undefined ? Number.POSITIVE_INFINITY : Date.now() + Number(values.minutes) * 60_000;
  const image = await buildImage();
  const [connections, answers] = [Number(values.connections), Number(values.answers)];
  let failures = 0;
  for (let i = 0; i < Number(values.rounds) && Date.now() < endMs; i++) {
    const seed = Number(values.seed) + i;
    if (done.has(seed)) continue;
    const atMs = Date.now();
    const result: PowerCutLine = await runPowerCut({ image, disk, seed, connections, answers }).then(
      (round) => ({ atMs, ...round }),
      (error: unknown) => ({ atMs, disk, seed, problems: [inspect(error)] }),
    );
    if (result.problems.length > 0) failures++;
    const line = JSON.stringify(result);
    appendFileSync(out, `${line}\n`);
    console.log(line);
  }
  process.exitCode = failures > 0 ? 1 : 0;
}

if (import.meta.main) await main();
