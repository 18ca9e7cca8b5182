/**
 * Power cuts of everything by the dozen, with a real guest and a client that knows what was acknowledged:
 *
 *     node test/e2e/power-cut-campaign.ts --rounds 20 --seed 1
 *     node --import ./test/e2e/support/lying-disk.ts test/e2e/power-cut-campaign.ts --rounds 1     must find lost writes
 *
 * A line of JSON for each round goes to `--out` (bench/results/power-cut.jsonl). Exit status 1 if any round was not as it must be. It needs
 * root, FUSE and a loop device (support/power-cut.ts).
 */
import { appendFileSync, mkdirSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { inspect, parseArgs } from 'node:util';
import { buildImage } from '../../src/host/image/build-image.ts';
import { whyNoPowerCut } from './support/power-cut.ts';
import { type PowerCutResult, runPowerCut } from './support/power-cut-round.ts';

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '1' },
    seed: { type: 'string', default: '1' },
    connections: { type: 'string', default: '4' },
    answers: { type: 'string', default: '400' },
    out: { type: 'string', default: resolve(import.meta.dirname, '../../bench/results/power-cut.jsonl') },
  },
});

const why = await whyNoPowerCut();
if (why !== undefined) throw new Error(why);
const image = await buildImage();
mkdirSync(dirname(values.out), { recursive: true });
let failures = 0;
for (let i = 0; i < Number(values.rounds); i++) {
  const seed = Number(values.seed) + i;
  const round = { image, seed, connections: Number(values.connections), answers: Number(values.answers) };
  const result: PowerCutResult | { seed: number; problems: string[] } = await runPowerCut(round).catch(
    (error: unknown) => ({ seed, problems: [inspect(error)] }),
  );
  if (result.problems.length > 0) failures++;
  const line = JSON.stringify(result);
  appendFileSync(values.out, `${line}\n`);
  console.log(line);
}
process.exitCode = failures > 0 ? 1 : 0;
