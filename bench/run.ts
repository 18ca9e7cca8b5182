/**
 * All benchmarks, and bench/RESULTS.md from what they found:
 *
 *     npm run bench                        everything, about two and a half hours
 *     npm run bench -- --quick             fewer requests and boots
 *     npm run bench -- --only boot,pair    some parts; the others keep the figures that they have
 *     npm run bench -- --only speed        programs in the guest, against QEMU and v86: --rounds N, --resume after an interruption,
 *                                          --minutes N to be interrupted after that time
 *     npm run bench -- --only cost         what recording and being a pair cost: --pairs N (20), --resume
 *     npm run bench -- --only soak         a pair under load: --minutes N (30)
 *     npm run bench -- --only replication  what fault tolerance costs and gives: log, latency, state transfers; --resume
 *     npm run bench -- --only none         writes RESULTS.md again, with the failover campaigns' journals as they are now
 *
 * Each part leaves its raw figures in bench/results/, with the facts of the machine when it ran.
 */
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { buildImage } from '../src/host/image/build-image.ts';
import type { BuiltImage } from '../src/host/image/manifest.ts';
import { type BootFigures, measureBoot, showBoot, WHOLE_COMMAND_LINE } from './boot.ts';
import { costSection, measureCost } from './cost/section.ts';
import { hostsSection } from './hosts/section.ts';
import { powerCutSection } from './power-cut/section.ts';
import { measureRedis, redisOptions, type SubjectFigures, showLatency, showLog, showRates, showUse } from './redis.ts';
import { measureReplication, replicationSection } from './replication/section.ts';
import { measureSoak, soakSection } from './soak/section.ts';
import { measureSpeed, type SpeedPart, speedSection } from './speed/section.ts';
import { collectFacts, type Facts } from './support/facts.ts';
import { type FailoverSummary, showFailover } from './support/failover.ts';
import { SUBJECTS } from './support/subject.ts';

const RESULTS = join(import.meta.dirname, 'results');
const STORED_PARTS = ['boot', 'boot-whole', ...SUBJECTS] as const;
const PARTS = ['speed', 'speed-programs', 'speed-redis', 'cost', 'soak', 'replication', ...STORED_PARTS] as const;
type Part = (typeof STORED_PARTS)[number];

interface Stored<Figures> {
  readonly facts: Facts;
  readonly quick: boolean;
  readonly figures: Figures;
}

async function measure(part: Part, image: BuiltImage, quick: boolean): Promise<BootFigures | SubjectFigures> {
  if (part === 'boot') return measureBoot(image, quick ? 2 : 5);
  if (part === 'boot-whole') return measureBoot(image, quick ? 1 : 3, WHOLE_COMMAND_LINE);
  return measureRedis(part, image, redisOptions(quick));
}

async function readJson<Content>(name: string): Promise<Content | undefined> {
  try {
    return JSON.parse(await readFile(join(RESULTS, `${name}.json`), 'utf8')) as Content;
  } catch {
    return undefined;
  }
}

const stored = <Figures>(part: Part) => readJson<Stored<Figures>>(part);

/** How a part was measured, and on what. */
function provenance(part: Part, { facts, quick }: Stored<unknown>): string {
  const { date, processor, cores, memoryGib, hostKernel, node, qemu, commit, load } = facts;
  return [
    `\`npm run bench -- --only ${part}${quick ? ' --quick' : ''}\``,
    `${date} UTC; commit ${commit}; ${processor}, ${cores} cores, ${memoryGib} GiB, Linux ${hostKernel}; Node ${node};`,
    `QEMU ${qemu}; load of the last minute before it ${load.toFixed(1)}`,
  ].join('  \n');
}

async function bootSection(part: 'boot' | 'boot-whole', title: string): Promise<string> {
  const found = await stored<BootFigures>(part);
  if (found === undefined) return `## ${title}\n\nNot measured.\n`;
  const { figures } = found;
  const what = `${figures.pairs.length} pairs, in turn. Command line: \`${figures.commandLine}\``;
  return `## ${title}\n\n${what}\n\n${showBoot(figures)}\n\n${provenance(part, found)}\n`;
}

