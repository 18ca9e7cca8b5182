/** The speed benchmark as a part of bench/RESULTS.md: its journals in bench/results, its plot in bench/plots/speed.svg. */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { BuiltImage } from '../../src/host/image/manifest.ts';
import { collectFacts } from '../support/facts.ts';
import { resumable, runCampaign } from './campaign.ts';
import { newCampaign } from './facts.ts';
import { type Journal, readJournal, writeJournal } from './journal.ts';
import { drawPlot } from './plot.ts';
import { PROGRAMS } from './programs.ts';
import { complaints, showGoals, showRatios, showRedis, showRedisRatios, showSeconds, showSubjects } from './show.ts';
import { FACTS, SUBJECTS } from './subjects.ts';

const RESULTS = join(import.meta.dirname, '../results');
const PLOT = join(import.meta.dirname, '../plots/speed.svg');

/** The two halves of the benchmark, each with a journal of its own, so that one can be measured again without the other. */
export type SpeedPart = 'programs' | 'redis';
const JOURNALS: Readonly<Record<SpeedPart, string>> = {
  programs: join(RESULTS, 'speed.jsonl'),
  redis: join(RESULTS, 'speed-redis.jsonl'),
};

export interface SpeedOptions {
  readonly image: BuiltImage;
  readonly rounds: number;
  /** Goes on with the journal that is there, with the rounds that it was begun with. */
  readonly resume: boolean;
  /** No run begins after this; `resume` goes on later. */
  readonly limitMs: number | undefined;
  readonly onProgress: (line: string) => void;
}

/** One half on all subjects that it has. Leaves the journal. */
export async function measureSpeed(part: SpeedPart, options: SpeedOptions): Promise<void> {
  const { image, rounds, resume, limitMs, onProgress } = options;
  const file = JOURNALS[part];
  const isRedis = part === 'redis';
  let journal: Journal | undefined;
  if (resume) {
    journal = await readJournal(file);
    if (journal === undefined) throw new Error(`there is nothing to resume: ${file} is missing`);
    onProgress(`${journal.entries.length} runs are done already`);
    const { commit } = await collectFacts();
    const { facts } = journal.campaign;
    if (facts.commit !== commit) onProgress(`they are of commit ${facts.commit}; this is ${commit}`);
  }
  journal ??= {
    campaign: await newCampaign({
      subjects: isRedis ? SUBJECTS.filter((name) => FACTS[name].mostRedisRounds !== 0) : SUBJECTS,
      programs: isRedis ? [] : PROGRAMS.map(({ name }) => name),
      rounds,
      redis: isRedis,
    }),
    entries: [],
  };
  journal = resumable(journal);
  await writeJournal(file, journal);
  const { subjects, programs } = journal.campaign;
  const wishes = { subjects, programs, rounds: journal.campaign.rounds, nodeOptions: [], limitMs, onProgress };
  await runCampaign(isRedis ? { ...wishes, image } : wishes, journal, file);
}

/** Both halves as one, for the tables of goals and the plot. */
function together(programs: Journal, redis: Journal | undefined): Journal {
  if (redis === undefined) return programs;
  const versions = { ...redis.campaign.versions, ...programs.campaign.versions };
  return { campaign: { ...programs.campaign, versions }, entries: [...programs.entries, ...redis.entries] };
}

const INTRODUCTION = `Sixteen programs in the guest (\`bench/guest\`), one after the other, without a disk: the same kernel and the same initramfs on all riscv64 subjects, 512 MB,
one hart. This host times the lines that the guest's init prints before and after each program, because guests' clocks cannot be compared. In each
round every subject runs once, one after the other; a ratio is the median of the rounds' ratios (least and most in brackets), and above 1 we are faster. Each
program's result must be the same on all subjects and in all rounds.`;

const REDIS_INTRODUCTION = `Debian's redis-benchmark on this host against redis-server in the demo guest, with 20 clients, behind our hub and passt; QEMU is behind the same
hub, with a virtio disk. The first test comes as soon as the guest has booted, when the code for it still has to be compiled; goals and means are of the four behind it. A replay has no clients: its requests a second are those of the recording, by the time between marks on the console. QEMU's recordings get a
twentieth of the requests, because that is their speed: each frame waits for an event of the guest's own, such as a timer.`;

/** Markdown; draws the plot anew. */
export async function speedSection(): Promise<string> {
  const programs = await readJournal(JOURNALS.programs);
  if (programs === undefined || programs.entries.length === 0) return '## Speed\n\nNot measured.\n';
  const redis = await readJournal(JOURNALS.redis);
  const journal = together(programs, redis);
  await mkdir(join(PLOT, '..'), { recursive: true });
  await writeFile(PLOT, await drawPlot(journal));
  const wrong = complaints(journal);
  return `${[
    '## Speed',
    '![Times as fast as the peer, for each program](plots/speed.svg)',
    showGoals(journal),
    INTRODUCTION,
    showRatios(journal),
    'Medians of seconds by this host’s clock, and in brackets of the seconds of processor time, user and system, of all threads of the process.',
    showSeconds(journal),
    provenance('programs', programs),
    REDIS_INTRODUCTION,
    showRedisRatios(journal),
    showRedis(journal),
    ...(redis === undefined ? [] : [provenance('redis', redis)]),
    showSubjects(journal),
    wrong.length === 0
      ? 'All runs came to their end, and all results agree.'
      : `**Wrong:**\n\n${wrong.map((line) => `- ${line}`).join('\n')}`,
  ].join('\n\n')}\n`;
}

function provenance(part: SpeedPart, { campaign: { facts, rounds, versions }, entries }: Journal): string {
  const loads = entries.map(({ load }) => load);
  const packages = Object.entries(versions).filter(([name]) => name !== 'node' && name !== 'qemu');
  return [
    `\`npm run bench -- --only speed-${part} --rounds ${rounds}\``,
    `${facts.date} UTC; commit ${facts.commit}; ${facts.processor}, ${facts.cores} cores, ${facts.memoryGib} GiB, Linux ${facts.hostKernel}; Node ${facts.node};`,
    `QEMU ${facts.qemu}; ${packages.map(([name, version]) => `${name} ${version}`).join(', ')};`,
    `load of the last minute before each run ${Math.min(...loads).toFixed(1)} to ${Math.max(...loads).toFixed(1)}`,
  ].join('  \n');
}
