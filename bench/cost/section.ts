/** The cost benchmark as a part of bench/RESULTS.md: its journal is bench/results/cost.jsonl. */
import { join } from 'node:path';
import type { BuiltImage } from '../../src/host/image/manifest.ts';
import { benchGuest } from '../speed/guest.ts';
import { collectFacts } from '../support/facts.ts';
import { runCost } from './campaign.ts';
import { type CostJournal, readCostJournal, writeCostJournal } from './journal.ts';
import { costComplaints, showCostFigures, showCostGoals, showCosts, WARM_PASSES } from './show.ts';

const JOURNAL = join(import.meta.dirname, '../results/cost.jsonl');

/** More than half a second of each in a pass. */
const TIMES: Readonly<Record<string, number>> = { sha256: 1, bytecode: 2, sort: 2 };

/**
 * The first pass begins as soon as the guest is up, when much of its code still waits to be compiled, and V8 goes on for half a minute on
 * the replicas' two cores. In the last ones only the programs cost anything: that is what a goal for "compute" means.
 */
const PASSES = 10;

export interface CostWishes {
  readonly image: BuiltImage;
  /** Pairs of runs of each kind. */
  readonly pairs: number;
  /** Goes on with the journal that is there, with the pairs that it was begun with. */
  readonly resume: boolean;
  readonly onProgress: (line: string) => void;
}

/** Leaves the journal. Throws when there is nothing to resume. */
export async function measureCost({ image, pairs, resume, onProgress }: CostWishes): Promise<void> {
  await benchGuest('riscv64');
  let journal: CostJournal | undefined;
  if (resume) {
    const found = await readCostJournal(JOURNAL);
    if (found === undefined) throw new Error(`there is nothing to resume: ${JOURNAL} is missing`);
    journal = { head: found.head, entries: found.entries.filter(({ type }) => type !== 'failure') };
    onProgress(`cost: ${journal.entries.length} runs are done already`);
  }
  const programs = Object.entries(TIMES).flatMap(([name, times]) => Array<string>(times).fill(name));
  journal ??= { head: { type: 'cost', facts: await collectFacts(), pairs, programs, passes: PASSES }, entries: [] };
  await writeCostJournal(JOURNAL, journal);
  await runCost(journal, { image, file: JOURNAL, onProgress });
}

const introduction = (passes: number) =>
  `What \`understudy record\` and \`understudy pair\` (primary and backup on the cores of this one machine, the arbiter a directory of its disk) take longer
than \`understudy run\`, with the translator. *Beside* is a plain run while another plain guest runs the same programs: what a second busy core costs here, whatever
keeps it busy. A round is one run of each, one after the other, in an order that changes; each run boots a guest of its own, in which programs of the speed
benchmark run one after the other, more than half a second each, and all of that ${passes} times. *Warm* is the last ${WARM_PASSES} of these passes, *cold* the first one, which begins
as soon as the guest is up: both replicas of a pair then compile the code of the boot and of the programs, on the two cores on which they run. redis: both guests are up, and loaded in turn. A pair is
the plain run and the other of one round; the mean is that of the logarithms of the pairs' ratios, with its 95 % interval by Student's t.
"Process" is the processor time of all threads; with redis of the hub and passt too; of a pair it is the primary's alone.`;

/** Markdown. */
export async function costSection(): Promise<string> {
  const journal = await readCostJournal(JOURNAL);
  if (journal === undefined || journal.entries.length === 0)
    return '## Cost of recording and of a pair\n\nNot measured.\n';
  const { facts, pairs } = journal.head;
  const loads = journal.entries.map(({ load }) => load);
  const wrong = costComplaints(journal);
  return `${[
    '## Cost of recording and of a pair',
    showCostGoals(journal),
    introduction(journal.head.passes),
    showCosts(journal),
    showCostFigures(journal),
    wrong.length === 0
      ? 'All runs came to their end, and all results agree.'
      : `**Wrong:**\n\n${wrong.map((line) => `- ${line}`).join('\n')}`,
    [
      `\`npm run bench -- --only cost --pairs ${pairs}\``,
      `${facts.date} UTC; commit ${facts.commit}; ${facts.processor}, ${facts.cores} cores, ${facts.memoryGib} GiB, Linux ${facts.hostKernel}; Node ${facts.node};`,
      `load of the last minute before each run ${Math.min(...loads).toFixed(1)} to ${Math.max(...loads).toFixed(1)}`,
    ].join('  \n'),
  ].join('\n\n')}\n`;
}
