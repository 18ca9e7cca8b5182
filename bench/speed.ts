/**
 * How fast programs run inside the guest, on Understudy and on its peers. Alone, it measures what it is told and prints it:
 *
 *     node bench/speed.ts --subjects translator,qemu --programs sieve,sort --rounds 1
 *     node bench/speed.ts --subjects translator --programs sieve --rounds 1 --cpu-prof /tmp/profiles
 *     node bench/speed.ts --subjects translator,qemu --programs none --redis --rounds 1
 */
import { parseArgs } from 'node:util';
import { buildImage } from '../src/host/image/build-image.ts';
import { runCampaign } from './speed/campaign.ts';
import { newCampaign } from './speed/facts.ts';
import { PROGRAMS, programsNamed } from './speed/programs.ts';
import { complaints, showRatios, showRedis, showRedisRatios, showSeconds } from './speed/show.ts';
import { SUBJECTS, subjectsNamed } from './speed/subjects.ts';

const { values } = parseArgs({
  options: {
    subjects: { type: 'string', default: SUBJECTS.join(',') },
    programs: { type: 'string', default: PROGRAMS.map(({ name }) => name).join(',') },
    redis: { type: 'boolean', default: false },
    rounds: { type: 'string', default: '5' },
    'cpu-prof': { type: 'string' },
    'node-options': { type: 'string', default: '' },
  },
});
const nodeOptions = values['node-options'].split(' ').filter((word) => word !== '');
const profile = values['cpu-prof'];
if (profile !== undefined) nodeOptions.push('--cpu-prof', `--cpu-prof-dir=${profile}`);
const programs = values.programs === 'none' ? [] : programsNamed(values.programs.split(',')).map(({ name }) => name);
const options = {
  subjects: subjectsNamed(values.subjects.split(',')),
  programs,
  rounds: Number(values.rounds),
  image: values.redis ? await buildImage() : undefined,
  nodeOptions,
  onProgress: (line: string) => console.error(line),
};
const journal = await runCampaign(options, {
  campaign: await newCampaign({ ...options, redis: values.redis }),
  entries: [],
});
if (programs.length > 0) console.log(`${showSeconds(journal)}\n\n${showRatios(journal)}\n`);
if (values.redis) console.log(`${showRedis(journal)}\n\n${showRedisRatios(journal)}\n`);
for (const line of complaints(journal)) {
  console.log(`WRONG: ${line}`);
  process.exitCode = 1;
}
