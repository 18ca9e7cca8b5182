/** The speed benchmark as a part of bench/RESULTS.md: its journal in bench/results/speed.jsonl, its plot in bench/plots/speed.svg. */
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
import { SUBJECTS } from './subjects.ts';

const JOURNAL = join(import.meta.dirname, '../results/speed.jsonl');
const PLOT = join(import.meta.dirname, '../plots/speed.svg');

export interface SpeedOptions {
  readonly image: BuiltImage;
  readonly rounds: number;
  /** Goes on with the journal that is there, with the rounds that it was begun with. */
  readonly resume: boolean;
  /** No run begins after this; `resume` goes on later. */
  readonly limitMs: number | undefined;
  readonly onProgress: (line: string) => void;
}

/** All programs and redis on all subjects. Leaves the journal. */
export async function measureSpeed({ image, rounds, resume, limitMs, onProgress }: SpeedOptions): Promise<void> {
  const plan = { subjects: SUBJECTS, programs: PROGRAMS.map(({ name }) => name), rounds, redis: true };
  let journal: Journal | undefined;
  if (resume) {
    journal = await readJournal(JOURNAL);
    if (journal === undefined) throw new Error(`there is nothing to resume: ${JOURNAL} is missing`);
    onProgress(`${journal.entries.length} runs are done already`);
    const { commit } = await collectFacts();
    const { facts } = journal.campaign;
    if (facts.commit !== commit) onProgress(`they are of commit ${facts.commit}; this is ${commit}`);
  }
  journal ??= { campaign: await newCampaign(plan), entries: [] };
  journal = resumable(journal);
  await writeJournal(JOURNAL, journal);
  const { subjects, programs } = journal.campaign;
  const options = { subjects, programs, rounds: journal.campaign.rounds, image, nodeOptions: [], limitMs, onProgress };
  await runCampaign(options, journal, JOURNAL);
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
  const journal = await readJournal(JOURNAL);
  if (journal === undefined || journal.entries.length === 0) return '## Speed\n\nNot measured.\n';
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
    REDIS_INTRODUCTION,
    showRedisRatios(journal),
    showRedis(journal),
    showSubjects(journal),
    wrong.length === 0
      ? 'All runs came to their end, and all results agree.'
      : `**Wrong:**\n\n${wrong.map((line) => `- ${line}`).join('\n')}`,
    provenance(journal),
  ].join('\n\n')}\n`;
}

function provenance({ campaign: { facts, rounds, versions }, entries }: Journal): string {
  const loads = entries.map(({ load }) => load);
  const packages = Object.entries(versions).filter(([name]) => name !== 'node' && name !== 'qemu');
  return [
    `\`npm run bench -- --only speed --rounds ${rounds}\``,
    `${facts.date} UTC; commit ${facts.commit}; ${facts.processor}, ${facts.cores} cores, ${facts.memoryGib} GiB, Linux ${facts.hostKernel}; Node ${facts.node};`,
    `QEMU ${facts.qemu}; ${packages.map(([name, version]) => `${name} ${version}`).join(', ')};`,
    `load of the last minute before each run ${Math.min(...loads).toFixed(1)} to ${Math.max(...loads).toFixed(1)}`,
  ].join('  \n');
}