async function redisSection(): Promise<string> {
  const found: (readonly [Part, Stored<SubjectFigures>])[] = [];
  for (const subject of SUBJECTS) {
    const one = await stored<SubjectFigures>(subject);
    if (one !== undefined) found.push([subject, one]);
  }
  if (found.length === 0) return '## redis\n\nNot measured.\n';
  const all = found.map(([, { figures }]) => figures);
  return [
    '## redis',
    `Debian's redis-benchmark on the same host, against redis-server in the guest (\`-c\`: clients, \`-P\`: commands in one write).
plain: \`understudy run\`. recorded: \`understudy record\`, a hash of the whole state each second. pair: \`understudy pair\`, primary and backup
on this one machine. qemu-hub: QEMU behind our hub and passt. qemu-user: QEMU's own user network, measured with one client
only (20 gave no result within 10 s). One run each: differences below 20 % are noise. In brackets: the share of the plain run.`,
    showRates(all),
    showLatency(all),
    `The recorded run's log is its file, with ten bytes of framing and checksum for each entry; the pair's is what the primary sends.`,
    showLog(all),
    `Cores in use by each thread; in brackets, cores that it was ready for and did not get, because others ran there.`,
    ...all.map(showUse),
    ...found.map(([part, one]) => provenance(part, one)),
  ].join('\n\n');
}

async function failoverSection(): Promise<string> {
  const found = await readJson<FailoverSummary>('failover');
  const text = found === undefined ? 'Not measured.' : showFailover(found);
  return `## Failover, as clients see it\n\n${text}\n\n\`node test/e2e/campaign.ts --kind KIND --rounds 20\`\n`;
}

const HEAD = `# Benchmarks

Written by \`npm run bench\`; do not edit. Medians, with the range of all runs in brackets. All parties of a test, the client too, share
this machine's cores, and so does whatever else it does meanwhile: look at the load and at the seconds without a core before you compare.
Understudy runs with its default engine, if nothing else is said.
`;

const { values } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    only: { type: 'string' },
    rounds: { type: 'string', default: '5' },
    pairs: { type: 'string', default: '20' },
    resume: { type: 'boolean', default: false },
    minutes: { type: 'string' },
  },
});
const wanted = values.only?.split(',') ?? PARTS;
const unknown = wanted.filter((name) => name !== 'none' && !PARTS.some((part) => part === name));
if (unknown.length > 0) throw new Error(`there is no part ${unknown.join(', ')}: choose from ${PARTS.join(', ')}`);
await mkdir(RESULTS, { recursive: true });
const image = await buildImage();
const onProgress = (line: string): void => console.error(line);
const speedParts: SpeedPart[] = ['programs', 'redis'];
for (const part of speedParts.filter((name) => wanted.includes('speed') || wanted.includes(`speed-${name}`))) {
  const rounds = values.quick ? 1 : Number(values.rounds);
  const limitMs = values.minutes === undefined ? undefined : Number(values.minutes) * 60_000;
  await measureSpeed(part, { image, rounds, resume: values.resume, limitMs, onProgress });
}
if (wanted.includes('cost')) {
  await measureCost({ image, pairs: values.quick ? 3 : Number(values.pairs), resume: values.resume, onProgress });
}
if (wanted.includes('soak')) {
  await measureSoak({ image, minutes: Number(values.minutes ?? (values.quick ? 1 : 30)), onProgress });
}
if (wanted.includes('replication')) {
  await measureReplication({ image, quick: values.quick, resume: values.resume, onProgress });
}
for (const part of STORED_PARTS.filter((name) => wanted.includes(name))) {
  console.error(`measuring: ${part}`);
  const facts = await collectFacts();
  const result = { facts, quick: values.quick, figures: await measure(part, image, values.quick) };
  await writeFile(join(RESULTS, `${part}.json`), `${JSON.stringify(result, undefined, 2)}\n`);
}
const sections = [
  await speedSection(),
  await costSection(),
  await soakSection(),
  await bootSection('boot', 'Boot of the demo image to its prompt'),
  await bootSection('boot-whole', 'The same with all of the kernel’s self-tests'),
  await redisSection(),
  await failoverSection(),
  await replicationSection(),
  await hostsSection(),
  await powerCutSection(),
];
await writeFile(join(import.meta.dirname, 'RESULTS.md'), `${[HEAD, ...sections].join('\n')}`);
